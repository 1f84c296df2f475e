"""Declared volumes conflict exactly where a planar library in a local projection says so, at any place on Earth."""

from __future__ import annotations

import math
from unittest import mock

import numpy as np
import pytest
import shapely
from geographiclib.geodesic import Geodesic
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from keepclear.detection import conflict
from keepclear.detection.conflict import DeclaredVolume, ResidentVolumes, VolumeArrays, conflicts, prepare
from keepclear.errors import InputError
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level
from keepclear.space.geometry import Circle, EdgeType, LonLat, Polygon, Shape

WGS84 = Geodesic.WGS84
DOUBT_M = 2.0
"""nearer to touching than this, the projection decides and not the shapes"""


def level(metres: float, datum: Datum = Datum.AMSL) -> Level:
    return Level(metres, LengthUnit.METRE, datum)


def volume(
    name: str, shape: Shape, low: float = 0.0, high: float = 100.0, begin: float = 0.0, end: float = 100.0,
    datum: Datum = Datum.AMSL,
) -> DeclaredVolume:  # fmt: skip
    return DeclaredVolume(name, shape, level(low, datum), level(high, datum), begin, end)


def square(lon: float, lat: float, half: float, holes: float = 0.0, edge_type: EdgeType = EdgeType.GEODESIC) -> Polygon:
    def ring(h: float) -> tuple[LonLat, ...]:
        return ((lon - h, lat - h), (lon + h, lat - h), (lon + h, lat + h), (lon - h, lat + h))

    return Polygon(ring(half), (ring(holes),) if holes else (), edge_type)


def pairs(volumes: list[DeclaredVolume]) -> list[tuple[int, int]]:
    found = conflicts(volumes)
    return list(zip(found.i.tolist(), found.j.tolist()))


def star(rng: np.random.Generator, lat: float, lon: float, size: float, hole: bool) -> Polygon:
    """A star-shaped polygon around the place."""
    n = int(rng.integers(3, 9))
    angles = (
        np.sort(rng.uniform(0, 360, n)) if rng.random() < 0.3 else (np.arange(n) + rng.uniform(0, 0.8, n)) * 360 / n
    )

    def ring(scale: float) -> tuple[LonLat, ...]:
        ends = [WGS84.Direct(lat, lon, a, size * scale * f) for a, f in zip(angles, reach)]
        return tuple((e["lon2"], e["lat2"]) for e in ends)

    reach = rng.uniform(0.4, 1.0, n)
    return Polygon(ring(1.0), (ring(0.3),) if hole else ())


def projected(shape: Polygon, lat: float, lon: float) -> shapely.Polygon:
    to_plane = Transformer.from_crs("EPSG:4326", f"+proj=aeqd +lat_0={lat} +lon_0={lon} +datum=WGS84", always_xy=True)

    def ring(vertices: tuple[LonLat, ...]) -> list[LonLat]:
        points: list[LonLat] = []
        for a, b in zip(vertices, (*vertices[1:], vertices[0])):
            line = WGS84.InverseLine(a[1], a[0], b[1], b[0])
            for k in range(4):
                p = line.Position(line.s13 * k / 4)
                points.append(to_plane.transform(p["lon2"], p["lat2"]))
        return points

    return shapely.Polygon(ring(shape.exterior), [ring(h) for h in shape.holes])


def twin(a: Shape, b: Shape) -> bool | None:
    """Do they meet, by shapely near the place; None: too close to call."""
    if isinstance(a, Circle) and isinstance(b, Circle):
        gap = WGS84.Inverse(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg)["s12"] - a.radius_m - b.radius_m
        return None if abs(gap) < 0.05 else bool(gap < 0)
    if isinstance(b, Circle):
        a, b = b, a
    assert isinstance(b, Polygon)
    if isinstance(a, Circle):
        plane = projected(b, a.lat_deg, a.lon_deg)
        gap = plane.distance(shapely.Point(0, 0)) - a.radius_m
        return None if abs(gap) < DOUBT_M else bool(gap < 0)
    lon, lat = a.exterior[0]
    one, two = projected(a, lat, lon), projected(b, lat, lon)
    if one.buffer(DOUBT_M).intersects(two) != one.buffer(-DOUBT_M).intersects(two):
        return None
    return bool(one.intersects(two))


