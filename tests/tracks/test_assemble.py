"""Recorded tracks hold every report once, in order, each gap and impossible jump marked, and no two bodies in one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.feeds.reports import Labels, ReportBatch, TargetDomain
from keepclear.tracks.assemble import (
    FORGET_GAPS,
    GAP_S,
    JUMP_SPEED_LIMITS,
    TIME_SLACK_S,
    UNKNOWN_ACCURACY_M,
    UNLABELLED,
    assemble,
    assemble_counted,
)
from keepclear.tracks.kernels.order import counting_order, counting_places, mend_times, scatter, sorted_starts
from keepclear.tracks.kernels.pieces import HYPOTHESES, separate
from keepclear.tracks.kernels.reach import SPHERE_M, metres_between
from keepclear.tracks.table import ReportFlag

JUMP, GAP, OLD = int(ReportFlag.IMPOSSIBLE_JUMP), int(ReportFlag.GAP_BEFORE), int(ReportFlag.STALE_POSITION)
LIMITS = np.array([JUMP_SPEED_LIMITS[d] for d in sorted(TargetDomain)])


def batch(
    time_s: Sequence[float],
    lat_deg: Sequence[float],
    target: Sequence[str | None] | None = None,
    *,
    lon_deg: Sequence[float] | None = None,
    source: Sequence[str | None] | str = "s",
    domain: TargetDomain = TargetDomain.AIR,
    received_s: Sequence[float] | None = None,
) -> ReportBatch:
    n = len(time_s)
    return ReportBatch.build(
        time_s=time_s,
        lat_deg=lat_deg,
        lon_deg=[30.0] * n if lon_deg is None else lon_deg,
        target=["a"] * n if target is None else target,
        source=source,
        domain=domain,
        received_s=received_s,
    )


def flown(n: int, step_s: float = 5.0, from_deg: float = 50.0) -> tuple[list[float], list[float]]:
    """A track due north at some 220 m/s."""
    return [i * step_s for i in range(n)], [from_deg + i * step_s * 0.002 for i in range(n)]


def test_sorted_input_is_taken_as_it_is() -> None:
    t, lat = flown(10)
    given_ = batch(t + t, lat + lat, ["a"] * 10 + ["b"] * 10)
    table = assemble(given_)
    assert table.reports is given_
    assert table.start.tolist() == [0, 10, 20]
    assert table.track_id == ("a", "b")
    assert not table.flags.any()


def test_disorder_is_mended_and_counted() -> None:
    t, lat = flown(6)
    rows = np.array([3, 0, 1, 5, 2, 4])
    table, found = assemble_counted(batch(t, lat).take(rows))
    assert table.reports.time_s.tolist() == t
    assert table.reports.lat_deg.tolist() == lat
    assert found.out_of_order == 4  # 0, 1, 2 after 3, and 4 after 5


def test_repeats_go_and_near_repeats_stay() -> None:
    one = ReportBatch.build(
        time_s=[0, 0, 0, 1], lat_deg=[50, 50, 50, 50], lon_deg=[30, 30, 30, 30], target=["a"] * 4,
        altitude_baro_m=[100, 200, 100, 100], received_s=[0, 0, 1, 1],
    )  # fmt: skip
    table, found = assemble_counted(one)
    assert found.repeated == 1
    assert table.reports.altitude_baro_m.tolist() == [100, 200, 100]


def test_undated_reports_are_left_out_and_counted() -> None:
    table, found = assemble_counted(batch([0.0, math.nan, 5.0], [50, 50, 50]))
    assert found.undated == 1
    assert table.reports.time_s.tolist() == [0.0, 5.0]


def test_gaps_and_stale_positions_are_marked() -> None:
    table = assemble(batch([0, 50, 111, 120], [50, 50.01, 50.02, 50.03], received_s=[0, 61, 111, 120]))
    assert table.flags.tolist() == [0, OLD, GAP, 0]
    assert table.observed_s.tolist() == [59.0]


def test_a_single_wild_position_flags_itself_only() -> None:
    t, lat = flown(7)
    lat[3] = 55.0
    table, found = assemble_counted(batch(t, lat))
    assert table.track_id == ("a",)
    assert table.flags.tolist() == [0, 0, 0, JUMP, 0, 0, 0]
    assert found.jumps == 1


def test_a_wild_first_position_is_the_one_flagged() -> None:
    t, lat = flown(6)
    lat[0] = 10.0
    assert assemble(batch(t, lat)).flags.tolist() == [JUMP, 0, 0, 0, 0, 0]


def test_a_wild_position_before_a_minute_of_silence_does_not_take_the_track_over() -> None:
    t = [0, 5, 10, 15, 70, 75, 80]
    lat = [50.0, 50.01, 50.02, 50.5, 50.14, 50.15, 50.16]
    table = assemble(batch(t, lat))
    assert table.track_id == ("a",)
    assert table.flags.tolist() == [0, 0, 0, JUMP, 0, 0, 0]


def test_a_sustained_offset_is_a_track_of_its_own() -> None:
    t, lat = flown(8)
    table, found = assemble_counted(batch(t, lat[:4] + [x + 5.0 for x in lat[4:]]))
    assert table.track_id == ("a", "a#2")
    assert table.start.tolist() == [0, 4, 8]
    assert table.flags.tolist() == [0, 0, 0, 0, JUMP, 0, 0, 0]
    assert found.separated == 1


def test_two_aircraft_under_one_address_are_two_tracks() -> None:
    t, lat = flown(20)
    far = [-30.0 + i * 0.01 for i in range(20)]
    both = [lat[i] if i % 2 else far[i] for i in range(20)]
    table = assemble(batch(t, both))
    assert table.track_id == ("a", "a#2")
    assert np.all(table.reports.lat_deg[:10] < 0)
    assert np.all(table.reports.lat_deg[10:] > 0)


def test_ships_and_vehicles_have_their_own_limits() -> None:
    t = [0, 60, 120, 180, 240]
    lat = [50.0, 50.001, 50.2, 50.003, 50.004]  # 22 km in a minute
    assert assemble(batch(t, lat, domain=TargetDomain.SEA)).flags.tolist() == [0, 0, JUMP, 0, 0]
    assert not assemble(batch(t, lat, domain=TargetDomain.AIR)).flags.any()


def test_the_antimeridian_and_the_poles_are_no_jumps() -> None:
    t = [0, 5, 10]
    assert not assemble(batch(t, [10, 10, 10], lon_deg=[179.99, -179.999, -179.98])).flags.any()
    assert not assemble(batch(t, [89.99, 89.999, 89.99], lon_deg=[0.0, 60.0, 179.0])).flags.any()


def test_a_report_dated_after_its_receipt_is_suspected() -> None:
    assert assemble(batch([0, 100], [50, 50.1], received_s=[0, 50])).flags.tolist() == [0, GAP | JUMP]


def test_reports_without_a_label_are_never_joined() -> None:
    table = assemble(batch([0, 1, 2], [50, -50, 50], [None, None, None]))
    assert table.track_id == (UNLABELLED,)
    assert table.flags.tolist() == [0, GAP, GAP]


def test_ids_are_unique_whatever_the_labels() -> None:
    names = ["a", "a", "a#2", "a"]
    table = assemble(batch([0, 0, 0, 0], [1, 2, 3, 4], names, source=["p", "q", "p", "r"]))
    assert len(set(table.track_id)) == 4


def test_a_name_twice_in_a_dictionary_is_one_target() -> None:
    plain = batch([0, 1], [50, 50])
    twice = ReportBatch.build(
        time_s=plain.time_s, lat_deg=plain.lat_deg, lon_deg=plain.lon_deg,
        target=Labels(np.array([0, 1], dtype=np.int32), ("a", "a")),
    )  # fmt: skip
    assert assemble(twice).track_id == ("a",)


def test_no_reports_are_no_tracks() -> None:
    assert len(assemble(ReportBatch.empty())) == 0


reports = st.lists(
    st.tuples(
        st.integers(0, 40),  # time
        st.sampled_from(["a", "b", "c", None]),
        st.sampled_from(["s", "r"]),
        st.integers(0, 3),  # place
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(reports, st.randoms(use_true_random=False))
def test_the_order_of_input_does_not_matter_and_nothing_is_lost(
    rows: list[tuple[int, str | None, str, int]], random: object
) -> None:
    # Distinct times, so that ties do not depend on the order of arrival.
    times = [t + i / 100.0 for i, (t, *_) in enumerate(rows)]
    given_ = batch(
        times, [50.0 + 3.0 * p for *_, p in rows], [label for _, label, *_ in rows], source=[s for *_, s, _ in rows]
    )
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = assemble(given_.take(np.array(order, dtype=np.int64)))
    assert sorted(shuffled.reports.time_s.tolist()) == sorted(times)
    for k in range(len(shuffled)):
        rows_ = slice(int(shuffled.start[k]), int(shuffled.start[k + 1]))
        r = shuffled.reports.take(rows_)
        assert len(set(zip(r.target.strings(), r.source.strings()))) == 1
        assert np.all(np.diff(r.time_s) >= 0)
    straight = assemble(given_)
    by_time = dict(zip(straight.reports.time_s.tolist(), straight.flags.tolist()))
    assert by_time == dict(zip(shuffled.reports.time_s.tolist(), shuffled.flags.tolist()))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(-1, 2), st.integers(-1, 3), st.integers(0, 9)), max_size=25))
def test_ordering_kernels_equal_their_twin(rows: list[tuple[int, int, int]]) -> None:
    source = np.array([r[0] for r in rows], dtype=np.int32)
    target = np.array([r[1] for r in rows], dtype=np.int32)
    time_s = np.array([float(r[2]) for r in rows])
    keys = 4 * 5
    key = (source.astype(np.int64) + 1) * 5 + target + 1
    order, first = counting_order(key, keys)
    late = mend_times(order, first, time_s)
    # The twin: Python's stable sort.
    assert order.tolist() == sorted(range(len(rows)), key=lambda i: (key[i], time_s[i]))
    assert late == sum(any(key[j] == key[i] and time_s[j] > time_s[i] for j in range(i)) for i in range(len(rows)))
    start = np.empty(keys + 1, dtype=np.int64)
    count = sorted_starts(source, target, 4, time_s, start)
    runs = [i for i in range(len(rows)) if i == 0 or key[i] != key[i - 1]]
    whole = len({int(key[i]) for i in runs}) == len(runs) and all(
        key[i] != key[i - 1] or time_s[i] >= time_s[i - 1] for i in range(1, len(rows))
    )
    assert (count >= 0) == whole
    if whole:
        assert start[: count + 1].tolist() == [*runs, len(rows)]


def haversine_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    p, q = math.radians(a[0]), math.radians(b[0])
    h = math.sin((q - p) / 2) ** 2 + math.cos(p) * math.cos(q) * math.sin(math.radians(b[1] - a[1]) / 2) ** 2
    return 2 * SPHERE_M * math.asin(min(1.0, math.sqrt(h)))


def separated(time_s: list[float], place: list[tuple[float, float]], limit: float) -> list[int]:
    """The twin of ``separate`` in plain words: follow up to HYPOTHESES bodies, join the most plausible."""
    bodies: list[dict[str, float]] = []
    piece: list[int] = []
    count = 0
    for i, here in enumerate(place):
        if math.isnan(here[0]):
            piece.append(-1)
            continue
        candidates = []
        for body in bodies:
            last = int(body["last"])
            dt = time_s[i] - time_s[last]
            part = haversine_m(place[last], here) / (limit * (dt + TIME_SLACK_S) + 2 * UNKNOWN_ACCURACY_M)
            if part <= 1.0:
                candidates.append((dt > FORGET_GAPS * GAP_S, part, body["slot"], body))
        if candidates:
            body = min(candidates, key=lambda c: c[:3])[3]
        else:
            body = {"number": count, "support": 0, "last": i, "slot": len(bodies)}
            count += 1
            if len(bodies) == HYPOTHESES:
                weakest = min(bodies, key=lambda b: (b["support"], b["last"], b["slot"]))
                body["slot"] = weakest["slot"]
                bodies[bodies.index(weakest)] = body
            else:
                bodies.append(body)
        body["support"] += 1
        body["last"] = i
        piece.append(int(body["number"]))
    return piece


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 400), st.sampled_from([-40.0, 0.0, 1.0, 50.0, 51.0, math.nan]), st.floats(-180, 179.9)),
        max_size=25,
    )
)
def test_separation_equals_its_twin(rows: list[tuple[float, float, float]]) -> None:
    time_s = np.cumsum([r[0] for r in rows]) if rows else np.zeros(0)
    lat, lon = np.array([r[1] for r in rows]), np.array([r[2] for r in rows])
    n = len(rows)
    piece = np.empty(n, dtype=np.int64)
    bodies = separate(
        time_s, lat, lon, np.full(n, np.nan, np.float32), np.ones(n, np.uint8), FORGET_GAPS * GAP_S, LIMITS,
        TIME_SLACK_S, UNKNOWN_ACCURACY_M, piece,
    )  # fmt: skip
    twin = separated(time_s.tolist(), list(zip(lat.tolist(), lon.tolist())), LIMITS[TargetDomain.AIR])
    assert piece.tolist() == twin
    assert bodies == len({p for p in twin if p >= 0})


@settings(max_examples=200, deadline=None)
@given(st.floats(-90, 90), st.floats(-180, 180), st.floats(-90, 90), st.floats(-180, 180))
def test_distance_is_within_a_percent_of_the_ellipsoid(lat1: float, lon1: float, lat2: float, lon2: float) -> None:
    from geographiclib.geodesic import Geodesic

    exact = Geodesic.WGS84.Inverse(lat1, lon1, lat2, lon2)["s12"]
    assert abs(metres_between(lat1, lon1, lat2, lon2) - exact) <= 0.006 * exact + 0.5


@settings(deadline=None)  # the first call loads the compiled code
@given(st.lists(st.tuples(st.integers(-1, 2), st.integers(-1, 3)), max_size=25), st.booleans(), st.data())
def test_places_equal_a_stable_sort_and_notice_what_is_not_in_order(
    rows: list[tuple[int, int]], in_order: bool, data: st.DataObject
) -> None:
    time_s = np.array(data.draw(st.lists(st.integers(0, 5), min_size=len(rows), max_size=len(rows))), dtype=np.float64)
    time_s = np.sort(time_s) if in_order else time_s
    source = np.array([row[0] for row in rows], dtype=np.int32)
    target = np.array([row[1] for row in rows], dtype=np.int32)
    place, first = np.empty(len(rows), dtype=np.int64), np.zeros(4 * 5 + 1, dtype=np.int64)
    late = counting_places(source, target, 4, time_s, place, first)
    expected = np.lexsort((np.arange(len(rows)), target, source))
    behind = sum(
        any(rows[j] == rows[i] and time_s[j] > time_s[i] for j in range(i)) for i in range(len(rows))
    )  # fmt: skip
    assert late == behind
    moved = np.empty(len(rows))
    scatter(time_s, place, moved)
    assert moved.tolist() == time_s[expected].tolist()
    assert place[expected].tolist() == list(range(len(rows)))
    assert np.diff(first)[np.diff(first) > 0].tolist() == [rows.count(r) for r in sorted(set(rows))]


def test_reports_received_in_order_of_time_become_the_same_tracks_as_sorted_ones() -> None:
    t, lat = flown(40)
    whole = batch(t * 3, lat * 3, ["a"] * 40 + ["b"] * 40 + ["c"] * 40)
    straight, received = assemble(whole), assemble(whole.take(np.argsort(whole.time_s, kind="stable")))
    assert received.track_id == straight.track_id
    assert received.start.tolist() == straight.start.tolist()
    assert received.reports.lat_deg.tolist() == straight.reports.lat_deg.tolist()
    assert received.reports.target.strings() == straight.reports.target.strings()
