"""No feed, however it misbehaves, ends its thread in silence: each failure is a reason that the health shows."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from keepclear.edge import listeners as module
from keepclear.edge.feed_address import parse_feed
from keepclear.edge.listeners import Listeners
from keepclear.feeds.health import FeedState, judge

WAIT_S = 60.0
LINE = b"MSG,3,1,1,ABC123,1,2026/01/01,12:00:00.000,2026/01/01,12:00:00.000,,35000,,,50.0,30.0,,,0,0,0,0\r\n"


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def listeners(text: str, backoff_first_s: float = 0.01) -> Listeners:
    return Listeners([parse_feed(text)], backoff_first_s=backoff_first_s, poll_s=0.01)


def answering(server: socket.socket, answer: bytes, asked: bool = True) -> threading.Thread:
    """Gives every connection, once it has ``asked``, the same bytes and closes it, until the server socket closes."""

    def run() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(1.0)
                try:
                    if asked:
                        connection.recv(65_536)
                    connection.sendall(answer)
                except OSError:
                    continue

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort", "broke off"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "Not Found"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd", "gzip body is damaged"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n" + b"{" * 300, "larger than"),
    ],
)
def test_an_http_server_that_answers_nonsense_is_down_with_its_reason_and_tried_again(
    answer: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DOCUMENT_BYTES_MAX", 200)
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering(server, answer)
        feed = listeners(f"http://127.0.0.1:{server.getsockname()[1]}/aircraft.json#readsb")
        feed.start()
        try:
            until(lambda: feed.counts[0].reconnects >= 2)
            until(lambda: bool(feed.counts[0].error))
            health = judge(feed.counts[0], time.time())
            assert health.state is FeedState.DOWN
            assert health.reason
            assert reason in health.reason
        finally:
            feed.stop()
        server.shutdown(socket.SHUT_RDWR)


def test_what_no_format_recognises_is_a_reason_not_silence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        # The next try takes the reason away again: let it be far off.
        feed = listeners(f"tcp://127.0.0.1:{server.getsockname()[1]}", backoff_first_s=WAIT_S)
        feed.start()
        try:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"login: ")
            until(lambda: "no feed format recognises" in feed.counts[0].error)
        finally:
            feed.stop()


def test_a_defect_of_ours_is_said_and_the_feed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(module, "make_decoder", broken)
    with socket.create_server(("127.0.0.1", 0)) as server:
        answering(server, LINE, asked=False)
        feed = listeners(f"tcp://127.0.0.1:{server.getsockname()[1]}#sbs")
        feed.start()
        try:
            # The reason stands until the next connection; the pauses before those grow.
            until(lambda: "a defect in Keepclear" in feed.counts[0].error)
            until(lambda: feed.counts[0].reconnects >= 2)
            until(lambda: "a defect in Keepclear" in feed.counts[0].error)
        finally:
            feed.stop()
        server.shutdown(socket.SHUT_RDWR)


def test_a_polled_file_that_goes_away_is_down_until_it_is_back(tmp_path: Path) -> None:
    path = tmp_path / "aircraft.json"
    feed = listeners(f"poll:{path}#readsb")
    feed.start()
    try:
        until(lambda: "No such file" in feed.counts[0].error)
        path.write_text(f'{{"now":{time.time()},"aircraft":[{{"hex":"abc123","lat":50,"lon":30,"seen_pos":0}}]}}')
        until(lambda: feed.counts[0].reports > 0)
        assert feed.counts[0].connected
    finally:
        feed.stop()


def test_a_log_in_page_first_does_not_spoil_the_documents_after_it(tmp_path: Path) -> None:
    path = tmp_path / "aircraft.json"
    path.write_bytes(b"<html>log in</html>")
    feed = listeners(f"poll:{path}")
    feed.start()
    try:
        until(lambda: "no feed format recognises" in feed.counts[0].error)
        aircraft = {"hex": "4ca123", "lat": 50.5, "lon": 30.5, "seen_pos": 0.1}
        path.write_bytes(json.dumps({"now": time.time(), "messages": 1, "aircraft": [aircraft]}).encode())
        until(lambda: feed.counts[0].reports == 1)
    finally:
        feed.stop()


def test_a_strange_datagram_first_does_not_spoil_those_after_it() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    feed = listeners(f"udp://127.0.0.1:{port}")
    feed.start()
    try:
        until(lambda: feed.counts[0].connected)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"\x00hello", ("127.0.0.1", port))
            sender.sendto(LINE, ("127.0.0.1", port))
        until(lambda: feed.counts[0].reports == 1)
    finally:
        feed.stop()


def test_a_pipe_waits_where_the_queue_is_full_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()

    class Stdin:
        def fileno(self) -> int:
            return reading

    monkeypatch.setattr("sys.stdin", Stdin())
    monkeypatch.setattr(module, "RECEIVE_BYTES", len(LINE))
    feed = listeners("-#sbs")
    feed.waiting.maxsize = 2
    feed.start()
    try:
        os.write(writing, LINE * 50)
        os.close(writing)
        until(lambda: feed.waiting.full())
        got = 0
        deadline = time.monotonic() + WAIT_S
        while got < 50 and time.monotonic() < deadline:
            got += sum(len(batch) for batch in feed.take())
            time.sleep(0.001)
        assert got == 50
        until(lambda: feed.ended)
        assert feed.counts[0].dropped == 0
    finally:
        feed.stop()
        os.close(reading)
