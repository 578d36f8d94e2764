"""Alert rules and dashboard name metrics that are exported, and the reference lists all of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from indexer.admin.metrics import CatalogMetrics, HomeMetrics, as_text
from search_ui.app_state import AppState
from tests.support import colour_video, demo_settings
from workers.metrics import TaskMetrics

ROOT = Path(__file__).parents[1]
ALERTS = yaml.safe_load((ROOT / "deploy" / "prometheus-alerts.yaml").read_text())
DASHBOARD = json.loads((ROOT / "deploy" / "grafana-dashboard.json").read_text())
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
EXPRESSIONS = [rule["expr"] for rule in RULES] + [
    target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]
]


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> dict[str, set[str]]:
    """Names of samples and their labels, of a page and a worker that have something to tell."""
    folder = tmp_path_factory.mktemp("monitoring")
    page = AppState(demo_settings(folder / "home"), sign_in=False)
    page.library.ingest([colour_video(folder / "a.mp4", [("red", 2)])], "c")
    page.library.reindex()
    page.jobs.supervisor.start("folders", lambda: None, 600.0)
    while page.jobs.supervisor.states()[0].age_s is None:
        pass
    with page.searches.measure_time() as ended:
        ended(True)
    page.requests.answers.labels("page", "200").inc()
    page.requests.errors.labels("CatalogError").inc()
    page.jobs.stop(30)
    tasks = TaskMetrics()
    tasks.tasks.labels("plan", "success").inc()
    tasks.seconds.labels("plan").observe(1.0)
    worker = CollectorRegistry()
    worker.register(CatalogMetrics(lambda: page.library.catalog))
    worker.register(HomeMetrics(page.settings))
    found: dict[str, set[str]] = {}
    for registry in (page.registry, tasks.registry, worker):
        for family in text_string_to_metric_families(as_text(registry).decode()):
            for sample in family.samples:
                found.setdefault(sample.name, set()).update(sample.labels)
    return found


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric of an expression, with the labels that it chooses by."""
    for name, chosen in re.findall(r"(seekpoint_\w+)(?:\{([^}]*)\})?", expression):
        yield name, set(re.findall(r"(\w+)\s*[=!]~?", chosen))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_metrics_that_are_named_are_exported(exported, expression: str):
    named = list(selectors(expression))
    assert named, "it asks for something of ours"
    for name, labels in named:
        assert name in exported
        assert labels <= exported[name]
    added_by_prometheus = {"instance", "le"}
    for by in re.findall(r"by \(([^)]*)\)", expression):
        wanted = {label.strip() for label in by.split(",")} - added_by_prometheus
        assert any(wanted <= exported[name] for name, _ in named)


def test_every_metric_is_listed_and_shown(exported):
    reference = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    text = " ".join(EXPRESSIONS)
    ours = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in exported}
    ours = {name for name in ours if name.startswith("seekpoint_")}
    assert [name for name in sorted(ours) if f"`{name}" not in reference] == []
    assert [name for name in sorted(ours) if name not in text] == []


def test_a_name_that_is_not_exported_is_found(exported):
    assert [name for name, _ in selectors("rate(seekpoint_no_such_total[5m])")] == [
        "seekpoint_no_such_total"
    ]
    assert "seekpoint_no_such_total" not in exported


def test_rules_say_what_happened_and_how_urgent_it_is():
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"].endswith(".")


def test_panels_do_not_overlap():
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_brackets_are_closed(expression: str):
    for opened, closed in ("()", "{}", "[]"):
        assert expression.count(opened) == expression.count(closed)
