"""Subscriptions, constraints, availability and reports of F3548-21 (rules 20 to 25)."""

from __future__ import annotations

from typing import Any

import pytest

from keepclear.dss import reports
from keepclear.dss.instants import HOUR_US, MINUTE_US
from keepclear.dss.request import Caller
from tests.dss.desk import (
    BAD,
    CONFLICT,
    FORBIDDEN,
    MINUTES_6,
    MISSING,
    NOW_US,
    SCOPES,
    URL,
    Desk,
    circle,
    refused,
    time,
    uid,
    volume,
)

WIDE = circle(radius_m=2_000.0)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def area(**given: Any) -> dict[str, Any]:
    return volume(WIDE, **{"low": None, "high": None, "end": 2 * HOUR_US, **given})


def test_rule_20_at_least_one_trigger_must_be_true(desk: Desk) -> None:
    refused(BAD, lambda: desk.put_subscription(1, notify_for_operational_intents=False))
    refused(BAD, lambda: desk.put_subscription(1, notify_for_operational_intents=None))


@pytest.mark.parametrize(("intents", "constraints"), [(True, False), (False, True), (True, True)])
def test_each_trigger_needs_its_own_scope(desk: Desk, intents: bool, constraints: bool) -> None:
    wanted: dict[str, Any] = {"notify_for_operational_intents": intents, "notify_for_constraints": constraints}
    needed = {"utm.strategic_coordination": intents, "utm.constraint_processing": constraints}
    for left_out in (scope for scope, is_needed in needed.items() if is_needed):
        scopes = SCOPES - {left_out}
        refused(FORBIDDEN, lambda scopes=scopes: desk.put_subscription(1, scopes=scopes, **wanted))  # type: ignore[misc]
    enough = frozenset(scope for scope, is_needed in needed.items() if is_needed)
    assert desk.put_subscription(1, scopes=enough, **wanted)


def test_rule_20_a_start_up_to_five_minutes_past_is_a_late_clock(desk: Desk) -> None:
    assert desk.put_subscription(1, area(start=-4 * MINUTE_US))
    refused(BAD, lambda: desk.put_subscription(2, area(start=-MINUTES_6)))


def test_rule_20_no_start_means_now_and_no_end_a_day_later(desk: Desk) -> None:
    made = desk.put_subscription(1, area(start=None, end=None))["subscription"]
    assert (made["time_start"], made["time_end"]) == (time(0), time(24 * HOUR_US))


def test_rule_20_on_update_what_is_left_out_stays(desk: Desk) -> None:
    made = desk.put_subscription(1, area(start=MINUTE_US))["subscription"]
    changed = desk.put_subscription(1, area(start=None, end=None), version=made["version"])["subscription"]
    assert (changed["time_start"], changed["time_end"]) == (made["time_start"], made["time_end"])
    assert changed["version"] != made["version"]


def test_rule_20_longer_than_a_day_is_refused_before_the_version_is_looked_at(desk: Desk) -> None:
    desk.put_subscription(1)
    refused(BAD, lambda: desk.put_subscription(1, area(end=24 * HOUR_US + 1)))
    refused(BAD, lambda: desk.put_subscription(1, area(end=24 * HOUR_US + 1), version="wrong"))


def test_rule_20_an_end_in_the_past_is_refused(desk: Desk) -> None:
    refused(BAD, lambda: desk.put_subscription(1, area(start=-3 * MINUTE_US, end=-MINUTE_US)))


def test_rule_21_versions(desk: Desk) -> None:
    desk.put_subscription(1)
    refused(CONFLICT, lambda: desk.put_subscription(1))
    refused(CONFLICT, lambda: desk.put_subscription(1, version="wrong"))
    refused(BAD, lambda: desk.put_subscription(2, version="any"))
    refused(MISSING, lambda: desk.delete_subscription(2, "any"))
    refused(CONFLICT, lambda: desk.delete_subscription(1, "wrong"))


