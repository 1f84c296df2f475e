"""Strict mode: keys and notifications only where volumes truly intersect; never more than the cells find."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.dss.exact import strict_airspace
from keepclear.dss.instants import HOUR_US
from keepclear.dss.records import decode_record, encode_record
from keepclear.dss.request import Rules
from tests.dss.desk import CONFLICT, URL, Desk, circle, polygon, refused, uid, volume

NEAR = circle(lat=46.0, lng=7.004, radius_m=100.0)
HERE = circle(lat=46.0, lng=7.0, radius_m=100.0)


def strict() -> Desk:
    return Desk(Rules(strict=True), strict_airspace())


@pytest.fixture
def desk() -> Desk:
    return strict()


def test_two_in_one_cell_that_do_not_touch_need_no_key_in_strict_mode(desk: Desk) -> None:
    plain = Desk()
    for place in (plain, desk):
        place.put_intent(1, volume(HERE))
    refused(CONFLICT, lambda: plain.put_intent(2, volume(NEAR)))
    assert desk.put_intent(2, volume(NEAR))


def test_two_that_intersect_still_need_one(desk: Desk) -> None:
    desk.put_intent(1, volume(HERE))
    refused(CONFLICT, lambda: desk.put_intent(2, volume(circle(lat=46.0, lng=7.002, radius_m=100.0))))


def test_the_box_around_several_volumes_is_not_what_counts(desk: Desk) -> None:
    """In the union's box, yet in none of its volumes."""
    two = [volume(HERE, low=0, high=50), volume(circle(lat=46.1, radius_m=100.0), low=200, high=250)]
    desk.put_intent(1, *two)
    assert desk.put_intent(2, volume(HERE, low=100, high=150))
    refused(CONFLICT, lambda: desk.put_intent(3, volume(HERE, low=40, high=60)))


def test_subscribers_hear_only_of_what_meets_their_volume(desk: Desk) -> None:
    desk.put_subscription(9, volume(NEAR, low=None, high=None, end=2 * HOUR_US))
    assert desk.put_intent(1, volume(HERE))["subscribers"] == []
    told = desk.put_intent(2, volume(circle(lat=46.0, lng=7.003, radius_m=50.0)))["subscribers"]
    assert told[0]["subscriptions"][0]["subscription_id"] == uid(9)


def test_an_implicit_subscription_hears_of_its_own_intent(desk: Desk) -> None:
    assert desk.put_intent(1, volume(HERE), new_subscription={"uss_base_url": URL})["subscribers"]


def test_what_was_written_without_volumes_is_matched_by_its_cells(desk: Desk) -> None:
    plain = Desk()
    plain.put_intent(1, volume(HERE))
    desk.airspace.apply(plain.airspace.records())
    refused(CONFLICT, lambda: desk.put_intent(2, volume(NEAR)))


def test_volumes_survive_the_database(desk: Desk) -> None:
    square = polygon((46.0, 7.0), (46.0, 7.002), (46.002, 7.002), (46.002, 7.0))
    desk.put_intent(1, volume(square), volume(HERE))
    again = strict()
    for change in desk.airspace.records():
        assert change.record is not None
        again.airspace.apply([change._replace(record=decode_record(change.kind, encode_record(change.record)))])
    assert again.put_intent(2, volume(circle(lat=46.004, lng=7.001, radius_m=50.0)))
    refused(CONFLICT, lambda: again.put_intent(3, volume(circle(lat=46.001, lng=7.001, radius_m=50.0))))


def test_updates_and_deletions_leave_nothing_behind(desk: Desk) -> None:
    ovn = desk.put_intent(1, volume(HERE))["operational_intent_reference"]["ovn"]
    ovn = desk.put_intent(1, volume(NEAR), ovn=ovn)["operational_intent_reference"]["ovn"]
    second = desk.put_intent(2, volume(HERE))["operational_intent_reference"]["ovn"]
    desk.delete_intent(1, ovn)
    desk.delete_intent(2, second)
    assert desk.put_intent(3, volume(HERE))


places = st.tuples(st.floats(46.0, 46.02), st.floats(7.0, 7.03), st.floats(1.0, 800.0))


@settings(max_examples=40, deadline=None)
@given(st.lists(places, min_size=2, max_size=6))
def test_strictness_only_takes_away(drawn: list[tuple[float, float, float]]) -> None:
    plain, exact = Desk(), strict()
    for number, (lat, lng, radius_m) in enumerate(drawn):
        key = [f"token-{k:020}" for k in range(1, 200)]
        for desk in (plain, exact):
            desk.put_intent(number, volume(circle(lat, lng, radius_m)), key=key)
    for lat, lng, radius_m in drawn:
        asked = volume(circle(lat, lng, radius_m))
        near, met = ({i["id"] for i in desk.query_intents(asked)} for desk in (plain, exact))
        assert met <= near
        assert met
