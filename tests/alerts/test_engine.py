"""What is news is told once, a dip is one violation, and what is not known is not called clear."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.alerts.engine import step
from keepclear.alerts.model import (
    Alert,
    AlertEvent,
    AlertStatus,
    EndReason,
    EventKind,
    Fix,
    Infringement,
    Severity,
    Sighting,
)
from keepclear.alerts.settings import AlertSettings
from keepclear.alerts.state import AlertState, acknowledge, open_alerts
from keepclear.detection.situation import SituationBatch, SituationKind, Verdict
from keepclear.errors import UsageError
from keepclear.feeds.reports import ReportBatch
from keepclear.quantities import UNBOUNDED
from keepclear.space.geometry import Circle
from keepclear.tracks.picture import Picture, TrackStatus
from keepclear.zones.model import Volume, Zone
from keepclear.zones.zone_set import ZoneSet

P, DOUBT, A, C = Verdict.PREDICTED, Verdict.INDETERMINATE, Verdict.ACTUAL, Verdict.CLEAR


def test_a_prediction_is_news_when_confirmed_in_two_of_three_cycles(world: Any) -> None:
    assert world.cycle((0, 0, P)) == []
    assert world.cycle() == []
    assert world.cycle((0, 0, P)) == ["RAISED 0"]
    assert world.log[0].alert.status is AlertStatus.PREDICTED
    assert world.cycle((0, 0, P)) == []


def test_a_flicker_is_no_news(world: Any) -> None:
    for _ in range(5):
        assert world.cycle((0, 0, P)) == []
        assert world.cycle() == []
        assert world.cycle() == []
    assert len(world.state.memory) <= 1


def test_an_actual_infringement_is_told_at_once_and_a_prediction_come_true_is_told(world: Any) -> None:
    assert world.cycle((1, 0, A)) == ["RAISED 1"]
    world.cycle((1, 0, A), (0, 0, P))
    assert world.cycle((1, 0, A), (0, 0, P)) == ["RAISED 0"]
    assert world.cycle((1, 0, A), (0, 0, A)) == ["CHANGED 0"]
    alert = world.log[-1].alert
    assert alert.status is AlertStatus.ACTUAL
    assert alert.raised_s < alert.entered_s == world.now_s


def test_nothing_new_makes_no_object(world: Any) -> None:
    world.cycle((0, 0, A), (1, 1, A))
    before = list(world.state.alerts)
    for _ in range(5):
        assert world.cycle((0, 0, A), (1, 1, A)) == []
    assert all(a is b for a, b in zip(world.state.alerts, before, strict=True))


def test_r2_9_a_dip_is_one_violation(world: Any) -> None:
    world.cycle((0, 0, A))
    told = []
    for _ in range(3):  # in and out and in again at the border
        told += world.cycle((0, 0, P))
        told += world.cycle((0, 0, A))
    assert told == []
    for _ in range(3):
        told += world.cycle((0, 0, P))
    assert told == ["EXITED 0"]
    assert world.cycle((0, 0, A)) == ["REJOINED 0"]  # within the rejoin time
    assert world.state.counts.violations == 1
    assert {event.alert.id for event in world.log} == {"run-000001"}
    assert world.log[-1].alert.violations == 1


def test_r2_9_exit_needs_three_clear_cycles_or_the_margin(world: Any) -> None:
    world.cycle((0, 0, A))
    assert world.cycle() == []
    assert world.cycle() == []
    assert world.cycle() == ["ENDED 0"]
    assert world.log[-1].alert.end_reason is EndReason.CLEAR
    world.cycle((1, 0, A))
    assert world.cycle((1, 0, C), depth_m=-5000.0) == ["ENDED 1"]


def test_r2_9_many_cycles_on_one_report_neither_confirm_nor_end_anything(world: Any) -> None:
    fast = {"advance_s": 0.06}
    told = [world.cycle((0, 0, Verdict.PREDICTED), **fast) for _ in range(12)]
    assert [k for k, events in enumerate(told) if events] == [9], "half a second after the first"
    assert [world.cycle(**fast) for _ in range(30)] == [[]] * 30, "1.8 s without it is a gap"
    assert world.cycle((0, 0, Verdict.PREDICTED), **fast) == []
    told = [world.cycle(**fast) for _ in range(40)]
    assert [events for events in told if events] == [["ENDED 0"]]
    assert told.index(["ENDED 0"]) == 33, "two seconds after the last"


def test_r2_9_a_return_in_time_joins_and_a_later_one_does_not(world: Any) -> None:
    world.cycle((0, 0, A))
    for _ in range(3):
        world.cycle()
    assert world.cycle((0, 0, A), advance_s=50) == ["REJOINED 0"]
    assert world.log[-1].alert.status is AlertStatus.ACTUAL
    assert np.isnan(world.log[-1].alert.ended_s)
    for _ in range(3):
        world.cycle()
    world.cycle(advance_s=61)
    assert world.cycle((0, 0, A)) == ["RAISED 0"]
    assert {event.alert.id for event in world.log} == {"run-000001", "run-000002"}
    assert world.state.counts.violations == 1, "a new alert, and still the same violation"
    for _ in range(3):
        world.cycle()
    world.cycle(advance_s=301)
    assert world.cycle((0, 0, A)) == ["RAISED 0"]
    assert world.state.counts.violations == 2


def test_one_alert_with_two_violations_counts_both(world: Any) -> None:
    world.cycle((0, 0, A))
    for _ in range(310):  # outside but predicted, for longer than a violation may pause
        world.cycle((0, 0, P))
    assert world.cycle((0, 0, A)) == ["CHANGED 0"]
    assert world.log[-1].alert.violations == 2
    assert world.state.counts.violations == 2


def test_r2_1_doubt_is_raised_as_doubt(world: Any) -> None:
    world.cycle((0, 0, DOUBT))
    assert world.cycle((0, 0, DOUBT)) == ["RAISED 0"]
    alert = world.log[-1].alert
    assert (alert.verdict, alert.status) == (Verdict.INDETERMINATE, AlertStatus.PREDICTED)
    assert world.state.counts.violations == 0
    assert world.cycle((0, 0, A)) == ["CHANGED 0"]


def test_r2_1_another_source_of_the_same_target_keeps_its_own_version(world: Any) -> None:
    """As with the Su-24: one side's radar says inside, the other's says outside."""
    world.cycle((0, 0, A))
    alert = world.log[-1].alert
    assert alert.track.source == "radar"
    assert [(v.source, v.verdict) for v in alert.versions] == [("adsb", Verdict.CLEAR)]
    assert alert.disputed
    assert world.cycle((0, 0, A), (2, 0, A)) == ["RAISED 2"]  # its own alert, not merged
    other = world.log[-1].alert
    assert [(v.source, v.verdict) for v in other.versions] == [("radar", Verdict.ACTUAL)]
    assert not other.disputed
    assert (world.state.counts.targets, world.state.counts.tracks, world.state.counts.violations) == (1, 2, 2)


def test_r2_1_a_second_track_of_the_same_source_is_no_version(world: Any) -> None:
    """A spoofed twin under the same label is not another party's view."""
    world.sources = ("radar", "radar", "radar")
    world.cycle((0, 0, A))
    assert world.log[-1].alert.versions == ()
    assert not world.log[-1].alert.disputed


