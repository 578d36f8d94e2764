"""A link shows its moments without an account, and nothing else, as long as it should."""

import io
import zipfile
from collections.abc import Iterator

import pytest

from grounding.spans import Span
from indexer.admin.accounts import add_user, change_user
from indexer.catalog import accounts, audit
from indexer.catalog.audit import Actor
from indexer.catalog.people import moment_lists, shared_links
from indexer.library import Library
from indexer.vocabulary import AuditAction
from search_ui.app_state import app_state
from tests.search_ui.browser import PASSWORD

SPAN = Span(4.0, 5.0)


@pytest.fixture
def link(library: Library, video_ids) -> Iterator[str]:
    """Made by somebody who may share and sees all; two moments, of which one is in `private`."""
    add_user(library.catalog, "sharer", PASSWORD, "editor")
    with library.catalog.begin() as session:
        account = accounts.find_account(session, name="sharer")
        assert account is not None
        tray = moment_lists.tray_of(session, account.id)
        moment_lists.add_moment(session, tray, video_ids["traffic light.mp4"], SPAN, "<b>green")
        moment_lists.add_moment(session, tray, video_ids["diary.mp4"], Span(0.0, 1.0))
        actor = Actor("sharer", account.id)
        token = shared_links.add_link(session, tray, "For <you>", 1, actor)
    yield f"/shared/{token}"
    with library.catalog.begin() as session:
        accounts.remove_account(session, "sharer")


def test_without_an_account_these_moments_and_nothing_else(signed, link, video_ids):
    nobody = signed("")
    page = nobody.get(link)
    assert page.status_code == 200
    assert "For &lt;you&gt;" in page.text
    assert "<b>green" not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    clip = nobody.get(f"{link}/clip/0", headers={"Range": "bytes=0-9"})
    assert (clip.status_code, clip.headers["content-type"]) == (206, "video/mp4")
    assert "content-disposition" not in clip.headers, "the name of the file is nobody's business"
    assert nobody.get(f"{link}/still/1").headers["content-type"] == "image/webp"
    assert nobody.get(f"{link}/clip/2").status_code == 404
    video_id = video_ids["traffic light.mp4"]
    for path in (f"/stream/{video_id}", f"/still/{video_id}/0", "/shelf", f"{link}/../../shelf"):
        assert nobody.get(path, follow_redirects=False).status_code in (303, 401, 404), path


def test_it_shows_what_the_one_who_shared_still_may(signed, library, link):
    nobody = signed("")
    change_user(library.catalog, "sharer", collection_names=["colours"])
    assert nobody.get(f"{link}/still/0").status_code == 200
    assert nobody.get(f"{link}/still/1").status_code == 404
    change_user(library.catalog, "sharer", role="viewer")
    assert nobody.get(f"{link}/still/0").status_code == 404
    assert nobody.get(link).status_code == 404


def test_it_ends_and_that_is_in_the_log(signed, library, link):
    nobody = signed("")
    with library.catalog.begin() as session:
        account = accounts.find_account(session, name="sharer")
        assert account is not None
        actor = Actor("sharer", account.id)
        (made,) = shared_links.list_links(session, account.id)
        assert shared_links.end_link(session, made.id, actor)
    assert nobody.get(link).status_code == 404
    assert nobody.get(f"{link}/clip/0").status_code == 404
    with library.catalog.read() as session:
        entries = audit.list_entries(session, actions=[AuditAction.SHARED], who="sharer", last=2)
    assert [entry.subject for entry in entries] == ["moments For <you>"] * 2


@pytest.mark.parametrize("token", ["x", "a" * 200, "..", "%2e%2e"])
def test_a_link_that_is_none(signed, token):
    assert signed("").get(f"/shared/{token}").status_code in (401, 404)


def test_a_list_as_clips_and_as_one_video(local, signed, library, video_ids, monkeypatch):
    with library.catalog.begin() as session:
        tray = moment_lists.tray_of(session, None)
        moment_lists.add_moment(session, tray, video_ids["sunset.mp4"], Span(1.0, 2.0))
        moment_lists.add_moment(session, tray, video_ids["traffic light.mp4"], SPAN)
    settings = app_state().settings
    with monkeypatch.context() as patch:
        full = settings.model_copy(update={"ui_disk_reserve_mb": 10**9})
        patch.setattr(app_state(), "settings", full)
        assert local.get(f"/kept/{tray}/clips.zip").status_code == 507, "the disk has a reserve"
    packed = local.get(f"/kept/{tray}/clips.zip")
    names = zipfile.ZipFile(io.BytesIO(packed.content)).namelist()
    assert names == ["001 sunset.mp4", "002 traffic light.mp4"]
    joined = local.get(f"/kept/{tray}/video.mp4")
    assert joined.content[4:8] == b"ftyp"
    assert signed("viewer").get(f"/kept/{tray}/clips.zip").status_code == 404, "it is not theirs"
    with library.catalog.begin() as session:
        moment_lists.remove_moments(session, tray)
    assert local.get(f"/kept/{tray}/video.mp4").status_code == 422
