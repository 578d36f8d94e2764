"""Every public set from a small file in its own form."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from grounding.datasets.check import check_records
from grounding.datasets.convert import Options, convert
from grounding.datasets.registry import SETS
from grounding.datasets.sources import read_pickle, read_xml
from grounding.datasets.video_sets.didemo import majority_choice
from grounding.errors import DataError
from grounding.records.record import Record, read_records
from grounding.records.skips import Skip, SkipRow
from tests.grounding.datasets.samples import BY_NAME, SAMPLES, Sample, refcoco


def converted(
    name: str, folder: Path, *, tasks: tuple[str, ...] = (), media: bool = False
) -> list[Record]:
    sources = BY_NAME[name].write(folder)
    convert(
        SETS[name], sources, folder / "out.jsonl", Options(folder if media else None, tasks=tasks)
    )
    return list(read_records(folder / "out.jsonl"))


def media_files(sample: Sample, folder: Path) -> Path | None:
    for name in sample.media:
        if name.endswith(".jpg"):
            Image.fromarray(np.zeros((100, 200, 3), np.uint8)).save(folder / name)
        else:
            (folder / name).write_bytes(b"its contents are not read")
    return folder if sample.media else None


def test_every_set_has_a_sample():
    assert {sample.set for sample in SAMPLES} == set(SETS)


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_rows_become_records_and_bad_ones_are_counted(sample: Sample, tmp_path: Path):
    sources = sample.write(tmp_path)
    media = media_files(sample, tmp_path)
    report = convert(SETS[sample.set], sources, tmp_path / "out.jsonl", Options(media))
    assert report.skipped.counts == sample.skipped, report.skipped.samples
    assert report.written == sample.written
    checked = check_records(tmp_path / "out.jsonl", media)
    assert (checked.written, checked.skipped.total()) == (sample.written, 0)
    names = [record.id for record in read_records(tmp_path / "out.jsonl")]
    assert len(set(names)) == len(names)
    assert all(name.startswith(f"{sample.set}/") for name in names)


def test_wrong_number_of_files_and_missing_files_are_named(tmp_path: Path):
    with pytest.raises(
        DataError,
        match=r"2 files \(charades_sta_train.txt, Charades_v1_train.csv\), but 1 were named",
    ):
        convert(SETS["charades_sta"], [tmp_path / "a"], tmp_path / "out", Options(None))
    with pytest.raises(DataError, match="does not exist"):
        convert(SETS["valley"], [tmp_path / "chat.json"], tmp_path / "out", Options(None))


def test_charades_clamps_what_lies_behind_the_end(tmp_path: Path):
    inside, clamped = converted("charades_sta", tmp_path)
    assert inside.media == {"video": "3MSZA.mp4"}
    assert inside.truth["spans"] == [[pytest.approx(24.3 / 30.96), pytest.approx(30.4 / 30.96)]]
    assert "{0.78,0.98}" in inside.answer
    assert clamped.truth["spans"] == [[pytest.approx(28 / 30.96), 1.0]]
    assert "{0.90,1.00}" in clamped.answer
    assert "person turn a light on" in inside.question


def test_refcoco_is_a_box_in_the_padded_square(tmp_path: Path):
    """640 x 480 is padded by 80 rows above and below: x 64 to 192 and y 48 to 144 of 640."""
    first, second = converted("refcoco", tmp_path)
    assert first.media == {"image": "train2014/COCO_train2014_000000000007.jpg"}
    assert "[0.100, 0.200, 0.300, 0.350]" in first.answer
    assert ("lady 00" in first.question, "lady 01" in second.question) == (True, True)
    assert first.truth["boxes"] == [pytest.approx([0.1, 0.2, 0.3, 0.35])]


def test_refcoco_gives_the_split_that_is_asked_for(tmp_path: Path):
    sources = refcoco(tmp_path)
    convert(SETS["refcoco"], sources, tmp_path / "out.jsonl", Options(None, split="val"))
    assert [record.id for record in read_records(tmp_path / "out.jsonl")] == [
        "refcoco/1/10",
        "refcoco/1/11",
    ]


def test_flickr_sentences_carry_the_boxes_of_their_phrases(tmp_path: Path):
    """400 x 200 is padded by 100 rows above and below."""
    records = {record.truth["task"]: record for record in converted("flickr30k", tmp_path)}
    caption = records["grounded_caption"].answer
    people = "[0.000, 0.250, 0.250, 0.750] and [0.250, 0.250, 0.500, 0.750]"
    assert (
        caption == f"Two people {people} are photographed against a mood and a backdrop "
        "[0.000, 0.250, 1.000, 0.500]."
    )


def test_vcr_names_things_with_their_boxes(tmp_path: Path):
    (record,) = converted("vcr", tmp_path)
    left, right = "[0.000, 0.000, 0.500, 1.000]", "[0.500, 0.000, 1.000, 1.000]"
    assert f"Why is person {left} pointing at person {right}?" in record.question
    assert record.answer == f"Person {left} and person {right} are friends. They smile."


def test_activitynet_tells_all_events_in_order(tmp_path: Path):
    (record,) = converted("activitynet", tmp_path, tasks=("events",))
    assert record.answer == "A woman walks in {0.00,0.25}. She turns in {0.50,1.00}."
    assert record.truth["events"] == [[0.0, 0.25, "A woman walks."], [0.5, 1.0, "She turns."]]


def test_vggss_has_an_image_and_a_sound(tmp_path: Path):
    media_files(BY_NAME["vggss"], tmp_path)
    record, second = converted("vggss", tmp_path, media=True)
    assert (record.id, second.id) == (
        "vggss/horse_000021",
        "vggss/horse_000021/3",
    )  # the second row is not used
    assert record.media == {"image": "horse_000021.jpg", "sound": "horse_000021.wav"}
    assert record.messages[0].text.startswith("<sound>\n<image>\n")
    assert "[0.250, 0.500, 0.750, 0.750]" in record.answer  # 200 x 100: rows .5 to 1 of it


def test_the_mix_keeps_its_turns_and_rows_without_an_image(tmp_path: Path):
    bus, words = converted("llava_mix", tmp_path)
    assert [message.text for message in bus.messages] == [
        "<image>\nWhat is it?",
        "A bus.",
        "Where is it?",
        "[0.10, 0.20, 0.50, 0.60]",
    ]
    assert (words.media, words.answer) == ({}, "Hi.")


def test_several_windows_are_all_told(tmp_path: Path):
    (record,) = converted("qvhighlights", tmp_path)
    assert "{0.55,1.00} and {0.00,0.07}" in record.answer


def test_wavcaps_looks_in_the_folder_of_its_source_alone(tmp_path: Path):
    """Number 2219 of FreeSound is another sound than number 2219 of SoundBible."""
    sources = BY_NAME["wavcaps"].write(tmp_path)
    for name in ("FreeSound/2219.flac", "SoundBible/2219.flac", "AudioSet_SL/Yb0RFKhbpFJA.flac"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"its contents are not read")
    convert(SETS["wavcaps"], sources, tmp_path / "out.jsonl", Options(tmp_path))
    found = [record.media["sound"] for record in read_records(tmp_path / "out.jsonl")]
    assert found == ["SoundBible/2219.flac", "AudioSet_SL/Yb0RFKhbpFJA.flac"]
    (tmp_path / "SoundBible/2219.flac").unlink()
    report = convert(SETS["wavcaps"], sources, tmp_path / "out.jsonl", Options(tmp_path))
    assert report.skipped.counts["missing file"] == 1


def test_didemo_takes_what_most_annotators_chose():
    assert majority_choice([[2, 2], [2, 3], [2, 2], [0, 5]]) == (2, 2)
    assert majority_choice([[0, 0], [0, 0], [3, 3], [3, 3], [3, 4]]) == (
        3,
        3,
    )  # of equals the one that overlaps more of the others
    assert majority_choice([[1, 1]]) == (1, 1)
    with pytest.raises(SkipRow, match="annotators disagree"):
        majority_choice([[0, 0], [1, 1]])


class Harmful:
    def __reduce__(self):
        return print, ("this must never be printed",)


def test_a_pickle_that_runs_code_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture):
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        (tmp_path / "refs.p").write_bytes(pickle.dumps([Harmful()], protocol))
        with pytest.raises(DataError, match=r"asks for .*print"):
            read_pickle(tmp_path / "refs.p")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x80\x02]", pickle.dumps([1, 2])[:-3]])
def test_a_broken_pickle_is_a_clear_error(tmp_path: Path, content: bytes):
    (tmp_path / "refs.p").write_bytes(content)
    with pytest.raises(DataError, match=r"refs\.p cannot be read as a pickle"):
        read_pickle(tmp_path / "refs.p")


def test_xml_that_declares_entities_is_refused(tmp_path: Path):
    (tmp_path / "a.xml").write_text('<!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>')
    with pytest.raises(SkipRow, match="XML with declarations"):
        read_xml(tmp_path / "a.xml")


def test_xml_in_an_unknown_encoding_is_broken(tmp_path: Path):
    (tmp_path / "a.xml").write_bytes(b'<?xml version="1.0" encoding="klingon"?><a/>')
    with pytest.raises(SkipRow, match="broken XML"):
        read_xml(tmp_path / "a.xml")


@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1" * 5000])
def test_a_number_that_is_none_costs_its_row_alone(tmp_path: Path, value: str):
    good = json.dumps({"duration": 10, "timestamps": [[1, 2]], "sentences": ['NaN, "Infinity" b.']})
    (tmp_path / "train.json").write_text(
        f'{{"v_A": {good}, "v_B": {good.replace("[1,", f"[{value},")}, "v_C": {good}}}'
    )
    report = convert(
        SETS["activitynet"], [tmp_path / "train.json"], tmp_path / "out.jsonl", Options(None)
    )
    assert report.skipped.counts == {"not a number": 2}
    records = list(read_records(tmp_path / "out.jsonl"))
    assert {record.media["video"] for record in records} == {"v_A.mp4", "v_C.mp4"}
    assert any('NaN, "Infinity" b' in record.answer + record.question for record in records)
    (tmp_path / "r.json").write_text(f'[1, {value}, {{"conversations": []}}]')
    skips: list[Skip] = []
    assert list(read_records(tmp_path / "r.json", skips.append)) == []
    assert [skip.detail for skip in skips[:2]] == [
        "a int instead of an object",
        "a NoneType instead of an object",
    ]
    assert len(skips) == 3


@pytest.mark.parametrize("name", ["valley", "visual_genome", "hirest", "wavcaps"])
def test_json_that_is_cut_off_is_an_error_and_leaves_no_output(tmp_path: Path, name: str):
    sources = BY_NAME[name].write(tmp_path)
    sources[0].write_bytes(sources[0].read_bytes()[:-20])
    with pytest.raises(DataError, match=r"cannot be read behind its first \d+ rows"):
        convert(SETS[name], sources, tmp_path / "out.jsonl", Options(None))
    assert not (tmp_path / "out.jsonl").exists()