def test_r2_1_a_stale_source_gives_no_version(world: Any) -> None:
    world.cycle((0, 0, A), status={2: TrackStatus.STALE})
    assert world.log[-1].alert.versions == ()


def test_r2_3_no_field_could_say_hostile() -> None:
    for record in (Alert, AlertEvent, Sighting, Fix):
        names = {f.name for f in fields(record)}
        assert not names & {"identity", "hostile", "intent", "threat", "allegiance", "affiliation"}
    words = {member.value for enum in (AlertStatus, EventKind, EndReason, Severity) for member in enum}
    assert not any("HOSTILE" in word or "SUSPECT" in word for word in words)


def test_r2_3_silence_about_identity_changes_nothing() -> None:
    """No squawk, no callsign, no label: the same events as with all of them."""
    told = []
    for known in (True, False):
        state = AlertState.empty("run")
        reports = ReportBatch.build(
            time_s=[0.0], lat_deg=[50.0], lon_deg=[30.0], target=["508035" if known else None],
            callsign=["KLM1" if known else None], squawk=[7000 if known else -1],
        )  # fmt: skip
        picture = Picture(0.0, np.array([0]), reports, np.ones(1, np.uint8), np.zeros(1, np.uint8), np.zeros(1))
        situations = SituationBatch.build(1, kind=SituationKind.APW, track=0, other=0, verdict=A, confidence=0.9)
        zones = ZoneSet((Zone("Z", (Volume(Circle(30, 50, 1000), UNBOUNDED, UNBOUNDED),)),))
        _, events = step(state, situations, picture, zones, 0.0, AlertSettings())
        told.append([(e.kind, e.alert.status, e.alert.severity, e.alert.verdict) for e in events])
    assert told[0] == told[1] != []


