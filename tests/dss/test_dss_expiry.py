"""Cleaning up: what has ended stays a while, then goes; what something rests on stays with it."""

from __future__ import annotations

import pytest

from keepclear.dss.expiry import expired
from keepclear.dss.instants import HOUR_US
from keepclear.dss.records import Kind
from tests.dss.desk import URL, Desk, circle, uid, volume


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.put_subscription(9)
    desk.put_intent(1, new_subscription={"uss_base_url": URL})
    desk.put_constraint(2, volume(circle(lat=47.0)))
    desk.put_area(3)
    desk.put_area_subscription(4)
    return desk


def test_nothing_goes_before_its_time(desk: Desk) -> None:
    assert expired(desk.airspace, desk.now_us + HOUR_US, keep_us=HOUR_US) == []


def test_everything_that_ended_long_ago_goes(desk: Desk) -> None:
    desk.airspace.apply(expired(desk.airspace, desk.now_us + 4 * HOUR_US, keep_us=HOUR_US))
    assert [c for c in desk.airspace.records() if c.record] == []


def test_a_subscription_stays_as_long_as_what_rests_on_it(desk: Desk) -> None:
    implicit = desk.airspace.intents[uid(1)].subscription_id
    going = {(c.kind, c.id) for c in expired(desk.airspace, desk.now_us + 2 * HOUR_US, keep_us=2 * HOUR_US)}
    assert going == set()
    going = {(c.kind, c.id) for c in expired(desk.airspace, desk.now_us + 4 * HOUR_US, keep_us=2 * HOUR_US)}
    assert (Kind.INTENT, uid(1)) in going
    assert (Kind.SUBSCRIPTION, implicit) in going
    assert (Kind.SUBSCRIPTION, uid(9)) not in going
