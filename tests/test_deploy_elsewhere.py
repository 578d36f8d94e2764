"""The Helm chart, the systemd units and the image, as far as they can be checked without a cluster:
the chart is rendered and checked by Kubernetes' own schemas.
"""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import jsonschema
import kubernetes_validate
import pytest
import typer
import yaml
from gotpl.exts.helm import HelmTemplateEngine

from indexer.cli import app
from indexer.settings import SECRETS, Settings

DEPLOY = Path(__file__).parents[1] / "deploy"
CHART = DEPLOY / "helm"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
FULL = {
    **VALUES,
    "worker": {**VALUES["worker"], "image": "seekpoint:gpu"},
    "settings": {"SEEKPOINT_SOUND": "0", "OTEL_TRACES_SAMPLER": "always_on"},
    "ingress": {"host": "videos.example.com", "className": "nginx", "tlsSecret": "tls"},
}
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def render(values: dict[str, Any]) -> list[dict[str, Any]]:
    """The documents of the chart, as `helm template` makes them."""
    templates = sorted((CHART / "templates").iterdir())
    engine = HelmTemplateEngine({path.name: path.read_text() for path in templates}, strict=True)
    data = {"Values": values, "Release": {"Name": "films"}}
    texts = [
        engine.render_template(path.name, data) for path in templates if path.suffix == ".yaml"
    ]
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def pods(documents: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for one in documents:
        if one["kind"] in ("Deployment", "Job"):
            yield one["spec"]["template"]["spec"]


def check_command(words: list[str]) -> None:
    """Parsed as the command line would, and not carried out."""
    command: click.Command = typer.main.get_command(app)
    words = list(words)
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    command.make_context("seekpoint", words)


@pytest.mark.parametrize("values", [VALUES, FULL], ids=["as it is", "with everything"])
def test_kubernetes_takes_what_the_chart_makes(values):
    documents = render(values)
    kinds = [one["kind"] for one in documents]
    assert sorted(kinds) == sorted(
        ["Deployment", "Deployment", "Service", "Job", *(["Ingress"] if values is FULL else [])]
    )
    for one in documents:
        kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)
    wrong = {**documents[0], "spec": {**documents[0]["spec"], "replica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, kubernetes_validate.latest_version(), strict=True)


def test_pods_are_confined_and_say_what_this_version_takes():
    documents = render(FULL)
    for pod in pods(documents):
        assert pod["securityContext"]["runAsNonRoot"] is True
        (container,) = pod["containers"]
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        mounts = {mount["name"] for mount in container["volumeMounts"]}
        assert mounts == {volume["name"] for volume in pod["volumes"]}
        check_command(container["args"])
        env = {one["name"]: one for one in container["env"]}
        ours = {
            name.removeprefix("SEEKPOINT_").lower() for name in env if name.startswith("SEEKPOINT_")
        }
        assert ours <= set(Settings.model_fields)
        for name in ours & set(SECRETS):
            assert "secretKeyRef" in env[f"SEEKPOINT_{name.upper()}"]["valueFrom"], name
        json.loads(env["SEEKPOINT_ROOTS"]["value"])
    (service,) = [one for one in documents if one["kind"] == "Service"]
    (page,) = [
        one
        for one in documents
        if (one["kind"], one["metadata"]["name"]) == ("Deployment", "films-page")
    ]
    labels = page["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] == labels


def test_values_are_checked_by_a_schema():
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    check = jsonschema.Draft7Validator(schema)
    check.validate(VALUES)
    check.validate(FULL)
    for wrong in (
        {**VALUES, "imagee": "a"},
        {**VALUES, "settings": {"PATH": "a"}},
        {**VALUES, "settings": {"SEEKPOINT_SOUND": 0}},
        {**VALUES, "worker": {"queues": ["fast"]}},
        {**VALUES, "claims": {"media": "a"}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            check.validate(wrong)


def test_the_chart_names_its_version():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = (DEPLOY.parent / "pyproject.toml").read_text()
    assert f'version = "{chart["appVersion"]}"' in project
    assert chart["apiVersion"] == "v2"


# --- systemd ---


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_units_start_what_there_is_and_are_confined(path):
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # pyright: ignore[reportAttributeAccessIssue]
    unit.read_string(path.read_text())
    assert set(unit) >= {"Unit", "Service", "Install"}
    service = unit["Service"]
    program, *words = service["ExecStart"].split()
    assert program.endswith("/seekpoint")
    check_command(words)
    assert service["User"] != "root"
    for name in ("NoNewPrivileges", "PrivateTmp", "RestrictSUIDSGID"):
        assert service[name] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""
    assert service["StateDirectory"] == "seekpoint"


def test_the_environment_of_the_units_is_valid(monkeypatch, tmp_path):
    lines = (DEPLOY / "systemd" / "seekpoint.env").read_text().splitlines()
    plain = [line.removeprefix("# ") for line in lines if "SEEKPOINT_" in line]
    for line in plain:
        name, _, value = line.partition("=")
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert str(settings.home) == "/var/lib/seekpoint"
    assert settings.roots
    assert len(UNITS) == 2


# --- the image ---


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of each stage of the Dockerfile."""
    text = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text())
    found: list[list[tuple[str, str]]] = []
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if not word or word.startswith("#"):
            continue
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def test_the_image_is_small_and_runs_as_nobody_special():
    """As hadolint asks, which finds nothing in it (DL3002, DL3006, DL3007, DL3020, DL3025, DL3042,
    DL4006): another user than root by number, pinned bases, COPY, JSON for what is run.
    """
    build, final = stages()
    for word, rest in (one for stage in (build, final) for one in stage):
        if word == "FROM":
            assert re.fullmatch(r"[a-z]+:[\w.-]*\d[\w.-]*( AS \w+)?", rest), rest
        assert word != "ADD"
        assert word not in ("CMD", "ENTRYPOINT") or isinstance(json.loads(rest), list)
        assert word != "RUN" or ("sudo" not in rest and "|" not in rest)
        assert "pip install" not in rest or "--no-cache-dir" in rest
        assert "apt" not in rest or "--no-install-recommends" in rest
    users = [rest for word, rest in final if word == "USER"]
    assert users[-1].isdecimal()
    assert users[-1] != "0"
    assert not any(word == "RUN" and "pip" in rest for word, rest in final)
    copied = [rest for word, rest in final if word == "COPY"]
    assert all(rest.startswith("--from=build ") for rest in copied)
