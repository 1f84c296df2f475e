"""Each operation is a span where OpenTelemetry is there."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from keepclear.server.dss import tracing


def test_an_operation_is_a_span_with_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    monkeypatch.setattr(tracing, "_configured", lambda: True)
    with tracing.span("get_intent", {}) as mark:
        mark(404)
    calling = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    with tracing.span("put_intent", calling) as mark:
        mark(503)
    span, called = exporter.get_finished_spans()
    assert span.name == "dss get_intent"
    assert dict(span.attributes or {}) == {"http.response.status_code": 404}
    assert (span.parent, span.status.is_ok) == (None, True)
    assert called.context is not None
    assert f"{called.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c", "the caller's trace goes on"
    assert not called.status.is_ok


def test_the_interface_alone_makes_no_spans() -> None:
    assert not tracing._configured()


def test_without_it_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_tracer", None)
    with tracing.span("get_intent", {}) as mark:
        mark(200)
