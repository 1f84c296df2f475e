"""BaseStation lines are merged by address: a position carries the callsign and velocity heard last, while fresh."""

from __future__ import annotations

import math

import numpy as np
import pytest

from keepclear.errors import UsageError
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.reports import ReportBatch
from keepclear.feeds.sbs import SbsDecoder
from keepclear.quantities import parse_instant


def line(
    kind: int, clock: str = "08:54:39.193", address: str = "508035", date: str = "2021/08/24", **fields: str
) -> bytes:
    cells = [""] * 22
    cells[:10] = ["MSG", str(kind), "1", "1", address, "1", date, clock, date, clock]
    places = {"callsign": 10, "altitude": 11, "speed": 12, "track": 13, "lat": 14, "lon": 15, "climb": 16, "squawk": 17,
              "ground": 21}  # fmt: skip
    for name, text in fields.items():
        cells[places[name]] = text
    return (",".join(cells) + "\r\n").encode()


def decoded(data: bytes, **columns: str) -> tuple[ReportBatch, SbsDecoder]:
    decoder = SbsDecoder(DecoderOptions(source="roof", columns=columns))
    batch = decoder.decode(data, math.nan)
    assert len(decoder.finish()) == 0
    return batch, decoder


POSITION = {"lat": "50.4", "lon": "30.5", "altitude": "10000"}


def test_a_position_carries_what_the_other_lines_said() -> None:
    data = (
        line(1, callsign="AUI101  ")
        + line(4, speed="100", track="270", climb="-600")
        + line(6, squawk="0412", altitude="10000")
        + line(3, **POSITION, ground="0")
    )
    batch, decoder = decoded(data)
    assert decoder.faults.total == 0
    assert len(batch) == 1
    assert batch.time_s[0] == parse_instant("2021-08-24T08:54:39.193Z")
    assert batch.received_s[0] == batch.time_s[0]
    assert (batch.target.at(0), batch.callsign.at(0)) == ("508035", "AUI101")
    assert batch.altitude_baro_m[0] == pytest.approx(3048.0)
    assert batch.ground_speed_mps[0] == pytest.approx(51.444, abs=1e-3)
    assert (batch.track_deg[0], batch.squawk[0], batch.on_ground[0]) == (270.0, 412, 0)
    assert batch.vertical_rate_mps[0] == pytest.approx(-3.048)


def test_what_was_heard_too_long_ago_is_not_repeated() -> None:
    data = line(1, callsign="AUI101") + line(4, speed="100", track="270") + line(3, clock="08:54:50.000", **POSITION)
    batch, _ = decoded(data)
    assert np.isnan(batch.ground_speed_mps[0])
    assert batch.callsign.at(0) == "AUI101"
    batch, _ = decoded(line(1, callsign="AUI101") + line(3, clock="09:30:00.000", **POSITION))
    assert batch.callsign.at(0) == ""


def test_aircraft_are_not_mixed_up() -> None:
    batch, _ = decoded(line(1, callsign="AUI101") + line(3, address="ABCDEF", **POSITION))
    assert (batch.target.at(0), batch.callsign.at(0)) == ("abcdef", "")


def test_a_surface_position_is_on_the_ground() -> None:
    batch, _ = decoded(line(2, lat="50.4", lon="30.5", speed="12", track="90"))
    assert batch.on_ground[0] == 1
    assert np.isnan(batch.altitude_baro_m[0])
    assert batch.ground_speed_mps[0] == pytest.approx(6.173, abs=1e-3)


def test_times_are_utc_unless_a_zone_is_stated() -> None:
    batch, _ = decoded(line(3, **POSITION), time_zone="+03:00")
    assert batch.time_s[0] == parse_instant("2021-08-24T05:54:39.193Z")
    with pytest.raises(UsageError, match="not a zone"):
        SbsDecoder(DecoderOptions(columns={"time_zone": "Kyiv"}))


@pytest.mark.parametrize(
    "bad",
    [
        b"garbage\n",
        b"MSG,3,1,1,508035\n",
        line(3, address="xyzxyz", **POSITION),
        line(3, date="2021/13/24", **POSITION),
        line(3, clock="25:00:00.000", **POSITION),
        line(3, clock="08:54:99.000", **POSITION),
        line(3, lat="fifty", lon="30"),
        line(3, lat="nan", lon="30"),
        line(3, lat="130.5", lon="50.1"),
        b"\xff\xfe\x00\n",
        b"x" * 70_000 + b"\n",
    ],
)
def test_a_bad_line_is_one_fault_with_its_number_and_the_rest_is_kept(bad: bytes) -> None:
    batch, decoder = decoded(line(3, **POSITION) + bad + line(3, address="508036", **POSITION))
    assert batch.target.strings() == ["508035", "508036"]
    assert decoder.faults.total == 1
    assert decoder.faults.examples[0].where == "line 2"


def test_the_last_line_needs_no_newline_and_other_kinds_are_passed_over() -> None:
    decoder = SbsDecoder(DecoderOptions())
    assert (
        len(decoder.decode(b"STA,,5,179,400AE7,10103,2021/08/24,08:54:39.1,,,RM\r\n" + line(3, **POSITION)[:-2], 1.0))
        == 0
    )
    assert len(decoder.finish()) == 1
    assert decoder.faults.total == 0