PLACES = [(50.0, 10.0), (0.0, 179.99), (-17.0, -179.99), (89.98, 30.0), (-89.99, 0.0), (72.0, -40.0)]


def scene(seed: int, n: int, place: tuple[float, float]) -> list[Shape]:
    rng = np.random.default_rng(seed)
    shapes: list[Shape] = []
    for _ in range(n):
        at = WGS84.Direct(*place, rng.uniform(0, 360), 12_000 * math.sqrt(rng.random()))
        size = float(rng.choice([400.0, 2_000.0, 9_000.0]) * rng.uniform(0.5, 1.5))
        if rng.random() < 0.4:
            shapes.append(Circle(at["lon2"], at["lat2"], size))
        else:
            shapes.append(star(rng, at["lat2"], at["lon2"], size, bool(rng.random() < 0.3)))
    return shapes


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), place=st.sampled_from(PLACES))
def test_outlines_meet_where_the_twin_says_so(seed: int, place: tuple[float, float]) -> None:
    shapes = scene(seed, 7, place)
    found = set(pairs([volume(str(k), shape) for k, shape in enumerate(shapes)]))
    for i in range(len(shapes)):
        for j in range(i + 1, len(shapes)):
            expected = twin(shapes[i], shapes[j])
            if expected is not None:
                assert ((i, j) in found) == expected


def mixed(seed: int, n: int) -> list[DeclaredVolume]:
    rng = np.random.default_rng(seed)
    volumes = []
    for k, shape in enumerate(scene(seed, n, PLACES[seed % len(PLACES)])):
        begin = rng.uniform(0, 86_400)
        end = begin + float(rng.choice([60.0, 1_800.0, 40_000.0, math.inf], p=[0.3, 0.4, 0.2, 0.1]))
        low = rng.uniform(0, 3000)
        datum = Datum.AMSL if rng.random() < 0.8 else Datum.STD
        upper = UNBOUNDED if rng.random() < 0.1 else level(low + rng.uniform(0, 800), datum)
        volumes.append(DeclaredVolume(f"v{k}", shape, level(low, datum), upper, begin, end))
    return volumes


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_bulk_and_one_by_one_and_every_pair_alone_agree(seed: int) -> None:
    volumes = mixed(seed, 40)
    found = conflicts(volumes)
    bulk = set(zip(found.i.tolist(), found.j.tolist(), found.indeterminate.tolist()))
    alone = set()
    for i in range(len(volumes)):
        for j in range(i + 1, len(volumes)):
            alone |= {(i, j, bool(d)) for d in conflicts([volumes[i], volumes[j]]).indeterminate.tolist()}
    assert bulk == alone
    resident = ResidentVolumes()
    one_by_one = set()
    for j, new in enumerate(volumes):
        one_by_one |= {(int(m.id[1:]), j, m.indeterminate) for m in resident.insert_and_check(new)}
    assert one_by_one == bulk
    turned = conflicts(volumes[::-1])
    n = len(volumes) - 1
    assert {(n - j, n - i, bool(d)) for i, j, d in zip(*(c.tolist() for c in turned))} == bulk


def test_removed_volumes_are_met_no_more_and_may_come_again() -> None:
    volumes = mixed(4, 60)
    resident = ResidentVolumes(volumes)
    probe = DeclaredVolume("probe", Circle(0.0, -89.99, 30_000.0), UNBOUNDED, UNBOUNDED)
    before = {m.id for m in resident.insert_and_check(probe)}
    assert len(before) == 60
    gone = sorted(before)[:20]
    for name in [*gone, "probe"]:
        resident.remove(name)
    assert {m.id for m in resident.insert_and_check(probe)} == before - set(gone)
    resident.remove("probe")
    for v in volumes:
        if v.id in gone:
            resident.insert_and_check(v)
    assert {m.id for m in resident.insert_and_check(probe)} == before
    assert len(resident) == 61
    assert "probe" in resident


