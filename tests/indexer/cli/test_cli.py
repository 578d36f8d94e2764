"""The command line as another program uses it: its exit status, and one JSON document on stdout."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support import colour_video, demo_environment, demo_library
from tests.support import run_command as seekpoint


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> tuple[Path, Path]:
    """A home with an ingested collection `films`, and the folder of its files."""
    folder = tmp_path_factory.mktemp("cli")
    colour_video(folder / "media" / "red then blue.mp4", [("red", 6.0), ("blue", 6.0)])
    colour_video(folder / "media" / "green.mp4", [("green", 6.0), ("white", 4.0)])
    done = seekpoint(folder / "home", "ingest", folder / "media", "--collection", "films", "--json")
    assert done.returncode == 0, done.stderr
    return folder / "home", folder / "media"


def as_json(done: subprocess.CompletedProcess):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_search_prints_the_documented_document(library):
    answer = as_json(
        seekpoint(
            library[0], "search", "When is it blue?", "--collection", "films", "--top", 3, "--json"
        )
    )
    assert {"query", "caption", "matched", "took_ms", "moments"} <= set(answer)
    assert answer["query"] == "When is it blue?"
    assert answer["matched"] is True
    assert answer["took_ms"] > 0
    best = answer["moments"][0]
    assert {
        "video_id",
        "path",
        "collection",
        "start_s",
        "end_s",
        "score",
        "evidence",
        "thumbnail",
    } <= set(best)
    assert Path(best["path"]).name == "red then blue.mp4"
    assert best["start_s"] == pytest.approx(6.0, abs=0.5)
    assert best["end_s"] == pytest.approx(12.0, abs=0.5)
    assert best["evidence"][0]["kind"] == "picture"
    assert Path(best["thumbnail"]).exists()


def test_search_prints_a_table_with_times_for_people(library):
    done = seekpoint(library[0], "search", "blue")
    assert done.returncode == 0
    assert re.search(r"0:0[56]\.\d - 0:1[12]\.\d", done.stdout)
    assert "red then blue.mp4" in done.stdout


def test_top_video_and_only_narrow_the_answer(library):
    home, _ = library
    assert len(as_json(seekpoint(home, "search", "blue", "--top", 1, "--json"))["moments"]) == 1
    videos = {
        Path(v["paths"][0]["path"]).name: v["video_id"]
        for v in as_json(seekpoint(home, "videos", "--json"))
    }
    green = videos["green.mp4"]
    found = as_json(seekpoint(home, "search", "blue", "--video", green, "--json"))["moments"]
    assert {moment["video_id"] for moment in found} == {green}
    assert as_json(seekpoint(home, "search", "blue", "--only", "speech", "--json"))["moments"] == []


def test_weak_moments_are_left_out_unless_all_are_asked_for(library):
    home, _ = library
    answer = as_json(seekpoint(home, "search", "blue", "--json"))
    everything = as_json(seekpoint(home, "search", "blue", "--all", "--json"))
    assert {moment["likelihood"] for moment in answer["moments"]} <= {"strong", "likely"}
    assert answer["left_out"] == len(everything["moments"]) - len(answer["moments"]) > 0
    assert everything["left_out"] == 0
    assert "--all" in seekpoint(home, "search", "blue").stdout
    assert "weak" in seekpoint(home, "search", "blue", "--all").stdout


def test_a_question_without_an_answer_says_no_match(library):
    home, _ = library
    answer = as_json(seekpoint(home, "search", "zebra crossing", "--json"))
    assert answer["matched"] is False
    assert "No match" in seekpoint(home, "search", "zebra crossing").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["search", "blue", "--collection", "nowhere"], "nowhere"),
        (["search", "blue", "--video", "999"], "999"),
        (["search", "蓝色的时候"], "script"),
        (["ingest", "/no/such/folder"], "/no/such/folder"),
        (["clip", "999", "0", "1", "-o", "x.mp4"], "999"),
        (["evaluate", "/no/such/file.jsonl"], "/no/such/file.jsonl"),
        (["remove", "--collection", "nowhere"], "nowhere"),
    ],
)
def test_what_failed_is_named_without_a_traceback(library, tmp_path, arguments, words):
    done = seekpoint(library[0], *arguments)
    assert done.returncode in (1, 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "→" in done.stderr or arguments[0] == "ingest"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["serach", "blue"],
        ["search"],
        ["search", ""],
        ["search", "blue", "--top", "0"],
        ["search", "blue", "--only", "smell"],
        ["remove"],
        ["clip", "1", "5", "3", "-o", "x.mp4"],
        ["clip", "1", "five", "6", "-o", "x.mp4"],
        ["ingest"],
        ["ingest", "x.mp4", "--queue"],
        ["worker"],
    ],
)
def test_wrong_use_exits_with_2(library, arguments):
    done = seekpoint(library[0], *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_setting_that_does_not_fit_names_its_variable(library):
    done = seekpoint(library[0], "videos", FRAME_RATE_HZ="fast")
    assert done.returncode == 2
    assert "SEEKPOINT_FRAME_RATE_HZ" in done.stderr


def test_ingest_with_failures_exits_with_1_and_names_each(library, tmp_path):
    bad = tmp_path / "bad.mp4"
    bad.write_text("no video")
    done = seekpoint(tmp_path / "home", "ingest", bad, library[1] / "green.mp4", "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["failed"] == 1
    assert {Path(f["path"]).name: f["state"] for f in report["files"]} == {
        "bad.mp4": "failed",
        "green.mp4": "indexed",
    }


@pytest.mark.parametrize(
    "command", ["videos", "collections", "status", "doctor", "models", "reindex", "retry", "cancel"]
)
def test_every_verb_prints_one_json_document(library, tmp_path, command):
    done = seekpoint(library[0], command, "--json")
    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)
    assert seekpoint(library[0], command).returncode == 0


def test_help_is_light():
    """Nothing heavy is imported before it is needed: `--help` answers at once."""
    code = (
        "import sys; import indexer.cli; print([m for m in ('torch', 'faiss', "
        "'transformers', 'cv2', 'scenedetect') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_remove_takes_the_collection_away(library, tmp_path):
    home = tmp_path / "home"
    assert seekpoint(home, "ingest", library[1], "--collection", "gone").returncode == 0
    removed = as_json(seekpoint(home, "remove", "--collection", "gone", "--json"))
    assert len(removed["video_ids"]) == 2
    assert as_json(seekpoint(home, "videos", "--json")) == []


def test_text_of_names_cannot_steer_the_terminal(library, tmp_path):
    name = "evil\x1b[31m[bold red]x.mp4"
    (tmp_path / name).write_bytes((library[1] / "green.mp4").read_bytes())
    home = tmp_path / "home"
    assert seekpoint(home, "ingest", tmp_path / name).returncode == 0
    listed = seekpoint(home, "videos").stdout
    assert "\x1b" not in listed
    assert "[bold red]x" in listed


def test_evaluate_prints_intervals_for_people_too(library, tmp_path):
    (tmp_path / "truth.jsonl").write_text(
        '{"video": "green.mp4", "query": "green", "windows": [[0, 6]], "kind": "colour"}\n'
    )
    done = seekpoint(library[0], "evaluate", tmp_path / "truth.jsonl", "--collection", "films")
    assert done.returncode == 0, done.stderr
    assert re.search(r"video_r1 +1\.000 +1\.000 to 1\.000 +1\.000", done.stdout)


def test_evaluate_says_what_changed_since_a_report(library, tmp_path):
    """With a row that nothing answers, whose video is empty."""
    rows = '{"video": "green.mp4", "query": "green", "windows": [[0, 6]]}\n'
    rows += '{"video": "", "query": "a zebra", "windows": []}\n'
    (tmp_path / "truth.jsonl").write_text(rows)
    command = ("evaluate", tmp_path / "truth.jsonl", "--collection", "films")
    before = as_json(seekpoint(library[0], *command, "--json"))
    before["rows"][0]["rank"] = 2
    (tmp_path / "before.json").write_text(json.dumps(before))
    options = (*command, "--compare", tmp_path / "before.json")
    found = as_json(seekpoint(library[0], *options, "--json"))["comparison"]
    assert (found["better"], found["worse"], found["gone"], found["new"]) == (1, 0, [], [])
    assert (found["changes"][0]["figure"], found["changes"][0]["query"]) == ("rank", "green")
    done = seekpoint(library[0], *options)
    assert done.returncode == 0, done.stderr
    assert "1 better, 0 worse" in done.stdout


def interruptible(tmp_path: Path, *command: object) -> subprocess.Popen[str]:
    """A command that is at work."""
    process = subprocess.Popen(
        [sys.executable, "-m", "indexer", *map(str, command)],
        env=demo_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.default_int_handler
        ),  # in the background it is ignored
    )
    while not (tmp_path / "catalog.sqlite").exists():
        assert process.poll() is None
        time.sleep(0.05)
    return process


def test_ctrl_c_says_what_became_of_the_work(tmp_path):
    for number in range(4):
        colour_video(tmp_path / "videos" / f"{number}.mp4", [("red", 20 + number), ("green", 20)])
    process = interruptible(tmp_path, "ingest", tmp_path / "videos")
    process.send_signal(signal.SIGINT)
    _, spoken = process.communicate(timeout=60)
    assert process.returncode == 130
    assert spoken.strip().splitlines()[-1].startswith("Stopped.")


def test_watching_through_a_pipe(tmp_path):
    process = interruptible(tmp_path, "status", "--watch")
    assert process.stdout is not None
    assert next(line for line in process.stdout if line.startswith("videos")).split() == [
        "videos",
        "none",
    ]
    colour_video(tmp_path / "one.mp4", [("red", 2)])
    demo_library(tmp_path).ingest([tmp_path / "one.mp4"])
    assert "1 ready" in next(
        line for line in process.stdout if line.startswith("videos") and "1 ready" in line
    )
    process.send_signal(signal.SIGINT)
    _, spoken = process.communicate(timeout=60)
    assert (process.returncode, spoken) == (0, "")
