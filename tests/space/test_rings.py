"""A ring that crosses itself is found, fast, and no other ring is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LinearRing, Polygon

from keepclear.errors import InputError, LimitExceeded
from keepclear.space.rings import VERTICES_MAX, check_ring, self_crossing, signed_area_m2

coordinate = st.floats(-5.0, 5.0, allow_subnormal=False)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=14, unique=True))
def test_agrees_with_all_pairs(ring: list[tuple[float, float]]) -> None:
    """The slow twin: every pair of edges that share no vertex, by the signs of four triangles."""

    def side(p: tuple[float, float], q: tuple[float, float], r: tuple[float, float]) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    n = len(ring)
    twin = None
    for a in range(n):
        for b in range(a + 2, n if a else n - 1):
            p, q, r, s = ring[a], ring[(a + 1) % n], ring[b], ring[(b + 1) % n]
            # The sign of each product is decided in floating point; leave near-zero cases out of the comparison.
            values = [side(p, q, r), side(p, q, s), side(r, s, p), side(r, s, q)]
            if min(abs(v) for v in values) < 1e-9:
                return
            if twin is None and values[0] * values[1] < 0 and values[2] * values[3] < 0:
                twin = (a, b)
    found = self_crossing(ring)
    assert (None if found is None else (found.first_edge, found.second_edge)) == twin
    if twin is None and n > 3:
        assert LinearRing(ring).is_simple


def test_large_rings_are_swept_not_compared_pairwise() -> None:
    rng = np.random.default_rng(1)
    angle = np.linspace(0.0, 2.0 * np.pi, 10_000, endpoint=False)
    radius = rng.uniform(0.95, 1.0, len(angle))
    ring = [(float(x), float(y)) for x, y in zip(radius * np.cos(angle), radius * np.sin(angle), strict=True)]
    assert self_crossing(ring) is None
    ring[3000] = ring[7000]
    ring[7000] = (0.0, 0.0)
    found = self_crossing(ring)
    assert found is not None
    assert not Polygon(ring).is_valid


def test_over_the_antimeridian() -> None:
    assert self_crossing([(179.0, 0.0), (-179.0, 0.0), (-179.0, 1.0), (179.0, 1.0)]) is None
    crossing = self_crossing([(179.0, 0.0), (-179.0, 1.0), (-179.0, 0.0), (179.0, 1.0)])
    assert crossing is not None
    assert abs(abs(crossing.lon_deg) - 180.0) < 1e-9
    assert crossing.lat_deg == pytest.approx(0.5)


def test_refusals_say_where_and_how_to_mend() -> None:
    with pytest.raises(InputError, match=r"crosses itself near 0.50000, 0.50000: edge 1–2 and edge 3–4"):
        check_ring([(0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)], where="features[0]")
    with pytest.raises(InputError, match="three different"):
        check_ring([(0.0, 0.0), (1.0, 1.0), (0.0, 0.0)])
    with pytest.raises(LimitExceeded):
        check_ring([(0.0, 0.0)] * (VERTICES_MAX + 1))
    check_ring([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])


def test_area_and_turn() -> None:
    square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    assert signed_area_m2(square) == pytest.approx(12_308.8e6, rel=0.006)
    assert signed_area_m2(square[::-1]) == pytest.approx(-signed_area_m2(square))
    over = [((x + 179.5 + 180.0) % 360.0 - 180.0, y) for x, y in square]
    assert signed_area_m2(over) == pytest.approx(signed_area_m2(square), rel=1e-9)
