"""Zones of every kind the model can hold, for the round trips; and the shared real files."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level, check_band
from keepclear.space.geometry import Circle, EdgeType, Polygon, Shape
from keepclear.zones.model import (
    Authority,
    Category,
    Domain,
    Exemption,
    Period,
    Recognition,
    Restriction,
    ScheduleEntry,
    SolarEvent,
    Subject,
    TimeOfDay,
    Volume,
    Weekday,
    Zone,
    ZoneStatus,
    ZoneType,
)

SHARED_ZONES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "zones"

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
LONG_TEXT = st.one_of(TEXT, st.text(st.characters(codec="utf-8"), min_size=190, max_size=230))
FINITE = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**12), 10**12) | FINITE | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)


@st.composite
def polygons(draw: st.DrawFn) -> Polygon:
    """Star-shaped rings anywhere, over the antimeridian too, with and without a hole."""
    centre = draw(st.tuples(st.floats(-180, 179.99), st.floats(-60, 60)))
    angles = sorted(draw(st.sets(st.integers(0, 71), min_size=4, max_size=9)))
    gaps = [(b - a) % 72 for a, b in zip(angles, [*angles[1:], angles[0]], strict=True)]
    if max(gaps) >= 34:
        angles = [0, 18, 36, 54]
    size = draw(st.floats(0.1, 5.0))

    def ring(scale: float) -> tuple[tuple[float, float], ...]:
        return tuple(
            (
                (centre[0] + scale * size * math.cos(math.radians(5 * a)) + 180.0) % 360.0 - 180.0,
                centre[1] + scale * size * math.sin(math.radians(5 * a)),
            )
            for a in angles
        )

    holes = (ring(0.3),) if draw(st.booleans()) else ()
    return Polygon(ring(1.0), holes, draw(st.sampled_from(EdgeType)))


SHAPES: st.SearchStrategy[Shape] = st.one_of(
    polygons(),
    st.builds(Circle, st.floats(-180, 179.99), st.floats(-89, 89), st.floats(1.0, 500_000.0)),
)


@st.composite
def levels(draw: st.DrawFn) -> Level:
    datum = draw(st.sampled_from(Datum))
    if datum is Datum.UNBOUNDED:
        return UNBOUNDED
    value = draw(st.one_of(st.integers(-400, 60_000).map(float), st.floats(-400, 60_000), st.just(99_999.0)))
    unit = draw(st.sampled_from(LengthUnit if datum is Datum.STD else [LengthUnit.METRE, LengthUnit.FOOT]))
    return Level(value, unit, datum)


@st.composite
def volumes(draw: st.DrawFn) -> Volume:
    lower, upper = draw(levels()), draw(levels())
    try:
        check_band(lower, upper)
    except InputError:
        lower, upper = upper, lower
    return Volume(draw(SHAPES), lower, upper)


TIMES = st.builds(
    TimeOfDay,
    st.one_of(st.integers(0, 86_399).map(float), st.floats(0, 86_399.999)),
    st.one_of(st.none(), st.none(), st.sampled_from(SolarEvent)),
)
SCHEDULES = st.lists(
    st.builds(ScheduleEntry, st.sets(st.sampled_from(Weekday), min_size=1).map(frozenset), TIMES, TIMES), max_size=2
).map(tuple)
INSTANTS = st.one_of(st.integers(0, 4_000_000_000).map(float), st.floats(0, 4e9))


@st.composite
def periods(draw: st.DrawFn) -> Period:
    begin, end = sorted((draw(INSTANTS), draw(INSTANTS)))
    return Period(
        draw(st.sampled_from([begin, -math.inf])),
        draw(st.sampled_from([end, math.inf])),
        draw(SCHEDULES),
        draw(st.booleans()),
    )


NAMED = st.one_of(st.just(""), LONG_TEXT)
ZONES = st.builds(
    Zone,
    id=st.one_of(st.text("ABC123", min_size=1, max_size=7), st.text(st.characters(codec="utf-8"), min_size=1)),
    volumes=st.lists(volumes(), min_size=1, max_size=3).map(tuple),
    version=st.sampled_from(["1", "2026-01"]),
    name=NAMED,
    country=st.sampled_from(["", "UKR", "CHE", "UA"]),
    authorities=st.lists(
        st.builds(
            Authority, NAMED, NAMED, NAMED, TEXT, TEXT, TEXT,
            st.sampled_from(["", "AUTHORIZATION", "INFORMATION", "other"]), TEXT,
            st.dictionaries(TEXT, JSON, max_size=1),
        ),
        max_size=2,
    ).map(tuple),
    decision_ref=NAMED,
    recognition=st.lists(st.tuples(TEXT, st.sampled_from(Recognition)), max_size=2).map(tuple),
    type=st.sampled_from(ZoneType),
    restriction=st.sampled_from(Restriction),
    restriction_conditions=NAMED,
    reasons=st.lists(
        st.sampled_from(["AIR_TRAFFIC", "FOREIGN_TERRITORY", "DAR", "OTHER", "odd"]), max_size=3
    ).map(tuple),
    other_reason=NAMED,
    subject=st.builds(
        Subject,
        st.sets(TEXT, max_size=2).map(frozenset),
        st.sets(st.sampled_from(Domain)).map(frozenset),
        st.sets(st.sampled_from(Category)).map(frozenset),
    ),
    exemptions=st.lists(st.builds(Exemption, TEXT, TEXT, TEXT, TEXT, TEXT), max_size=1).map(tuple),
    buffer_lateral_m=st.sampled_from([0.0, 1852.0, 0.1]),
    buffer_vertical_m=st.sampled_from([0.0, 152.4]),
    accuracy_m=st.sampled_from([0.0, 30.0]),
    applicability=st.lists(periods(), min_size=1, max_size=2).map(tuple),
    status=st.sampled_from(ZoneStatus),
    supersedes=TEXT,
    text=NAMED,
    extensions=st.dictionaries(
        st.sampled_from(["geojson", "ed269", "ed318", "kml", "openair"]),
        st.dictionaries(st.sampled_from(["properties", "collection", "name", "region", "x"]), JSON, max_size=2),
        max_size=2,
    ),
)  # fmt: skip


@pytest.fixture
def any_zones() -> st.SearchStrategy[list[Zone]]:
    """Lists of zones of every kind."""
    return st.lists(ZONES, max_size=3)


@pytest.fixture
def shared_zones() -> Path:
    if not SHARED_ZONES.is_dir():
        pytest.skip(f"no shared data at {SHARED_ZONES}")
    return SHARED_ZONES
