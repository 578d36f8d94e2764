import json

import pytest
import torch

from grounding.errors import PromptError
from grounding.lego.generate.generator import (
    GenerationConfig,
    Generator,
    PrefixCache,
    Prompt,
    pad_left,
    token_keys,
)
from grounding.lego.preprocess.prompts import STOP, Turn, media_question, render

QUESTIONS = [
    "What is it?",
    "When does the man open the door, and who is with him?",
    "Why?",
    "the dog runs",
]
LIMITS = GenerationConfig(max_new_tokens=10, stop="never written")


@pytest.fixture
def generator(model, tokenizer):
    return Generator(model, tokenizer, LIMITS)


@pytest.fixture
def ask(model, tokenizer):
    """Builds a prompt about encoded media."""

    def build(question, **media):
        text = media_question(question, media, dict(model.modalities.items()))
        ids = tokenizer.encode(render([Turn("Human", text), Turn("Assistant", None)]))
        return Prompt(tuple(ids), {name: [item] for name, item in media.items()})

    return build


@pytest.fixture
def clips(model):
    """Two encoded windows of different length."""
    rng = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        return model.encode(
            "video", [torch.randn(3, frames, 56, 56, generator=rng) for frames in (6, 16)]
        )


@torch.inference_mode()
def plain_greedy(model, prompt, tokens):
    """Every token from the whole sequence, without a cache."""
    ids = list(prompt.ids)
    for _ in range(tokens):
        ids.append(int(model(torch.tensor([ids]), [prompt.media]).logits[0, -1].argmax()))
    return tuple(ids[len(prompt.ids) :])


def counted(module):
    calls = []
    module.register_forward_hook(lambda *_: calls.append(1))
    return calls


def test_batch_of_different_windows_and_lengths_equals_one_by_one(generator, model, ask, clips):
    image = model.encode("image", [torch.randn(3, 56, 56)])[0]
    prompts = [
        ask(QUESTIONS[0], video=clips[0]),
        ask(QUESTIONS[1], video=clips[1]),
        ask(QUESTIONS[2]),
        ask(QUESTIONS[3], image=image),
    ]
    replies = generator.generate(prompts)
    assert [reply.ids for reply in replies] == [
        plain_greedy(model, prompt, 10) for prompt in prompts
    ]


def test_questions_on_one_window_equal_one_by_one(generator, model, ask, clips):
    prompts = [ask(question, video=clips[0]) for question in QUESTIONS]
    expected = [plain_greedy(model, prompt, 10) for prompt in prompts]
    assert [reply.ids for reply in generator.generate(prompts)] == expected
    assert [generator.generate([prompt])[0].ids for prompt in prompts] == expected


def test_nothing_is_read_twice(generator, model, ask, clips):
    """The second question about a window feeds the language model only what differs."""
    fed = []
    model.language.model.register_forward_pre_hook(
        lambda _, __, named: fed.append(named["inputs_embeds"].shape), with_kwargs=True
    )
    first, second = (ask(question, video=clips[0]) for question in QUESTIONS[:2])
    generator.generate([first])
    assert fed[0] == (1, len(first.ids), 64)
    assert len(fed) == LIMITS.max_new_tokens
    shared = next(i for i, (a, b) in enumerate(zip(first.ids, second.ids)) if a != b)
    fed.clear()
    generator.generate([second])
    assert fed[0] == (1, len(second.ids) - shared, 64)


def test_shared_window_is_read_once_for_a_batch(generator, model, ask, clips):
    fed = []
    model.language.model.register_forward_pre_hook(
        lambda _, __, named: fed.append(named["inputs_embeds"].shape), with_kwargs=True
    )
    prompts = [ask(question, video=clips[0]) for question in QUESTIONS]
    generator.generate(prompts)
    window = prompts[0].ids.index(model.placeholder_ids("video")[2]) + 1
    assert fed[0][0] == 1
    assert fed[0][1] >= window
    assert fed[1][0] == len(prompts)
    assert fed[1][1] < max(len(prompt.ids) for prompt in prompts) - window + 1


def test_generation_runs_no_encoder(generator, model, ask, clips):
    calls = counted(model.modality("video").encoder)
    generator.generate([ask(question, video=clips[0]) for question in QUESTIONS])
    assert calls == []


def test_another_window_under_the_same_question_is_read(generator, model, ask, clips):
    """Equal ids do not make equal prompts: the patches show another window."""
    first, second = (ask(QUESTIONS[0], video=clip) for clip in clips)
    assert first.ids == second.ids
    answers = [generator.generate([prompt])[0].ids for prompt in (first, second, first)]
    assert answers == [plain_greedy(model, prompt, 10) for prompt in (first, second, first)]
    assert token_keys(model, first) != token_keys(model, second)


