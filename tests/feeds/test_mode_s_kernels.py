"""The compiled Mode S loops equal their slow twins, whatever comes and however the bytes are cut."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import keepclear.feeds.mode_s_aircraft as mode_s_aircraft
from keepclear.feeds.decoder import FAULT_EXAMPLES_MAX, Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.kernels.beast import MLAT_TICKS
from keepclear.feeds.kernels.cpr import longitude_zones
from keepclear.feeds.mode_s import BeastDecoder
from keepclear.feeds.mode_s_aircraft import ModeSAircraft
from keepclear.feeds.mode_s_fields import parity_remainders
from keepclear.feeds.receiver_clock import ReceiverClock
from keepclear.feeds.reports import ReportBatch

T0 = 1_700_000_000.0
Frames = tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8], npt.NDArray[np.bool_]]


@pytest.fixture(scope="module")
def twin() -> ModuleType:
    import importlib.util

    spec = importlib.util.spec_from_file_location("mode_s_twin", Path(__file__).with_name("mode_s_twin.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def some_frames(rng: np.random.Generator, count: int, addresses: int, span_s: float) -> Frames:
    """Squitters of every kind from aircraft that stay about where they are, some of them jumping, and replies."""
    lat, lon = rng.uniform(-88.0, 88.0, addresses), rng.uniform(-180.0, 180.0, addresses)
    home = rng.integers(0x400000, 0x4FFFFF, addresses)
    frames = np.zeros((count, 14), dtype=np.uint8)
    is_long = np.ones(count, dtype=np.bool_)
    for i in range(count):
        k = int(rng.integers(0, addresses))
        if rng.uniform() < 0.02:
            lat[k], lon[k] = rng.uniform(-90.0, 90.0), rng.uniform(-180.0, 180.0)
        kind = int(rng.choice([0, 1, 4, 5, 7, 9, 11, 11, 11, 11, 18, 19, 20, 22, 28, 29, 31]))
        body = int(rng.integers(0, 1 << 51))
        if 5 <= kind <= 22 and kind != 19:
            odd, circle = int(rng.integers(0, 2)), 90.0 if kind < 9 else 360.0
            height = circle / (60 - odd)
            yz = int(131072 * (lat[k] % height) / height) % 131072
            width = circle / max(longitude_zones(lat[k]) - odd, 1)
            xz = int(131072 * (lon[k] % width) / width) % 131072
            body = int(rng.integers(0, 1 << 16)) << 35 | odd << 34 | yz << 17 | xz
        if kind in (1, 4) and rng.uniform() < 0.7:  # letters, mostly
            body = body >> 48 << 48 | sum(int(rng.choice([1, 7, 26, 32, 48, 57])) << 6 * n for n in range(8))
        first, address = (0x8D, int(home[k])) if rng.uniform() < 0.9 else (0x91, int(home[k]))
        if rng.uniform() < 0.1:  # a reply, its address laid over the parity
            is_long[i] = False
            frames[i, :7] = np.frombuffer(bytes([0x28, *rng.integers(0, 256, 3).tolist(), 0, 0, 0]), dtype=np.uint8)
            overlay = int(parity_remainders(frames[i : i + 1, :7])[0]) ^ address
            frames[i, 4:7] = np.frombuffer(overlay.to_bytes(3, "big"), dtype=np.uint8)
            continue
        head = bytes([first]) + address.to_bytes(3, "big") + (kind << 51 | body).to_bytes(7, "big")
        frames[i, :11] = np.frombuffer(head, dtype=np.uint8)
        parity = int(parity_remainders(frames[i : i + 1])[0]) ^ int(rng.uniform() < 0.02)
        frames[i, 11:] = np.frombuffer(parity.to_bytes(3, "big"), dtype=np.uint8)
    step = rng.choice([0.05, 0.05, 0.4, 2.0, 11.0], count) * span_s
    step[rng.uniform(size=count) < 0.01] *= -1.0
    return T0 + np.cumsum(step), frames, is_long


def same(found: ReportBatch, expected: list[tuple[Any, ...]], time_s: npt.NDArray[np.float64]) -> None:
    rows = [e[0] for e in expected]
    assert found.time_s.tolist() == time_s[rows].tolist()
    for place, name in enumerate(
        ("lat_deg", "lon_deg", "", "", "ground_speed_mps", "track_deg", "vertical_rate_mps", "accuracy_m", "on_ground",
         "domain", "category", "squawk"), 1
    ):  # fmt: skip
        if name:
            ours = getattr(found, name)
            np.testing.assert_array_equal(ours, np.array([e[place] for e in expected]).astype(ours.dtype), name)
    for place, ours in ((3, found.altitude_baro_m), (4, found.altitude_geo_m)):
        np.testing.assert_array_equal(ours, np.array([e[place] for e in expected], dtype=np.float64) * 0.3048)
    assert found.target.strings() == [e[13] for e in expected]
    assert found.callsign.strings() == [e[14] or "" for e in expected]
    assert len(set(found.callsign.names)) == len(found.callsign.names)


@pytest.mark.parametrize(("seed", "addresses", "room", "span_s"), [(1, 6, 6, 0.1), (2, 6, 6, 3.0), (3, 40, 7, 0.1)])
def test_the_table_of_aircraft_is_that_of_its_twin(
    twin: ModuleType, monkeypatch: pytest.MonkeyPatch, seed: int, addresses: int, room: int, span_s: float
) -> None:
    monkeypatch.setattr(mode_s_aircraft, "ADDRESSES_MAX", room)
    monkeypatch.setattr(mode_s_aircraft, "_BUCKETS", 4)  # several aircraft in every one
    rng = np.random.default_rng(seed)
    time_s, frames, is_long = some_frames(rng, 3_000, addresses, span_s)
    faults = Faults()
    receiver = (51.0, 4.0) if seed == 2 else None
    ours = ModeSAircraft(faults, "test", receiver)
    slow = twin.AircraftTwin(receiver, room)
    reports = 0
    for part in np.array_split(np.arange(len(frames)), 7):
        found = ours.fold(time_s[part], T0, frames[part], is_long[part], str)
        same(found, slow.fold(time_s[part], frames[part], is_long[part]), time_s[part])
        reports += len(found)
    assert reports > 50
    assert len(ours) == min(room, addresses)
    refused = [fault.where for fault in faults.examples if fault.reason.startswith("position")]
    assert refused == slow.faults[: len(refused)]
    assert faults.counts["position no aircraft can have reached"] == len(slow.faults)


@pytest.mark.parametrize("seed", range(12))
def test_beast_frames_are_cut_as_the_twin_cuts_them(twin: ModuleType, seed: int) -> None:
    rng = np.random.default_rng(seed)
    stream = b""
    for _ in range(120):
        kind = int(rng.choice([0x31, 0x32, 0x33, 0x33, 0x33, 0x34, 0xE3, 0x1A, 0x35]))
        length = {0x31: 9, 0x32: 14, 0x33: 21, 0x34: 21, 0xE3: 8}.get(kind, 5)
        body = bytes(rng.choice([0x1A, 0x1A, 0x31, 0x33, 0x00, 0x8D], length).tolist())
        stream += b"\x1a" + bytes([kind]) + body.replace(b"\x1a", b"\x1a\x1a")
        if rng.uniform() < 0.3:
            stream += bytes(rng.choice([0x1A, 0x33, 0x41], int(rng.integers(1, 9))).tolist())
    ours, slow = BeastDecoder(DecoderOptions(start_s=T0)), twin.BeastTwin()
    taken: list[tuple[int, bytes]] = []

    def instants(ticks: npt.NDArray[np.int64], received_s: float) -> npt.NDArray[np.float64]:
        taken.extend((int(t), b"") for t in ticks)
        return np.full(len(ticks), T0)

    def fold(time_s: Any, received_s: Any, frames: Any, is_long: Any, where: Any) -> ReportBatch:
        first = len(taken) - len(frames)
        for k, (frame, whole) in enumerate(zip(frames, is_long, strict=True)):
            assert whole or not frame[7:].any()
            taken[first + k] = (taken[first + k][0], frame[: 14 if whole else 7].tobytes())
        return ReportBatch.empty()

    ours._clock.instants = instants  # type: ignore[method-assign]
    ours._aircraft.fold = fold  # type: ignore[method-assign]
    expected: list[tuple[int, bytes]] = []
    at = 0
    while at < len(stream):
        size = int(rng.choice([1, 2, 13, 64, 500]))
        ours.decode(stream[at : at + size], T0)
        expected += zip(*slow.cut(stream[at : at + size]), strict=True)
        at += size
    assert taken == expected
    assert len(taken) > 20
    assert ours.faults.counts.get("bytes that belong to no Beast frame", 0) == len(slow.lost_at)
    assert [f.where for f in ours.faults.examples] == [f"byte {p}" for p in slow.lost_at[:FAULT_EXAMPLES_MAX]]


@pytest.mark.parametrize("start_s", [None, T0, T0 + 3_600.0 * 24 * 400])
@pytest.mark.parametrize("is_gps", [False, True])
def test_instants_are_those_of_the_twins_clock(twin: ModuleType, start_s: float | None, is_gps: bool) -> None:
    rng = np.random.default_rng(5)
    ours, slow = ReceiverClock(start_s), twin.ClockTwin(start_s)
    ticks, received_s = 7, T0
    of_day = int((start_s or T0) % 86400.0)
    for k in range(400):
        ticks += int(
            12e6 * rng.choice([0.01, 0.01, 0.5, 30.0, -0.2, -5.0, 5000.0], p=[0.5, 0.3, 0.1, 0.04, 0.02, 0.02, 0.02])
        )
        ticks = max(ticks, 1)
        received_s += float(rng.choice([0.0, 0.01, 0.5, 20.0]))
        counter = (of_day + k) % 86400 << 30 | 500 if is_gps else ticks
        row = [counter, 0 if k % 11 else MLAT_TICKS, counter + 1] if k % 5 == 0 else [counter]
        found = ours.instants(np.array(row, dtype=np.int64), received_s)
        assert found.tolist() == [slow.instant(t, received_s) for t in row]
