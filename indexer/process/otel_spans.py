"""OpenTelemetry's side of `tracing.py`, which imports it where a collector is configured.

The SDK's own variables count too: OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES,
OTEL_EXPORTER_OTLP_HEADERS.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode

from indexer.process.tracing import Start


def make_starter(url: str, process: str) -> Start:
    """Starts spans that are sent to the collector in the background, and at the end of the
    process.
    """
    resource = Resource.create({"service.name": "seekpoint", "seekpoint.process": process})
    provider = TracerProvider(resource=resource, shutdown_on_exit=True)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
    tracer = provider.get_tracer("seekpoint")

    @contextmanager
    def start(name: str, attributes: dict[str, str | int | float | bool]) -> Iterator[None]:
        named = {f"seekpoint.{key}": value for key, value in attributes.items()}
        with tracer.start_as_current_span(
            name, attributes=named, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except BaseException as error:
                # Its text may name files, or what was asked.
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    return start
