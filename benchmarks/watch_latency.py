"""From a report on the wire to the alert's line: ``keepclear watch`` as users run it, fed over a real socket.

    python -m benchmarks.watch_latency [--feed aircraft.json|beast|arrow] [--seconds 40] [--aircraft N] [--rate 50000]

Three processes: the feed, the watch (the command itself, ``--format json``) and this one, which reads its lines.
``aircraft.json`` is served over HTTP and polled once a second, every aircraft new in each answer; ``beast`` and
``arrow`` are TCP streams of ``--rate`` position reports a second in pieces of 10 ms (Beast has a velocity of each
aircraft a second besides). Twenty times a second an aircraft that was never heard before reports from the middle of
the closed airspace: that one report alone makes an alert, at once. Its time of measurement is the instant at which its
piece is due on the wire (for aircraft.json: at which the answer begins to be written), by the same clock that reads
the alert's line here. So the difference holds the feed's own delay, the socket, decoding, waiting for the cycle
before, the cycle, writing and reading. The first seconds, when everybody inside is told at once, are left out.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import Process, Queue
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from keepclear.feeds.kernels.cpr import longitude_zones
from keepclear.feeds.mode_s_fields import parity_remainders
from keepclear.simulation.scenario import scenario_zones
from keepclear.zones import geojson

PIECE_S = 0.01
LEFT_OUT_S = 8.0
"""The first alerts: everybody inside already."""
INTRUDERS_A_SECOND = 20
INTRUDER = 0xE00000


class Traffic:
    """Aircraft on straight ways over eastern Europe; about two fifths of them begin inside the simulated closure."""

    def __init__(self, count: int) -> None:
        rng = np.random.default_rng(1)
        self.count = count
        self.lon, self.lat = rng.uniform(15.0, 42.0, count), rng.uniform(43.0, 54.0, count)
        self.track, self.knots = rng.uniform(0.0, 360.0, count), rng.uniform(200.0, 480.0, count)
        self.level_ft = rng.integers(20, 410, count) * 100
        self.east = self.knots * 0.5144 * np.sin(np.radians(self.track)) / (111_320.0 * np.cos(np.radians(self.lat)))
        self.north = self.knots * 0.5144 * np.cos(np.radians(self.track)) / 111_320.0

    def at(self, rows: Any, second: Any) -> tuple[Any, Any]:
        return self.lon[rows] + self.east[rows] * second, self.lat[rows] + self.north[rows] * second


def intruder_at(number: int) -> tuple[float, float]:
    """Latitude and longitude well inside the closure, not two at one place."""
    return 48.5 + number * 0.618034 % 1.0 * 1.5, 29.5 + number * 0.754878 % 1.0 * 3.0


def serve_aircraft_json(aircraft: int, port: Queue[int], seconds: float) -> None:
    traffic = Traffic(aircraft)
    rows = [
        {
            "hex": f"{k:06x}", "flight": f"SIM{k:05d}", "alt_baro": int(traffic.level_ft[k]),
            "gs": round(float(traffic.knots[k]), 1), "track": round(float(traffic.track[k]), 2), "baro_rate": 0,
            "nac_p": 8, "nic": 8, "seen_pos": 0.0,
        }
        for k in range(aircraft)
    ]  # fmt: skip

    def body(second: float) -> bytes:
        lon, lat = traffic.at(slice(None), second)
        for row, x, y in zip(rows, lon.round(6).tolist(), lat.round(6).tolist(), strict=True):
            row["lon"], row["lat"] = x, y
        new = range(int(second) * INTRUDERS_A_SECOND, int(second + 1) * INTRUDERS_A_SECOND)
        intruders = [
            {"hex": f"{INTRUDER + k:06x}", "lat": intruder_at(k)[0], "lon": intruder_at(k)[1],
             "alt_baro": 41_000 + k * 9, "seen_pos": 0.0}
            for k in new
        ]  # fmt: skip
        return json.dumps([*rows, *intruders], separators=(",", ":")).encode()

    made = deque(body(s) for s in range(int(seconds) + 40))  # beforehand: making them is not the watch's time

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            rest = made.popleft() if made else b"[]"
            whole = b'{"now":%.3f,"aircraft":%b}\n' % (time.time(), rest)
            self.send_response(200)
            self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.put(server.server_address[1])
    server.timeout = 1.0
    began = time.time()
    while time.time() < began + seconds + 30:
        server.handle_request()


def is_intruders(piece: int) -> bool:
    return piece % round(1.0 / (INTRUDERS_A_SECOND * PIECE_S)) == 0


def position(lat: float, lon: float, level_ft: int, odd: int) -> int:
    """The ME field of an airborne position."""
    height = 360.0 / (60 - odd)
    yz = int(131072 * (lat % height) / height + 0.5) % 131072
    width = 360.0 / max(longitude_zones(lat) - odd, 1)
    xz = int(131072 * (lon % width) / width + 0.5) % 131072
    n = (level_ft + 1000) // 25
    return 11 << 51 | ((n >> 4) << 5 | 1 << 4 | n & 15) << 36 | odd << 34 | yz << 17 | xz


def beast_pieces(traffic: Traffic, rate: int, seconds: float) -> Iterator[bytes]:
    """Frames due within each piece, their ticks counting from the first."""
    per_piece = round(rate * PIECE_S)
    speeds = max(1, round(traffic.count * PIECE_S))
    address = (0x400000 + np.arange(traffic.count)).astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:]
    zones_at = np.array([longitude_zones(lat) for lat in np.arange(0.0, 60.0, 1e-4)])
    east = np.round(traffic.knots * np.sin(np.radians(traffic.track))).astype(np.int64)
    north = np.round(traffic.knots * np.cos(np.radians(traffic.track))).astype(np.int64)
    count = 0
    for piece in range(int(seconds / PIECE_S)):
        second = piece * PIECE_S
        rows = (count + np.arange(per_piece)) % traffic.count
        odd = ((count + np.arange(per_piece)) // traffic.count) % 2
        lon, lat = traffic.at(rows, second)
        height = 360.0 / (60 - odd)
        yz = np.floor(131072 * (lat % height) / height + 0.5).astype(np.int64) % 131072
        rlat = height * (yz / 131072 + np.floor(lat / height))
        width = 360.0 / np.maximum(zones_at[np.round(rlat * 1e4).astype(np.int64)] - odd, 1)
        xz = np.floor(131072 * (lon % width) / width + 0.5).astype(np.int64) % 131072
        n = (traffic.level_ft[rows] + 1000) // 25
        code = (n >> 4) << 5 | 1 << 4 | n & 15
        me = [np.int64(11) << 51 | code << 36 | odd << 34 | yz << 17 | xz]
        who = [rows]
        moving = (piece * speeds + np.arange(speeds)) % traffic.count
        e, m = east[moving], north[moving]
        me.append(
            np.int64(19) << 51 | np.int64(1) << 48 | (e < 0).astype(np.int64) << 42 | (np.abs(e) + 1) << 32
            | (m < 0).astype(np.int64) << 31 | (np.abs(m) + 1) << 21
        )  # fmt: skip
        who.append(moving)
        bodies, names = np.concatenate(me), np.concatenate(who)
        if is_intruders(piece):
            extra = [position(*intruder_at(piece), 41_000, odd_frame) for odd_frame in (0, 1)]
            bodies = np.concatenate([bodies, np.array(extra, dtype=np.int64)])
        frames = np.zeros((len(bodies), 14), dtype=np.uint8)
        frames[:, 0] = 0x8D
        frames[: len(names), 1:4] = address[names]
        frames[len(names) :, 1:4] = np.frombuffer((INTRUDER + piece).to_bytes(3, "big"), dtype=np.uint8)
        frames[:, 4:11] = bodies.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 1:]
        frames[:, 11:] = parity_remainders(frames).astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:]
        head = round(second * 12e6 + 1).to_bytes(6, "big") + b"\x40"
        yield b"".join(b"\x1a3" + (head + frame.tobytes()).replace(b"\x1a", b"\x1a\x1a") for frame in frames)
        count += per_piece


def arrow_pieces(traffic: Traffic, rate: int, seconds: float, began: float) -> Iterator[bytes]:
    per_piece = round(rate * PIECE_S)
    names = [f"{0x400000 + k:06x}" for k in range(traffic.count)]
    names += [f"{INTRUDER + piece:06x}" for piece in range(int(seconds / PIECE_S))]
    dictionary = pa.array(names)
    sink = io.BytesIO()
    writer = None
    count = 0
    for piece in range(int(seconds / PIECE_S)):
        rows = (count + np.arange(per_piece)) % traffic.count
        lon, lat = traffic.at(rows, piece * PIECE_S)
        columns = [lat, lon, traffic.level_ft[rows] * 0.3048, traffic.knots[rows] * 0.5144, traffic.track[rows], rows]
        if is_intruders(piece):
            one = [*intruder_at(piece), 12_500.0, 0.0, 0.0, traffic.count + piece]
            columns = [np.append(column, value) for column, value in zip(columns, one, strict=True)]
        lat, lon, level_m, speed, track, code = columns
        batch = pa.record_batch({
            "time": np.full(len(lat), began + piece * PIECE_S), "lat": lat, "lon": lon, "altitude_baro_m": level_m,
            "ground_speed_mps": speed, "track_deg": track,
            "target": pa.DictionaryArray.from_arrays(code.astype(np.int32), dictionary),
        })  # fmt: skip
        if writer is None:
            writer = pa.ipc.new_stream(sink, batch.schema)
        writer.write_batch(batch)
        yield sink.getvalue()
        sink.seek(0)
        sink.truncate()
        count += per_piece


def serve_stream(kind: str, aircraft: int, rate: int, port: Queue[int], seconds: float) -> None:
    """Pieces at their due times; how late they went is reported, and is part of the latency as measured."""
    traffic = Traffic(aircraft)
    made = list(beast_pieces(traffic, rate, seconds)) if kind == "beast" else []
    server = socket.create_server(("127.0.0.1", 0))
    port.put(server.getsockname()[1])
    connection, _ = server.accept()
    began = time.time() + 0.2
    pieces = made or arrow_pieces(traffic, rate, seconds, began)
    late = []
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for number, piece in enumerate(pieces):
            wait = began + number * PIECE_S - time.time()
            if wait > 0:
                time.sleep(wait)
            late.append(max(0.0, -wait))
            connection.sendall(piece)
        time.sleep(1.0)
    print(f"the feed sent its pieces {np.percentile(late, 50) * 1e3:.1f} ms late (p50), "
          f"{np.percentile(late, 99) * 1e3:.1f} ms (p99), {max(late) * 1e3:.1f} ms (largest)", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feed", choices=("aircraft.json", "beast", "arrow"), default="aircraft.json")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--aircraft", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=50_000)
    parser.add_argument("--no-pairs", action="store_true", help="watch zones only")
    given = parser.parse_args()
    port: Queue[int] = Queue()
    if given.feed == "aircraft.json":
        feed = Process(target=serve_aircraft_json, args=(given.aircraft, port, given.seconds), daemon=True)
    else:
        feed = Process(
            target=serve_stream, args=(given.feed, given.aircraft, given.rate, port, given.seconds), daemon=True
        )
    feed.start()
    number = port.get()
    scheme = "http" if given.feed == "aircraft.json" else "tcp"
    address = f"{scheme}://127.0.0.1:{number}" + ("/data/aircraft.json" if scheme == "http" else "")
    name = {"aircraft.json": "readsb"}.get(given.feed, given.feed)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        file = Path(folder) / "zones.geojson"
        file.write_bytes(geojson.write(list(scenario_zones())).data)
        call = [sys.executable, "-m", "keepclear.cli.main", "watch", f"{address}#{name}", "--zones", str(file)]
        call += ["--format", "json", *(["--no-pairs"] if given.no_pairs else [])]
        complaints = stack.enter_context((Path(folder) / "stderr").open("w+b"))
        watch = subprocess.Popen(
            call, stdout=subprocess.PIPE, stderr=complaints, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
        assert watch.stdout is not None
        lines: list[tuple[float, bytes]] = []

        def read() -> None:
            assert watch.stdout is not None
            for line in watch.stdout:
                lines.append((time.time(), line))

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        while not lines:
            if watch.poll() is not None:
                complaints.seek(0)
                sys.exit(f"the watch ended before its first line: {complaints.read().decode()[-400:]}")
            time.sleep(0.1)
        time.sleep(given.seconds)
        memory_mib = resident_mib(watch.pid)
        watch.terminate()
        watch.wait(10)
        reader.join(5)
        feed.join(10)
    tell(lines, given, memory_mib)


def resident_mib(process: int) -> float:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096 / 2**20


def tell(lines: list[tuple[float, bytes]], given: argparse.Namespace, memory_mib: float) -> None:
    first = lines[0][0]
    latency: list[float] = []
    beginning: list[float] = []
    events = 0
    states: dict[str, int] = {}
    reasons: dict[str, int] = {}
    for at, line in lines:
        document = json.loads(line)
        if "heartbeat" in document:
            if at > first + LEFT_OUT_S:
                states[document["state"]] = states.get(document["state"], 0) + 1
                for reason in document["reasons"]:
                    reasons[reason[:90]] = reasons.get(reason[:90], 0) + 1
            continue
        events += 1
        track = document["alert"]["track"]
        if document["event"] != "RAISED" or document["alert"]["other"] or not track["track_id"].startswith("e0"):
            continue
        since = at - datetime.fromisoformat(track["last"]["time"]).timestamp()
        (latency if at > first + LEFT_OUT_S else beginning).append(since)
    print(f"{given.feed}: {given.aircraft:,} aircraft, {given.seconds:.0f} s, "
          + ("once a second" if given.feed == "aircraft.json" else f"{given.rate:,} reports/s"))  # fmt: skip
    largest = max(beginning, default=0.0) * 1e3
    print(
        f"{events:,} events in all; left out: {len(beginning):,} alerts of the first {LEFT_OUT_S:.0f} s, "
        f"largest {largest:.0f} ms"
    )
    ms = np.array(latency) * 1e3
    print(
        f"report to alert's line: p50 {np.percentile(ms, 50):.1f} ms  p99 {np.percentile(ms, 99):.1f} ms  "
        f"largest {ms.max():.1f} ms  ({len(ms):,} alerts)"
    )
    print(f"heartbeats by state {states}, reasons {reasons or 'none'}; resident memory {memory_mib:.0f} MiB")


if __name__ == "__main__":
    main()
