import subprocess
import sys

import numpy as np
import pytest

from grounding.errors import LegoError, MediaError, PromptError
from grounding.lego import load_grounder
from grounding.lego.generate.answers import Box, Event
from grounding.lego.generate.generator import Reply
from grounding.lego.grounder import Grounder
from grounding.spans import Span


class Scripted:
    """A generator that keeps the prompts it was given and replies with fixed texts: random weights
    write no times.
    """

    def __init__(self, *texts):
        self.texts = list(texts)
        self.prompts = []

    def generate(self, prompts):
        self.prompts += prompts
        return [Reply(self.texts.pop(0), (), "stop") for _ in prompts]


def script(grounder, *texts):
    """The same grounder with replies that are known, and what it was asked."""
    written = Scripted(*texts)
    return Grounder(grounder.model, grounder.tokenizer, grounder.image_transform, written), written


def asked(grounder, prompt):
    return grounder.tokenizer.decode(prompt.ids).split("###")[1:]


def test_random_weights_answer_every_kind_of_question(grounder, pixels, samples):
    """From arrays to the end with nothing replaced: whatever is written, nothing raises and the
    kinds are right.
    """
    assert all(isinstance(span, Span) for span in grounder.ground(pixels, "the dog turns"))
    assert all(isinstance(event, Event) for event in grounder.events(pixels))
    assert all(isinstance(box, Box) for box in grounder.locate(pixels[0], "the dog"))
    assert all(isinstance(box, Box) for box in grounder.locate_sound(pixels[0], samples))
    for what in ({"image": pixels[0]}, {"frames": pixels}, {"audio": samples}):
        assert isinstance(grounder.describe(**what), str)


def test_spans_are_seconds_of_the_window(grounder, pixels):
    grounder, written = script(grounder, "It turns in {0.5, 0.75} and {0.1,0.2}.")
    assert grounder.ground(pixels, "the dog turns", window=Span(30, 60)) == [
        Span(45, 52.5),
        Span(33, 36),
    ]
    (turn, _) = asked(grounder, written.prompts[0])
    assert turn.endswith("\nPlease give me the timestamp when the dog turns?")
    assert written.prompts[0].ids.count(grounder.model.placeholder_ids("video")[0]) == 8


def test_without_a_window_spans_are_fractions(grounder, pixels):
    grounder, _ = script(grounder, "{0.5, 0.75}")
    assert grounder.ground(pixels, "it turns") == [Span(0.5, 0.75)]


def test_several_windows_in_one_batch(grounder, pixels):
    grounder, _ = script(grounder, "{0.0, 0.5}", "never", "{0.5, 1.0}")
    windows = [pixels, pixels[:7], pixels[3:]]
    spans = [Span(0, 30), Span(15, 45), Span(30, 60)]
    assert grounder.ground_windows(windows, "it turns", spans=spans) == [
        [Span(0, 15)],
        [],
        [Span(45, 60)],
    ]
    with pytest.raises(MediaError, match="3 windows, but 1 spans"):
        grounder.ground_windows(windows, "it turns", spans=spans[:1])


def test_a_window_is_encoded_once_for_several_questions(grounder, pixels):
    calls = []
    grounder.model.modality("video").encoder.register_forward_hook(lambda *_: calls.append(1))
    window = grounder.read_frames(pixels)
    grounder.ground_all(window, ["one", "two", "three"])
    grounder.events(window)
    assert len(calls) == 1


def test_events(grounder, pixels):
    grounder, _ = script(grounder, "A man enters in {0.0,0.5}. He leaves in {0.5,1.0}.")
    events = grounder.events(pixels, window=Span(10, 20))
    assert events == [Event(Span(10, 15), "A man enters"), Event(Span(15, 20), "He leaves")]


def test_boxes_refer_to_the_image_and_not_to_its_padding(grounder):
    wide = np.zeros((60, 90, 3), np.uint8)
    grounder, written = script(grounder, "[0.25, 0.30, 0.75, 0.70]", "[0.25, 0.30, 0.75, 0.70]")
    assert grounder.locate(wide, "the red bicycle.") == [Box(0.244, 0.2, 0.756, 0.8)]
    assert grounder.locate(wide, "Where is it?") == [Box(0.244, 0.2, 0.756, 0.8)]
    first, second = (asked(grounder, prompt)[0] for prompt in written.prompts)
    assert "Where is the red bicycle in this image? Include the object positions" in first
    assert second.endswith("\nWhere is it?")


def test_sound_stands_before_the_image(grounder, pixels, samples):
    grounder, written = script(grounder, "[0, 0, 1, 1]")
    assert grounder.locate_sound(pixels[0], samples) == [Box(0.0, 0.0, 1.0, 1.0)]
    ids = written.prompts[0].ids
    assert ids.index(grounder.model.placeholder_ids("sound")[1]) < ids.index(
        grounder.model.placeholder_ids("image")[1]
    )


