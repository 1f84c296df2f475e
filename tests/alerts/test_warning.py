"""A warning lets the right crew recognise itself, on a frequency it has, and presumes nothing from silence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from keepclear.alerts.model import Alert
from keepclear.alerts.warning import NO_REPLY, draft_warning
from keepclear.detection.situation import SituationKind, Verdict
from keepclear.errors import UsageError


@pytest.fixture
def alert(world: Any) -> Alert:
    world.cycle((0, 0, Verdict.ACTUAL))
    found: Alert = world.log[-1].alert
    return found


def test_r2_2_position_heading_speed_squawk_and_frequency_are_named(alert: Alert) -> None:
    warning = draft_warning(alert, frequency_mhz=121.5)
    for part in ("121.500 MHz", "N50°00.0′ E030°00.0′", "track 090° true", "ground speed 389 kt", "squawking 7000"):
        assert part in warning.call
    assert "you are inside Z1 (version 1)" in warning.call


def test_r2_2_no_reply_is_not_a_refusal(alert: Alert) -> None:
    assert NO_REPLY in draft_warning(alert).notes
    assert "not a refusal" in str(draft_warning(alert))


def test_r2_2_without_a_frequency_none_is_assumed(alert: Alert) -> None:
    warning = draft_warning(alert)
    assert warning.frequency_mhz is None
    assert "MHz" not in warning.call
    assert any("No frequency is configured" in note for note in warning.notes)
    with pytest.raises(UsageError, match="no aeronautical"):
        draft_warning(alert, frequency_mhz=1090.0)


def test_r2_2_what_is_not_known_is_said_not_to_be_known(alert: Alert) -> None:
    fix = replace(alert.track.last, track_deg=np.nan, ground_speed_mps=np.nan, squawk=-1)
    call = draft_warning(replace(alert, track=replace(alert.track, last=fix))).call
    assert "track not known, speed not known, altitude not known" in call
    assert "squawk not known" in call


def test_r2_3_a_warning_never_calls_anyone_hostile(alert: Alert) -> None:
    fix = replace(alert.track.last, squawk=-1)
    nobody = replace(alert, track=replace(alert.track, track_id="", callsign="", last=fix))
    text = str(draft_warning(nobody)).lower()
    assert "unidentified traffic" in text
    assert not any(word in text for word in ("hostile", "enemy", "threat", "fire", "engage", "intercept", "or else"))


def test_doubt_and_other_versions_are_told_to_the_sender(alert: Alert) -> None:
    doubtful = replace(alert, verdict=Verdict.INDETERMINATE)
    warning = draft_warning(doubtful)
    assert "you may be inside" in warning.call
    assert any("cannot be told" in note for note in warning.notes)
    assert any("adsb sees it differently: CLEAR" in note for note in warning.notes)


def test_predictions_borders_and_traffic_have_their_own_words(world: Any) -> None:
    for _ in range(2):
        world.cycle((0, 0, Verdict.PREDICTED))
    assert "will enter Z1 (version 1) in 90 seconds" in draft_warning(world.log[-1].alert).call
    world.cycle((0, 0, Verdict.ACTUAL), kind=SituationKind.SPILL_OVER)
    assert "the border of Z1" in draft_warning(world.log[-1].alert).call
    world.cycle((0, 1, Verdict.ACTUAL), kind=SituationKind.STCA, horizontal_m=1852.0)
    assert "traffic 508036 at N51°00.0′ E030°00.0′, closest approach 1.0 NM" in draft_warning(world.log[-1].alert).call


@pytest.mark.parametrize(("lat", "said"), [(-0.5, "S00°30.0′"), (59.99999, "N60°00.0′")])
def test_minutes_are_carried_over(alert: Alert, lat: float, said: str) -> None:
    moved = replace(alert, track=replace(alert.track, last=replace(alert.track.last, lat_deg=lat)))
    assert said in draft_warning(moved).call