def test_growth_and_compaction_lose_nothing() -> None:
    resident = ResidentVolumes()
    for k in range(6_000):
        lon = -180.0 + (k * 0.05) % 360.0
        resident.insert_and_check(volume(f"v{k}", square(lon, (k % 150) - 75.0, 0.01)))
    for k in range(0, 6_000, 2):
        resident.remove(f"v{k}")
    for k in range(1, 6_000, 400):
        lon = -180.0 + (k * 0.05) % 360.0
        met = resident.insert_and_check(volume(f"again{k}", Circle(lon, (k % 150) - 75.0, 500.0)))
        assert [m.id for m in met] == [f"v{k}"]


def test_what_holds_another_whole_and_what_lies_in_a_hole() -> None:
    outer, inner = square(10, 50, 0.2, holes=0.1), square(10, 50, 0.05)
    assert pairs([volume("a", outer), volume("b", inner)]) == []
    assert pairs([volume("a", square(10, 50, 0.2)), volume("b", inner)]) == [(0, 1)]
    assert pairs([volume("a", outer), volume("b", square(10, 50, 0.15))]) == [(0, 1)]
    assert pairs([volume("a", outer), volume("b", Circle(10, 50, 3_000.0))]) == []
    assert pairs([volume("a", outer), volume("b", Circle(10, 50, 100_000.0))]) == [(0, 1)]


def test_the_same_outline_twice_is_a_conflict() -> None:
    for shape in (square(10, 50, 0.1), square(-180, 0, 0.1), Circle(0, 90, 100.0)):
        assert pairs([volume("a", shape), volume("b", shape)]) == [(0, 1)]


def test_touching_bands_and_intervals_are_no_conflict_but_a_single_level_is() -> None:
    here = square(10, 50, 0.1)
    assert pairs([volume("a", here, 0, 100), volume("b", here, 100, 200)]) == []
    assert pairs([volume("a", here, begin=0, end=100), volume("b", here, begin=100, end=200)]) == []
    assert pairs([volume("a", here, 100, 100), volume("b", here, 100, 100)]) == [(0, 1)]
    assert pairs([volume("a", here, begin=50, end=50), volume("b", here)]) == [(0, 1)]


def test_r2_7_bands_of_unlike_datum_are_indeterminate_never_compared() -> None:
    here = square(10, 50, 0.1)
    found = conflicts([volume("a", here, 0, 100), volume("b", here, 5_000, 6_000, datum=Datum.STD)])
    assert (found.i.tolist(), found.indeterminate.tolist()) == ([0], [True])
    # what one common datum settles needs no other
    layered = DeclaredVolume("c", here, level(0, Datum.AGL), level(1000))
    above = DeclaredVolume("d", here, level(2000), level(1_900, Datum.STD))
    assert pairs([layered, above]) == []
    # no limit on either side meets everything, for certain
    found = conflicts([volume("a", here), DeclaredVolume("e", here, UNBOUNDED, UNBOUNDED)])
    assert found.indeterminate.tolist() == [False]


def test_the_kind_of_an_edge_decides() -> None:
    # The geodesic between two places at 60° N, 20° apart, runs some 50 km north of the parallel.
    corners = ((0.0, 58.0), (20.0, 58.0), (20.0, 60.0), (0.0, 60.0))
    above = Circle(10.0, 60.3, 5_000.0)
    for edge_type, expected in ((EdgeType.GEODESIC, [(0, 1)]), (EdgeType.RHUMB, []), (EdgeType.STRAIGHT, [])):
        assert pairs([volume("a", Polygon(corners, edge_type=edge_type)), volume("b", above)]) == expected
    # 1 km either side of a parallel
    for lat, expected in ((60.0 + 0.009 * 1.0, []), (60.0 - 0.009 * 1.0, [(0, 1)])):
        shape = Polygon(corners, edge_type=EdgeType.STRAIGHT)
        assert pairs([volume("a", shape), volume("b", Circle(10.0, lat, 990.0 if not expected else 10.0))]) == expected


