"""Holds true that NOTAMs as really transmitted become the zones they declare, nothing guessed silently."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import InputError, UsageError
from keepclear.quantities import NAUTICAL_MILE_M, UNBOUNDED, Datum, LengthUnit, Level, parse_instant
from keepclear.space.geometry import Circle, Polygon
from keepclear.zones import notam
from keepclear.zones.applicability import active_intervals, rests_on_estimate
from keepclear.zones.fir import FirIndex
from keepclear.zones.model import Category, Restriction, Volume, Zone, ZoneStatus, ZoneType
from keepclear.zones.notam_message import read_instant, split_messages
from keepclear.zones.reading import Severity, ZoneReading

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"

RESTRICTED = """(A0135/20 NOTAMN
Q) EGTT/QRTCA/IV /BO /W /000/050/5129N00028W005
A) EGTT B) 2001010600 C) 2001020600
D) DAILY 0600-0800
E) TEMPORARY RESTRICTED AREA
ACTIVATED WI 512900N 0002800W 513500N 0002800W
513500N 0001800W
F) SFC G) FL050)"""


def read(text: str, firs: FirIndex | None = None) -> ZoneReading:
    return notam.read(text.encode(), "test.txt", firs)


def one(text: str, firs: FirIndex | None = None) -> Zone:
    (zone,) = read(text, firs).zones
    return zone


def message(e: str, *, q: str = "EGTT/QRTCA/IV/BO/W/000/050/5129N00028W005", rest: str = "", a: str = "EGTT") -> str:
    return f"A0135/20 NOTAMN\nQ) {q}\nA) {a} B) 2001010600 C) 2001020600\n{rest}E) {e}"


def regions(*codes: str) -> FirIndex:
    return FirIndex.of(
        Zone(code, (Volume(Polygon(((i, 0.0), (i + 1.0, 0.0), (i + 1.0, 1.0))), UNBOUNDED, UNBOUNDED),))
        for i, code in enumerate(codes)
    )


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is absent")
def test_the_closure_of_ukraine_is_one_zone_of_its_five_regions() -> None:
    from keepclear.edge.zone_files import load_zones

    load = load_zones(
        [SHARED / "notam" / "ukraine_closure_A0003-23.txt"], firs=SHARED / "zones" / "eurofirs_2015.geojson.gz"
    )
    assert load.problems == ()
    (zone,) = load.zones
    assert (zone.id, zone.supersedes) == ("A0003/23", "A0640/22")
    assert (zone.type, zone.restriction) == (ZoneType.NFZ, Restriction.PROHIBITED)
    assert len(zone.volumes) == 5
    assert {(volume.lower, volume.upper) for volume in zone.volumes} == {(UNBOUNDED, UNBOUNDED)}
    (period,) = zone.applicability
    assert period.from_s == parse_instant("2023-01-11T09:09:00Z")
    assert period.to_s == parse_instant("2023-04-10T23:59:00Z")
    assert period.end_estimated
    assert [exemption.clause for exemption in zone.exemptions] == [
        "EXCEPT STATE AIRCRAFT OF UKRAINE OR UNDER PERMISSION OF GENERAL STAFF OF THE ARMED FORCES OF UKRAINE"
    ]
    assert not zone.exemptions[0].party  # state aircraft of Ukraine are not all aircraft of Ukraine
    assert "MILITARY INVASION OF UKRAINE BY THE RUSSIAN FEDERATION. THE USE\nOF AIRSPACE" in zone.text
    about = zone.extensions["notam"]
    assert about["geometry"] == "FIR outline"
    assert about["geometry_note"] == "outlines of UKBV, UKDV, UKFV, UKLV, UKOV: the Q line's radius is 999"
    assert (about["traffic"], about["purpose"], about["scope"]) == ("IV", "NBO", "E")
    # In force past its estimated end, and known to rest on it.
    after = parse_instant("2023-06-01T00:00:00Z")
    assert len(active_intervals(zone, after, after + 60.0)) == 1
    assert rests_on_estimate(zone, after)
    assert not rests_on_estimate(zone, period.from_s)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is absent")
def test_without_the_outlines_the_closure_names_the_missing_regions_and_the_option() -> None:
    data = (SHARED / "notam" / "ukraine_closure_A0003-23.txt").read_bytes()
    reading = notam.read(data, "closure.txt")
    assert reading.zones == ()
    (problem,) = reading.problems
    assert problem.severity is Severity.ERROR
    assert "UKBV, UKDV, UKFV, UKLV, UKOV" in problem.reason
    assert "--firs FILE" in problem.reason
    assert "\n" not in str(problem)


def test_a_region_that_the_given_outlines_lack_is_named() -> None:
    closure = message("FIR EGTT AND FIR EGPX CLSD", q="EGXX/QAFLC/IV/NBO/E/000/999/5400N00300W999", a="EGTT EGPX")
    reading = read(closure, regions("EGTT"))
    assert reading.zones == ()
    assert "EGPX" in reading.problems[0].reason
    assert "EGTT" not in reading.problems[0].reason
    assert len(one(closure, regions("EGTT", "EGPX")).volumes) == 2


def test_a_padded_q_line_and_wrapped_items_are_read() -> None:
    zone = one(RESTRICTED)
    about = zone.extensions["notam"]
    assert (about["q_code"], about["traffic"], about["purpose"], about["scope"]) == ("QRTCA", "IV", "BO", "W")
    assert (zone.type, zone.restriction) == (ZoneType.RESTRICTED, Restriction.REQ_AUTHORISATION)
    (volume,) = zone.volumes
    assert isinstance(volume.shape, Polygon)
    assert volume.lower is UNBOUNDED
    assert volume.upper == Level(50.0, LengthUnit.FLIGHT_LEVEL, Datum.STD)
    assert about["geometry"] == "coordinates in item E"
    assert about["limits_from"] == "items F) and G)"


@given(st.lists(st.integers(0, len(RESTRICTED) - 1), max_size=8), st.sampled_from(["\n", "\r\n", "\n  "]))
def test_a_line_break_at_any_blank_changes_nothing_but_the_text(places: list[int], newline: str) -> None:
    wrapped = "".join(
        newline if character == " " and i in places else character for i, character in enumerate(RESTRICTED)
    )
    zone, plain = one(wrapped), one(RESTRICTED)
    assert (zone.volumes, zone.applicability, zone.type) == (plain.volumes, plain.applicability, plain.type)


@pytest.mark.parametrize(
    "q",
    [
        "EGTT/QRTCA/IV/NBO/W/000/999/5129N00028W005",
        "EGTT / QRTCA / IV / NBO / W / 000 / 999 / 5129N00028W005",
        "EGTT/QRTCA/IV/NBO/W /000/999/\n5129N00028W005",
        "EGTTQRTCAIVNBOW0009995129N00028W005",
        "EGTT/QRTCA////000/999/5129N00028W005",
    ],
)
def test_the_q_line_in_every_shape_that_is_sent(q: str) -> None:
    zone = one(message("AREA ACTIVE", q=q))
    (volume,) = zone.volumes
    assert isinstance(volume.shape, Circle)
    assert volume.shape.radius_m == 5 * NAUTICAL_MILE_M
    assert (volume.shape.lon_deg, volume.shape.lat_deg) == pytest.approx((-28 / 60, 51 + 29 / 60))
    assert (volume.lower, volume.upper) == (UNBOUNDED, UNBOUNDED)


def test_the_q_circle_is_second_best_and_says_so() -> None:
    reading = read(message("WI 5130N 00000W - 5130N 00100E THEN ALONG FIR BOUNDARY TO 5200N 00100E"))
    assert isinstance(reading.zones[0].volumes[0].shape, Circle)
    (problem,) = reading.problems
    assert problem.severity is Severity.WARNING
    assert "boundary" in problem.reason
    assert "circle of the Q line" in problem.reason
    assert reading.zones[0].extensions["notam"]["geometry"] == "circle of the Q line"


def test_a_replacement_ends_the_replaced_zone_at_its_instant() -> None:
    second = """A0137/20 NOTAMR A0135/20