def test_description_of_an_image_names_boxes_of_the_image(grounder):
    grounder, _ = script(grounder, "A bicycle [0.25, 0.30, 0.75, 0.70] stands.")
    assert (
        grounder.describe(image=np.zeros((60, 90, 3), np.uint8))
        == "A bicycle [0.244, 0.2, 0.756, 0.8] stands."
    )


def test_describe_takes_one_thing(grounder, pixels, samples):
    with pytest.raises(MediaError, match="exactly one"):
        grounder.describe()
    with pytest.raises(MediaError, match="exactly one"):
        grounder.describe(frames=pixels, audio=samples)


def test_chat_keeps_what_was_said(grounder):
    wide = np.zeros((60, 90, 3), np.uint8)
    grounder, written = script(grounder, "At [0.25, 0.30, 0.75, 0.70].", "Red.")
    chat = grounder.chat(image=wide)
    assert chat.ask("Where is the bicycle?") == "At [0.244, 0.2, 0.756, 0.8]."
    assert chat.boxes() == [Box(0.244, 0.2, 0.756, 0.8)]
    assert chat.ask("What colour is it?") == "Red."
    turns = asked(grounder, written.prompts[1])
    assert turns[1:] == [
        "Assistant: At [0.25, 0.30, 0.75, 0.70].",
        "Human: What colour is it?",
        "Assistant:",
    ]
    assert written.prompts[1].ids.count(grounder.model.placeholder_ids("image")[1]) == 1
    assert chat.boxes() == []


def test_chat_about_two_things_reads_each_turn_from_the_cache(grounder, pixels, samples):
    encoders = [grounder.model.modality(name).encoder for name in ("image", "sound")]
    calls = []
    for encoder in encoders:
        encoder.register_forward_hook(lambda *_: calls.append(1))
    chat = grounder.chat(image=pixels[0], audio=samples)
    chat.ask("What makes the sound?")
    fed = []
    grounder.model.language.model.register_forward_pre_hook(
        lambda _, __, named: fed.append(named["inputs_embeds"].shape[1]), with_kwargs=True
    )
    chat.ask("Where is it?")
    assert len(calls) == 2
    assert (
        fed[0] < 60
        # the new question, and an answer of at most 12 tokens that may have been written in other
        # tokens
    )


def test_chat_without_media(grounder):
    grounder, _ = script(grounder, "Hello.")
    assert grounder.chat().ask("Hi!") == "Hello."


def test_words_that_would_break_the_prompt(grounder, pixels):
    with pytest.raises(PromptError, match="<vi_patch>"):
        grounder.ground(pixels, "the <vi_patch> turns")
    with pytest.raises(PromptError, match="empty"):
        grounder.chat().ask("  ")


def test_modality_that_is_switched_off(checkpoint, pixels):
    grounder = load_grounder(checkpoint, dtype="float32", without=["video"])
    with pytest.raises(MediaError, match="no modality 'video'; it has image, sound"):
        grounder.ground(pixels, "it turns")


def test_unknown_dtype(checkpoint):
    with pytest.raises(LegoError, match="float33"):
        load_grounder(checkpoint, dtype="float33")


def test_tokenizer_of_another_model(tiny, tmp_path):
    import shutil

    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2 as proto

    shutil.copytree(tiny / "checkpoint", tmp_path / "checkpoint")
    shutil.copytree(tiny / "clip_tower", tmp_path / "clip_tower")
    shutil.copyfile(tiny / "module_dims.json", tmp_path / "module_dims.json")
    shutil.copytree(tiny / "tokenizer_base", tmp_path / "checkpoint", dirs_exist_ok=True)
    file = tmp_path / "checkpoint" / "tokenizer.model"
    pieces = proto.ModelProto.FromString(file.read_bytes())
    pieces.pieces.add(piece="▁extra", score=-1000.0)
    file.write_bytes(pieces.SerializeToString())
    assert sentencepiece.SentencePieceProcessor(model_file=str(file)).vocab_size() == 441
    with pytest.raises(
        LegoError, match=r"gives image the ids \(441, 442, 443\), the checkpoint \(440, 441, 442\)"
    ):
        load_grounder(tmp_path / "checkpoint")


def test_importing_the_package_loads_nothing_heavy():
    code = """
import sys, grounding.lego, grounding.lego.preprocess.questions, grounding.refine
print([m for m in ("torch", "transformers", "PIL") if m in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("dtype", ["int8", "int4"])
def test_quantized_language_model_answers(checkpoint, pixels, dtype):
    pytest.importorskip("bitsandbytes")
    grounder = load_grounder(checkpoint, dtype=dtype, max_new_tokens=4)
    assert isinstance(grounder.ask("When?", {"video": grounder.read_frames(pixels)}).text, str)


def test_quantizing_without_the_library_says_what_to_install(checkpoint):
    try:
        import bitsandbytes  # noqa: F401
    except ImportError:
        with pytest.raises(LegoError, match="pip install bitsandbytes"):
            load_grounder(checkpoint, dtype="int8")
    else:
        pytest.skip("bitsandbytes is installed")
