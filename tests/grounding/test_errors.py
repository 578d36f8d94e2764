"""Errors keep their template and values, here and in another process."""

import pickle

from grounding.errors import CheckpointError
from grounding.language_model.endpoint import Refused
from indexer.errors import ModelError


def test_an_error_keeps_its_template_and_values():
    error = CheckpointError("{folder} has {count} files", folder="a {b}", count=2)
    assert str(error) == "a {b} has 2 files"
    assert (error.template, error.values) == (
        "{folder} has {count} files",
        {"folder": "a {b}", "count": 2},
    )


def test_braces_of_a_text_without_values_stay():
    assert str(CheckpointError("no {field} here")) == "no {field} here"


def test_an_error_comes_whole_from_another_process():
    refused = pickle.loads(pickle.dumps(Refused(400, "no")))
    assert (str(refused), refused.status) == ("endpoint: status 400: 'no'", 400)


def test_an_error_of_a_model_is_shown_in_another_language():
    inner = CheckpointError("{folder} is not empty", folder="lego")
    error = ModelError("the LEGO checkpoint does not load: {error}", error=inner)
    chinese = {
        "the LEGO checkpoint does not load: {error}": "无法加载：{error}",
        "{folder} is not empty": "{folder} 不是空的",
    }
    assert error.what.text(lambda text: chinese.get(text, text)) == "无法加载：lego 不是空的"
