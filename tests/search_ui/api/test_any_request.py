"""Whatever is asked, as the OpenAPI document allows it or not, is answered without a defect, and as
the document says: schemathesis makes the requests from the document.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.applications import Starlette

from search_ui.api.app import make_api
from search_ui.app_state import open_app_state
from search_ui.routes import all_routes
from search_ui.server import middleware
from tests.support import demo_settings

EXAMPLES = 6
"""Of each operation; `python -m benchmarks.any_request` asks for hundreds."""
# Each example of these takes seconds of decoding, cutting, looking around or waiting, whatever is
# asked; the limits of their parameters are tested by themselves.
SLOW = ("clip", "clips", "frame", "events", "checks")
OPERATIONS = sorted(
    (
        (method.upper(), path)
        for path, methods in make_api().openapi()["paths"].items()
        for method in methods
        if not path.endswith(SLOW)
    ),
    key=lambda operation: operation[0] == "DELETE",  # last: then there is something before
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def schema(filled_home, tmp_path_factory) -> Iterator[Any]:
    """The document of a server whose library may be changed, for somebody at the machine."""
    home = tmp_path_factory.mktemp("any") / "home"
    shutil.copytree(filled_home, home)
    shared = open_app_state(demo_settings(home, ui_folders=[home / "uploads"]), sign_in=False)
    shared.jobs.supervisor.stop()  # no work is done meanwhile
    routes = all_routes()
    app = Starlette(routes=routes, middleware=middleware(shared, routes, has_oidc=False))
    yield load(app)
    shared.jobs.stop(10)


def load(app: Any) -> Any:
    """The document as schemathesis takes it: without tokens, which it would make up."""
    document = {key: value for key, value in make_api().openapi().items() if key != "security"}
    schema = schemathesis.openapi.from_dict(document)
    schema.app = app
    return schema


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_no_request_finds_a_defect(schema: Any, method: str, path: str):
    assert ask(schema[path][method], EXAMPLES)


def ask(operation: Any, examples: int) -> list[int]:
    """Asks the operation so many times, by the document and against it, and raises where an answer
    breaks it; the statuses of the answers.
    """
    statuses: list[int] = []
    cases = st.one_of([operation.as_strategy(mode) for mode in GenerationMode])
    if numbers := {one.name: 1 for one in operation.path_parameters}:
        # Of what is there, too.
        cases |= operation.as_strategy(path_parameters=numbers)

    @settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=cases)
    def check(case: Any) -> None:
        answer = case.call(base_url="http://127.0.0.1:8501/api")
        statuses.append(answer.status_code)
        # A model that is not installed is no defect.
        assert answer.status_code != 501 or answer.json()["code"] == "model"
        wanted = CHECKS[1:] if answer.status_code == 501 else CHECKS
        case.validate_response(answer, checks=wanted)

    check()
    return statuses
