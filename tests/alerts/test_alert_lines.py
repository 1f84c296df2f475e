"""An alert survives being written down: as a line for programs, a sentence for people, a record for the store."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.alerts.events import event_line, event_text
from keepclear.alerts.model import (
    Acknowledgement,
    Alert,
    AlertStatus,
    AlertType,
    EndReason,
    Fix,
    Infringement,
    Review,
    ReviewVerdict,
    Severity,
    Sighting,
    Version,
    reviewed,
)
from keepclear.alerts.record import decode_alert, encode_alert
from keepclear.alerts.statistics import alert_statistics
from keepclear.detection.situation import SituationKind, Verdict
from keepclear.errors import InputError, UsageError

numbers = st.floats(allow_nan=True, allow_infinity=True)
texts = st.text(max_size=8)
sightings = st.builds(
    Sighting, st.integers(0, 99), texts, texts, texts, *[st.builds(Fix, *[numbers] * 7, st.integers(-1, 7777))] * 2
)
alerts = st.builds(
    Alert,
    id=texts, judged_by=texts, type=st.sampled_from(AlertType), status=st.sampled_from(AlertStatus),
    verdict=st.sampled_from(Verdict), worst_verdict=st.sampled_from(Verdict), severity=st.sampled_from(Severity),
    track=sightings, other=st.none() | sightings, zone_id=texts, zone_version=texts, zone_name=texts, zone_text=texts,
    raised_s=numbers, changed_s=numbers, entered_s=numbers, end_reason=st.sampled_from(EndReason), depth_m=numbers,
    infringement=st.sampled_from(Infringement), violations=st.integers(0, 9), stale=st.booleans(),
    versions=st.lists(st.builds(Version, texts, st.sampled_from(Verdict), numbers, numbers), max_size=2).map(tuple),
    acknowledgements=st.lists(
        st.builds(Acknowledgement, texts, numbers, st.sampled_from(AlertStatus)), max_size=2
    ).map(tuple),
    review=st.none() | st.builds(Review, st.sampled_from(ReviewVerdict), texts, numbers, texts),
)  # fmt: skip


@given(alerts)
def test_a_record_read_back_is_the_same_alert(alert: Alert) -> None:
    text = encode_alert(alert)
    again = decode_alert(text)
    assert repr(again) == repr(alert)  # repr, because nan is not equal to itself
    assert encode_alert(again) == text


@given(st.text(max_size=40) | alerts.map(lambda a: encode_alert(a)[:-7]))
def test_what_is_no_record_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(InputError, match="not a kept alert"):
        decode_alert(text)


def test_an_event_is_one_strict_line_of_json(world: Any) -> None:
    world.cycle((0, 0, Verdict.ACTUAL))
    line = event_line(world.log[0])
    assert "\n" not in line
    document = json.loads(line, parse_constant=pytest.fail)
    assert document["event"] == "RAISED"
    assert document["at"] == "1970-01-01T00:16:41Z"
    alert = document["alert"]
    assert alert["verdict"] == "ACTUAL"
    assert (alert["zone_id"], alert["zone_version"], alert["zone_text"]) == ("Z1", "1", "KEEP OUT")
    assert alert["raised"] == "1970-01-01T00:16:41Z"
    assert alert["ended"] is None
    assert alert["horizontal_m"] is None
    assert alert["track"]["last"]["lat_deg"] == 50.0
    assert alert["versions"][0]["verdict"] == "CLEAR"


def test_people_read_one_sentence(world: Any) -> None:
    world.cycle((0, 0, Verdict.ACTUAL))
    for _ in range(3):
        world.cycle()
    raised, ended = (event_text(event) for event in world.log)
    assert raised == (
        "1970-01-01T00:16:41Z APW run-000001 ACTUAL (HIGH): 508035 and zone Z1 v1, 0.1 km inside, 90 % likely, "
        "adsb says CLEAR"
    )
    assert ended.endswith("ended, clear: 508035 and zone Z1 v1")  # not the depth that it had before


def test_a_pair_is_told_in_nautical_miles_and_feet(world: Any) -> None:
    world.cycle((0, 1, Verdict.ACTUAL), kind=SituationKind.STCA, horizontal_m=5556.0, vertical_m=152.4)
    assert event_text(world.log[0]).endswith("closest 3.0 NM, now 3.0 NM and 500 ft, 90 % likely")


def test_of_a_lost_track_is_told_where_it_was_last_exempt_or_not(world: Any) -> None:
    world.cycle((0, 0, Verdict.ACTUAL), exempt=True)
    world.cycle(gone=[0])
    world.cycle((1, 0, Verdict.ACTUAL))
    world.cycle(gone=[1])
    lost = [event_text(event).partition("Z APW ")[2] for event in world.log[1::2]]
    assert lost == [
        "run-000001 exempt, track lost: where it is now is not known: 508035 and zone Z1 v1, last 0.1 km inside",
        "run-000002 ended, track lost: where it is now is not known: 508036 and zone Z1 v1, last 0.1 km inside",
    ]


def test_a_zone_is_named_once(world: Any) -> None:
    world.cycle((0, 0, Verdict.ACTUAL))
    named = replace(world.log[0].alert, zone_id="A1/26", zone_name="A1/26 region UKBV", zone_version="NOTAMN")
    assert "and zone A1/26 region UKBV NOTAMN, " in event_text(replace(world.log[0], alert=named))


def test_every_kind_of_event_has_words(world: Any) -> None:
    world.cycle((0, 1, Verdict.ACTUAL), kind=SituationKind.STCA, horizontal_m=1852.0)
    event = world.log[0]
    from keepclear.alerts.model import EventKind

    acknowledged = replace(event.alert, acknowledgements=(Acknowledgement("duty", 0.0, AlertStatus.ACTUAL),))
    for kind in EventKind:
        text = event_text(replace(event, kind=kind, alert=acknowledged))
        assert "508035 and 508036" in text
    assert "track lost" in event_text(
        replace(event, kind=EventKind.ENDED, alert=replace(event.alert, end_reason=EndReason.TRACK_LOST))
    )


def test_only_what_has_ended_is_reviewed(world: Any) -> None:
    world.cycle((0, 0, Verdict.ACTUAL))
    with pytest.raises(UsageError, match="once it has ended"):
        reviewed(world.log[-1].alert, ReviewVerdict.JUSTIFIED, "chief", 0.0)
    for _ in range(3):
        world.cycle()
    event = reviewed(world.log[-1].alert, ReviewVerdict.FALSE, "chief", 5.0, "reflection")
    assert event.alert.status is AlertStatus.REVIEWED
    assert event.alert.review == Review(ReviewVerdict.FALSE, "chief", 5.0, "reflection")
    with pytest.raises(UsageError, match="at most"):
        reviewed(event.alert, ReviewVerdict.FALSE, "x" * 201, 0.0)


def test_statistics_never_give_a_share_without_what_it_is_a_share_of(world: Any) -> None:
    world.cycle((0, 0, Verdict.ACTUAL), (1, 0, Verdict.ACTUAL))
    for _ in range(3):
        world.cycle()
    first, second = [event.alert for event in world.log[-2:]]
    exempt = replace(first, exempt=True)
    (none,) = alert_statistics([first, second, exempt])
    assert (none.alerts, none.ended, none.reviewed) == (2, 2, 0)
    assert math.isnan(none.justified_share)
    justified = reviewed(first, ReviewVerdict.JUSTIFIED, "chief", 0.0).alert
    (some,) = alert_statistics([justified, second])
    assert (some.reviewed, some.justified, some.justified_share) == (1, 1, 1.0)
    assert some.warning_median_s == 0.0
    assert some.duration_median_s == 3.0


def test_lines_carry_every_field_of_the_alert(world: Any) -> None:
    world.cycle((0, 0, Verdict.ACTUAL))
    document = json.loads(event_line(world.log[0]))["alert"]
    assert len(document) == len(fields(Alert))
