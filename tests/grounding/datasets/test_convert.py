"""The pipeline that all sets share: order, seeds, kills, files."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from grounding.datasets import convert as pipeline
from grounding.datasets.__main__ import main
from grounding.datasets.check import check_records
from grounding.datasets.convert import Options, convert
from grounding.datasets.registry import SETS
from grounding.errors import DataError
from grounding.records.media_files import (
    duration_s,
    exists,
    find_file,
    image_size,
    read_frames,
    read_image,
    read_sound,
    safe_name,
)
from grounding.records.record import read_records, single_turn
from grounding.records.skips import SkipRow
from grounding.records.writer import write_records
from tests.grounding.datasets.samples import charades_sta, didemo, dump, dump_lines, talk, vcr
from tests.support import colour_video

CHARADES = SETS["charades_sta"]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return colour_video(tmp_path_factory.mktemp("clip") / "clip.mp4", [("red", 2.0), ("blue", 2.0)])


def long_charades(folder: Path, rows: int) -> list[Path]:
    sources = charades_sta(folder)
    lines = [
        f"3MSZA {i % 20}.0 {i % 20 + 1 + i // 20}.5##person does thing {i}." for i in range(rows)
    ]
    sources[0].write_text(
        "\n".join([*lines[: rows // 2], "3MSZA 5.0 5.0##nothing.", lines[3], *lines[rows // 2 :]])
    )
    return sources


def test_the_seed_decides_the_words_and_the_row_its_own(tmp_path: Path):
    sources = long_charades(tmp_path, 40)
    outputs = []
    for seed in (1, 1, 2):
        convert(CHARADES, sources, tmp_path / "out.jsonl", Options(None, seed=seed))
        outputs.append((tmp_path / "out.jsonl").read_text())
    assert outputs[0] == outputs[1] != outputs[2]
    assert (
        len(
            {
                record.question.partition("person")[0]
                for record in read_records(tmp_path / "out.jsonl")
            }
        )
        > 10
    )
    # A row's words do not depend on the rows before it: the same annotation under the same name.
    lines = sources[0].read_text().splitlines()
    sources[0].write_text("\n".join(["no row", *lines[1:]]))
    convert(CHARADES, sources, tmp_path / "fewer.jsonl", Options(None, seed=2))
    assert (tmp_path / "fewer.jsonl").read_text().splitlines() == outputs[2].splitlines()[1:]


def test_a_run_that_is_killed_goes_on_to_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pipeline, "COMMIT_EVERY", 7)
    sources = long_charades(tmp_path, 40)
    whole = convert(CHARADES, sources, tmp_path / "whole.jsonl", Options(None))
    made = []
    monkeypatch.setattr(
        pipeline,
        "make_record",
        lambda *a, make=pipeline.make_record, **k: made.append(a[0].key) or make(*a, **k),
    )

    def killed_after(count: int):
        def wrapper(rows: Iterable) -> Iterator:
            for i, row in enumerate(rows):
                if i == count:
                    raise KeyboardInterrupt
                yield row

        return wrapper

    for count in (18, 30):
        with pytest.raises(KeyboardInterrupt):
            convert(
                CHARADES,
                sources,
                tmp_path / "out.jsonl",
                Options(None),
                iter_wrapper=killed_after(count),
            )
        assert not (tmp_path / "out.jsonl").exists()
    resumed = convert(CHARADES, sources, tmp_path / "out.jsonl", Options(None))
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert (resumed.read, resumed.written, resumed.skipped.counts) == (
        whole.read,
        whole.written,
        whole.skipped.counts,
    )
    assert whole.skipped.counts == {"zero length": 1, "duplicate": 1}
    # 18 rows, then on from 14 to 30, then on from 28: what was committed is not made again.
    assert len(made) == 18 + (30 - 14) + (42 - 28) - 1
    assert sorted(os.listdir(tmp_path)) == [
        "Charades_v1_train.csv",
        "charades_sta_train.txt",
        "out.jsonl",
        "whole.jsonl",
    ]


def test_a_process_that_is_killed_goes_on_to_the_same_file(tmp_path: Path):
    sources = charades_sta(tmp_path)
    sources[0].write_text(
        "\n".join(f"3MSZA {i % 29}.0 {i % 29 + 1}.5##person does thing {i}." for i in range(8_000))
    )
    command = [
        sys.executable,
        "-m",
        "grounding.datasets",
        "convert",
        "charades_sta",
        *map(str, sources),
        "-o",
    ]
    child = subprocess.Popen([*command, str(tmp_path / "out.jsonl")], stdout=subprocess.DEVNULL)
    while not (tmp_path / "out.jsonl.state").exists() and child.poll() is None:
        time.sleep(0.002)
    child.kill()
    assert child.wait() == -signal.SIGKILL
    assert not (tmp_path / "out.jsonl").exists()
    for name in ("out", "whole"):
        assert main([*command[3:-1], "-o", str(tmp_path / f"{name}.jsonl")]) == 0
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not list(tmp_path.glob("*.part")) + list(tmp_path.glob("*.state"))


def test_another_seed_does_not_go_on_with_an_old_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pipeline, "COMMIT_EVERY", 5)
    sources = long_charades(tmp_path, 20)

    def failing(rows: Iterable) -> Iterator:
        yield from (row for i, row in enumerate(rows) if i < 12)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(
            CHARADES, sources, tmp_path / "out.jsonl", Options(None, seed=1), iter_wrapper=failing
        )
    convert(CHARADES, sources, tmp_path / "out.jsonl", Options(None, seed=2))
    convert(CHARADES, sources, tmp_path / "whole.jsonl", Options(None, seed=2))
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_lengths_and_sizes_come_from_the_files_where_no_row_has_them(tmp_path: Path, clip: Path):
    """Pieces 2 (10 to 15 s) of a file of 4 s lie behind its end; piece 0 is clamped to all of
    it.
    """
    sources = didemo(tmp_path)
    rows = json.loads(sources[0].read_text())
    dump(
        sources[0],
        [
            rows[0],
            {**rows[0], "annotation_id": 9, "times": [[0, 0]]},
            {**rows[0], "annotation_id": 10, "video": "gone.mov"},
        ],
    )
    (tmp_path / "videos").mkdir()
    shutil.copy(clip, tmp_path / "videos" / "1@N00_1.mp4")  # another suffix than the row names
    options = Options(tmp_path / "videos", root=tmp_path, tasks=("moment",))
    report = convert(SETS["didemo"], sources, tmp_path / "out.jsonl", options)
    assert report.skipped.counts == {"span outside the video": 1, "missing file": 1}
    (record,) = read_records(tmp_path / "out.jsonl")
    assert record.media == {"video": "videos/1@N00_1.mp4"}
    assert "{0.00,1.00}" in record.answer
    assert record.truth["duration_s"] == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize(
    ("media", "root", "named"),
    [("data", None, "coco/a.jpg"), ("data/../data", "data", "coco/a.jpg")],
)
def test_media_behind_links_are_named_as_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, media: str, root: str, named: str
):
    """data/coco -> elsewhere/coco, and a.jpg itself -> another file."""
    (tmp_path / "elsewhere" / "coco").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    Image.new("RGB", (20, 10)).save(tmp_path / "elsewhere" / "one.jpg")
    (tmp_path / "elsewhere" / "coco" / "a.jpg").symlink_to(tmp_path / "elsewhere" / "one.jpg")
    (tmp_path / "data" / "coco").symlink_to(tmp_path / "elsewhere" / "coco")
    monkeypatch.chdir(tmp_path)
    dump(
        tmp_path / "mix.json",
        [
            talk("image", name, "<image>\nWhat?", "A bus.")
            for name in ("coco/a.jpg", "coco/../../b.jpg")
        ],
    )
    options = Options(Path(media), root=root and Path(root))
    report = convert(SETS["llava_mix"], [tmp_path / "mix.json"], tmp_path / "out.jsonl", options)
    assert report.skipped.counts == {"unsafe path": 1}
    (record,) = read_records(tmp_path / "out.jsonl")
    assert record.media == {"image": named}
    linked = Options(Path("data/coco"), root=Path("data"))
    convert(
        SETS["llava_mix"],
        [dump(tmp_path / "a.json", [talk("image", "a.jpg", "<image>\nWhat?", "A bus.")])],
        tmp_path / "out.jsonl",
        linked,
    )
    assert [record.media for record in read_records(tmp_path / "out.jsonl")] == [
        {"image": "coco/a.jpg"}
    ]


def test_folders_are_checked_before_anything_is_read(tmp_path: Path):
    sources = charades_sta(tmp_path)
    with pytest.raises(DataError, match="is not a folder"):
        convert(CHARADES, sources, tmp_path / "out", Options(tmp_path / "nowhere"))
    (tmp_path / "media").mkdir()
    (tmp_path / "other").mkdir()
    with pytest.raises(DataError, match="does not lie below"):
        convert(
            CHARADES,
            sources,
            tmp_path / "out",
            Options(tmp_path / "media", root=tmp_path / "other"),
        )
    with pytest.raises(DataError, match="has no task locate; it has moment"):
        convert(CHARADES, sources, tmp_path / "out", Options(None, tasks=("locate",)))


@pytest.mark.parametrize(
    "name", ["../a.jpg", "/etc/passwd", "a/../../b.jpg", "", "a\0b", "..\\a.jpg"]
)
def test_no_name_leads_out_of_the_folder(name: str):
    with pytest.raises(SkipRow, match="unsafe path"):
        safe_name(name)


def test_files_are_read_as_they_are(tmp_path: Path, clip: Path):
    Image.fromarray(np.full((30, 40, 3), 7, np.uint8)).save(tmp_path / "a.png")
    assert image_size(tmp_path / "a.png") == (40, 30)
    assert read_image(tmp_path / "a.png").shape == (30, 40, 3)
    assert find_file(tmp_path, "image", ["b.jpg", "a.jpg"]) == tmp_path / "a.png"
    shutil.copy(clip, tmp_path / "b.m4v.mp4")
    assert find_file(tmp_path, "video", ["b.m4v"]) == tmp_path / "b.m4v.mp4"
    assert duration_s(clip) == pytest.approx(4.0, abs=0.05)
    frames = read_frames(clip, 8)
    assert frames.shape == (8, 64, 96, 3)
    red, blue = (frames[i, 32, 80].astype(int) for i in (3, 4))
    assert red[0] > red[2] + 100
    assert blue[2] > blue[0] + 100
    assert len(read_frames(clip, 1000)) == 100


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_damaged_files_say_so(tmp_path: Path, content: bytes):
    (tmp_path / "a.dat").write_bytes(content)
    for read, what in (
        (image_size, "image"),
        (read_image, "image"),
        (duration_s, "video"),
        (read_sound, "sound"),
    ):
        with pytest.raises(SkipRow, match=f"corrupt {what}|{what} without length"):
            read(tmp_path / "a.dat")
    with pytest.raises(SkipRow, match="corrupt video"):
        read_frames(tmp_path / "a.dat", 4)


def test_a_name_that_is_too_long_is_a_missing_file(tmp_path: Path):
    long = "a" * 300 + ".jpg"
    assert not exists(tmp_path / long)
    with pytest.raises(SkipRow, match="missing file"):
        find_file(tmp_path, "image", [long])
    write_records(tmp_path / "r.jsonl", [single_turn("Where?", "Here.", {"image": long})])
    assert check_records(tmp_path / "r.jsonl", tmp_path).skipped.counts == {"missing file": 1}


def test_a_damaged_avif_is_a_corrupt_image_whatever_its_name(tmp_path: Path):
    Image.new("RGB", (24, 24), (90, 3, 4)).save(tmp_path / "a.jpg", "AVIF")
    whole = (tmp_path / "a.jpg").read_bytes()
    for place in range(0, len(whole), 3):  # some of these are a RuntimeError of the decoder
        (tmp_path / "a.jpg").write_bytes(
            whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :]
        )
        for read in (image_size, read_image):
            with suppress(SkipRow):
                read(tmp_path / "a.jpg")


def test_a_sound_is_read_at_16_khz(tmp_path: Path):
    import wave

    samples = (np.sin(2 * np.pi * 440 * np.arange(44_100) / 44_100) * 16_000).astype(np.int16)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44_100)
        file.writeframes(np.repeat(samples, 2).tobytes())
    read = read_sound(tmp_path / "a.wav")
    assert len(read) == pytest.approx(16_000, abs=40)
    assert read.dtype == np.float32
    assert np.abs(read).max() == pytest.approx(
        2**0.5 * 16_000 / 32_768, abs=0.05
    )  # two equal channels, as FFmpeg mixes them
    assert np.argmax(np.abs(np.fft.rfft(read[:16_000]))) == pytest.approx(440, abs=1)


def test_a_number_of_400_digits_costs_its_row_only(tmp_path: Path):
    sources = vcr(tmp_path)
    row = json.loads(sources[0].read_text().splitlines()[0])
    dump(
        sources[1] / "huge.json",
        {"boxes": [[0, 0, 10**400, 10]] * 2, "names": ["person"] * 2, "width": 200, "height": 200},
    )
    dump_lines(sources[0], [{**row, "metadata_fn": "huge.json", "annot_id": "huge"}, row])
    report = convert(SETS["vcr"], sources, tmp_path / "out.jsonl", Options(None))
    assert (report.written, report.skipped.counts) == (1, {"row of another form": 1})


def test_check_finds_what_training_would_stumble_over(tmp_path: Path):
    answers = (
        "in {0.50,0.40}",
        "in {0.1,1.2}",
        "in {0.1.2,0.5}",
        "at [0..1, 0.2, 0.3, 0.4]",
        "at [0.5, 0.1, 0.4, 0.9]",
        "fine {0.1,0.2}",
        "a list [1, 2, 3, 4]",
    )
    write_records(
        tmp_path / "r.jsonl",
        [single_turn("When?", answer, {"video": "a.mp4"}, id=answer) for answer in answers],
    )
    report = check_records(tmp_path / "r.jsonl")
    assert report.skipped.counts == {
        "zero length": 1,
        "out of range": 1,
        "not a number": 2,
        "empty box": 1,
    }
    assert check_records(tmp_path / "r.jsonl", tmp_path).skipped.counts["missing file"] == 2


def test_the_command_says_what_became_of_the_rows(tmp_path: Path, capsys: pytest.CaptureFixture):
    sources = charades_sta(tmp_path)
    arguments = ["convert", "charades_sta", *map(str, sources), "-o", str(tmp_path / "out.jsonl")]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert "2 records from 5 annotations" in printed.out
    assert "1 skipped: zero length" in printed.out
    assert main(["check", str(tmp_path / "out.jsonl")]) == 0
    assert main(["check", "--root", str(tmp_path), str(tmp_path / "out.jsonl")]) == 1
    assert main(["convert", "nothing", "a", "-o", "b"]) == 1
    assert "llava_pretrain" in capsys.readouterr().err
    sources[0].write_text("")
    assert main(arguments) == 1
    assert "nothing was converted" in capsys.readouterr().err
    assert main(["sets"]) == 0
    assert all(name in capsys.readouterr().out for name in ("vggss",))


def test_an_output_that_is_a_source_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture):
    sources = charades_sta(tmp_path)
    (tmp_path / "link").hardlink_to(sources[0])
    before = [source.read_bytes() for source in sources]
    for output in (
        *sources,
        tmp_path / "link",
        tmp_path / "." / ".." / tmp_path.name / sources[1].name,
    ):
        assert main(["convert", "charades_sta", *map(str, sources), "-o", str(output)]) == 1
        assert "would be overwritten" in capsys.readouterr().err
    assert [source.read_bytes() for source in sources] == before


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5"])
def test_the_limit_begins_at_one(number: str, capsys: pytest.CaptureFixture):
    with pytest.raises(SystemExit) as caught:
        main(["convert", "pope", "a.json", "-o", "out", "--limit", number])
    assert caught.value.code == 2
    assert f"'{number}' is not a whole number from 1" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture):
    (tmp_path / "a file").write_text("")
    source = str(charades_sta(tmp_path)[0])
    assert main(["convert", "pope", source, "-o", str(tmp_path / "a file" / "out.jsonl")]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_the_commands_load_no_torch():
    code = """
import sys
import grounding.benchmarks.__main__, grounding.datasets.__main__, grounding.instructions.__main__
sys.exit("torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
