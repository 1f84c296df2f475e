"""Plain aircraft.json read in one compiled pass gives what reading it object by object gives."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.feeds.aircraft_columns import PlainReader
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.kernels.json_text import NOT_PLAIN, number
from keepclear.feeds.readsb import AircraftJsonDecoder
from keepclear.feeds.reports import Labels, ReportBatch

NOW_S = 1_700_000_000.5


class _Never(PlainReader):
    def read(self, data: bytes) -> None:
        return None


def decoded(data: bytes, *, long_way: bool) -> tuple[ReportBatch, dict[str, int]]:
    decoder = AircraftJsonDecoder(DecoderOptions(source="roof"))
    if long_way:
        decoder._reader = _Never()
    batch = decoder.decode(data, NOW_S + 0.1)
    rest = decoder.finish()
    return (batch if len(batch) else rest), dict(decoder.faults.counts)


def assert_same(data: bytes) -> None:
    (quick, quick_faults), (slow, slow_faults) = (decoded(data, long_way=way) for way in (False, True))
    assert quick_faults == slow_faults
    for f in fields(ReportBatch):
        one, other = getattr(quick, f.name), getattr(slow, f.name)
        if isinstance(one, Labels):
            assert one.strings() == other.strings(), f.name
        else:
            assert np.array_equal(one, other, equal_nan=one.dtype.kind == "f"), f.name


PLACES = st.one_of(st.none(), st.integers(-200, 200), st.floats(-200, 200).map(lambda v: round(v, 6)))
NUMBERS = st.one_of(PLACES, st.sampled_from([0, -0.0, 1e22, 1e-7, 12345678901234567, 0.1234567890123456789, True, "8"]))
TEXTS = st.sampled_from(
    ["", "AUI101  ", "A7", "C2", "7700", "12a4", "ground", "toolongflight", 'a"b', "é", "x\\", None, 5]
)
ADDRESSES = st.sampled_from(["508035", "508036", "~2b3c4d", "508035 ", "ABCDEF", "x", "123456789", "", None, 17])
HELD = st.fixed_dictionaries({}, optional=dict.fromkeys(("lat", "lon", "nic", "rc", "seen_pos", "gs", "z"), NUMBERS))
UNKNOWN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "lat", "b\\"]), inner, max_size=2)
    ),
    max_leaves=4,
)
ENTRIES = st.fixed_dictionaries(
    {"hex": st.one_of(st.just("508035"), ADDRESSES)},
    optional={
        "lat": PLACES, "lon": PLACES, "alt_baro": st.one_of(NUMBERS, TEXTS), "alt_geom": NUMBERS, "gs": NUMBERS,
        "track": NUMBERS, "baro_rate": NUMBERS, "geom_rate": NUMBERS, "nic": NUMBERS, "rc": NUMBERS, "nac_p": NUMBERS,
        "seen_pos": NUMBERS, "flight": TEXTS, "squawk": TEXTS, "category": TEXTS,
        "lastPosition": st.one_of(HELD, NUMBERS),
        "mlat": UNKNOWN, "messages": UNKNOWN,
    },
)  # fmt: skip


@given(
    st.lists(st.one_of(ENTRIES, UNKNOWN), max_size=4), st.sampled_from([NOW_S, 17, 1e9, None, "x"]), UNKNOWN,
    st.sampled_from([(", ", ": "), (",", ":")]), st.sampled_from([None, 1]),
)  # fmt: skip
def test_any_document_gives_what_the_long_way_gives(
    aircraft: list[Any], now: Any, other: Any, separators: tuple[str, str], indent: int | None
) -> None:
    document = {"now": now, "other": other, "aircraft": aircraft}
    assert_same(json.dumps(document, separators=separators, indent=indent).encode())


PLAIN = json.dumps(
    {
        "now": NOW_S, "messages": 12, "aircraft": [
            {"hex": "508035", "type": "adsb_icao", "flight": "AUI101  ", "alt_baro": 10000, "alt_geom": 10500,
             "gs": 441.2, "track": 181.07, "baro_rate": -64, "squawk": "0412", "category": "A7", "lat": 50.404063,
             "lon": 30.909737, "nic": 8, "rc": 186, "nac_p": 9, "seen_pos": 0.5, "mlat": [], "rssi": -23.4},
            {"hex": "508036", "alt_baro": "ground", "lat": 50.4, "lon": -30.9, "gs": 0.0, "track": 360.0},
            {"hex": "~2b3c4d", "lastPosition": {"lat": 1, "lon": 2, "nic": 8, "rc": 186, "seen_pos": 75.0}},
            {"hex": "aaaaaa", "seen": 3},
        ],
    }
).encode()  # fmt: skip


def test_what_receivers_write_is_read_in_one_pass() -> None:
    assert PlainReader().read(PLAIN.replace(b"50.404063", b"50.404063079316735")) is not None, "every digit of a double"
    read = PlainReader().read(PLAIN)
    assert read is not None
    assert read[0] == NOW_S
    assert read[1].target.strings() == ["508035", "508036", "~2b3c4d"]
    assert read[1].lat_deg.tolist() == [50.404063, 50.4, 1.0]
    many = b'{"now":1,"aircraft":[%s]}' % b",".join(b'{"hex":"%06x","lat":1,"lon":2}' % k for k in range(3000))
    read = PlainReader().read(many)
    assert read is not None
    assert len(read[1].lat_deg) == len(set(read[1].target.strings())) == 3000


@given(st.integers(0, len(PLAIN) - 1), st.sampled_from([b"", b"0", b'"', b"{", b"]", b"\\", b"\xe9", b" ", b"null"]))
def test_a_damaged_document_gives_what_the_long_way_gives(at: int, instead: bytes) -> None:
    assert_same(PLAIN[:at] + instead + PLAIN[at + 1 :])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"lat": 50.4,', b'"lat": 50.4, "lat": 1.0,'),
        (b'"lat": 50.4,', b'"lat": 50.4, "l\\u0061t": 1.0,'),
        (b'"lat": 50.4,', b'"lat": 50.4, "x": {"lat": 1, "lat": 2},'),
        (b'{"lat": 1,', b'{"lat": 1, "lat": 2,'),
        (b'"messages"', b'"now": 5, "messages"'),
        (b'"messages"', b'"aircraft": [], "messages"'),
        (b'"messages": 12', b'"messages": ' + b"[" * 40 + b"]" * 40),
    ],
)
def test_what_is_said_twice_or_strangely_is_left_to_the_long_way(old: bytes, new: bytes) -> None:
    assert old in PLAIN
    data = PLAIN.replace(old, new, 1)
    assert PlainReader().read(data) is None
    assert_same(data)


@given(
    st.one_of(
        st.integers(-(10**20), 10**20).map(str), st.floats(allow_nan=False, allow_infinity=False).map(repr),
        st.from_regex(r"\A-?[0-9]{0,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{0,3})?\Z"),
    )
)  # fmt: skip
def test_a_number_is_the_nearest_double_or_left_alone(text: str) -> None:
    end, value, exact = number(np.frombuffer(text.encode() + b" ", np.uint8), 0)
    if exact and end == len(text):
        assert value == msgspec.json.decode(text, type=float)
    if end == NOT_PLAIN:
        with pytest.raises(msgspec.DecodeError):
            msgspec.json.decode(text)