Q) EGTT/QRTCA/IV/BO/W/000/050/5129N00028W005
A) EGTT B) 2001011200 C) 2001020600 EST
E) SAME AREA 5NM RADIUS CENTRED ON 512900N 0002800W F) 1000FT AMSL G) 450M (1500FT) AGL"""
    first, replacing = read(f"{RESTRICTED}\n\n{second}").zones
    instant = parse_instant("2020-01-01T12:00:00Z")
    assert first.applicability[-1].to_s == instant
    assert first.status is ZoneStatus.EXPIRED
    assert first.extensions["notam"]["replaced_by"] == "A0137/20"
    assert replacing.supersedes == "A0135/20"
    assert replacing.applicability[0].from_s == instant
    assert replacing.volumes[0].lower == Level(1000.0, LengthUnit.FOOT, Datum.AMSL)
    assert replacing.volumes[0].upper == Level(450.0, LengthUnit.METRE, Datum.AGL)


def test_a_cancellation_withdraws_from_its_instant_and_not_before() -> None:
    cancel = (
        "A0139/20 NOTAMC A0135/20\nQ) EGTT/QRTXX/IV/BO/W/000/050/5129N00028W005\nA) EGTT B) 2001010700\nE) CANCELLED"
    )
    (zone,) = read(f"{RESTRICTED}\n{cancel}").zones
    assert zone.status is ZoneStatus.WITHDRAWN
    begin, instant = parse_instant("2020-01-01T06:00:00Z"), parse_instant("2020-01-01T07:00:00Z")
    assert active_intervals(zone, begin - 1e5, begin + 1e5).tolist() == [[begin, instant]]


def test_a_chain_within_one_file_leaves_only_its_last_in_force() -> None:
    chain = [
        f"A000{i}/20 {f'NOTAMR A000{i - 1}/20' if i > 1 else 'NOTAMN'}\n"
        f"Q) EGTT/QRTCA/IV/BO/W/000/050/5129N00028W005\nA) EGTT B) 20010{i}0600 C) 2001100600 EST\nE) ACTIVE"
        for i in (3, 1, 2)
    ]
    zones = {zone.id: zone for zone in read("\n".join(chain)).zones}
    at = parse_instant("2020-03-01T00:00:00Z")
    assert [id for id, zone in zones.items() if len(active_intervals(zone, at, at + 1))] == ["A0003/20"]
    between = parse_instant("2020-01-02T12:00:00Z")
    assert [id for id, zone in zones.items() if len(active_intervals(zone, between, between + 1))] == ["A0002/20"]


def test_another_states_notam_with_the_same_number_is_left_alone() -> None:
    cancel = (
        "A0139/20 NOTAMC A0135/20\nQ) LFFF/QRTXX/IV/BO/W/000/050/4829N00028E005\nA) LFFF B) 2001010700\nE) CANCELLED"
    )
    (zone,) = read(f"{RESTRICTED}\n{cancel}").zones
    assert zone.status is ZoneStatus.PUBLISHED


def test_what_is_not_airspace_is_no_zone_and_said() -> None:
    reading = read(message("RWY 09/27 CLSD", q="EGTT/QMRLC/IV/NBO/A/000/999/5129N00028W005", a="EGLL"))
    assert reading.zones == ()
    assert "not about airspace" in reading.problems[0].reason
    assert reading.problems[0].severity is Severity.WARNING


def test_a_schedule_that_is_not_understood_is_in_force_throughout_and_said() -> None:
    reading = read(message("ACTIVE", rest="D) MON-FRI EXC HOL 0700-1000\n"))
    assert reading.zones[0].applicability[0].schedule == ()
    assert any("schedule not understood: treated as in force throughout" in p.reason for p in reading.problems)
    assert reading.zones[0].extensions["notam"]["schedule"] == "MON-FRI EXC HOL 0700-1000"


@pytest.mark.parametrize(
    ("sentence", "clause"),
    [
        ("AREA CLSD EXC EMERG AND POLICE HEL. CTC TWR.", "EXC EMERG AND POLICE HEL"),
        ("AREA CLSD. MEDICAL FLIGHTS ARE EXEMPTED. CTC TWR.", "MEDICAL FLIGHTS ARE EXEMPTED"),
        ("AREA CLSD. THIS DOES NOT APPLY TO STATE ACFT.", "THIS DOES NOT APPLY TO STATE ACFT"),
        ("CLSD WITH THE EXCEPTION OF HUMANITARIAN FLIGHTS", "WITH THE EXCEPTION OF HUMANITARIAN FLIGHTS"),
    ],
)
def test_exemption_clauses_are_kept_in_their_own_words(sentence: str, clause: str) -> None:
    assert [e.clause for e in one(message(sentence)).exemptions] == [clause]


def test_a_call_sign_is_taken_only_where_it_is_spelt_out() -> None:
    (exemption,) = one(message("AREA CLSD EXCEPT ACFT CALLSIGN UNO123")).exemptions
    assert exemption.callsign == "UNO123"


def test_whom_it_binds_is_narrowed_only_in_so_many_words() -> None:
    assert one(message("AREA CLSD FOR ALL AIRCRAFT")).subject.categories == frozenset()
    assert one(message("AREA PROHIBITED FOR CIVIL ACFT")).subject.categories == {Category.CIVIL}
    assert one(message("UAS FLIGHTS ARE PROHIBITED")).subject.categories == {Category.UAS}


def test_a_deactivation_forbids_nothing() -> None:
    zone = one(message("EG D123 DEACTIVATED", q="EGTT/QRDCD/IV/BO/W/000/050/5129N00028W005"))
    assert zone.restriction is Restriction.NO_RESTRICTION


def test_parts_of_one_notam_are_joined() -> None:
    head = (
        "A0135/20 NOTAMN\nQ) EGTT/QRTCA/IV/BO/W/000/050/5129N00028W005\nA) EGTT PART {} OF 2 B) 2001010600 C) PERM\nE) "
    )
    text = (
        head.format(1)
        + "WI 5130N 00000W 5130N 00100E\nEND PART 1 OF 2\n"
        + head.format(2)
        + "5200N 00100E\nF) SFC G) UNL"
    )
    zone = one(text)
    assert isinstance(zone.volumes[0].shape, Polygon)
    assert zone.applicability[0].to_s == math.inf


def test_the_united_states_flight_restriction_form() -> None:
    zone = one(
        "!FDC 3/1234 ZAB NM..AIRSPACE ALBUQUERQUE NM TEMPORARY FLIGHT RESTRICTIONS WI AN AREA DEFINED AS 3NM RADIUS\n"
        "OF 351400N1063500W (ABQ123045.5) SFC-3000FT AGL 2305052108-2306060000"
    )
    assert zone.id == "FDC 3/1234"
    assert isinstance(zone.volumes[0].shape, Circle)
    assert zone.volumes[0].upper == Level(3000.0, LengthUnit.FOOT, Datum.AGL)
    assert zone.applicability[0].from_s == parse_instant("2023-05-05T21:08:00Z")


def test_a_broken_message_leaves_the_others_whole() -> None:
    broken = [
        "A0001/20 NOTAMN\nQ) EGTT/QRTCA/IV",
        "A0002/20 NOTAMN\nQ) EGTT/QRTCA/IV/BO/W/000/050/5129N00028W005\nA) EGTT B) 2001320600 C) PERM\nE) X",
        "A0003/20 NOTAMN\nQ) EGTT/QRTCA/IV/BO/W/000/050/5129N00028W005\nA) EGTT B) 2001020600 C) 2001010600\nE) X",
        "A0004/20 NOTAMN\nQ) EGTT/QRTCA/IV/BO/W/000/050/5129N00028W005\nA) EGTT B) 2001020600 C) PERM\nE) X"
        " F) 9 BANANAS G) UNL",
    ]
    reading = read("\n\n".join([*broken, RESTRICTED]))
    assert [zone.id for zone in reading.zones] == ["A0135/20"]
    assert [p.where.split(", ")[1] for p in reading.problems] == ["A0001/20", "A0002/20", "A0003/20", "A0004/20"]
    assert all("\n" not in str(problem) for problem in reading.problems)


def test_aftn_envelopes_and_text_between_messages_are_passed_over() -> None:
    text = (
        f"GG EDDYYNYX\n151542 EUECYIYN\n{RESTRICTED}\nCREATED: 15 Nov 2022 15:42:00\nSOURCE: EUECYIYN\nNNNN\nsome words"
    )
    (found,) = split_messages(text)
    assert found.g == "FL050"
    assert "SOURCE" not in found.text


@pytest.mark.parametrize(
    ("text", "instant", "estimated"),
    [
        ("2301110909", "2023-01-11T09:09:00Z", False),
        ("2304102359 EST", "2023-04-10T23:59:00Z", True),
        ("2304102359EST", "2023-04-10T23:59:00Z", True),
        ("2304102400", "2023-04-11T00:00:00Z", False),
        ("11 JAN 2023 09:09", "2023-01-11T09:09:00Z", False),
        ("2023 Jan 11 0909", "2023-01-11T09:09:00Z", False),
    ],
)
def test_instants_of_items_b_and_c(text: str, instant: str, estimated: bool) -> None:
    assert read_instant(text) == (parse_instant(instant), estimated)


def test_permanent_has_no_end_and_nonsense_is_refused() -> None:
    assert read_instant("PERM") is None
    for text in ("", "12", "2313010000", "2301012430", "11 FOO 2023 09:09"):
        with pytest.raises(InputError):
            read_instant(text)


def test_a_file_without_notams_is_refused_and_none_are_ever_written() -> None:
    with pytest.raises(InputError, match="no NOTAM found"):
        read("hello")
    with pytest.raises(UsageError):
        notam.write([])


@given(st.binary(max_size=300))
def test_any_bytes_give_a_reading_or_a_typed_error(data: bytes) -> None:
    for given_bytes in (data, RESTRICTED.encode()[: len(data)] + data):
        try:
            reading = notam.read(given_bytes, "x")
        except InputError:
            continue
        assert all(zone.text for zone in reading.zones)
