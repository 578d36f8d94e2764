from grounding.spans import Span
from indexer.passages.base import Passage, Word, own_passages
from indexer.passages.speech.confidence import Decoded, ScoredWord, sure_parts
from indexer.passages.speech.sentences import sentences
from indexer.passages.speech.vad import join_stretches


def words(
    text: str, start_s: float = 0.0, step_s: float = 0.4, probability: float = 0.9
) -> tuple[ScoredWord, ...]:
    times = [start_s + step_s * n for n in range(len(text.split()))]
    return tuple(
        ScoredWord(Word(at, at + 0.75 * step_s, " " + w), probability)
        for at, w in zip(times, text.split())
    )


def decoded(
    text: str = "We met at noon.",
    *,
    logprob: float = -0.2,
    no_speech: float = 0.1,
    compression: float = 1.4,
) -> Decoded:
    return Decoded(words(text), logprob, no_speech, compression)


def test_a_passage_belongs_to_the_chunk_of_its_middle():
    passages = [Passage("speech", *span, "x") for span in ((55, 62), (58, 62), (59, 63))]
    assert own_passages(passages, Span(0, 60)) == passages[:1]
    assert own_passages(passages, Span(60, 120)) == passages[1:]


def test_sentences_end_at_full_stops_and_long_pauses():
    heard = (*words("We met Dr. Lind at noon. Then it rained"), *words("Later on we left", 20.0))
    assert [p.text for p in sentences(heard, "en")] == [
        "We met Dr. Lind at noon.",
        "Then it rained",
        "Later on we left",
    ]


def test_a_sentence_that_never_ends_is_cut():
    long = " ".join(f"word{n}" for n in range(100))
    assert max(p.end_s - p.start_s for p in sentences(words(long), "en")) <= 15


def test_unsure_hurried_and_circling_sentences_are_dropped():
    assert sentences(words("Gloom of a sheep to Nars.", probability=0.4), "en") == []
    assert (
        sentences(
            words("this cannot have been said within so short a time by anyone", step_s=0.02), "en"
        )
        == []
    )
    assert (
        sentences(
            words("one three four one three five one three nine one three four one three"), "en"
        )
        == []
    )
    assert (
        len(
            sentences(
                words("We shall fight on the beaches, we shall fight on the landing grounds"), "en"
            )
        )
        == 1
    )


def test_what_the_model_was_not_sure_of_is_dropped():
    assert len(sure_parts([decoded()], knows_languages=False)) == 1
    assert sure_parts([decoded(logprob=-0.8)], knows_languages=False) == []
    assert sure_parts([decoded(compression=3.0)], knows_languages=False) == []
    assert sure_parts([decoded(logprob=-0.5, no_speech=0.7)], knows_languages=False) == []
    assert sure_parts([Decoded((), -0.1, 0.1, 1.0)], knows_languages=False) == []
    assert len(sure_parts([decoded(logprob=-0.8)], knows_languages=True)) == 1


def test_unsure_speech_taints_what_is_around_it():
    foreign = [
        decoded("a b c d e f g h i j", logprob=-1.5),
        decoded("k l m n o p q r s t", logprob=-1.2),
    ]
    half_sure = decoded("some plausible words", logprob=-0.5)
    assert sure_parts([*foreign, half_sure], knows_languages=False) == []
    assert sure_parts([*foreign, decoded(logprob=-0.1)], knows_languages=False) == [
        decoded(logprob=-0.1).words
    ]
    assert len(sure_parts([half_sure], knows_languages=False)) == 1


def test_stretches_are_joined_up_to_what_the_model_hears_at_once():
    assert join_stretches([Span(0, 5), Span(5.5, 9)]) == [Span(0, 9)]
    assert join_stretches([Span(0, 5), Span(6, 9)]) == [Span(0, 5), Span(6, 9)]
    assert join_stretches([]) == []


def test_too_long_a_run_is_parted_at_its_longest_pause():
    stretches = [Span(0, 8), Span(8.2, 16), Span(16.7, 24), Span(24.2, 27), Span(27.1, 33)]
    assert join_stretches(stretches) == [Span(0, 16), Span(16.7, 33)]
