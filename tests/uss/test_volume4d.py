"""Shapes and limits as F3548-21 can hold them: never less than there was, and what is lost is said."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from keepclear.dss.volumes import Volume3D, Volume4D
from keepclear.errors import InputError
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.space.geoid import undulation_m
from keepclear.space.geometry import Circle, EdgeType, Polygon, Ring
from keepclear.tracks.altitude import AltitudeAssumptions
from keepclear.uss.volume4d import levels_of, limits_w84, outline, shape_of, times_of, volume4d

WGS84 = Geod(ellps="WGS84")
PLACE = Circle(7.0, 46.0, 1000.0)
lost: list[tuple[str, str]] = []


def lose(field: str, detail: str) -> None:
    lost.append((field, detail))


def limits(
    lower: Level, upper: Level, shape: Circle | Ring = PLACE, **assumed: object
) -> tuple[float | None, float | None]:
    return limits_w84(lower, upper, shape, AltitudeAssumptions(**assumed), lose)  # type: ignore[arg-type]


def metres(value: float, datum: Datum) -> Level:
    return Level(value, LengthUnit.METRE, datum)


def test_a_limit_above_the_ellipsoid_is_held_as_it_is() -> None:
    assert limits(metres(10.0, Datum.WGS84), metres(500.0, Datum.WGS84)) == (10.0, 500.0)
    assert limits(UNBOUNDED, UNBOUNDED) == (None, None)


def test_a_limit_above_the_sea_is_held_by_the_geoid_outermost_over_the_shape() -> None:
    low, high = limits(metres(100.0, Datum.AMSL), metres(100.0, Datum.AMSL), Circle(72.0, -6.0, 200_000.0))
    assert low is not None
    assert high is not None
    lon, lat = np.meshgrid(np.linspace(70.4, 73.6, 50), np.linspace(-7.6, -4.4, 50))
    everywhere = undulation_m(lat, lon)
    assert low <= 100.0 + everywhere.min()
    assert high >= 100.0 + everywhere.max()
    assert high - low < 60.0
    assert "outermost" in lost[-1][1]


def test_the_geoid_is_looked_up_inside_an_outline_and_not_only_at_its_corners() -> None:
    """South of India the geoid has a hollow of 106 m: a triangle around it has it nowhere near its corners."""
    ring = ((72.0, -1.0), (86.0, -1.0), (79.0, 11.0))
    low, _ = limits(metres(0.0, Datum.AMSL), UNBOUNDED, ring)
    corners = [float(undulation_m(lat, lon)) for lon, lat in ring]
    assert low is not None
    assert low < -105.0 < min(corners)


@pytest.mark.parametrize("shape", [Circle(0.0, 90.0, 50_000.0), ((-179.9, 10.0), (179.9, 10.0), (180.0, 10.2)),
                                   ((0.0, -89.5), (120.0, -89.5), (-120.0, -89.5))])  # fmt: skip
def test_the_geoid_is_found_at_poles_and_across_the_antimeridian(shape: Circle | Ring) -> None:
    low, high = limits(metres(0.0, Datum.AMSL), metres(0.0, Datum.AMSL), shape)
    assert low is not None
    assert high is not None
    at = (90.0, 0.0) if isinstance(shape, Circle) else (shape[0][1], shape[0][0])
    assert low <= float(undulation_m(*at)) <= high
    assert high - low < 10.0


def test_a_flight_level_is_held_by_what_pressure_and_temperature_allow_and_a_qnh_narrows_it() -> None:
    level = Level(100.0, LengthUnit.FLIGHT_LEVEL, Datum.STD)
    wide, narrow = limits(level, level), limits(level, level, qnh_hpa=1013.25)
    assert wide[0] is not None and wide[1] is not None and narrow[0] is not None and narrow[1] is not None  # noqa: PT018
    assert wide[0] < narrow[0] < 3048.0 + float(undulation_m(46.0, 7.0)) < narrow[1] < wide[1]
    # 8 % of 3,048 m each way for a column 20 K off the standard one.
    assert narrow[1] - narrow[0] == pytest.approx(2 * 3048.0 * 0.08, abs=2.0)


def test_a_height_above_ground_needs_the_ground_except_for_the_ground_itself() -> None:
    assert limits(metres(0.0, Datum.AGL), UNBOUNDED) == (None, None)
    for pair in ((metres(50.0, Datum.AGL), UNBOUNDED), (UNBOUNDED, metres(120.0, Datum.AGL))):
        with pytest.raises(InputError, match="--ground-elevation"):
            limits(*pair)
    low, high = limits(metres(50.0, Datum.AGL), metres(120.0, Datum.AGL), ground_elevation_m=(300.0, 900.0))
    geoid = float(undulation_m(46.0, 7.0))
    assert low == pytest.approx(350.0 + geoid, abs=1.0)
    assert high == pytest.approx(1020.0 + geoid, abs=1.0)


def test_limits_that_exclude_each_other_however_they_are_read_are_refused() -> None:
    with pytest.raises(InputError, match="above the upper limit"):
        limits(Level(400.0, LengthUnit.FLIGHT_LEVEL, Datum.STD), metres(1000.0, Datum.AMSL))


def test_altitudes_that_the_standard_cannot_write_become_no_limit_and_never_a_tighter_one() -> None:
    high = volume4d(PLACE, -9_000.0, 150_000.0, 0.0, 60.0)["volume"]
    assert "altitude_lower" not in high
    assert "altitude_upper" not in high
    above = volume4d(PLACE, 120_000.0, 150_000.0, 0.0, 60.0)["volume"]
    assert above["altitude_lower"]["value"] == 100_000.0
    rounded = volume4d(PLACE, 1.00049, 1.00051, 0.0, 60.0)["volume"]
    assert rounded["altitude_lower"]["value"] <= 1.00049
    assert rounded["altitude_upper"]["value"] >= 1.00051


def test_holes_are_filled_and_said() -> None:
    square = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    hole = ((0.4, 0.4), (0.6, 0.4), (0.5, 0.6))
    assert outline(Polygon(square, (hole,)), lose) == square
    assert lost[-1][0] == "volumes.shape.holes"


def _on_line(a: tuple[float, float], b: tuple[float, float], share: float, kind: EdgeType) -> tuple[float, float]:
    east = (b[0] - a[0] + 180.0) % 360.0 - 180.0
    lat = a[1] + share * (b[1] - a[1])
    if kind is EdgeType.RHUMB and abs(b[1] - a[1]) > 1e-9:
        stretched = [math.asinh(math.tan(math.radians(x))) for x in (a[1], lat, b[1])]
        share = (stretched[1] - stretched[0]) / (stretched[2] - stretched[0])
    return a[0] + east * share, lat


vertex = st.tuples(st.floats(-180.0, 179.999), st.floats(-89.0, 89.0))


@settings(max_examples=60)
@given(
    vertex, st.tuples(st.floats(-3.0, 3.0), st.floats(-3.0, 3.0)), st.sampled_from([EdgeType.RHUMB, EdgeType.STRAIGHT])
)
@example((179.5, 60.0), (1.0, 0.0), EdgeType.STRAIGHT)
@example((-180.0, -88.0), (-2.0, 0.5), EdgeType.RHUMB)
def test_shortest_edges_stay_within_a_metre_of_the_edges_they_stand_for(
    a: tuple[float, float], step: tuple[float, float], kind: EdgeType
) -> None:
    b = ((a[0] + step[0] + 180.0) % 360.0 - 180.0, max(-89.0, min(89.0, a[1] + step[1])))
    if a == b or abs(step[0]) < 1e-6:
        return
    c = (a[0], a[1] + (4.0 if a[1] < 0.0 else -4.0))
    ring = outline(Polygon((a, b, c), (), kind), lose)
    assert isinstance(ring, tuple)
    cut = [*ring[: ring.index(b)], b]
    for k in range(len(cut) - 1):
        lon, lat = _on_line(a, b, (k + 0.5) / (len(cut) - 1), kind)
        azimuth, _, length = WGS84.inv(*cut[k], *cut[k + 1])
        to, _, distance = WGS84.inv(*cut[k], lon, lat)
        assert abs(distance * math.sin(math.radians(to - azimuth))) <= 1.05, (k, length)


def test_edges_that_no_entity_has_vertices_enough_for_are_refused() -> None:
    ring = ((-179.0, 89.99), (-1.0, 89.99), (178.0, 89.99), (0.0, -89.99))
    with pytest.raises(InputError, match="shortest"):
        outline(Polygon(ring, (), EdgeType.STRAIGHT), lose)


circles = st.builds(Circle, st.floats(-180, 179.9), st.floats(-90, 90), st.floats(1.0, 1e5))
rings = st.sampled_from([((179.0, 1.0), (-179.0, 1.0), (180.0, 3.0)), ((0.0, 89.0), (120.0, 89.0), (-120.0, 89.0))])
levels = st.none() | st.integers(-8_000_000, 100_000_000).map(lambda mm: mm / 1e3)


@given(circles | rings, levels, levels, st.integers(0, 4_000_000_000), st.integers(0, 86_400))
def test_what_is_written_is_read_again(
    shape: Circle | Ring, low: float | None, high: float | None, from_s: int, lasts_s: int
) -> None:
    read = msgspec.convert(volume4d(shape, low, high, float(from_s), float(from_s + lasts_s)), Volume4D)
    there = shape_of(read.volume)
    if isinstance(shape, Circle):
        assert there == shape
    else:
        assert isinstance(there, Polygon)
        # Longitude 180 is -180.
        assert [((lon + 180.0) % 360.0, lat) for lon, lat in there.exterior] == [
            ((lon + 180.0) % 360.0, lat) for lon, lat in shape
        ]
    back = [None if level == UNBOUNDED else level.metres for level in levels_of(read.volume)]
    assert back == [pytest.approx(low, abs=2e-3), pytest.approx(high, abs=2e-3)]
    assert times_of(read) == (from_s, from_s + lasts_s)


def test_an_outline_is_one_circle_or_one_polygon_that_encloses_something() -> None:
    circle = {"center": {"lat": 1, "lng": 2}, "radius": {"value": 3, "units": "M"}}
    vertices = [{"lat": 0, "lng": k} for k in range(3)]
    for given_ in ({}, {"outline_circle": circle, "outline_polygon": {"vertices": vertices}}):
        with pytest.raises(InputError, match="exactly one"):
            shape_of(msgspec.convert(given_, Volume3D))
    with pytest.raises(InputError, match="one line"):
        shape_of(msgspec.convert({"outline_polygon": {"vertices": vertices}}, Volume3D))
    bow = [{"lat": lat, "lng": lng} for lat, lng in ((0, 0), (1, 1), (1, 0), (0, 1))]
    warnings: list[str] = []
    assert isinstance(shape_of(msgspec.convert({"outline_polygon": {"vertices": bow}}, Volume3D), warnings), Polygon)
    assert "crosses itself" in warnings[0]
