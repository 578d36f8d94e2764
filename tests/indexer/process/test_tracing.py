"""Traces reach a collector over HTTP, and say nothing of what was asked; without one nothing of
OpenTelemetry is loaded.
"""

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support import colour_video, demo_environment

RUN = """
import json, sys
from indexer.library import Library
from indexer.logs import set_up
library = Library()
set_up(library.settings, "test")
library.ingest([sys.argv[1]], "films")
library.search("a secret green thing")
print(json.dumps(sorted(name for name in sys.modules if name.startswith("opentelemetry.sdk"))))
"""


@pytest.fixture
def collector():
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1/traces", bodies
    server.shutdown()
    server.server_close()


def run(tmp_path, **environment: str) -> list[str]:
    env = demo_environment(tmp_path / "home", **environment)
    command = [sys.executable, "-c", RUN, str(tmp_path / "private name")]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200, check=True)
    return json.loads(done.stdout)


def test_spans_of_an_ingest_and_a_search(tmp_path, collector):
    url, bodies = collector
    colour_video(tmp_path / "private name" / "light.mp4", [("red", 2), ("green", 2)])
    assert run(tmp_path) == []
    (tmp_path / "home").rename(tmp_path / "first")
    assert run(tmp_path, TRACES_URL=url) != []
    spans, resources = {}, {}
    for body in bodies:
        for part in ExportTraceServiceRequest.FromString(body).resource_spans:
            resources |= {one.key: one.value.string_value for one in part.resource.attributes}
            spans |= {one.span_id: one for scope in part.scope_spans for one in scope.spans}
    assert resources["service.name"] == "seekpoint"
    assert resources["seekpoint.process"] == "test"
    names = {span.name for span in spans.values()}
    assert {"ingest", "ingest.read", "ingest.stage", "ingest.commit"} <= names
    assert {"search", "search.pictures", "search.describe"} <= names
    parents = {
        (span.name, spans[span.parent_span_id].name)
        for span in spans.values()
        if span.parent_span_id
    }
    assert ("ingest.stage", "ingest") in parents
    assert ("ingest.read", "ingest") in parents
    assert ("search.pictures", "search") in parents
    reported = b"".join(bodies)
    assert b"secret" not in reported
    assert b"private" not in reported
