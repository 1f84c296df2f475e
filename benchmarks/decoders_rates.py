"""Reports a second of each decoder, on one core's time, with pyModeS beside ours on the same frames.

    python benchmarks/decoders_rates.py [--frames MODES_CSV]

Prints one line a decoder: reports, seconds of processor time (best of five), reports a second. Without ``--frames``
the Mode S frames are made here: aircraft flying straight on, positions and velocities as often as ADS-B sends them.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from keepclear.feeds.formats import DecoderOptions, make_decoder
from keepclear.feeds.kernels.cpr import longitude_zones
from keepclear.feeds.mode_s_fields import parity_remainders

CHUNK_BYTES = 1 << 20
ROUNDS = 5
T0 = 1_700_000_000.0


def aircraft_json(count: int) -> bytes:
    same = {"type": "adsb_icao", "alt_baro": 35000, "alt_geom": 35525, "gs": 450.1, "track": 90.1, "mlat": [],
            "squawk": "1000", "emergency": "none", "category": "A3", "nav_qnh": 1013.6, "lon": 30.2, "rc": 186,
            "nic": 8, "seen_pos": 0.4, "version": 2, "nac_p": 10, "nac_v": 2, "sil": 3, "baro_rate": 64,
            "tisb": [], "messages": 55, "seen": 0.1, "rssi": -10.2}  # fmt: skip
    entries = [{"hex": f"{i:06x}", "flight": f"ABC{i:05d}", "lat": 50.1 + i / 1e5, **same} for i in range(count)]
    return json.dumps({"now": T0, "messages": 5, "aircraft": entries}, separators=(",", ":")).encode()


def states(count: int) -> bytes:
    rows = [[f"{i:06x}", "AUI101  ", "Ukraine", T0 - 1, T0, 30.5, 50.0 + i / 1e5, 9000.0, False, 200.1, 90.0, 0.0, None,
             9100.0, "1000", False, 0] for i in range(count)]  # fmt: skip
    return json.dumps({"time": int(T0), "states": rows}).encode()


def sbs(count: int) -> bytes:
    lines = []
    for i in range(count):
        head = f"MSG,{{}},1,1,{i % 5000:06X},1,2023/11/14,22:13:{i % 60:02d}.000,2023/11/14,22:13:{i % 60:02d}.000"
        lines.append(head.format(4) + ",,,450,90,,,64,,,,,0\r\n")
        lines.append(head.format(3) + f",,35000,,,{50 + i / 1e6:.5f},30.5,,,0,0,0,0\r\n")
    return "".join(lines).encode()


def flying_frames(aircraft: int, seconds: int) -> list[tuple[float, str]]:
    """Two positions (even, odd) and two velocities a second of each aircraft, parity right."""
    heads: list[bytes] = []
    times: list[float] = []
    for half in range(2 * seconds):
        odd = half % 2
        for i in range(aircraft):
            lat, lon = 45.0 + i % 100 / 20 + half * 0.0005, 20.0 + i // 100 / 20
            height = 360.0 / (60 - odd)
            yz = math.floor(131072 * (lat % height) / height + 0.5)
            width = 360.0 / max(longitude_zones(lat) - odd, 1)
            xz = math.floor(131072 * (lon % width) / width + 0.5)
            me = 11 << 51 | 0xC38 << 36 | odd << 34 | (yz % 131072) << 17 | xz % 131072
            address = (0x500000 + i).to_bytes(3, "big")
            heads.append(b"\x8d" + address + me.to_bytes(7, "big"))
            heads.append(b"\x8d" + address + bytes.fromhex("9944099408380F"))
            times += [T0 + half / 2 + i * 1e-5] * 2
    frames = np.zeros((len(heads), 14), dtype=np.uint8)
    frames[:, :11] = np.frombuffer(b"".join(heads), dtype=np.uint8).reshape(-1, 11)
    parity = parity_remainders(frames).astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:]
    frames[:, 11:] = parity
    return [(t, row.tobytes().hex()) for t, row in zip(times, frames)]


def recorded_frames(path: Path) -> list[tuple[float, str]]:
    rows = (line.split(",") for line in path.read_text().splitlines())
    return [(int(row[0]) / 1000.0, row[1].lower()) for row in rows]


def beast(frames: list[tuple[float, str]]) -> bytes:
    start_s = frames[0][0]
    out = []
    for t, frame in frames:
        body = (round((t - start_s) * 12e6) + 1).to_bytes(6, "big") + b"\x40" + bytes.fromhex(frame)
        out.append(b"\x1a3" + body.replace(b"\x1a", b"\x1a\x1a"))
    return b"".join(out)


def table(count: int) -> pa.Table:
    noise = np.random.default_rng(1)
    names = np.array([f"{i:06x}" for i in range(5000)])
    return pa.table({"time": T0 + np.arange(count) / 1000, "lat": noise.uniform(40, 50, count),
                     "lon": noise.uniform(20, 30, count), "altitude_baro_m": noise.uniform(0, 1e4, count),
                     "target": pa.array(names[noise.integers(0, 5000, count)]).dictionary_encode()})  # fmt: skip


def best_s(run: Callable[[], int]) -> tuple[int, float]:
    found, best = 0, math.inf
    for _ in range(ROUNDS):
        begin = time.process_time()
        found = run()
        best = min(best, time.process_time() - begin)
    return found, best


def decode(name: str, data: bytes, chunk_bytes: int = CHUNK_BYTES) -> int:
    decoder = make_decoder(name, DecoderOptions(source="bench", start_s=T0))
    total = sum(len(decoder.decode(data[i : i + chunk_bytes], T0)) for i in range(0, len(data), chunk_bytes))
    total += len(decoder.finish())
    assert decoder.faults.total == 0, decoder.faults
    return total


def pymodes(frames: list[tuple[float, str]]) -> int:
    from pyModeS import PipeDecoder

    pipe = PipeDecoder()
    return sum(pipe.decode(f, timestamp=t).get("latitude") is not None for t, f in frames)


def show(label: str, reports: int, seconds: float, extra: str = "") -> None:
    print(f"{label:<34}{reports:>9,} reports {seconds:>8.3f} s {reports / seconds:>12,.0f} reports/s  {extra}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=Path, help="Mode S recording: CSV of Unix milliseconds and frame")
    path = parser.parse_args().frames
    frames = recorded_frames(path) if path else flying_frames(500, 20)

    one = aircraft_json(10_000)
    show("readsb aircraft.json, 10,000", *best_s(lambda: decode("readsb", one, len(one))))
    answer = states(10_000)
    show("OpenSky states, 10,000", *best_s(lambda: decode("opensky", answer, len(answer))))
    text = sbs(50_000)
    show("SBS-1", *best_s(lambda: decode("sbs", text)))
    binary = beast(frames)
    reports, ours_s = best_s(lambda: decode("beast", binary))
    show("Mode S, Beast", reports, ours_s, f"{len(frames) / ours_s:,.0f} frames/s")
    lines = "".join(f"{t * 1000:.0f},{f}\n" for t, f in frames).encode()
    reports, lines_s = best_s(lambda: decode("mode-s", lines))
    show("Mode S, CSV of hex", reports, lines_s, f"{len(frames) / lines_s:,.0f} frames/s")
    begin = time.process_time()
    found = pymodes(frames)
    peer_s = time.process_time() - begin
    show("  pyModeS PipeDecoder, same frames", found, peer_s, f"{len(frames) / peer_s:,.0f} frames/s")
    print(f"  ours from Beast bytes is {peer_s / ours_s:.1f} times as fast per frame")
    rows = table(1_000_000)
    sink = io.BytesIO()
    some = rows.slice(0, 200_000)
    pyarrow.csv.write_csv(some.set_column(4, "target", some["target"].cast(pa.string())), sink)
    show("CSV", *best_s(lambda: decode("csv", sink.getvalue())))
    stream = io.BytesIO()
    with pa.ipc.new_stream(stream, rows.schema) as writer:
        writer.write_table(rows, max_chunksize=50_000)
    show("Arrow stream", *best_s(lambda: decode("arrow", stream.getvalue())))


if __name__ == "__main__":
    main()
