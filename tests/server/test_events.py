"""The stream over a real socket: a page that comes back misses nothing, and no page can hold the server up."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from keepclear.errors import UsageError
from keepclear.server import events as events_module
from keepclear.server import hub as hub_module
from keepclear.server.hub import Hub
from keepclear.server.messages import AlertMessage
from keepclear.server.serve import ServerHandle, is_local, serve

WAIT_S = 60.0
"""A machine that does other work may let an answer wait."""


def alert(number: int) -> AlertMessage:
    return {
        "id": f"a{number}", "kind": "APW", "state": "actual", "verdict": "ACTUAL", "who": "X", "raised_s": 0.0,
        "updated_s": 0.0,
    }  # fmt: skip


@pytest.fixture
def hub() -> Hub:
    return Hub(run="r")


@pytest.fixture
def server(hub: Hub) -> Iterator[ServerHandle]:
    with serve(hub, port=0) as running:
        yield running


def read(lines: Iterator[str], wanted: int, *, heartbeats: bool = False) -> list[tuple[str, str, Any]]:
    """So many events as (id, kind, data)."""
    got: list[tuple[str, str, Any]] = []
    event = {"id": "", "event": "", "data": ""}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif event["event"]:
            if heartbeats or event["event"] != "heartbeat":
                got.append((event["id"], event["event"], json.loads(event["data"])))
            event = {"id": "", "event": "", "data": ""}
        if len(got) == wanted:
            return got
    return got


def test_a_page_starts_with_a_snapshot_and_then_hears_each_change(hub: Hub, server: ServerHandle) -> None:
    hub.publish_alert_event(alert(1))
    with httpx.stream("GET", f"{server.url}events", timeout=WAIT_S) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        [(first_id, kind, snapshot)] = read(lines, 1)
        assert (first_id, kind) == ("r-1", "snapshot")
        assert [a["id"] for a in snapshot["alerts"]] == ["a1"]
        hub.publish_alert_event(alert(2))
        assert read(lines, 1)[0][:2] == ("r-2", "alert")


@pytest.mark.parametrize("way", ["header", "query"])
def test_a_page_that_comes_back_gets_exactly_what_it_missed(hub: Hub, server: ServerHandle, way: str) -> None:
    for number in range(1, 6):
        hub.publish_alert_event(alert(number))
    headers = {"last-event-id": "r-2"} if way == "header" else {}
    query = {} if way == "header" else {"last-event-id": "r-2"}
    with httpx.stream("GET", f"{server.url}events", headers=headers, params=query, timeout=WAIT_S) as answer:
        events = read(answer.iter_lines(), 3)
    assert [(event_id, data["id"]) for event_id, _, data in events] == [("r-3", "a3"), ("r-4", "a4"), ("r-5", "a5")]


def test_a_page_of_another_run_starts_anew(hub: Hub, server: ServerHandle) -> None:
    hub.publish_alert_event(alert(1))
    with httpx.stream("GET", f"{server.url}events", headers={"last-event-id": "old-77"}, timeout=WAIT_S) as answer:
        assert read(answer.iter_lines(), 1)[0][1] == "snapshot"


def test_r2_10_a_silent_watch_still_has_a_heartbeat(
    hub: Hub, server: ServerHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "HEARTBEAT_S", 0.05)
    with httpx.stream("GET", f"{server.url}events", timeout=WAIT_S) as answer:
        kinds = [kind for _, kind, _ in read(answer.iter_lines(), 4, heartbeats=True)]
    assert kinds == ["snapshot", "heartbeat", "heartbeat", "heartbeat"]


def test_a_page_that_reads_nothing_costs_no_memory_and_is_caught_up_by_a_snapshot(
    hub: Hub, server: ServerHandle, monkeypatch: pytest.MonkeyPatch, picture: Any
) -> None:
    monkeypatch.setattr(hub_module, "RING_BYTES_MAX", 200_000)
    monkeypatch.setattr(events_module, "TAKE_MAX_S", 120.0)  # a busy machine may take its time
    keys = tuple(range(3_000))
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        for cycle in range(100):  # some 15 MB of changes: more than the sockets' buffers hold
            hub.publish_picture(picture(float(cycle), keys=keys, lon_deg=[cycle * 0.001 + key * 0.1 for key in keys]))
        assert sum(len(event.data) for event in hub._ring) <= 400_000
        hub.publish_alert_event(alert(9))
        slow.settimeout(WAIT_S)
        tail = b""
        snapshots = 0
        while b'"a9"' not in tail:
            piece = slow.recv(1 << 20)
            assert piece, "the server closed the stream"
            snapshots += (tail[-20:] + piece).count(b"event: snapshot")
            tail = tail[-2_000:] + piece
        assert snapshots >= 2


def test_one_page_too_many_is_told_to_wait(hub: Hub, server: ServerHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "STREAMS_MAX", 1)
    with httpx.stream("GET", f"{server.url}events", timeout=WAIT_S) as first:
        lines = first.iter_lines()  # held: a forgotten iterator closes its connection
        read(lines, 1)
        with httpx.stream("GET", f"{server.url}events", timeout=WAIT_S) as second:
            assert second.status_code == 503
            assert second.headers["retry-after"]
        assert lines
    deadline = time.monotonic() + WAIT_S
    while True:  # the place is free again once the server has noticed that the first has gone
        with httpx.stream("GET", f"{server.url}events", timeout=WAIT_S) as third:
            if third.status_code == 200:
                break
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_head_of_the_stream_ends(server: ServerHandle) -> None:
    assert httpx.head(f"{server.url}events", timeout=WAIT_S).status_code == 200


def test_stopping_ends_the_streams_and_frees_the_port(hub: Hub) -> None:
    running = serve(hub, port=0)
    with httpx.stream("GET", f"{running.url}events", timeout=WAIT_S) as answer:
        lines = answer.iter_lines()
        read(lines, 1)
        running.stop()
        assert read(lines, 1) == []
    with serve(Hub(), port=running.port) as again:
        assert again.port == running.port


def test_a_port_in_use_is_one_clear_line(server: ServerHandle) -> None:
    with pytest.raises(UsageError, match=f"cannot serve on 127.0.0.1:{server.port}.*choose another"):
        serve(Hub(), port=server.port)


def test_what_is_reached_from_this_machine_only() -> None:
    assert all(is_local(host) for host in ("127.0.0.1", "localhost", "::1", "127.8.8.8"))
    assert not any(is_local(host) for host in ("0.0.0.0", "192.168.1.4", "::", "keepclear.example"))
