import threading

import pytest

from indexer.embedders.base import Embedder
from indexer.embedders.registry import MODELS, load_embedder
from indexer.errors import UsageError
from indexer.settings import load_settings


def test_an_unknown_embedder_names_the_known():
    known = "lite, siglip2, clip, qwen3-vl-embedding, demo"
    with pytest.raises(UsageError, match=rf"no embedder 'magic'.*{known}"):
        load_embedder(load_settings(embedder="magic"))


def test_one_instance_a_process_even_from_threads():
    settings = load_settings(embedder="demo")
    found: list[Embedder] = []
    threads = [
        threading.Thread(target=lambda: found.append(load_embedder(settings))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(one) for one in found}) == 1
    assert len(found) == 8


def test_a_name_goes_before_the_setting():
    assert load_embedder(load_settings(embedder="lite"), "demo").name == "demo"


@pytest.mark.parametrize("card", MODELS, ids=lambda card: card.name)
def test_cards_say_everything(card):
    assert all(
        (card.purpose, card.needs, card.licence, card.languages, card.quality, card.how_to_get)
    )
    assert card.size_mb >= 0


def test_what_comes_with_the_package_is_installed():
    here = {card.name: card.is_installed(load_settings()) for card in MODELS}
    assert here["lite"]
    assert here["demo"]
