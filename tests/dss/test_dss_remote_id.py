"""Remote ID: both versions over one store (rules 26 to 33)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from keepclear.dss.instants import HOUR_US, MINUTE_US, rfc3339
from keepclear.dss.ovns import next_version, parse_version
from keepclear.dss.remote_id import V19, V22A
from keepclear.dss.request import Rules
from tests.dss.desk import (
    BAD,
    CONFLICT,
    FORBIDDEN,
    MINUTES_6,
    MISSING,
    NOW_US,
    TOO_LARGE,
    TOO_MANY,
    URL,
    Desk,
    circle,
    polygon,
    refused,
    time,
    uid,
    volume,
)

AREA = "45.99,6.99,45.99,7.01,46.01,7.01,46.01,6.99"
FOOTPRINT = {"vertices": [{"lat": 45.99, "lng": 6.99}, {"lat": 45.99, "lng": 7.01}, {"lat": 46.01, "lng": 7.01}]}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def v19_extents(start: int | None = 0, end: int | None = HOUR_US) -> dict[str, Any]:
    times = {"time_start": start, "time_end": end}
    given = {name: rfc3339(NOW_US + at) for name, at in times.items() if at is not None}
    return {"spatial_volume": {"footprint": FOOTPRINT, "altitude_lo": 0, "altitude_hi": 100}, **given}


def v19_area(**given: Any) -> dict[str, Any]:
    return {"extents": v19_extents(**given), "flights_url": URL + "/uss/flights"}


def v19_subscription(**given: Any) -> dict[str, Any]:
    url = URL + "/uss/identification_service_areas"
    return {"extents": v19_extents(**given), "callbacks": {"identification_service_area_url": url}}


def test_rule_26_an_area_needs_an_end_and_starts_at_most_five_minutes_back(desk: Desk) -> None:
    refused(BAD, lambda: desk.put_area(1, volume(end=None)))
    refused(BAD, lambda: desk.put_area(1, volume(start=-MINUTES_6)))
    refused(BAD, lambda: desk.put_area(1, volume(start=HOUR_US, end=MINUTE_US)))
    assert desk.put_area(1, volume(start=None))["service_area"]["time_start"] == time(0)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"extents": None, "uss_base_url": URL}, {"extents": {}, "uss_base_url": URL},
        {"extents": {"volume": {}}, "uss_base_url": URL}, {"extents": volume()},
        {"extents": volume({"outline_polygon": {"vertices": []}}), "uss_base_url": URL},
        {"extents": volume({"outline_polygon": None}), "uss_base_url": URL}, [], "x", 7, None,
    ],
)  # fmt: skip
def test_rule_26_missing_parts_are_refused(desk: Desk, body: Any) -> None:
    refused(BAD, lambda: V22A.put_area(json.dumps(body).encode(), Rules()))
    refused(BAD, lambda: V19.put_area(json.dumps(body).encode(), Rules()))
    refused(BAD, lambda: V19.put_subscription(json.dumps(body).encode(), Rules()))


def test_rule_26_existing_without_version_conflicts_and_unknown_with_version_is_bad(desk: Desk) -> None:
    version = desk.put_area(1)["service_area"]["version"]
    refused(CONFLICT, lambda: desk.put_area(1))
    refused(BAD, lambda: desk.put_area(2, version=version))
    assert desk.put_area(1, version=version)["service_area"]["version"] != version


def test_rule_27_an_ended_area_is_not_found_by_search_but_by_its_id(desk: Desk) -> None:
    desk.put_area(1)
    assert desk.search_areas(AREA) == [uid(1)]
    desk.now_us += 2 * HOUR_US
    assert desk.search_areas(AREA) == []
    assert desk.search_areas(AREA, earliest=rfc3339(NOW_US)) == []
    assert uid(1) in desk.airspace.service_areas


def test_rule_27_a_search_may_be_bounded_in_time(desk: Desk) -> None:
    desk.put_area(1, volume(start=HOUR_US, end=2 * HOUR_US))
    assert desk.search_areas(AREA, latest=rfc3339(NOW_US + MINUTE_US)) == []
    assert desk.search_areas(AREA, earliest=rfc3339(NOW_US + 3 * HOUR_US)) == []
    assert desk.search_areas(AREA, rfc3339(NOW_US + HOUR_US), rfc3339(NOW_US + HOUR_US)) == [uid(1)]
    refused(BAD, lambda: desk.search_areas(AREA, earliest="now"))


def test_rule_28_versions_are_base_32_nanoseconds_and_always_later() -> None:
    version = next_version(NOW_US)
    assert re.fullmatch("[a-z0-9]{10,}", version)
    assert parse_version(version) == NOW_US * 1_000
    assert parse_version(next_version(NOW_US, version)) > parse_version(version)
    assert parse_version(next_version(NOW_US - MINUTE_US, version)) > parse_version(version)


@pytest.mark.parametrize("version", ["", "notacorrectversion", "zz", "-5", "vvvvvvvvvvvvvv", "1 2", "1_000"])
def test_rule_28_what_is_no_version_is_bad_and_what_is_stale_conflicts(desk: Desk, version: str) -> None:
    current = desk.put_area(1)["service_area"]["version"]
    sub = desk.put_area_subscription(1)["subscription"]["version"]
    refused(BAD, lambda: desk.put_area(1, version=version))
    refused(BAD, lambda: desk.delete_area(1, version))
    refused(BAD, lambda: desk.put_area_subscription(1, version=version))
    refused(BAD, lambda: desk.delete_area_subscription(1, version))
    refused(CONFLICT, lambda: desk.put_area(1, version=current[1:-1]))
    refused(CONFLICT, lambda: desk.delete_area(1, current[1:-1]))
    refused(CONFLICT, lambda: desk.delete_area_subscription(1, sub[1:-1]))


def test_rule_29_at_most_ten_subscriptions_of_one_owner_in_a_cell(desk: Desk) -> None:
    for number in range(10):
        last = desk.put_area_subscription(number)["subscription"]
    refused(TOO_MANY, lambda: desk.put_area_subscription(10))
    assert desk.put_area_subscription(10, who="uss2")
    assert desk.put_area_subscription(11, volume(circle(lat=47.0)))
    assert desk.put_area_subscription(9, version=last["version"])  # an update is not one more
    desk.now_us += 2 * HOUR_US
    assert desk.put_area_subscription(12, volume(start=2 * HOUR_US, end=3 * HOUR_US))


def test_rule_29_longer_than_a_day_is_bad_before_it_exists_already(desk: Desk) -> None:
    desk.put_area_subscription(1)
    refused(BAD, lambda: desk.put_area_subscription(1, volume(end=24 * HOUR_US + 1)))


def test_rule_30_changes_tell_subscribers_of_the_old_and_the_new_area(desk: Desk) -> None:
    desk.put_area_subscription(8, volume(circle(), end=2 * HOUR_US))
    desk.put_area_subscription(9, volume(circle(lat=47.0), end=2 * HOUR_US))
    told = desk.put_area(1)
    assert told["subscribers"] == [
        {"url": URL, "subscriptions": [{"subscription_id": uid(8), "notification_index": 1}]}
    ]
    told = desk.put_area(1, volume(circle(lat=47.0)), version=told["service_area"]["version"])
    counts = {s["subscription_id"]: s["notification_index"] for t in told["subscribers"] for s in t["subscriptions"]}
    assert counts == {uid(8): 2, uid(9): 1}
    told = desk.delete_area(1, told["service_area"]["version"])
    assert told["subscribers"][0]["subscriptions"] == [{"subscription_id": uid(9), "notification_index": 2}]


def test_rule_30_a_subscription_lists_the_areas_and_altitudes_do_not_matter(desk: Desk) -> None:
    desk.put_area(1, volume(low=0, high=10))
    answer = desk.put_area_subscription(2, volume(low=500, high=600))
    assert [a["id"] for a in answer["service_areas"]] == [uid(1)]


def test_rule_30a_v19_sends_both_names_of_a_subscriptions_id(desk: Desk) -> None:
    desk.put_area_subscription(8, shape=V19, body=v19_subscription())
    state = desk.put_area(1, shape=V19, body=v19_area())["subscribers"][0]["subscriptions"][0]
    assert state == {"subscription": uid(8), "subscription_id": uid(8), "notification_index": 1}


def test_rule_31_a_deletion_returns_what_went_and_checks_existence_version_owner(desk: Desk) -> None:
    made = desk.put_area(1)["service_area"]
    refused(MISSING, lambda: desk.delete_area(2, made["version"]))
    refused(CONFLICT, lambda: desk.delete_area(1, made["version"][:-1], who="uss2"))
    refused(FORBIDDEN, lambda: desk.delete_area(1, made["version"], who="uss2"))
    assert desk.delete_area(1, made["version"])["service_area"] == made


@pytest.mark.parametrize(
    "area",
    [
        None, "", "46,7,46", "46,7,46,7.1", "46,7,46.1,7.1,46,7.1,46.1,7", "a,b,c,d,e,f", "46,7,46,7.1,91,7", ",,,,,",
        "46,7,46,7.1,1e999,7", "nan,7,46,7.1,46,7", "46,7,46,7.1,46.1,7,46,7",
        "46\x1f,7,46,7.1,46.1,7",
    ],
)  # fmt: skip
def test_rule_32_a_search_that_is_no_area_is_bad(desk: Desk, area: str) -> None:
    refused(BAD, lambda: desk.search_areas(area))
    refused(BAD, lambda: desk.search_area_subscriptions(area))


def test_rule_32_a_search_that_is_too_large_is_refused_as_such(desk: Desk) -> None:
    refused(TOO_LARGE, lambda: desk.search_areas("46,7,46,8,47,8,47,7"))
    refused(BAD, lambda: desk.put_area(1, volume(polygon((46, 7), (46, 8), (47, 8), (47, 7)))))


def test_what_is_made_through_one_version_is_seen_through_the_other(desk: Desk) -> None:
    old = desk.put_area(1, shape=V19, body=v19_area())["service_area"]
    new = desk.put_area(2)["service_area"]
    for number, given in ((1, old), (2, new)):
        area = desk.airspace.service_areas[uid(number)]
        v22a, v19 = V22A.area(area), V19.area(area)
        assert v22a["uss_base_url"] == URL
        assert v19["flights_url"] == URL + "/uss/flights"
        assert v22a["id"] == v19["id"] == given["id"]
        assert (v22a["time_end"].value, v22a["version"]) == (v19["time_end"], v19["version"])


def test_subscribers_are_called_as_their_own_version_expects(desk: Desk) -> None:
    desk.put_area_subscription(8, shape=V19, body=v19_subscription())
    desk.put_area_subscription(9)
    assert {s["url"] for s in desk.put_area(1)["subscribers"]} == {URL}
    told = desk.put_area(2, shape=V19, body=v19_area())["subscribers"]
    assert {s["url"] for s in told} == {URL + "/uss/identification_service_areas"}


def test_v19_urls_must_be_https(desk: Desk) -> None:
    refused(BAD, lambda: desk.put_area(1, shape=V19, body={**v19_area(), "flights_url": "http://x.example.org"}))
    body = {**v19_subscription(), "callbacks": {"identification_service_area_url": ""}}
    refused(BAD, lambda: desk.put_area_subscription(1, shape=V19, body=body))


def test_a_search_for_subscriptions_returns_the_callers_own(desk: Desk) -> None:
    desk.put_area_subscription(1)
    desk.put_area_subscription(2, who="uss2")
    assert desk.search_area_subscriptions(AREA) == [uid(1)]
    desk.now_us += 2 * HOUR_US
    assert desk.search_area_subscriptions(AREA) == []
