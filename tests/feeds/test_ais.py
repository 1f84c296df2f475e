"""AIS positions, times and names come out as a second reading of the same bits has them; garbage costs only itself."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyais import encode_dict

from keepclear.feeds.ais import AisDecoder, looks_like_ais
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.reports import ReportBatch, TargetDomain, concatenate
from keepclear.quantities import KNOT_MPS

Rows = Callable[[ReportBatch], list[tuple[object, ...]]]
RECEIVED_S = 1_700_000_042.0


def checksum(text: str) -> str:
    value = 0
    for character in text:
        value ^= ord(character)
    return f"{value:02X}"


def tagged(sentence: str, time_s: int, prefix: str = "") -> str:
    return f"\\{prefix}c:{time_s}*{checksum(f'c:{time_s}')}\\{sentence}"


def sentences(kind: int, mmsi: int = 257000001, **fields: Any) -> list[str]:
    found: list[str] = encode_dict({"type": kind, "mmsi": mmsi, **fields}, radio_channel="A", talker_id="AI")
    return found


def lines(*many: str) -> bytes:
    return "".join(f"{line}\r\n" for line in many).encode()


def bits_of(payload: str) -> str:
    """The second opinion: six bits a character, by the table of IEC 61162-1."""
    return "".join(f"{(ord(c) - 48 if ord(c) < 96 else ord(c) - 56):06b}" for c in payload)


def signed(bits: str) -> int:
    return int(bits, 2) - (1 << len(bits) if bits[0] == "1" else 0)


@pytest.mark.shared
def test_the_norwegian_sample_agrees_with_a_second_reading(shared_data: Path) -> None:
    data = (shared_data / "ais" / "kystverket_1000.nm4").read_bytes()
    decoder = AisDecoder(DecoderOptions(source="kystverket"))
    batch = concatenate([decoder.decode(data, math.nan), decoder.finish()])  # the last line has no newline
    assert decoder.faults.counts == {}
    expected: list[tuple[str, float, float, float]] = []
    unavailable = 0
    for line in data.decode().splitlines():
        found = re.search(r"c:(\d+).*!..VDM,1,1,,.,([^,]+),", line)
        if not found:
            continue
        bits = bits_of(found.group(2))
        kind, mmsi = int(bits[:6], 2), f"{int(bits[8:38], 2):09d}"
        start = {1: 61, 2: 61, 3: 61, 18: 57}.get(kind)
        if start is None:
            continue
        lon, lat = signed(bits[start : start + 28]) / 600_000, signed(bits[start + 28 : start + 55]) / 600_000
        if abs(lon) > 180 or abs(lat) > 90:
            unavailable += 1
            continue
        expected.append((mmsi, lat, lon, float(found.group(1))))
    assert len(batch) == len(expected) == 743
    assert unavailable == decoder.skipped["position not available"] == 5
    assert decoder.skipped["message 5"] + decoder.skipped["message 24"] == 129  # 743 + 5 + 129 = 877
    for row, (mmsi, lat, lon, tag_s) in enumerate(expected):
        assert batch.target.at(row) == mmsi
        assert batch.lat_deg[row] == pytest.approx(lat, abs=1e-6)
        assert batch.lon_deg[row] == pytest.approx(lon, abs=1e-6)
        assert batch.received_s[row] == tag_s
    lag_s = batch.received_s - batch.time_s
    assert np.all((lag_s >= -5) & (lag_s < 55))
    assert np.median(lag_s) < 3.0  # the UTC second of the message lies just before its receipt
    assert set(batch.domain.tolist()) == {TargetDomain.SEA}


def test_every_value_of_a_class_a_report(decode_all: Any) -> None:
    (line,) = sentences(1, lat=59.5, lon=-10.25, speed=12.3, course=181.5, heading=511, second=40, accuracy=1)
    batch, decoder = decode_all("ais", lines(line), received_s=RECEIVED_S)
    assert decoder.faults.total == 0
    assert (batch.lat_deg[0], batch.lon_deg[0]) == pytest.approx((59.5, -10.25), abs=1e-6)
    assert batch.ground_speed_mps[0] == pytest.approx(12.3 * KNOT_MPS)
    assert batch.track_deg[0] == pytest.approx(181.5)
    assert batch.accuracy_m[0] == 10.0
    assert batch.target.at(0) == "257000001"
    assert batch.time_s[0] == 1_700_000_020.0  # …:20 is 40 s past a minute, 22 s before receipt
    assert batch.received_s[0] == RECEIVED_S


def test_unavailable_values_are_not_numbers(decode_all: Any) -> None:
    every = [
        *sentences(1, lat=59.5, lon=10.0, speed=102.3, course=360.0, second=60),
        *sentences(18, mmsi=257000002, lat=59.5, lon=10.0, speed=102.3, course=360.0, second=63),
        *sentences(27, mmsi=257000003, lat=59.5, lon=10.0, speed=63, course=511),
        *sentences(9, mmsi=111257001, lat=59.5, lon=10.0, speed=1023, course=360.0, alt=4095, second=60),
        *sentences(1, mmsi=257000004, lat=91.0, lon=181.0),
    ]
    batch, decoder = decode_all("ais", lines(*every), received_s=RECEIVED_S)
    assert len(batch) == 4
    for column in (
        batch.ground_speed_mps,
        batch.track_deg,
        batch.accuracy_m,
        batch.altitude_geo_m,
        batch.altitude_baro_m,
    ):
        assert np.isnan(column).all()
    assert batch.time_s.tolist() == [RECEIVED_S] * 4
    assert decoder.skipped == {"position not available": 1}
    assert batch.domain.tolist() == [TargetDomain.SEA] * 3 + [TargetDomain.AIR]


def test_message_9_speeds_are_whole_knots(decode_all: Any) -> None:
    batch, _ = decode_all("ais", lines(*sentences(9, lat=59.5, lon=10.0, speed=140, course=90, second=1)))
    assert batch.ground_speed_mps[0] == pytest.approx(140 * KNOT_MPS)


def test_base_stations_and_aids_are_no_traffic(decode_all: Any) -> None:
    fixed = lines(*sentences(4, lat=59.5, lon=10.0), *sentences(21, lat=59.5, lon=10.0, name="BUOY", aid_type=1))
    batch, decoder = decode_all("ais", fixed)
    assert len(batch) == 0
    assert decoder.faults.total == 0
    assert sum(decoder.skipped.values()) == 2


def test_names_are_merged_from_static_messages(decode_all: Any) -> None:
    static = sentences(5, shipname="NORDLYS", callsign="LHCW")
    assert len(static) == 2
    position = sentences(1, lat=59.5, lon=10.0)
    batch, _ = decode_all("ais", lines(*position, *static, *position))
    assert batch.callsign.strings() == ["", "NORDLYS"]
    batch, _ = decode_all(
        "ais", lines(*sentences(24, mmsi=7, partno=0, shipname="SMA"), *sentences(18, mmsi=7, lat=1, lon=2))
    )
    assert batch.callsign.strings() == ["SMA"]
    assert batch.target.strings() == ["000000007"]


def test_sentences_of_several_messages_may_interleave(decode_all: Any) -> None:
    def numbered(sequence: int, name: str) -> list[str]:
        return encode_dict(
            {"type": 5, "mmsi": sequence, "shipname": name}, radio_channel="A", talker_id="AI", seq_id=sequence
        )

    (a1, a2), (b1, b2) = numbered(1, "ANNA"), numbered(2, "BERTA")
    data = lines(a1, b1, a2, b2, *sentences(1, 1, lat=1, lon=1), *sentences(1, 2, lat=1, lon=1))
    batch, decoder = decode_all("ais", data)
    assert batch.callsign.strings() == ["ANNA", "BERTA"]
    batch, decoder = decode_all("ais", lines(a2, b1))
    assert decoder.faults.counts == {"message lacks an earlier sentence": 1, "message lacks a later sentence": 1}


def test_the_tag_block_gives_the_time(decode_all: Any) -> None:
    (line,) = sentences(1, lat=59.5, lon=10.0, second=19)
    batch, decoder = decode_all("ais", lines(tagged(line, 1_700_000_000), tagged(line, 1_700_000_000, "g:1-2-34,")))
    assert batch.time_s.tolist() == [1_699_999_999.0] * 2
    assert batch.received_s.tolist() == [1_700_000_000.0] * 2
    assert decoder.faults.total == 0
    milliseconds = tagged(line, 1_700_000_000_500)
    assert decode_all("ais", lines(milliseconds))[0].received_s.tolist() == [1_700_000_000.5]
    wrong = lines(tagged(line, 1_700_000_000).replace("c:17", "c:16"))
    batch, decoder = decode_all("ais", wrong, received_s=1_700_000_000.0)
    assert decoder.faults.counts == {"tag block: checksum does not match": 1}
    assert len(batch) == 1  # the sentence itself is right


def test_a_recording_without_tag_blocks_is_carried_by_its_seconds(decode_all: Any) -> None:
    start_s = 1_700_000_000.0
    times = [start_s + 7 * i for i in range(100)]
    data = lines(*(s for t in times for s in sentences(1, lat=59.5, lon=10.0, second=int(t) % 60)))
    batch, _ = decode_all("ais", data, options=DecoderOptions(start_s=start_s), received_s=math.nan)
    assert batch.time_s.tolist() == times


def test_checksums_are_held_to(decode_all: Any) -> None:
    (line,) = sentences(1, lat=59.5, lon=10.0)
    bad = line[:-2] + ("00" if line[-2:] != "00" else "01")
    batch, decoder = decode_all("ais", lines(bad, "", "garbage", "$GPZDA,1*00", line))
    assert len(batch) == 1
    assert decoder.faults.counts == {"AIS sentence: checksum does not match": 1, "not an AIS sentence": 1}
    assert decoder.skipped == {"other NMEA sentence": 1}


def test_cut_messages_are_refused(decode_all: Any) -> None:
    (line,) = sentences(1, lat=59.5, lon=10.0)
    body = line[1:].split("*")[0].split(",")
    body[5] = body[5][:20]
    text = ",".join(body)
    batch, decoder = decode_all("ais", lines(f"!{text}*{checksum(text)}"))
    assert len(batch) == 0
    assert decoder.faults.counts == {"AIS message is cut": 1}


STREAM = lines(
    *sentences(1, lat=59.5, lon=10.0, second=10),
    *sentences(5, shipname="NORDLYS"),
    "$GPGGA,junk*00",
    tagged(sentences(3, lat=60.5, lon=11.0, second=50)[0], 1_700_000_000),
    *sentences(18, lat=59.5, lon=10.0, second=30),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 600), max_size=12), st.binary(max_size=60))
def test_any_split_gives_the_same(decode_all: Any, rows_of: Rows, cuts: list[int], noise: bytes) -> None:
    data = STREAM + noise + b"\n" + STREAM[:-9]
    whole, first = decode_all("ais", data)
    pieces, second = decode_all("ais", data, cuts)
    assert rows_of(whole) == rows_of(pieces)
    assert (first.faults, first.skipped) == (second.faults, second.skipped)
    assert len(whole) >= 5


def test_memory_stays_bounded() -> None:
    decoder = AisDecoder(DecoderOptions())
    for sequence in range(5000):
        body = f"AIVDM,2,1,{sequence % 10},{sequence % 90 + 10},55NBjP01mtGIL@CW;SM<D60P5Ld000000000000P1@<,0"
        decoder.decode(f"!{body}*{checksum(body)}\n".encode(), 1e9)
    assert len(decoder._pending) <= 1024
    decoder.decode(b"x" * 1_000_000, 1e9)
    assert decoder.faults.counts["line longer than 2048 bytes"] == 1


def test_recognised_by_its_head() -> None:
    assert looks_like_ais(STREAM)
    assert looks_like_ais(tagged("!BSVDM,1,1,,A,13mb9U0P00PRk8fT5nw>4?wj2006,0*5D", 1).encode())
    assert not looks_like_ais(b"$GPGGA,1,2,3*00\n")
    assert not looks_like_ais(b"")
