"""Moments that people keep, with the videos they are of: of each person only those that they still
see.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from indexer.catalog import videos
from indexer.catalog.accounts import find_account
from indexer.catalog.people import moment_lists
from indexer.catalog.people.moment_lists import KeptMomentRow
from indexer.catalog.people.shared_links import SharedLinkRow
from indexer.catalog.videos import VideoRow
from indexer.formatting import video_title
from indexer.search.types import Moment
from search_ui.app_state import app_state
from search_ui.auth.access_rights import LOCAL_USER, User


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept moment and its video."""

    row: KeptMomentRow
    video: VideoRow

    @property
    def title(self) -> str:
        """What the video is called."""
        path = self.video.paths[0].relative_path if self.video.paths else None
        return video_title(self.video.title, path, self.video.id)

    def as_moment(self) -> Moment:
        """As the writers of tables and edit lists take it; nobody scored it."""
        path = app_state().library.context.shown_path(self.video)
        video = self.video
        return Moment(
            video.id, path, video.collection, self.row.span, math.nan, (), None, self.title
        )


def kept_moments(list_id: int, user: User) -> list[Kept]:
    """The moments of a list in its order; those of videos that the user does not see are left
    out.
    """
    with app_state().library.catalog.read() as session:
        rows = moment_lists.list_moments(session, list_id)
        known = videos.get_videos(session, {row.video_id for row in rows})
    return [
        Kept(row, known[row.video_id])
        for row in rows
        if row.video_id in known and user.sees(known[row.video_id].collection_id)
    ]


def tray_id(user: User) -> int:
    """The number of the user's tray; the first time it is made."""
    with app_state().library.catalog.begin() as session:
        return moment_lists.tray_of(session, user.account_id)


def sharer(link: SharedLinkRow) -> User | None:
    """Who made a link, with the rights that they have now; None: they are gone."""
    if link.account_id is None:
        return LOCAL_USER
    with app_state().library.catalog.read() as session:
        account = find_account(session, account_id=link.account_id)
    return None if account is None else User.of(account)
