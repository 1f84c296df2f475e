"""The live picture shows each track's newest report, ages it visibly, and stays within bounds."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.errors import UsageError
from keepclear.feeds.reports import ReportBatch, TargetDomain
from keepclear.tracks.live import FUTURE_MAX_S, LiveLimits, TrackState, step
from keepclear.tracks.picture import Picture, TrackFlag, TrackStatus

NOW = 1_700_000_000.0


def batch(time_s: Sequence[float], lat_deg: Sequence[float], target: Sequence[str | None], **more: Any) -> ReportBatch:
    columns: dict[str, Any] = {"lon_deg": [30.0] * len(time_s), "source": "s", "domain": TargetDomain.AIR}
    columns.update(more)
    return ReportBatch.build(time_s=[NOW + t for t in time_s], lat_deg=lat_deg, target=target, **columns)


def row(picture: Picture, target: str) -> int:
    return picture.reports.target.strings().index(target)


def test_the_newest_report_stands_and_late_ones_are_counted() -> None:
    state, picture = step(TrackState.empty(), batch([1, 3, 2], [50.0, 50.01, 50.005], ["a"] * 3), NOW + 3)
    assert len(picture) == 1
    assert picture.reports.lat_deg.tolist() == [50.01]
    assert picture.first_s.tolist() == [NOW + 1]
    assert (state.counts.accepted, state.counts.late) == (2, 1)
    state, picture = step(state, batch([2.5], [50.008], ["a"]), NOW + 4)
    assert picture.reports.time_s.tolist() == [NOW + 3]
    assert state.counts.late == 2


def test_r2_10_stale_tracks_expire_visibly() -> None:
    state, picture = step(TrackState.empty(), batch([0], [50.0], ["a"]), NOW)
    assert picture.status.tolist() == [TrackStatus.LIVE]
    seen = []
    for age in (10, 16, 59, 61, 62):
        state, picture = step(state, ReportBatch.empty(), NOW + age)
        seen.append(picture.status.tolist())
    live, stale, ended = [TrackStatus.LIVE], [TrackStatus.STALE], [TrackStatus.ENDED]
    assert seen == [live, stale, stale, ended, []]  # shown once as ended, then gone


def test_r2_10_each_domain_ages_by_its_own_clock() -> None:
    given_ = batch([0, 0], [50, 51], ["ship", "plane"], domain=[TargetDomain.SEA, TargetDomain.AIR])
    _, picture = step(TrackState.empty(), given_, NOW + 20)
    assert picture.status[row(picture, "ship")] == TrackStatus.LIVE
    assert picture.status[row(picture, "plane")] == TrackStatus.STALE


def test_a_track_that_ended_comes_back_under_a_new_number() -> None:
    state, first = step(TrackState.empty(), batch([0], [50.0], ["a"]), NOW)
    state, _ = step(state, ReportBatch.empty(), NOW + 100)
    state, second = step(state, batch([101], [50.0], ["a"]), NOW + 101)
    assert second.key[0] != first.key[0]
    assert second.flags[0] & TrackFlag.SINGLE_REPORT


def test_two_sources_of_one_target_are_two_tracks() -> None:
    _, picture = step(TrackState.empty(), batch([0, 0], [50.0, 50.02], ["a", "a"], source=["p", "q"]), NOW)
    assert len(picture) == 2
    assert picture.reports.target.strings() == ["a", "a"]
    assert sorted(picture.reports.source.strings()) == ["p", "q"]


def test_a_wild_position_never_moves_the_real_track() -> None:
    state, _ = step(TrackState.empty(), batch([0, 1], [50.0, 50.002], ["a", "a"]), NOW + 1)
    state, picture = step(state, batch([2], [55.0], ["a"]), NOW + 2)
    assert sorted(picture.reports.lat_deg.tolist()) == [50.002, 55.0]
    assert all(picture.flags & TrackFlag.SPOOFING_SUSPECTED)
    state, picture = step(state, batch([3], [50.006], ["a"]), NOW + 3)
    assert sorted(picture.reports.lat_deg.tolist()) == [50.006, 55.0]
    assert state.counts.jumps == 1
    for t in range(4, 70, 4):
        state, picture = step(state, batch([t], [50.006 + t * 0.001], ["a"]), NOW + t)
    assert len(picture) == 1  # the wild one has ended
    assert not picture.flags.any()


def test_two_aircraft_under_one_address_stay_apart() -> None:
    state = TrackState.empty()
    for t in range(10):
        state, picture = step(state, batch([t, t + 0.5], [50 + t * 0.002, -20.0], ["a", "a"]), NOW + t + 0.5)
    assert sorted(np.round(picture.reports.lat_deg, 3).tolist()) == [-20.0, 50.018]
    assert state.counts.jumps == 1


def test_motion_is_derived_where_the_feed_gives_none() -> None:
    state = TrackState.empty()
    for t in range(12):
        given_ = batch([t], [50.0], ["a"], lon_deg=[30.0 + 0.002 * t], altitude_baro_m=[1000.0 + 10.0 * t])
        state, picture = step(state, given_, NOW + t)
    r = picture.reports
    assert r.ground_speed_mps[0] == pytest.approx(0.002 * 111_195 * np.cos(np.radians(50)), rel=1e-3)
    assert r.track_deg[0] == pytest.approx(90.0, abs=0.1)
    assert r.vertical_rate_mps[0] == pytest.approx(10.0)


def test_motion_that_the_feed_gives_is_kept_and_a_single_report_has_none() -> None:
    first = batch([0, 0], [50, 51], ["a", "b"], ground_speed_mps=[123.0, np.nan], track_deg=[7.0, np.nan])
    _, picture = step(TrackState.empty(), first, NOW)
    assert picture.reports.ground_speed_mps[row(picture, "a")] == 123.0
    assert np.isnan(picture.reports.ground_speed_mps[row(picture, "b")])


def test_who_it_is_stays_known_when_a_report_does_not_say() -> None:
    first = batch([0], [50.0], ["a"], callsign=["KLM1"], squawk=[7000], category=[1])
    state, _ = step(TrackState.empty(), first, NOW)
    state, picture = step(state, batch([1], [50.002], ["a"]), NOW + 1)
    assert picture.reports.callsign.at(0) == "KLM1"
    assert picture.reports.squawk[0] == 7000
    assert picture.reports.category[0] == 1


def test_reports_that_cannot_be_used_are_counted_and_change_nothing() -> None:
    given_ = batch([0, 0, 0, FUTURE_MAX_S + 1], [50, np.nan, 91, 50], ["x", "b", "c", "d"])
    none = batch([0], [50], [None])
    state, picture = step(TrackState.empty(), given_, NOW)
    state, picture = step(state, none, NOW)
    assert len(picture) == 1
    assert (state.counts.unusable, state.counts.future) == (3, 1)


def test_a_full_state_drops_the_oldest_stale_track_and_says_so() -> None:
    limits = LiveLimits(tracks_max=4)
    state, _ = step(TrackState.empty(4), batch([0, 1, 20, 20], [1, 2, 3, 4], list("abcd")), NOW + 20, limits)
    state, picture = step(state, batch([21], [5], ["e"]), NOW + 21, limits)
    assert sorted(picture.reports.target.strings()) == ["b", "c", "d", "e"]
    assert state.counts.evicted == 1
    state, picture = step(state, batch([22] * 5, [2, 3, 4, 5, 6], list("bcdef")), NOW + 22, limits)
    assert sorted(picture.reports.target.strings()) == ["b", "c", "d", "e"]
    assert state.counts.refused == 1


def test_limits_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError, match="stale before"):
        LiveLimits(stale_s=(60, 60, 60, 60), end_s=(60, 60, 60, 60))


def test_the_picture_is_a_copy() -> None:
    state, before = step(TrackState.empty(), batch([0], [50.0], ["a"]), NOW)
    step(state, batch([1], [50.002], ["a"]), NOW + 1)
    assert before.reports.lat_deg.tolist() == [50.0]


def test_memory_stays_flat_while_targets_and_names_come_and_go() -> None:
    state = TrackState.empty()

    def cycle(c: int, state: TrackState) -> TrackState:
        names = [f"{c}-{i}" for i in range(400)]
        state, _ = step(state, batch([c * 30.0] * 400, [50.0] * 400, names, callsign=names), NOW + c * 30.0)
        return state

    for c in range(20):
        state = cycle(c, state)
    tracemalloc.start()
    for c in range(20, 40):
        state = cycle(c, state)
    low = tracemalloc.get_traced_memory()[0]
    for c in range(40, 100):
        state = cycle(c, state)
    high = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert state.capacity <= 16_384
    assert high - low < 3_000_000
    assert max(len(table) for table in state.names.values()) < 10_000


class Twin:
    """What the live picture does, one report at a time, in dictionaries."""

    def __init__(self) -> None:
        self.newest: dict[tuple[str, str], tuple[float, float]] = {}
        self.ended: set[tuple[str, str]] = set()

    def step(self, rows: list[tuple[float, str, str, float]], now_s: float) -> dict[tuple[str, str], tuple[float, int]]:
        for t, source, target, lat in rows:
            known = self.newest.get((source, target))
            if known is None or t > known[0]:
                self.newest[source, target] = (t, lat)
        shown = {}
        for key, (t, lat) in list(self.newest.items()):
            age = now_s - t
            status = TrackStatus.ENDED if age > 60 else TrackStatus.STALE if age > 15 else TrackStatus.LIVE
            shown[key] = (lat, int(status))
            if status is TrackStatus.ENDED:
                del self.newest[key]
        return shown


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 40),  # how long until the next cycle
            st.lists(
                st.tuples(st.floats(-10, 0), st.sampled_from("pq"), st.sampled_from("abcdef"), st.floats(50, 50.001)),
                max_size=6,
            ),
        ),
        max_size=8,
    )
)
def test_the_picture_equals_its_twin(cycles: list[tuple[float, list[tuple[float, str, str, float]]]]) -> None:
    state, twin, now_s = TrackState.empty(), Twin(), NOW
    for wait_s, reports in cycles:
        now_s += wait_s
        rows = [(now_s + age, source, target, lat) for age, source, target, lat in reports]
        given_ = ReportBatch.build(
            time_s=[r[0] for r in rows], lat_deg=[r[3] for r in rows], lon_deg=[30.0] * len(rows),
            target=[r[2] for r in rows], source=[r[1] for r in rows], domain=TargetDomain.AIR,
        )  # fmt: skip
        state, picture = step(state, given_, now_s)
        shown = {
            (s, t): (lat, int(status))
            for s, t, lat, status in zip(
                picture.reports.source.strings(), picture.reports.target.strings(),
                picture.reports.lat_deg.tolist(), picture.status.tolist(),
            )
        }  # fmt: skip
        assert shown == twin.step(rows, now_s)
        assert len(set(picture.key.tolist())) == len(picture)


def test_a_track_that_begins_with_several_reports_takes_over_nothing_of_its_slots_last_owner() -> None:
    """What is not known of a new track is not known, whoever held the slot before."""
    old = batch([0, 0], [50.0, 51.0], ["x", "y"], callsign=["OLD1", "OLD2"], squawk=[7700, 7500], category=3)
    state, _ = step(TrackState.empty(), old, NOW)
    for age in (100, 101):
        state, picture = step(state, ReportBatch.empty(), NOW + age)
    assert not len(picture)
    state.columns["callsign"][:] = 0  # as a slot may hold it
    new = batch([200, 201, 200.5, 201.5], [52.0, 52.0, 53.0, 53.0], ["a", "a", "b", "b"], domain=0)
    state, picture = step(state, new, NOW + 202)
    assert picture.reports.callsign.strings() == ["", ""]
    assert picture.reports.squawk.tolist() == [-1, -1]
    assert picture.reports.category.tolist() == [0, 0]
    state, picture = step(state, batch([203], [52.0], ["a"], callsign=["NEW1"]), NOW + 203)
    state, picture = step(state, batch([204, 205], [52.0, 52.0], ["a", "a"]), NOW + 205)
    assert picture.reports.callsign.strings() == ["NEW1", ""], "what became known stays known"
    state, _ = step(state, ReportBatch.empty(), NOW + 400)
    state, picture = step(state, batch([500, 501], [52.0, 52.0], ["a", "a"]), NOW + 501)
    assert set(picture.reports.callsign.strings()) == {""}, "a later flight of the same aircraft has another callsign"
