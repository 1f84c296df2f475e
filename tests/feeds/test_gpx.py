"""GPX track points come out as another reader has them; points without time and hostile XML do not pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import gpxpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.gpx import GpxDecoder, looks_like_gpx
from keepclear.feeds.reports import ReportBatch

Rows = Callable[[ReportBatch], list[tuple[object, ...]]]
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">'
)


def point(second: int, lat: float = 50.25, lon: float = 30.5, more: str = "<ele>120.5</ele>") -> str:
    return f'<trkpt lat="{lat}" lon="{lon}">{more}<time>2023-11-14T22:13:{second:02}Z</time></trkpt>'


def gpx(*points: str, name: str = "<name>Lorry 7</name>", head: str = HEAD) -> bytes:
    return f"{head}<trk>{name}<trkseg>{''.join(points)}</trkseg></trk></gpx>".encode()


def test_the_points_agree_with_gpxpy(decode_all: Any) -> None:
    data = gpx(*(point(s, 50 + s / 1000, 30 - s / 700) for s in range(40)))
    theirs = gpxpy.parse(data).tracks[0].segments[0].points
    batch, decoder = decode_all("gpx", data)
    assert [p.latitude for p in theirs] == batch.lat_deg.tolist()
    assert [p.longitude for p in theirs] == batch.lon_deg.tolist()
    assert [p.time.timestamp() for p in theirs if p.time] == batch.time_s.tolist()
    assert set(batch.target.strings()) == {"Lorry 7"}
    assert np.isnan(batch.altitude_baro_m).all()
    assert decoder.faults.total <= 1  # one where the geoid is not at hand


def test_elevations_are_brought_to_the_ellipsoid(decode_all: Any) -> None:
    geoid: Any = pytest.importorskip("keepclear.space.geoid")
    batch, decoder = decode_all("gpx", gpx(point(1)))
    undulation_m = float(geoid.undulation_m(np.array([50.25]), np.array([30.5]))[0])
    assert batch.altitude_geo_m[0] == pytest.approx(120.5 + undulation_m)
    assert undulation_m == pytest.approx(24.0, abs=6.0)  # Kyiv: some 24 m above the ellipsoid
    assert decoder.faults.total == 0


def test_gpx_1_0_has_speed_and_course(decode_all: Any) -> None:
    head = '<gpx version="1.0" creator="t" xmlns="http://www.topografix.com/GPX/1/0">'
    batch, _ = decode_all("gpx", gpx(point(1, more="<speed>3.5</speed><course>271</course>"), head=head))
    assert (batch.ground_speed_mps[0], batch.track_deg[0]) == (3.5, 271.0)


def test_points_without_time_are_faults_and_other_elements_are_passed_over(decode_all: Any) -> None:
    body = (
        f'{HEAD}<wpt lat="1" lon="2"><time>2023-11-14T22:13:20Z</time></wpt><rte><rtept lat="1" lon="2"/></rte>'
        f'<trk><trkseg><trkpt lat="1" lon="2"/><trkpt lat="1" lon="2"><time>2023-11-14T22:13:20</time></trkpt>'
        f"{point(7, more='')}{point(8, lat=95.0)}<trkpt><time>2023-11-14T22:13:20Z</time></trkpt></trkseg></trk>"
        f"<trk><trkseg>{point(9, more='')}</trkseg></trk></gpx>"
    )
    batch, decoder = decode_all("gpx", body.encode())
    assert batch.target.strings() == ["gpx:1", "gpx:2"]
    assert decoder.skipped == {"waypoint": 1, "route point": 1}
    assert decoder.faults.counts == {
        "track point has no time": 1,
        "track point's time is not ISO 8601 with a zone": 1,
        "position is missing or not on Earth": 2,
    }
    assert decoder.faults.examples[0].where == "line 2"


def test_a_cut_file_keeps_what_was_whole(decode_all: Any) -> None:
    batch, decoder = decode_all("gpx", gpx(point(1, more=""), point(2, more=""))[:-60])
    assert len(batch) == 1
    assert decoder.faults.total == 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no xml",
        b"<kml/>",
        b'<?xml version="1.0"?><!DOCTYPE gpx [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]><gpx>&b;</gpx>',
        b'<!DOCTYPE gpx SYSTEM "file:///etc/passwd"><gpx/>',
        b'<?xml version="1.0" encoding="x-unknown"?><gpx/>',
    ],
)
def test_what_is_no_gpx_is_refused(decode_all: Any, data: bytes) -> None:
    with pytest.raises(InputError, match="not a GPX file"):
        decode_all("gpx", data)


def test_depth_and_text_are_bounded(decode_all: Any) -> None:
    batch, decoder = decode_all("gpx", HEAD.encode() + b"<a>" * 100_000)
    assert list(decoder.faults.counts) == ["elements nested deeper than 64; the rest is not read"]
    batch, decoder = decode_all("gpx", gpx(point(1, more=""), name=f"<name>{'x' * 5_000_000}</name>"))
    assert len(batch.target.at(0)) == 128


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 900), max_size=12), st.text(max_size=20))
def test_any_split_gives_the_same(decode_all: Any, rows_of: Rows, cuts: list[int], noise: str) -> None:
    data = gpx(point(1), point(2), noise, point(3), name="<name>A &amp; B</name>")
    whole, first = decode_all("gpx", data)
    pieces, second = decode_all("gpx", data, cuts)
    assert rows_of(whole) == rows_of(pieces)
    assert (first.faults.counts, first.skipped) == (second.faults.counts, second.skipped)


def test_nothing_is_read_after_the_end() -> None:
    decoder = GpxDecoder(DecoderOptions())
    assert len(decoder.decode(gpx(point(1)) + b"<gpx>", math.nan)) == 1
    assert decoder.faults.counts
    assert len(decoder.decode(gpx(point(1)), math.nan)) == 0


def test_recognised_by_its_head() -> None:
    assert looks_like_gpx(gpx())
    assert not looks_like_gpx(b"<kml/>")
