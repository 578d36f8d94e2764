"""What people see at an address where there is nothing."""

import pytest


@pytest.mark.parametrize(
    ("language", "word"), [("en", "There is no page at this address."), ("zh", "此地址没有页面。")]
)
def test_an_address_that_is_none_is_said_in_one_language(local, language, word):
    headers = {"Accept": "text/html", "Accept-Language": language}
    answer = local.get("/nowhere<b>", headers=headers)
    assert answer.status_code == 404
    assert f'<html lang="{language}">' in answer.text
    assert word in answer.text
    assert 'href="/"' in answer.text
    assert "nowhere" not in answer.text


def test_a_program_gets_no_page(local):
    answer = local.get("/nowhere")
    assert (answer.status_code, answer.text) == (404, "Not found")
