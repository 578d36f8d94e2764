import threading
import time

import pytest

from indexer.process.load_once import load_once


def test_each_combination_of_arguments_is_loaded_once():
    calls = []

    @load_once
    def load(name: str, threads: int = 1) -> object:
        calls.append((name, threads))
        return object()

    first = load("small")
    assert load("small") is first
    assert load("small", threads=2) is not first
    assert load("large") is not first
    assert calls == [("small", 1), ("small", 2), ("large", 1)]


def test_threads_that_ask_at_once_get_the_same_model():
    calls, found = [], []

    @load_once
    def load() -> object:
        calls.append(1)
        time.sleep(0.05)
        return object()

    threads = [threading.Thread(target=lambda: found.append(load())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert len({id(model) for model in found}) == 1


def test_a_load_that_failed_is_tried_again():
    tries = []

    @load_once
    def load() -> str:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("not yet")
        return "model"

    with pytest.raises(OSError):
        load()
    assert load() == "model"


def test_what_was_loaded_can_be_forgotten():
    calls = []

    @load_once
    def load() -> int:
        calls.append(1)
        return len(calls)

    assert (load(), load()) == (1, 1)
    load.clear()
    assert load() == 2
