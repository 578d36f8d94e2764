"""How alike sentences are: CIDEr and METEOR by pycocoevalcap, the code behind published numbers.

METEOR and the Penn Treebank tokenizer are Java programs inside that package. Without Java,
sentences are cut at anything that is not a word, METEOR is left out, and the scores say so: CIDEr
then differs a little from published numbers.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from itertools import islice

import numpy as np
from pycocoevalcap.cider.cider_scorer import CiderScorer
from pycocoevalcap.meteor.meteor import Meteor as MeteorProcess
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

from grounding.errors import EvaluationError

METEOR_BATCH = 200
_WORDS = re.compile(r"[\w']+")


def has_java() -> bool:
    """True where a `java` is on the PATH."""
    return shutil.which("java") is not None


def tokenize(texts: Sequence[str], *, java: bool) -> list[str]:
    """Small letters, words apart, no marks. `java`: by the Penn Treebank tokenizer, as published
    numbers are. Raises EvaluationError where that cannot run.
    """
    if not java:
        return [" ".join(_WORDS.findall(text.lower())) for text in texts]
    try:
        cut = PTBTokenizer().tokenize(
            {i: [{"caption": " ".join(text.split()) or "."}] for i, text in enumerate(texts)}
        )
    except OSError as error:
        raise EvaluationError(
            f"the tokenizer of pycocoevalcap cannot run: {error}; it needs Java and its folder "
            "writable"
        ) from error
    return [cut.get(i, [""])[0] for i in range(len(texts))]


class Cider:
    """CIDEr-D (Vedantam et al. 2015). How rare a phrase is counts over `documents`: each the
    reference sentences of one thing.
    """

    def __init__(self, documents: Sequence[Sequence[str]]) -> None:
        corpus = CiderScorer()
        for references in documents:
            corpus.cook_append("", list(references))
        corpus.compute_doc_freq()
        self._frequency = corpus.document_frequency
        self._documents = len(documents)

    def pairs(self, pairs: Sequence[tuple[str, Sequence[str]]]) -> np.ndarray:
        """(sentence, its references) -> `(N,)`, 0 to 10 each."""
        rest = iter(pairs)
        scores: list[float] = []
        while batch := list(islice(rest, max(self._documents, 1))):
            scores += self._batch(batch)
        return np.array(scores, dtype=np.float64)

    def _batch(self, batch: Sequence[tuple[str, Sequence[str]]]) -> list[float]:
        scorer = CiderScorer()
        for sentence, references in batch:
            scorer.cook_append(sentence, list(references))
        scorer.document_frequency = self._frequency
        # the scorer takes their number for that of the documents
        scorer.crefs += [[]] * (self._documents - len(batch))
        return list(map(float, scorer.compute_cider()))


class Meteor:
    """METEOR 1.5 (Denkowski and Lavie 2014), English, normalised; a Java process, closed with the
    block.
    """

    def __enter__(self) -> Meteor:
        try:
            self._process = MeteorProcess()
        except OSError as error:
            raise EvaluationError(f"METEOR cannot run: {error}; it needs Java") from error
        return self

    def __exit__(self, *error: object) -> None:
        process = self._process.meteor_p
        self._process.__del__()
        for stream in filter(None, (process.stdout, process.stderr)):
            stream.close()
        process.wait()

    def pairs(self, pairs: Sequence[tuple[str, Sequence[str]]]) -> np.ndarray:
        """(sentence, its references) -> `(N,)`, 0 to 1 each."""
        rest = iter(pairs)
        scores: list[float] = []
        try:
            while batch := list(islice(rest, METEOR_BATCH)):
                references = {i: list(refs) for i, (_, refs) in enumerate(batch)}
                scores += self._process.compute_score(
                    references, {i: [sentence] for i, (sentence, _) in enumerate(batch)}
                )[1]
        except (OSError, ValueError) as error:
            raise EvaluationError(
                f"METEOR stopped working: {error}; is `java` installed and its memory (2 GB) free?"
            ) from error
        return np.array(scores, dtype=np.float64)
