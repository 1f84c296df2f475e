"""Cursor-on-Target events give the same reports from XML and from protobuf, and hostile bytes cost only themselves."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.feeds.cursor_on_target import ProtobufDecoder, XmlDecoder, looks_like_protobuf, looks_like_xml
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.reports import ReportBatch, TargetCategory, TargetDomain

Rows = Callable[[ReportBatch], list[tuple[object, ...]]]


def event(
    uid: str = "DRONE-1",
    kind: str = "a-u-A-M-F-Q",
    time: str = "2023-11-14T22:13:20.500Z",
    lat: float = 50.25,
    more: str = "",
) -> str:
    return (
        f'<event version="2.0" uid="{uid}" type="{kind}" time="{time}" start="{time}" stale="{time}" how="m-g">'
        f'<point lat="{lat}" lon="30.5" hae="320.5" ce="9.0" le="9999999.0"/>'
        f'<detail><contact callsign="HAWK 7"/><track course="271.5" speed="33.25"/>{more}</detail></event>'
    )


def tak(text: str, mesh: bool) -> bytes:
    takproto: Any = pytest.importorskip("takproto")
    version = takproto.TAKProtoVer.MESH if mesh else takproto.TAKProtoVer.STREAM
    return bytes(takproto.xml2proto(text, version))


@pytest.mark.parametrize("how", ["xml", "mesh", "stream"])
def test_every_value_of_an_event(decode_all: Any, how: str) -> None:
    data = event().encode() if how == "xml" else tak(event(), how == "mesh")
    batch, decoder = decode_all("cot" if how == "xml" else "cot-protobuf", data, options=DecoderOptions(source="tak"))
    assert decoder.faults.total == 0
    assert batch.time_s.tolist() == [1_700_000_000.5]
    assert (batch.lat_deg[0], batch.lon_deg[0], batch.altitude_geo_m[0]) == (50.25, 30.5, 320.5)
    assert batch.accuracy_m[0] == pytest.approx(9.0 * math.sqrt(-2 * math.log(0.05)), rel=1e-4)  # 1 sigma to 95 %
    assert (batch.track_deg[0], batch.ground_speed_mps[0]) == (271.5, 33.25)
    assert (batch.target.at(0), batch.callsign.at(0), batch.source.at(0)) == ("DRONE-1", "HAWK 7", "tak")
    assert (batch.domain[0], batch.category[0]) == (TargetDomain.AIR, TargetCategory.UAS)


@pytest.mark.parametrize(
    ("kind", "domain", "category"),
    [
        ("a-f-A-M-F", TargetDomain.AIR, TargetCategory.FIXED),
        ("a-n-A-C-H", TargetDomain.AIR, TargetCategory.ROTARY),
        ("a-u-A-C-L", TargetDomain.AIR, TargetCategory.OTHER),
        ("a-u-A", TargetDomain.AIR, TargetCategory.UNKNOWN),
        ("a-f-G-U-C", TargetDomain.GROUND, TargetCategory.UNKNOWN),
        ("a-h-S-C", TargetDomain.SEA, TargetCategory.UNKNOWN),
        ("a-h-U", TargetDomain.SEA, TargetCategory.UNKNOWN),
        ("a-h-P", TargetDomain.UNKNOWN, TargetCategory.UNKNOWN),
        ("a-h", TargetDomain.UNKNOWN, TargetCategory.UNKNOWN),
    ],
)
def test_the_battle_dimension_gives_the_domain(
    decode_all: Any, kind: str, domain: TargetDomain, category: TargetCategory
) -> None:
    batch, _ = decode_all("cot", event(kind=kind).encode())
    assert (batch.domain[0], batch.category[0]) == (domain, category)


def test_r2_3_the_affiliation_letter_changes_nothing(decode_all: Any, rows_of: Rows) -> None:
    seen = {str(rows_of(decode_all("cot", event(kind=f"a-{letter}-A-M-F").encode())[0])) for letter in "puafnshjko."}
    assert len(seen) == 1


def test_unknown_numbers_and_other_events(decode_all: Any) -> None:
    unknown = event().replace('hae="320.5" ce="9.0"', 'hae="9999999.0" ce="9999999.0"')
    perfect = event().replace('ce="9.0"', 'ce="0"')
    batch, decoder = decode_all("cot", (unknown + perfect + event(kind="b-m-p-w") + event(kind="t-x-c-t")).encode())
    assert np.isnan(batch.altitude_geo_m[0])
    assert np.isnan(batch.accuracy_m).all()  # nobody measures to zero metres
    assert decoder.skipped == {"event is no atom": 2}
    assert decoder.faults.total == 0


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (event(time="2023-11-14T22:13:20"), "event's time is not ISO 8601 with a zone"),
        (event(lat=95.0), "position is missing or not on Earth"),
        (event(uid=""), "report names no target"),
        (event().replace("<point", "<punkt"), "position is missing or not on Earth"),
        (event().replace("lat=", 'lat="1" lat='), "event is not well-formed XML"),
        (event().replace("</detail>", ""), "event is not well-formed XML"),
        (event(more="&lol9;"), "event is not well-formed XML"),
        (event()[:120], "event is cut"),
        ('<event uid="x"/>', "event has no point"),
        ("no event at all ", "bytes between events"),
        ('<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>', "bytes between events"),
        (event(more="x" * 300_000), "event larger than 262144 bytes"),
    ],
)
def test_a_bad_event_costs_only_itself(decode_all: Any, bad: str, reason: str) -> None:
    batch, decoder = decode_all("cot", (event("A") + bad + event("B")).encode())
    assert batch.target.strings() == ["A", "B"]
    assert reason in decoder.faults.counts


def test_declarations_between_events_are_no_faults(decode_all: Any) -> None:
    declaration = "<?xml version='1.0' encoding='UTF-8'?>\n"
    batch, decoder = decode_all("cot", (declaration + event("A") + "\n\n" + declaration + event("B")).encode())
    assert batch.target.strings() == ["A", "B"]
    assert decoder.faults.total == 0


NOISE = st.one_of(
    st.binary(max_size=40), st.sampled_from([b"<event ", b"</event>", b"\xbf\x01\xbf", b"\xbf\x05", b"\x12\xff\x01"])
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 1600), max_size=12), NOISE)
def test_any_split_of_xml_gives_the_same(decode_all: Any, rows_of: Rows, cuts: list[int], noise: bytes) -> None:
    data = event("A").encode() + noise + event("B").encode() + b"\n" + event("C").encode()[:-4]
    whole, first = decode_all("cot", data)
    pieces, second = decode_all("cot", data, cuts)
    assert rows_of(whole) == rows_of(pieces)
    assert (first.faults, first.skipped) == (second.faults, second.skipped)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 1000), max_size=12), NOISE, st.booleans(), st.booleans())
def test_any_split_of_protobuf_gives_the_same(
    decode_all: Any, rows_of: Rows, cuts: list[int], noise: bytes, mesh: bool, last_mesh: bool
) -> None:
    good = tak(event("A"), mesh)
    data = good + good + noise + good + tak(event("B"), last_mesh) + good[:-5]
    whole, first = decode_all("cot-protobuf", data)
    pieces, second = decode_all("cot-protobuf", data, cuts)
    assert rows_of(whole) == rows_of(pieces)
    assert (first.faults, first.skipped) == (second.faults, second.skipped)
    assert whole.target.strings()[:2] == ["A", "A"]


@pytest.mark.parametrize("mesh", [True, False])
def test_messages_after_garbage_are_read(decode_all: Any, mesh: bool) -> None:
    data = tak(event("A"), mesh) + b"\xff\xee zz" * 9 + tak(event("B"), mesh) + tak(event("C"), not mesh)
    batch, decoder = decode_all("cot-protobuf", data)
    assert batch.target.strings() == ["A", "B", "C"]
    assert decoder.faults.counts == {"not a TAK protocol message": 1}


def test_a_mesh_event_does_not_wait_for_the_next_datagram() -> None:
    decoder = ProtobufDecoder(DecoderOptions())
    assert len(decoder.decode(tak(event("A"), mesh=True), 1e9)) == 1


def test_memory_stays_bounded() -> None:
    xml, protobuf = XmlDecoder(DecoderOptions()), ProtobufDecoder(DecoderOptions())
    for chunk in (
        b"<event " * 100,
        b"x" * 10_000,
        b"<event uid='" + b"y" * 10_000,
        b"\xbf\x01\xbf" * 50,
        b"\xbf\xff\x7f\x12",
    ):
        for _ in range(50):
            xml.decode(chunk, 1e9)
            protobuf.decode(chunk, 1e9)
            assert len(xml._buffer) < 300_000
            assert len(protobuf._buffer) < 100_000


def test_recognised_by_its_head() -> None:
    assert looks_like_xml(event().encode())
    assert looks_like_xml(b"<?xml version='1.0'?>\n" + event().encode())
    assert not looks_like_xml(b"<gpx></gpx>")
    assert looks_like_protobuf(tak(event(), mesh=True))
    assert looks_like_protobuf(tak(event(), mesh=False))
    assert not looks_like_protobuf(b"")
    assert not looks_like_protobuf(b"\xbf")
