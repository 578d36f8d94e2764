"""Whatever is asked, as the OpenAPI document allows it or not, is answered without a defect, and as
the document says.
"""

from itertools import chain
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from search_ui.api.app import make_api
from search_ui.app_state import open_app_state
from tests.search_ui.conftest import client_of
from tests.support import demo_settings

DOCUMENT = make_api().openapi()
# Cutting and decoding take seconds each; the limits of their parameters are tested by themselves.
SLOW = ("/clip", "/frame")
PATHS = [path for path in DOCUMENT["paths"] if not path.endswith(SLOW)]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def values(schema: dict[str, Any]) -> st.SearchStrategy[list[str]]:
    """Texts of a parameter: mostly such as the schema allows, sometimes any."""
    if choices := schema.get("anyOf"):
        return st.one_of([values(one) for one in choices])
    if "enum" in schema:
        return st.sampled_from(schema["enum"]).map(lambda value: [value])
    kinds: dict[str, st.SearchStrategy[Any]] = {
        "integer": st.integers(schema.get("minimum", -10), schema.get("maximum", 10)),
        "number": st.floats(schema.get("minimum"), schema.get("maximum")),
        "boolean": st.sampled_from(["true", "false"]),
        "string": st.dates() if schema.get("format") == "date" else ANY_TEXT,
    }
    if schema.get("type") == "array":
        return st.lists(values(schema["items"]), max_size=3).map(lambda found: [*chain(*found)])
    if schema.get("type") == "null":
        return st.just([])
    return (kinds[schema["type"]] | ANY_TEXT).map(lambda value: [str(value)])


@pytest.fixture(scope="module")
def client(filled_home) -> Any:
    with client_of(open_app_state(demo_settings(filled_home), sign_in=False)) as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
@settings(max_examples=40, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_no_request_finds_a_defect(client: TestClient, path: str, data: st.DataObject):
    query: list[tuple[str, str]] = []
    video_id = 1
    for parameter in DOCUMENT["paths"][path]["get"].get("parameters", ()):
        name = parameter["name"]
        if parameter["in"] == "path":
            video_id = data.draw(st.integers(0, 4) | st.integers(0, 2**63 - 1), label=name)
        elif parameter["required"] or data.draw(st.booleans(), label=f"with {name}"):
            query += [(name, value) for value in data.draw(values(parameter["schema"]), label=name)]
    answer = client.get("/api" + path.format(video_id=video_id), params=query)
    assert answer.status_code in (200, 400, 404, 409, 422, 501), answer.text
    if answer.status_code != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
    elif "json" in str(DOCUMENT["paths"][path]["get"]["responses"]["200"].get("content")):
        assert answer.headers["content-type"] == "application/json"
        answer.json()
