"""Figures of the running server for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

__all__ = ["Metrics"]

LATENCY_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """One registry a server, so that several may live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "keepclear_dss_requests", "Answers by operation and status.", ("operation", "status"),
            registry=self.registry,
        )  # fmt: skip
        self._latency = Histogram(
            "keepclear_dss_request_seconds", "Time to answer.", ("operation",), buckets=LATENCY_S,
            registry=self.registry,
        )  # fmt: skip
        self._write = Histogram(
            "keepclear_dss_write_seconds", "Time to make one batch durable.", buckets=LATENCY_S, registry=self.registry
        )
        self._batch = Histogram(
            "keepclear_dss_batch_requests", "Requests decided in one batch.", buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=self.registry,
        )  # fmt: skip
        self._records = Counter("keepclear_dss_records_written", "Records written.", registry=self.registry)
        self._lost = Counter("keepclear_dss_turns_lost", "Turns lost to other servers.", registry=self.registry)
        self._live = Gauge("keepclear_dss_records", "Records kept, by kind.", ("kind",), registry=self.registry)
        self._children: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._waiting = Gauge("keepclear_dss_waiting", "Requests waiting for a decision.", registry=self.registry)

    def request(self, operation: str, status: int, took_s: float) -> None:
        children = self._children.get((operation, status))
        if children is None:
            children = self._requests.labels(operation, status), self._latency.labels(operation)
            self._children[operation, status] = children
        children[0].inc()
        children[1].observe(took_s)

    def batch(self, requests: int, records: int, write_s: float) -> None:
        self._write.observe(write_s)
        self._batch.observe(requests)
        self._records.inc(records)

    def turn_lost(self) -> None:
        self._lost.inc()

    def text(self, live: dict[str, int], waiting: int) -> bytes:
        """In Prometheus's format."""
        for kind, count in live.items():
            self._live.labels(kind).set(count)
        self._waiting.set(waiting)
        return generate_latest(self.registry)
