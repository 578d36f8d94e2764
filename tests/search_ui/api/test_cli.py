"""`seekpoint tokens`: shown once, listed without secrets, revoked."""

import json

import pytest
from typer.testing import CliRunner

from indexer.cli import app
from tests.support import demo_environment


@pytest.fixture
def run(tmp_path, monkeypatch):
    for name, value in demo_environment(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    runner = CliRunner()
    return lambda *words: runner.invoke(app, ["tokens", *words])


def test_a_token_from_its_making_to_its_end(run):
    made = run("add", "agent", "--role", "editor", "--days", "3")
    assert made.exit_code == 0, made.output
    token = made.stdout.strip()
    assert token.startswith("skp_")
    shown = run("list", "--json")
    (listed,) = json.loads(shown.stdout)
    assert (listed["name"], listed["role"], listed["collections"]) == ("agent", "editor", None)
    assert listed["used_at"] is None
    assert "never" in run("list").stdout
    assert token not in shown.stdout + run("list").stdout
    assert run("revoke", "agent").exit_code == 0
    assert json.loads(run("list", "--json").stdout) == []


def test_a_collection_that_is_not_there(run):
    made = run("add", "agent", "--collection", "nothing")
    assert made.exit_code != 0
    assert json.loads(run("list", "--json").stdout) == []
