"""Artefacts are derived: those that a video lacks are made again from its file and the catalog."""

from __future__ import annotations

import numpy as np

from indexer.admin.playback import make_proxy_of, playback
from indexer.catalog import videos
from indexer.catalog.thumbnails import list_thumbnail_times
from indexer.context import Context
from indexer.media.files import MediaFiles
from indexer.media.output.thumbnails import jpeg
from indexer.stages.picture import THUMBNAIL_WIDTH
from indexer.vocabulary import StageName

AT_ONCE = 32  # pictures in memory


def make_artefacts(context: Context, video_id: int) -> None:
    """Thumbnails that are missing, and the copy that browsers play where they cannot play the file.
    Raises MediaError, StorageError.
    """
    make_thumbnails(context, video_id)
    if playback(context, video_id).state == "wait":
        make_proxy_of(context, video_id, lambda _share: None)


def make_thumbnails(context: Context, video_id: int) -> int:
    """How many were missing."""
    with context.catalog.read() as session:
        video = videos.get_video(session, video_id)
        times_s = list_thumbnail_times(session, video_id, video.keys[StageName.PICTURE] or "")
    missing = [
        time_s for time_s in times_s if not context.artefacts.thumbnail(video_id, time_s).exists()
    ]
    if not missing:
        return 0
    path = context.path_of(video)
    with MediaFiles(context.settings) as media:
        for first in range(0, len(missing), AT_ONCE):
            some = missing[first : first + AT_ONCE]
            images = media.frames_at(path, np.array(some), short_side=THUMBNAIL_WIDTH).images
            for time_s, image in zip(some, images):
                context.artefacts.write_thumbnail(video_id, time_s, jpeg(image, THUMBNAIL_WIDTH))
    return len(missing)