def test_rule_21_anothers_is_forbidden(desk: Desk) -> None:
    version = desk.put_subscription(1)["subscription"]["version"]
    refused(FORBIDDEN, lambda: desk.get_subscription(1, who="uss2"))
    refused(FORBIDDEN, lambda: desk.delete_subscription(1, version, who="uss2"))
    refused(FORBIDDEN, lambda: desk.put_subscription(1, version=version, who="uss2"))


def test_rule_21_a_query_returns_the_callers_own_that_have_not_ended(desk: Desk) -> None:
    desk.put_subscription(1)
    desk.put_subscription(2, who="uss2")
    assert desk.query_subscriptions(area(start=None, end=None)) == [uid(1)]
    desk.now_us += 3 * HOUR_US
    assert desk.query_subscriptions(area(start=None, end=None)) == []


@pytest.mark.parametrize(
    "narrower",
    [
        volume(circle(radius_m=10.0, lat=46.05), low=None, high=None, end=2 * HOUR_US), area(high=50.0),
        area(low=10.0), area(end=30 * MINUTE_US), area(start=10 * MINUTE_US),
    ],
    ids=["cells", "upper", "lower", "end", "start"],
)  # fmt: skip
def test_rule_22_an_update_must_still_cover_what_rests_on_it(desk: Desk, narrower: dict[str, Any]) -> None:
    version = desk.put_subscription(1)["subscription"]["version"]
    desk.put_intent(5, subscription_id=uid(1))
    refused(BAD, lambda: desk.put_subscription(1, narrower, version=version))
    assert desk.put_subscription(1, area(start=4 * MINUTE_US), version=version)


def test_rule_22_what_something_rests_on_cannot_be_deleted(desk: Desk) -> None:
    version = desk.put_subscription(1)["subscription"]["version"]
    ovn = desk.put_intent(5, subscription_id=uid(1))["operational_intent_reference"]["ovn"]
    refused(BAD, lambda: desk.delete_subscription(1, version))
    desk.delete_intent(5, ovn)
    assert desk.delete_subscription(1, version)["subscription"]["id"] == uid(1)


def test_rule_23_putting_an_implicit_one_makes_it_explicit_and_it_outlives_its_intent(desk: Desk) -> None:
    made = desk.put_intent(5, new_subscription={"uss_base_url": URL})["operational_intent_reference"]
    own = desk.get_subscription(made["subscription_id"])
    number = int(own["id"].replace("-", ""), 16)
    assert number
    changed = _put_by_id(desk, own["id"], own["version"])
    assert changed["implicit_subscription"] is False
    desk.delete_intent(5, made["ovn"])
    assert desk.get_subscription(own["id"])["dependent_operational_intents"] == []


def _put_by_id(desk: Desk, subscription_id: str, version: str) -> Any:
    from keepclear.dss import subscriptions
    from keepclear.dss.subscriptions import PreparedSubscription

    old = desk.airspace.subscriptions[subscription_id]
    wanted = PreparedSubscription(old.extent, URL, True, False)
    outcome = subscriptions.put(desk.airspace, Caller("uss1", SCOPES), desk.moment(), subscription_id, version, wanted)
    desk.decided(outcome)
    return desk.get_subscription(subscription_id)


def test_rule_24_the_answer_lists_what_is_there_by_trigger(desk: Desk) -> None:
    desk.put_intent(5)
    desk.put_constraint(6)
    for intents, constraints in ((True, False), (False, True), (True, True)):
        answer = desk.put_subscription(
            10 + intents + 2 * constraints, notify_for_operational_intents=intents, notify_for_constraints=constraints
        )
        assert [i["id"] for i in answer["operational_intent_references"]] == ([uid(5)] if intents else [])
        assert [c["id"] for c in answer["constraint_references"]] == ([uid(6)] if constraints else [])
        assert answer["subscription"]["dependent_operational_intents"] == []


def test_rule_25_the_count_begins_at_0_and_is_kept_on_update(desk: Desk) -> None:
    made = desk.put_subscription(1)["subscription"]
    assert made["notification_index"] == 0
    desk.put_intent(5)
    changed = desk.put_subscription(1, version=made["version"])["subscription"]
    assert changed["notification_index"] == 1


