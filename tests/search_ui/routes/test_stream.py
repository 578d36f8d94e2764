"""What a browser shows of every kind of file."""

from pathlib import Path

import numpy as np

from tests.indexer.media.golden import SOUND, read_number
from tests.support import demo_library

# As it is: constant to mirrored. By a proxy: the others.
GOLDEN = [
    "constant",
    "variable",
    "ntsc",
    "edit_list",
    "rotated_90",
    "mirrored",
    "vp9",
    "av1",
    "ten_bit",
    "mpeg4_avi",
    "start_offset",
]


SHOW = """async ([src, times]) => {
  const video = document.createElement('video');
  Object.assign(video, { muted: true, preload: 'auto', src });
  await new Promise((ok, no) => {
    video.onloadeddata = ok;
    video.onerror = () => no(new Error(video.error.message));
  });
  const canvas = document.createElement('canvas');
  canvas.width = 96;
  canvas.height = Math.round(96 * video.videoHeight / video.videoWidth);
  const pen = canvas.getContext('2d');
  const pictures = [];
  for (const time of times) {
    await new Promise(ok => {
      video.requestVideoFrameCallback(ok);
      video.onseeked = () => setTimeout(ok, 2000);  // a busy browser may miss the callback
      video.currentTime = time;
    });
    pen.drawImage(video, 0, 0, canvas.width, canvas.height);
    pictures.push(Array.from(pen.getImageData(0, 0, canvas.width, canvas.height).data));
  }
  return pictures;
}"""


def test_a_browser_shows_what_the_library_means(browser, studio, tmp_path):
    """Every kind of file: the picture that Chromium shows at a time is the picture that the index
    calls by that time.
    """
    goldens = {}
    for name in GOLDEN:
        (tmp_path / "v" / name).mkdir(parents=True)
        made = SOUND[name](tmp_path / "v" / name)
        goldens[made.path] = made
    library = demo_library(studio.home)
    library.ingest(list(goldens), "golden")
    videos = {Path(video.paths[0].path): video.video_id for video in library.videos(["golden"])}
    for video_id in videos.values():
        if library.playback(video_id).state == "wait":
            library.make_proxy(video_id, lambda share: None)
    page = browser.new_page(base_url=studio.url)
    page.goto("/sign-in")  # any page of ours
    wrong = []
    for path, golden in goldens.items():
        middles = ((golden.times_s[:-1] + golden.times_s[1:]) / 2)[[0, 3, 11, 17, -1]].tolist()
        pictures = page.evaluate(SHOW, [f"/stream/{videos[path]}", middles])
        shown = [
            read_number(np.array(item, np.uint8).reshape(-1, 96, 4)[..., :3]) for item in pictures
        ]
        wanted = [golden.number_at(time_s) for time_s in middles]
        if shown != wanted:
            wrong.append(f"{path.name}: {shown} instead of {wanted}")
    assert wrong == []