def test_a_polygon_round_a_pole_holds_it() -> None:
    cap = Polygon(tuple((lon, 80.0) for lon in range(-180, 180, 30)), edge_type=EdgeType.STRAIGHT)
    assert pairs([volume("a", cap), volume("b", Circle(77.0, 89.999, 10.0))]) == [(0, 1)]
    assert pairs([volume("a", cap), volume("b", Circle(77.0, 79.9, 10.0))]) == []


def test_columns_give_what_records_give() -> None:
    shapes: list[Shape] = [Circle(10.0, 50.0, 2_000.0), square(10.02, 50.0, 0.01), square(10.0, 50.02, 0.001)]
    records = prepare([volume(str(k), s) for k, s in enumerate(shapes)])
    rings = [() if isinstance(s, Circle) else s.exterior for s in shapes]
    lon, lat = (np.array([v[c] for r in rings for v in r]) for c in (0, 1))
    columns = VolumeArrays.of_columns(
        circle=np.array([[10.0, 50.0, 2_000.0], [np.nan] * 3, [np.nan] * 3]),
        vertex_start=np.cumsum([0] + [len(r) for r in rings]), vertex_lon_deg=lon, vertex_lat_deg=lat,
        lower_m=np.zeros(3), upper_m=np.full(3, 100.0), datum=Datum.AMSL, from_s=np.zeros(3), to_s=np.full(3, 100.0),
    )  # fmt: skip
    np.testing.assert_array_equal(columns.body, records.body)
    np.testing.assert_array_equal(columns.edges, records.edges)
    np.testing.assert_array_equal(columns.meta, records.meta)


def test_what_is_refused_leaves_nothing_behind() -> None:
    here = square(10, 50, 0.1)
    with pytest.raises(InputError, match="end after it begins"):
        volume("a", here, begin=1.0, end=0.0)
    with pytest.raises(InputError, match="above the upper limit"):
        volume("a", here, 10, 0)
    resident = ResidentVolumes([volume("a", here)])
    with pytest.raises(InputError, match="already resident"):
        resident.insert_and_check(volume("a", here))
    with pytest.raises(InputError, match="4,400 km"):
        resident.insert_and_check(volume("b", Circle(0, 0, 9_000_000.0)))
    with pytest.raises(InputError, match="not resident"):
        resident.remove("b")
    assert len(resident) == 1
    assert [m.id for m in resident.insert_and_check(volume("b", here))] == ["a"]


def test_nothing_declared_is_no_conflict() -> None:
    assert pairs([]) == []
    assert pairs([volume("a", Circle(0, 0, 10.0))]) == []


def test_looking_at_every_pair_the_sweep_and_inserting_one_by_one_agree() -> None:
    rng = np.random.default_rng(8)
    many = []
    for k in range(160):
        lon, lat = rng.normal(180.0, 0.08), rng.normal(0.0, 0.08)
        lon = (lon + 180.0) % 360.0 - 180.0
        kind = k % 3
        shape: Shape = Circle(lon, lat, rng.uniform(500, 5000))
        if kind:
            shape = square(lon, lat, 0.03, holes=0.02 if kind == 2 else 0.0)
        begin = rng.uniform(0, 100)
        datum = Datum.AMSL if k % 5 else Datum.STD
        many.append(volume(str(k), shape, rng.uniform(0, 100), 100 + rng.uniform(0, 100), begin, begin + 40, datum))
    few = conflicts(many)
    with mock.patch.object(conflict, "SMALL", 0):
        swept = conflicts(many)
    for a, b in zip(few, swept):
        np.testing.assert_array_equal(a, b)
    assert len(few.i) > 100
    assert few.indeterminate.any()
    resident = ResidentVolumes()
    inserted = [(int(m.id), k, m.indeterminate) for k, v in enumerate(many) for m in resident.insert_and_check(v)]
    assert sorted(inserted) == list(zip(few.i.tolist(), few.j.tolist(), few.indeterminate.tolist()))