def test_forgetting_changes_no_answer(generator, ask, clips):
    prompt = ask(QUESTIONS[0], video=clips[0])
    before = generator.generate([prompt])
    generator.forget()
    assert generator.generate([prompt]) == before


def test_stops_where_the_public_code_stops(tiny, tokenizer):
    """The first token after which the public criterion is true; it looks at the last tokens, we at
    the text.
    """
    for case in json.loads((tiny / "preprocess" / "stopping.json").read_text())["cases"]:
        ids = case["generated_ids"]
        ours = [STOP in tokenizer.decode(ids[: i + 1]) for i in range(len(ids))]
        assert first_true(ours) == first_true(case["stop_after_each_token"]), case["generated"]


def first_true(flags):
    return flags.index(True) if True in flags else None


def test_stop_string_ends_a_reply_and_is_cut_off(generator, ask):
    prompt = ask("Why?")
    free = generator.generate([prompt])[0]
    assert free.ended == "budget"
    assert len(free.ids) == 10
    stop = free.text[3:5]
    stopped = generator.generate([prompt], GenerationConfig(max_new_tokens=10, stop=stop))[0]
    assert stopped.ended == "stop"
    assert len(stopped.ids) < 10
    assert stopped.text == free.text.split(stop)[0].strip()


def test_end_token_ends_a_reply(generator, model, tokenizer, ask):
    prompt = ask("Why?")
    third = generator.generate([prompt])[0].ids[2]
    with torch.no_grad():
        model.language.lm_head.weight[tokenizer.end_id] = 2 * model.language.lm_head.weight[third]
    generator.forget()
    reply = generator.generate([prompt])[0]
    assert reply.ended == "end"
    assert reply.ids[-1] == tokenizer.end_id
    assert "</s>" not in reply.text


def test_rows_end_on_their_own(generator, ask):
    prompts = [ask("Why?"), ask(QUESTIONS[1])]
    free = generator.generate(prompts)
    stop = free[0].text[:4]
    assert stop not in free[1].text
    first, second = generator.generate(prompts, GenerationConfig(max_new_tokens=10, stop=stop))
    assert first.ended == "stop"
    assert second.ids == free[1].ids


@pytest.mark.parametrize("budget", [1, 2, 7])
def test_budget(generator, ask, budget):
    reply = generator.generate(
        [ask("Why?")], GenerationConfig(max_new_tokens=budget, stop="never")
    )[0]
    assert (len(reply.ids), reply.ended) == (budget, "budget")


def test_context_bounds_the_budget_and_the_prompt(generator, model, ask):
    prompt = ask("Why?")
    model.language.config.max_position_embeddings = len(prompt.ids) + 3
    assert len(generator.generate([prompt])[0].ids) == 3
    model.language.config.max_position_embeddings = len(prompt.ids)
    with pytest.raises(PromptError, match="tokens; this model reads"):
        generator.generate([prompt])


def test_sampling_is_reproducible_and_not_greedy(generator, ask):
    prompt = ask("Why?")
    hot = [
        generator.generate([prompt], GenerationConfig(10, "never", temperature=5.0, seed=seed))[
            0
        ].ids
        for seed in (1, 1, 2)
    ]
    assert hot[0] == hot[1] != hot[2]
    assert generator.generate([prompt])[0].ids not in hot


def test_no_prompts_no_replies(generator):
    assert generator.generate([]) == []


def test_media_must_be_encoded(generator, model, ask, clips):
    prompt = ask("Why?", video=clips[0])
    with pytest.raises(PromptError, match="encoded"):
        generator.generate([Prompt(prompt.ids, {"video": [torch.zeros(3, 6, 56, 56)]})])


def test_left_padding():
    padded, mask = pad_left([torch.ones(2, 3), torch.full((4, 3), 2.0)])
    assert padded[0].sum(dim=1).tolist() == [0, 0, 3, 3]
    assert mask.tolist() == [[False, False, True, True], [True, True, True, True]]


def test_what_was_read_is_extended_and_cut(model):
    embeds = model.language.model.embed_tokens(torch.arange(5, 25))
    with torch.inference_mode():
        whole = PrefixCache().extend(model, range(5, 25), embeds)
        half = PrefixCache().extend(model, range(5, 15), embeds[:10])
        grown = half.extend(model, range(5, 25), embeds)
    assert whole.extend(model, range(5, 11), embeds[:6]) is whole
    assert half.matches(range(5, 25)) == 10
    torch.testing.assert_close(grown.layers, whole.layers, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(whole.layers_until(10), half.layers, atol=1e-5, rtol=1e-4)