def test_constraints_belong_to_who_made_them(desk: Desk) -> None:
    ovn = desk.put_constraint(1)["constraint_reference"]["ovn"]
    refused(FORBIDDEN, lambda: desk.put_constraint(1, ovn=ovn, who="uss2"))
    refused(FORBIDDEN, lambda: desk.delete_constraint(1, ovn, who="uss2"))


def test_constraints_versions(desk: Desk) -> None:
    ovn = desk.put_constraint(1)["constraint_reference"]["ovn"]
    refused(CONFLICT, lambda: desk.put_constraint(1))
    refused(CONFLICT, lambda: desk.put_constraint(1, ovn="wrong"))
    refused(CONFLICT, lambda: desk.put_constraint(2, ovn="any"))
    refused(MISSING, lambda: desk.delete_constraint(2, "any"))
    refused(BAD, lambda: desk.put_constraint(1, ovn=""))
    assert desk.put_constraint(1, ovn=ovn)["constraint_reference"]["version"] == 2


def test_constraints_need_times_but_no_altitudes(desk: Desk) -> None:
    assert desk.put_constraint(1, volume(low=None, high=None))
    refused(BAD, lambda: desk.put_constraint(2, volume(start=None)))
    refused(BAD, lambda: desk.put_constraint(2, volume(end=None)))
    refused(BAD, lambda: desk.put_constraint(2, volume(start=-2 * HOUR_US, end=-HOUR_US)))


def test_constraints_are_told_to_who_asked_for_constraints(desk: Desk) -> None:
    desk.put_subscription(8, notify_for_constraints=True)
    desk.put_subscription(9)
    told = desk.put_constraint(1)
    states = [s for t in told["subscribers"] for s in t["subscriptions"]]
    assert states == [{"subscription_id": uid(8), "notification_index": 1}]
    told = desk.delete_constraint(1, told["constraint_reference"]["ovn"])
    assert told["subscribers"][0]["subscriptions"][0]["notification_index"] == 2
    refused(MISSING, lambda: desk.get_constraint(1))


def test_availability_is_unknown_until_somebody_says_and_needs_the_current_version(desk: Desk) -> None:
    from keepclear.dss import availability

    unknown = availability.get(desk.airspace, "uss7")
    assert (unknown.version, unknown.status.availability) == ("", "Unknown")
    first = desk.put_availability("uss7", "normal")
    assert first["status"] == {"uss": "uss7", "availability": "Normal"}
    refused(CONFLICT, lambda: desk.put_availability("uss7", "Down"))
    refused(CONFLICT, lambda: desk.put_availability("uss7", "Down", "wrong"))
    assert desk.put_availability("uss7", "DOWN", first["version"])["status"]["availability"] == "Down"


@pytest.mark.parametrize("state", ["", "down ", "Gone"])
def test_availability_knows_three_words(desk: Desk, state: str) -> None:
    refused(BAD, lambda: desk.put_availability("uss7", state))


REPORT = {
    "exchange": {
        "url": "https://dss.example.org/x", "method": "GET", "recorder_role": "Client", "request_time": time(0),
        "request_source": "uss1",
    },
    "ours": 1,
}  # fmt: skip


def test_reports_are_echoed_with_an_id_and_kept(desk: Desk) -> None:
    outcome = reports.make(desk.airspace, Caller("uss1", SCOPES), desk.moment(), REPORT, b"{}")
    desk.decided(outcome)
    assert {**REPORT, "report_id": outcome.answer["report_id"]} == outcome.answer
    assert desk.airspace.reports[outcome.answer["report_id"]].received_us == NOW_US


def test_reports_without_an_exchange_are_refused(desk: Desk) -> None:
    refused(BAD, lambda: reports.make(desk.airspace, Caller("uss1", SCOPES), desk.moment(), {}, b"{}"))


def test_only_the_newest_reports_are_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "REPORTS_MAX", 3)
    for _ in range(5):
        desk.now_us += 1
        desk.decided(reports.make(desk.airspace, Caller("uss1", SCOPES), desk.moment(), REPORT, b"{}"))
    assert sorted(r.received_us - NOW_US for r in desk.airspace.reports.values()) == [3, 4, 5]
