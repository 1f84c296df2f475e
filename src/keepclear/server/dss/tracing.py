"""A span for each operation where OpenTelemetry is installed; nothing where it is not. An SDK and an exporter are
configured as OpenTelemetry says (``OTEL_…``), or by the program that embeds the application."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

__all__ = ["span"]

try:
    from opentelemetry import trace

    _tracer: Any = trace.get_tracer("keepclear.dss")
except ImportError:
    _tracer = None


def _configured() -> bool:
    """Is there an SDK? The interface alone makes spans that nobody sees, at a cost."""
    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def _nothing(status: int) -> None:
    return


@contextmanager
def span(name: str, headers: Mapping[str, str]) -> Iterator[Callable[[int], None]]:
    """Yields what is to be told the status code. The span goes on the caller's trace where the headers name one."""
    if _tracer is None or not _configured():
        yield _nothing
        return
    from opentelemetry import propagate

    caller = propagate.extract(headers)
    with _tracer.start_as_current_span(f"dss {name}", context=caller, kind=trace.SpanKind.SERVER) as current:
        yield lambda status: _told(current, status)


def _told(current: Any, status: int) -> None:
    current.set_attribute("http.response.status_code", status)
    if status >= 500:
        current.set_status(trace.StatusCode.ERROR)