def test_r2_4_exempt_tracks_appear_but_raise_no_alert(world: Any) -> None:
    assert world.cycle((0, 0, A), exempt=True) == ["EXEMPT_INSIDE 0"]
    assert world.log[-1].alert.exempt
    assert world.log[-1].alert.status is AlertStatus.CANDIDATE
    assert world.cycle((0, 0, A), exempt=True) == []
    assert open_alerts(world.state) == []
    told = [event for _ in range(3) for event in world.cycle()]
    assert told == ["EXEMPT_LEFT 0"]
    assert (world.state.counts.exempt, world.state.counts.alerts, world.state.counts.violations) == (1, 0, 0)


def test_r2_4_an_exemption_that_ends_inside_raises_the_alert(world: Any) -> None:
    world.cycle((0, 0, A), exempt=True)
    assert world.cycle((0, 0, A)) == ["EXEMPT_LEFT 0"]
    assert world.cycle((0, 0, A)) == ["RAISED 0"]
    assert world.cycle((0, 0, A), exempt=True) == ["ENDED 0"]
    assert world.log[-1].alert.end_reason is EndReason.EXEMPT


def test_r2_10_a_stale_track_keeps_its_alert_and_a_lost_one_is_not_clear(world: Any) -> None:
    world.cycle((0, 0, A))
    assert world.cycle(status={0: TrackStatus.STALE}) == ["STALE 0"]
    for _ in range(10):
        assert world.cycle(status={0: TrackStatus.STALE}) == []
    assert open_alerts(world.state)[0].stale
    assert world.cycle((0, 0, A)) == ["FRESH 0"]
    assert world.cycle(status={0: TrackStatus.ENDED}) == ["ENDED 0"]
    assert world.log[-1].alert.end_reason is EndReason.TRACK_LOST


def test_r2_10_a_track_gone_from_the_picture_is_lost(world: Any) -> None:
    world.cycle((0, 0, A))
    assert world.cycle(gone=[0]) == ["ENDED 0"]
    assert world.log[-1].alert.end_reason is EndReason.TRACK_LOST
    assert len(world.state.memory) == 0


def test_r2_11_an_old_alert_stays_judged_against_the_version_then_in_force(world: Any) -> None:
    world.cycle((0, 0, A), (1, 1, A))
    first, second = world.zones
    world.zones = ZoneSet((second, replace(first, version="2", text="KEEP OUT, WIDER")))
    assert world.cycle((1, 0, A), (0, 1, A)) == ["ENDED 0", "RAISED 0"]
    ended, raised = world.log[-2].alert, world.log[-1].alert
    assert (ended.zone_version, ended.zone_text) == ("1", "KEEP OUT")
    assert ended.end_reason is EndReason.ZONE_SUPERSEDED
    assert (raised.zone_version, raised.zone_text) == ("2", "KEEP OUT, WIDER")
    world.zones = ZoneSet((world.zones[0],))
    assert world.cycle((1, 0, A)) == ["ENDED 0"]
    assert world.log[-1].alert.end_reason is EndReason.ZONE_WITHDRAWN
    assert world.cycle((1, 0, A)) == []  # the other zone's alert went on under its new row


