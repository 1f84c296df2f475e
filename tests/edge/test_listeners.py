"""Live feeds come in over real sockets, are tried again when they fail, and are never silently lost."""

from __future__ import annotations

import gzip
import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from keepclear.edge.feed_address import parse_feed
from keepclear.edge.listeners import Listeners
from keepclear.feeds.health import FeedState, judge
from keepclear.feeds.reports import ReportBatch, concatenate

WAIT_S = 60.0


def sbs(target: str, lat: float, now_s: float | None = None) -> bytes:
    stamp = time.strftime("%Y/%m/%d,%H:%M:%S.000", time.gmtime(time.time() if now_s is None else now_s))
    return f"MSG,3,1,1,{target},1,{stamp},{stamp},,35000,,,{lat},30.0,,,0,0,0,0\r\n".encode()


@contextmanager
def listening(*texts: str) -> Iterator[Listeners]:
    listeners = Listeners([parse_feed(t) for t in texts], backoff_first_s=0.05, poll_s=0.05)
    listeners.start()
    try:
        yield listeners
    finally:
        listeners.stop()


def gather(listeners: Listeners, enough: Callable[[ReportBatch], bool]) -> ReportBatch:
    batches: list[ReportBatch] = []
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        batches += listeners.take()
        found = concatenate(batches)
        if enough(found):
            return found
        time.sleep(0.02)
    raise AssertionError(f"only {len(concatenate(batches))} reports came; {listeners.counts}")


def test_tcp_reconnects_after_the_other_side_has_died() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with listening(f"tcp://127.0.0.1:{port}#sbs") as listeners:
            first, _ = server.accept()
            first.sendall(sbs("AAAAAA", 50.0))
            gather(listeners, lambda b: len(b) == 1)
            first.close()
            second, _ = server.accept()
            second.sendall(sbs("BBBBBB", 51.0))
            found = gather(listeners, lambda b: len(b) == 1)
            assert found.target.strings() == ["bbbbbb"]
            assert listeners.counts[0].reconnects >= 1
            second.close()


def test_a_feed_that_refuses_is_down_with_its_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with listening(f"tcp://127.0.0.1:{port}#sbs") as listeners:
        deadline = time.monotonic() + WAIT_S
        while not listeners.counts[0].reconnects and time.monotonic() < deadline:
            time.sleep(0.02)
        health = judge(listeners.counts[0], time.time())
        assert health.state is FeedState.DOWN
        assert "refused" in health.reason.lower()


def test_udp_datagrams() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with listening(f"udp://127.0.0.1:{port}#sbs") as listeners, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        deadline = time.monotonic() + WAIT_S
        while not listeners.counts[0].connected and time.monotonic() < deadline:
            time.sleep(0.02)
        for k in range(5):
            out.sendto(sbs("CCCCCC", 50.0 + k / 100.0), ("127.0.0.1", port))
        assert len(gather(listeners, lambda b: len(b) == 5)) == 5


def document(lat: float) -> bytes:
    aircraft = [{"hex": "abc123", "lat": lat, "lon": 30.0, "alt_baro": 35000, "seen_pos": 0.1}]
    return json.dumps({"now": time.time(), "aircraft": aircraft}).encode()


def test_http_is_polled_gzip_is_undone_and_an_error_is_a_reason() -> None:
    answers: list[tuple[int, bytes]] = [(200, gzip.compress(document(50.0)))]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers[0]
            self.send_response(status)
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with listening(f"http://127.0.0.1:{server.server_port}/data/aircraft.json") as listeners:
            gather(listeners, lambda b: len(b) == 1)
            time.sleep(0.3)
            assert not listeners.take(), "the same document again says nothing new"
            answers[0] = (200, gzip.compress(document(50.1)))
            gather(listeners, lambda b: len(b) == 1)
            answers[0] = (404, gzip.compress(b"no"))
            deadline = time.monotonic() + WAIT_S
            while not listeners.counts[0].error and time.monotonic() < deadline:
                time.sleep(0.02)
            assert "Not Found" in judge(listeners.counts[0], time.time()).reason
    finally:
        server.shutdown()
        server.server_close()


def test_a_file_that_is_written_anew_is_polled(tmp_path: Path) -> None:
    path = tmp_path / "aircraft.json"
    path.write_bytes(document(50.0))
    with listening(f"poll:{path}") as listeners:
        gather(listeners, lambda b: len(b) == 1)
        path.write_bytes(document(50.2))
        assert gather(listeners, lambda b: len(b) == 1).lat_deg.tolist() == [50.2]


def test_more_than_the_queue_holds_is_counted_and_shown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        listeners = Listeners([parse_feed(f"tcp://127.0.0.1:{port}#sbs")])
        listeners.waiting.maxsize = 1
        listeners.start()
        try:
            connection, _ = server.accept()
            deadline = time.monotonic() + WAIT_S
            while not listeners.counts[0].dropped and time.monotonic() < deadline:
                connection.sendall(sbs("DDDDDD", 50.0))
                time.sleep(0.02)
            health = judge(listeners.counts[0], time.time())
            assert health.dropped > 0
            assert health.state is FeedState.DEGRADED
            connection.close()
        finally:
            listeners.stop()
