"""The folder browser shows what somebody may add from, and nothing else."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from search_ui.app_state import app_state
from tests.search_ui.conftest import client_of, open_app_state
from tests.support import demo_settings


@pytest.fixture
def media(tmp_path):
    for name in ("holidays/2023", "Archive", ".hidden"):
        (tmp_path / "media" / name).mkdir(parents=True)
    (tmp_path / "media" / "holidays" / "a.MP4").touch()
    (tmp_path / "media" / "holidays" / "notes.txt").touch()
    (tmp_path / "media" / "out").symlink_to("/etc")
    return tmp_path / "media"


@pytest.fixture
def client(filled_home, media) -> Iterator[TestClient]:
    settings = demo_settings(filled_home, ui_folders=[media])
    with client_of(open_app_state(settings, sign_in=False)) as client:
        yield client


def names(client: TestClient, path: str) -> list[str]:
    answer = client.get("/folders", params={"collection": "colours", "path": path})
    return [folder["name"] for folder in answer.json()["folders"]]


def test_from_the_allowed_folder_down_and_up_again(client, media):
    assert names(client, "") == [str(media)]
    assert names(client, str(media)) == ["Archive", "holidays"]
    answer = client.get(
        "/folders", params={"collection": "colours", "path": str(media / "holidays")}
    ).json()
    assert (answer["videos"], answer["above"]) == (1, str(media))
    asked = {"collection": "colours", "path": str(media)}
    assert client.get("/folders", params=asked).json()["above"] == "", "back to where one began"


@pytest.mark.parametrize("path", ["/etc", "..", "{media}/out", "{media}/../..", "/x"])
def test_nothing_outside(client, media, path):
    asked = {"collection": "colours", "path": path.format(media=media)}
    assert client.get("/folders", params=asked).status_code == 404


def test_who_may_not_add_sees_no_folder(signed):
    for name in ("viewer", "limited"):
        assert signed(name).get("/folders?collection=colours").status_code == 403
    assert signed("editor").get("/folders?collection=colours").json()["folders"] == []
    assert not app_state().reach.holds("/etc")