def test_r2_11_a_set_that_keeps_superseded_rows_ends_their_alerts(world: Any) -> None:
    world.cycle((0, 0, A))
    first, second = world.zones
    world.zones = world.zones.edited(ZoneSet((replace(first, version="2"), second)))
    assert world.cycle((0, 2, A)) == ["ENDED 0", "RAISED 0"]
    assert world.log[-1].alert.zone_version == "2"


def test_acknowledged_alerts_stay_and_worse_news_wants_another_acknowledgement(world: Any) -> None:
    world.cycle((0, 0, P))
    world.cycle((0, 0, P))
    world.state, event = acknowledge(world.state, "run-000001", " duty officer ", 1.0)
    assert event.alert.acknowledgements[0].by_role == "duty officer"
    assert [a.status for a in open_alerts(world.state)] == [AlertStatus.ACKNOWLEDGED]
    assert world.cycle((0, 0, A)) == ["CHANGED 0"]
    assert open_alerts(world.state)[0].status is AlertStatus.ACTUAL
    assert len(open_alerts(world.state)[0].acknowledgements) == 1
    with pytest.raises(UsageError, match="no open alert"):
        acknowledge(world.state, "run-000009", "duty officer", 1.0)
    with pytest.raises(UsageError, match="role"):
        acknowledge(world.state, "run-000001", " ", 1.0)


def test_severity_rises_once_and_is_told(world: Any) -> None:
    world.cycle((0, 0, P))
    world.cycle((0, 0, P))
    assert world.cycle((0, 0, P), time_to_s=59.0) == ["CHANGED 0"]
    assert [event.alert.severity for event in world.log] == [Severity.LOW, Severity.HIGH]
    assert world.cycle((0, 0, P), time_to_s=80.0) == []


def test_pairs_keep_their_least_distance_and_grade_it(world: Any) -> None:
    stca = SituationKind.STCA
    world.cycle((0, 1, A), kind=stca, horizontal_m=8000.0, vertical_m=200.0)
    assert world.log[-1].alert.infringement is Infringement.MINOR
    world.cycle((0, 1, A), kind=stca, horizontal_m=3000.0, vertical_m=100.0)
    world.cycle((0, 1, A), kind=stca, horizontal_m=6000.0, vertical_m=250.0)
    told = [event for _ in range(3) for event in world.cycle()]
    assert told == ["ENDED 0"]
    alert = world.log[-1].alert
    assert (alert.horizontal_min_m, alert.vertical_min_m) == (3000.0, 100.0)
    assert alert.other is not None
    assert alert.other.track_id == "508036"
    assert world.state.counts.encounters == 1
    assert world.state.counts.violations == 0


def test_a_pair_ends_when_either_track_is_lost(world: Any) -> None:
    world.cycle((0, 1, A), kind=SituationKind.STCA)
    assert world.cycle((0, 1, A), kind=SituationKind.STCA, status={1: TrackStatus.ENDED}) == ["ENDED 0"]


def test_the_same_pair_twice_in_a_cycle_counts_once_with_the_worse_verdict(world: Any) -> None:
    assert world.cycle((0, 0, P), (0, 0, A), (0, 0, DOUBT)) == ["RAISED 0"]
    assert world.log[-1].alert.verdict is Verdict.ACTUAL


