import numpy as np
import pytest

from grounding.benchmarks.captions import score_captions
from grounding.benchmarks.dense_captions import score_events
from grounding.errors import EvaluationError
from grounding.metrics.sentences import Cider, Meteor, has_java, tokenize
from tests.grounding.benchmarks.support import case, values
from tests.grounding.benchmarks.test_protocols import EVENTS, OTHER, PERFECT

needs_java = pytest.mark.skipif(not has_java(), reason="needs java")


def test_words_are_cut_plainly():
    assert tokenize(["A Dog's bone, isn't it?", ""], java=False) == ["a dog's bone isn't it", ""]


def test_cider_by_hand():
    """Two documents of two words that have no phrase in common: idf ln 2 for each. The same
    sentence: cosine 1 for 1- and 2-grams, no 3- and 4-grams, so 10 * (1 + 1) / 4. One of two words:
    1-gram cosine 1/2 of the clipped product and length 1 of bigrams against 0.
    """
    cider = Cider([["red dog"], ["blue cat"]])
    same, other = cider.pairs([("red dog", ["red dog"]), ("red dog", ["blue cat"])])
    assert same == pytest.approx(5.0)
    assert other == 0
    (half,) = cider.pairs([("red cat", ["red dog"])])
    assert half == pytest.approx(
        10 * (1 / 2) / 4
    )  # unigrams: ln2^2 / (sqrt(2) ln2)^2; the bigram differs
    (short,) = cider.pairs([("red", ["red dog"])])
    # unigram cosine 1/sqrt(2), times the penalty for one bigram less: exp(-1 / (2 * 36))
    assert short == pytest.approx(10 * (1 / np.sqrt(2)) * np.exp(-1 / 72) / 4)


def test_batches_change_nothing():
    cider = Cider([["red dog"], ["blue cat"]])
    pairs = [
        ("red dog", ["red dog"]),
        ("a cat", ["blue cat"]),
        ("dog", ["red dog"]),
        ("red cat", ["blue cat"]),
        ("cat", ["blue cat"]),
    ]
    np.testing.assert_array_equal(
        cider.pairs(pairs), np.concatenate([cider.pairs([pair]) for pair in pairs])
    )


def test_captions_of_one_sound_are_references_of_one_question():
    sound, other = {"sound": "a.wav"}, {"sound": "b.wav"}
    described = [
        case("rain falls on a roof", {"caption": "Rain falls on a roof."}, media=sound, name="1"),
        case("nobody reads this", {"caption": "It rains."}, media=sound, name="2"),
        case(None, {"caption": "A dog barks loudly."}, media=other, name="3"),
    ]
    scores = score_captions(described, java=False)
    assert scores.counts == {"rows": 2, "missing": 1, "unread": 0}
    assert 2 < values(scores)["CIDEr"] < 4  # half of: 10 for one of two references


@needs_java
def test_the_penn_treebank_tokenizer():
    assert tokenize(["A Dog's bone, isn't it?", "", "two\nlines"], java=True) == [
        "a dog 's bone is n't it",
        "",
        "two lines",
    ]


@needs_java
def test_dense_captions_with_meteor():
    """Perfect words and times for two of three true events: precision 1, recall 2/3, and the second
    video has nothing.
    """
    scores = values(score_events([case(PERFECT, EVENTS), case(None, OTHER)], java=True))
    assert scores["SODA_c METEOR"] == pytest.approx(0.8, abs=0.01)
    assert scores["METEOR"] == pytest.approx(0.5, abs=0.01)
    assert scores["SODA_c CIDEr"] == pytest.approx(8.0, abs=0.01)


def test_meteor_without_java_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    assert not has_java()
    with pytest.raises(EvaluationError, match="needs Java"):
        Meteor().__enter__()
