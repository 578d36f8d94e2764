"""`seekpoint models get` against a hub of the tests, over real HTTP."""

import os
import subprocess
import sys

import numpy as np
import pytest

from indexer.admin.models.download import DOWNLOADS, fetch, get_offer
from indexer.errors import ModelError, StorageError, UsageError
from indexer.settings import load_settings
from tests.indexer.admin.models.hub_server import serving_hub
from tests.indexer.embedders.test_contrastive import save_checkpoint
from tests.support import demo_environment, demo_settings

REPOSITORY = DOWNLOADS["clip"].repository


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A tiny CLIP, as its repository would hold it, beside what nobody needs."""
    folder = save_checkpoint(tmp_path_factory.mktemp("clip"), "clip")
    found = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    assert len(found["model.safetensors"]) > 20_000
    return found | {"pytorch_model.bin": b"x" * 9000, "onnx/model.json": b"{}"}


@pytest.fixture
def hub(files, monkeypatch):
    with serving_hub(REPOSITORY, files) as (hub, address):
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        template = address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield hub


@pytest.fixture
def settings(tmp_path):
    return demo_settings(tmp_path / "home")


def test_an_offer_says_size_licence_folder_and_settings(hub, files, settings):
    offer = get_offer(settings, "clip")
    names = {name for name in files if name not in ("pytorch_model.bin", "onnx/model.json")}
    assert {file.name for file in offer.files} == names
    assert offer.size_bytes == sum(len(files[name]) for name in names)
    assert offer.licence == "apache-2.0"
    assert offer.folder == settings.home_path / "models" / "openai--clip-vit-base-patch32"
    assert offer.settings["SEEKPOINT_EMBEDDER_PATH"] == str(offer.folder)
    assert not offer.is_here
    assert hub.sent == []


def test_a_fetched_model_is_whole_and_works(hub, files, settings):
    from indexer.embedders.registry import load_embedder

    reported = []
    offer = get_offer(settings, "clip")
    folder = fetch(offer, reported.append)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        file.name: files[file.name] for file in offer.files
    }
    assert reported == sorted(reported)
    assert reported[-1] == offer.size_bytes
    chosen = load_settings(embedder="clip", embedder_path=str(folder), device="cpu")
    assert load_embedder(chosen).embed_frames(np.zeros((1, 32, 32, 3), np.uint8)).shape == (1, 24)
    hub.sent.clear()
    assert fetch(get_offer(settings, "clip")) == folder
    assert hub.sent == []
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_a_connection_that_breaks_is_taken_up_where_it_broke(hub, files, settings):
    size = len(files["model.safetensors"])
    hub.breaks["model.safetensors"] = [8000, 7000]
    fetch(get_offer(settings, "clip"))
    parts = [part[1:] for part in hub.sent if part[0] == "model.safetensors"]
    assert parts == [(0, 8000), (8000, 7000), (15_000, size - 15_000)]


def test_a_download_that_was_given_up_goes_on_in_the_next_process(hub, files, settings):
    hub.breaks["model.safetensors"] = [8000] + [0] * 5
    offer = get_offer(settings, "clip")
    with pytest.raises(ModelError, match="goes on where it stopped"):
        fetch(offer)
    assert not offer.is_here
    hub.sent.clear()
    hub.breaks.clear()
    fetch(get_offer(settings, "clip"))
    assert ("model.safetensors", 8000, len(files["model.safetensors"]) - 8000) in hub.sent
    assert "config.json" not in {name for name, _, _ in hub.sent}


def test_a_server_without_ranges_sends_all_of_it_again(hub, files, settings):
    hub.ranges = False
    hub.breaks["model.safetensors"] = [8000]
    folder = fetch(get_offer(settings, "clip"))
    assert (folder / "model.safetensors").read_bytes() == files["model.safetensors"]


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_that_is_not_what_the_hub_says_is_refused(hub, files, settings, name):
    hub.wrong.add(name)
    offer = get_offer(settings, "clip")
    with pytest.raises(ModelError, match="checksum"):
        fetch(offer)
    assert not offer.is_here
    hub.wrong.clear()
    assert (fetch(offer) / name).read_bytes() == files[name]


def test_a_file_that_does_not_end_fills_no_disk(hub, files, settings):
    hub.endless.add("model.safetensors")
    seen: list[int] = []
    offer = get_offer(settings, "clip")
    with pytest.raises(ModelError, match="checksum"):
        fetch(offer, seen.append)
    assert max(seen) <= offer.size_bytes
    assert not list(settings.home_path.rglob("model.safetensors*"))


def test_names_that_lead_out_of_the_folder_are_refused(hub, settings, tmp_path):
    hub.files["../../../evil.json"] = b"{}"
    hub.files = {"../evil.json": b"{}", **hub.files}
    offer = get_offer(settings, "clip")
    outside = [file for file in offer.files if ".." in file.name]
    assert not outside
    from dataclasses import replace

    with pytest.raises(ModelError, match="outside"):
        fetch(replace(offer, files=(replace(offer.files[0], name="../evil.json"),)))
    assert not list(tmp_path.rglob("evil.json"))


def test_a_full_disk_is_told_before(hub, settings, monkeypatch):
    offer = get_offer(settings, "clip")
    monkeypatch.setattr("indexer.admin.models.download.SPARE_BYTES", 10**15)
    with pytest.raises(StorageError, match="needs"):
        fetch(offer)
    assert hub.sent == []


def test_what_cannot_be_fetched_is_an_error_that_says_why(hub, settings, monkeypatch):
    with pytest.raises(UsageError, match="siglip2"):
        get_offer(settings, "nothing")
    with pytest.raises(ModelError, match="status 404"):
        get_offer(settings, "siglip2")
    monkeypatch.setattr(hub, "_info", lambda: {"data": []})
    with pytest.raises(ModelError, match="as a hub does"):
        get_offer(settings, "clip")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match="HF_ENDPOINT"):
        get_offer(settings, "clip")


def run_seekpoint(*words: str, home, address: str) -> subprocess.CompletedProcess:
    environment = demo_environment(home) | {"HF_ENDPOINT": address}
    return subprocess.run(
        [sys.executable, "-m", "indexer", *words],
        env={k: v for k, v in environment.items() if k != "SEEKPOINT_EMBEDDER"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=200,
        check=False,
    )


def test_the_command_says_the_size_fetches_and_sets_it(files, tmp_path):
    home = tmp_path / "home"
    with serving_hub(REPOSITORY, files) as (hub, address):
        refused = run_seekpoint("models", "get", "clip", home=home, address=address)
        assert refused.returncode == 2
        assert "--yes" in refused.stderr
        assert "kB" in refused.stderr
        assert hub.sent == []
        done = run_seekpoint("models", "get", "clip", "--yes", home=home, address=address)
    assert done.returncode == 0, done.stderr
    assert "licence apache-2.0" in done.stderr
    os.environ.pop("SEEKPOINT_EMBEDDER", None)
    chosen = load_settings(home=home)
    assert chosen.embedder == "clip"
    assert chosen.embedder_path == str(home / "models" / "openai--clip-vit-base-patch32")
