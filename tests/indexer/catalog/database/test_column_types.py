"""Columns give back what was put in, and read what older versions stored."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from indexer.catalog import Catalog, videos
from indexer.catalog.tables.library import Video
from indexer.messages import Message
from indexer.vocabulary import VideoState
from tests.indexer.catalog import support


@pytest.mark.parametrize("stored", ["the decoder hung", "3", "null", "[1, 2]", '{"a": 1}', ""])
def test_errors_of_older_versions_are_read_as_text(catalog: Catalog, stored: str):
    video_id = support.add_video(catalog, "a.mp4")
    with catalog.begin() as s:
        s.execute(
            text("UPDATE video SET error = :error WHERE id = :id"),
            {"error": stored, "id": video_id},
        )
    with catalog.read() as s:
        error = videos.get_video(s, video_id).error
    assert error == Message(stored)
    assert str(error) == stored


def test_a_message_keeps_its_template_and_values(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4")
    inner = Message("no {what} stream", {"what": "vid\x00eo"})
    error = Message("{path}: {reason}, {n} times", {"path": "\udcff.mp4", "reason": inner, "n": 2})
    with catalog.begin() as s:
        s.get_one(Video, video_id).error = error
    with catalog.read() as s:
        found = videos.get_video(s, video_id).error
    assert found is not None
    assert found.template == error.template
    assert str(found) == "?.mp4: no video stream, 2 times"


def test_a_state_is_a_member_of_its_enumeration(catalog: Catalog):
    video_id = support.add_video(catalog, "a.mp4")
    with catalog.read() as s:
        assert videos.get_video(s, video_id).state is VideoState.PENDING
        assert videos.list_videos(s, states=["pending"]) != []