def test_without_room_the_worst_goes_first_and_the_rest_is_counted(world: Any) -> None:
    world.settings = AlertSettings(situations_max=1)
    assert world.cycle((0, 0, P), (1, 0, A)) == ["RAISED 1"]
    assert world.state.counts.overflowed == 1
    assert len(world.state.memory) == 1


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(UsageError, match="k ≤ n"):
        AlertSettings(confirm_cycles=4, of_cycles=3)
    with pytest.raises(UsageError, match="counted from 1"):
        AlertSettings(clear_cycles=0)


def test_ids_of_a_run_without_a_name_begin_with_its_first_instant(world: Any) -> None:
    world.state = AlertState.empty()
    world.cycle((0, 0, A))
    assert world.log[-1].alert.id == "19700101T001641Z-000001"


cycles = st.lists(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 1), st.sampled_from([C, P, DOUBT, A]), st.booleans()), max_size=5
    ),
    max_size=12,
)


def played(history: list[list[tuple[int, int, Verdict, bool]]], names: dict[str, str]) -> list[AlertEvent]:
    def named(word: str) -> str:
        return names.get(word, word)

    zones = ZoneSet(
        tuple(Zone(named(z), (Volume(Circle(30, 50, 1000), UNBOUNDED, UNBOUNDED),), country=named(z)) for z in "YZ")
    )
    targets = [named(t) for t in "abab"]
    state, told = AlertState.empty("run"), []
    for c, rows in enumerate(history):
        reports = ReportBatch.build(
            time_s=[float(c)] * 4, lat_deg=[50.0] * 4, lon_deg=[30.0] * 4, target=targets,
            callsign=targets, source=[named("p"), named("p"), named("q"), named("q")],
        )  # fmt: skip
        picture = Picture(float(c), np.arange(4), reports, np.ones(4, np.uint8), np.zeros(4, np.uint8), np.zeros(4))
        situations = SituationBatch.build(
            len(rows), kind=SituationKind.APW, track=[r[0] for r in rows], other=[r[1] for r in rows],
            verdict=[int(r[2]) for r in rows], exempt=[r[3] for r in rows], confidence=0.5, depth_m=1.0,
        )  # fmt: skip
        state, events = step(state, situations, picture, zones, float(c), AlertSettings())
        told += events
    return told


@settings(max_examples=50, deadline=None)
@given(cycles)
def test_renaming_everybody_changes_nothing_but_names(history: list[list[tuple[int, int, Verdict, bool]]]) -> None:
    """Neutrality: the parties' names never matter (product, the boundary)."""
    names = {"a": "zulu", "b": "alpha", "p": "theirs", "q": "ours", "Y": "Beta", "Z": "Aleph"}
    plain, renamed = played(history, {}), played(history, names)

    def seen(event: AlertEvent, of: dict[str, str]) -> tuple[Any, ...]:
        a = event.alert
        return (
            event.kind, event.at_s, a.id, a.status, a.verdict, a.severity, a.end_reason, a.violations, a.exempt,
            a.track.key, of.get(a.track.track_id, a.track.track_id), of.get(a.zone_id, a.zone_id),
            tuple((of.get(v.source, v.source), v.verdict) for v in a.versions),
        )  # fmt: skip

    assert [seen(e, names) for e in plain] == [seen(e, {}) for e in renamed]


@settings(max_examples=50, deadline=None)
@given(cycles)
def test_every_alert_is_raised_before_and_ended_after_all_else(
    history: list[list[tuple[int, int, Verdict, bool]]],
) -> None:
    going: dict[str, bool] = {}
    for event in played(history, {}):
        known = going.get(event.alert.id)
        if event.kind in (EventKind.EXEMPT_INSIDE, EventKind.EXEMPT_LEFT):
            assert event.alert.exempt
        elif event.kind is EventKind.RAISED:
            assert known is None
            going[event.alert.id] = True
        elif event.kind is EventKind.ENDED:
            assert known is True
            going[event.alert.id] = False
        elif event.kind is EventKind.REJOINED:
            assert known is not None
            going[event.alert.id] = True
        else:
            assert known is True
