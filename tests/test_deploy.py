"""The compose file, the image and the workflow, as far as they can be checked without running them:
schema, names, settings, commands.
"""

from __future__ import annotations

import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import click
import jsonschema
import pytest
import typer
import yaml

from indexer.cli import app
from indexer.settings import Settings

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
OURS = {
    name: service
    for name, service in COMPOSE["services"].items()
    if str(service["image"]).startswith("seekpoint")
}
SCHEMAS = files("check_jsonschema").joinpath("builtin_schemas/vendor")
SCHEMA = json.loads(SCHEMAS.joinpath("compose-spec.json").read_text())


def test_the_compose_file_is_what_its_specification_says():
    jsonschema.Draft202012Validator(SCHEMA).validate(COMPOSE)
    wrong = {**COMPOSE, "services": {**COMPOSE["services"], "redis": {"imagee": "redis"}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(wrong)


def test_services_name_services_and_volumes_that_exist():
    for name, service in COMPOSE["services"].items():
        assert set(service.get("depends_on", {})) <= set(COMPOSE["services"]), name
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in COMPOSE["services"][needed], (
                    f"{name} waits for the health of {needed}"
                )
        named = {
            volume.partition(":")[0]
            for volume in service.get("volumes", ())
            if not volume.startswith("$")
        }
        assert named <= set(COMPOSE["volumes"]), name


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_part_is_confined(name: str):
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"pids_limit", "mem_limit", "tmpfs"} <= set(service)


def test_the_broker_asks_for_its_password():
    secret = "${REDIS_PASSWORD:?choose one in deploy/.env}"
    assert secret in COMPOSE["services"]["redis"]["command"]
    for service in OURS.values():
        assert f":{secret}@redis" in service["environment"]["SEEKPOINT_BROKER_URL"]


def test_whatever_runs_on_tells_its_health():
    assert [
        name for name, service in COMPOSE["services"].items() if "healthcheck" not in service
    ] == ["migrate"]


@pytest.mark.parametrize("name", OURS)
def test_settings_are_those_of_this_version(name: str, monkeypatch: pytest.MonkeyPatch):
    environment = {
        key: re.sub(r"\$\{\w+(:[?-][^}]*)?\}", "x", value)
        for key, value in OURS[name]["environment"].items()
    }
    assert {key.removeprefix("SEEKPOINT_").lower() for key in environment} <= set(
        Settings.model_fields
    )
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    assert Settings().metrics_port == 9464


@pytest.mark.parametrize("name", OURS)
def test_commands_are_those_of_this_version(name: str):
    """Parsed as the command line would, and not carried out."""
    command: click.Command = typer.main.get_command(app)
    words = list(OURS[name]["command"])
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    command.make_context(name, words)


def test_the_image_copies_what_there_is_and_installs_extras_that_exist():
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text()
    sources = [
        word
        for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.MULTILINE)
        for word in line.split()[:-1]
    ]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {
        pattern.rstrip("*")
        for pattern in project["tool"]["setuptools"]["packages"]["find"]["include"]
    }
    assert packages <= set(sources)
    (extras,) = re.findall(r'"\.\[(.*)\]"', dockerfile)
    assert set(extras.replace("${FAISS}", "cpu,gpu").split(",")) <= set(
        project["project"]["optional-dependencies"]
    )


def test_the_workflow_is_what_its_specification_says():
    schema = json.loads(SCHEMAS.joinpath("github-workflows.json").read_text())
    # YAML 1.1 reads the key `on` as a boolean.
    workflow = {
        "on" if key is True else key: value
        for key, value in yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text()).items()
    }
    jsonschema.Draft7Validator(schema).validate(workflow)
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert ".ci/run" in [step.get("run") for step in steps]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate({**workflow, "jobs": {"a": {"step": []}}})
