"""Operational intents: the rules that implementers miss (7 to 19)."""

from __future__ import annotations

from typing import Any

import pytest

from keepclear.dss.instants import HOUR_US, MINUTE_US
from keepclear.dss.utm_messages import NO_OVN_PHRASE, NULL_SUBSCRIPTION_ID
from tests.dss.desk import (
    BAD,
    CONFLICT,
    DOWN,
    FORBIDDEN,
    MINUTES_6,
    MISSING,
    MONITORING,
    NOW_US,
    SCOPES,
    URL,
    Desk,
    circle,
    refused,
    uid,
    volume,
)

IMPLICIT: dict[str, Any] = {"new_subscription": {"uss_base_url": URL}}
FAR = circle(lat=47.0)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def ovn_of(answer: dict[str, Any]) -> str:
    return str(answer["operational_intent_reference"]["ovn"])


def test_rule_6_a_union_from_1969_to_2030_is_accepted(desk: Desk) -> None:
    past, future = volume(start=-NOW_US - 365 * 24 * HOUR_US, end=-NOW_US), volume(end=3 * 365 * 24 * HOUR_US)
    assert desk.put_intent(1, past, future)["operational_intent_reference"]["version"] == 1


def test_rule_6_an_intent_that_has_ended_as_a_whole_is_refused(desk: Desk) -> None:
    refused(BAD, lambda: desk.put_intent(1, volume(start=-2 * HOUR_US, end=-HOUR_US)))


@pytest.mark.parametrize("left_out", ["start", "end", "low", "high"])
def test_rule_6_an_intent_needs_times_and_altitudes(desk: Desk, left_out: str) -> None:
    given: dict[str, Any] = {left_out: None}
    refused(BAD, lambda: desk.put_intent(1, volume(**given)))


def test_rule_7_a_query_for_the_past_finds_ended_intents(desk: Desk) -> None:
    desk.put_intent(1)
    desk.now_us += 3 * HOUR_US
    assert [i["id"] for i in desk.query_intents(volume(start=0, end=HOUR_US))] == [uid(1)]
    assert desk.query_intents(volume(start=2 * HOUR_US, end=4 * HOUR_US)) == []


def test_rule_7_a_query_may_leave_times_and_altitudes_open(desk: Desk) -> None:
    desk.put_intent(1)
    assert len(desk.query_intents(volume(low=None, high=None, start=None, end=None))) == 1


@pytest.mark.parametrize(
    "url", ["", "http://uss.example.org", "uss.example.org", "https://", "https://a b", "https://["]
)
def test_rule_8_the_base_url_must_be_https(desk: Desk, url: str) -> None:
    refused(BAD, lambda: desk.put_intent(1, uss_base_url=url))


def test_rule_9_an_intent_begins_as_accepted(desk: Desk) -> None:
    for state in ("Activated", "Ended", "accepted", ""):
        refused(BAD, lambda state=state: desk.put_intent(1, state=state, **IMPLICIT))  # type: ignore[misc]


@pytest.mark.parametrize("state", ["Nonconforming", "Contingent"])
def test_rule_9_off_nominal_states_need_the_monitoring_scope(desk: Desk, state: str) -> None:
    ovn = ovn_of(desk.put_intent(1))
    refused(FORBIDDEN, lambda: desk.put_intent(1, ovn=ovn, state=state, **IMPLICIT))
    assert desk.put_intent(1, ovn=ovn, state=state, scopes=MONITORING, **IMPLICIT)


def test_rule_9_any_state_may_go_to_any_other(desk: Desk) -> None:
    states = ["Accepted", "Activated", "Nonconforming", "Contingent"]
    ovn = ovn_of(desk.put_intent(1))
    for before in states:
        for after in states:
            for state in (before, after):
                ovn = ovn_of(desk.put_intent(1, ovn=ovn, state=state, scopes=SCOPES | MONITORING, **IMPLICIT))


def test_rule_10_every_state_but_accepted_needs_a_subscription(desk: Desk) -> None:
    ovn = ovn_of(desk.put_intent(1))
    refused(BAD, lambda: desk.put_intent(1, ovn=ovn, state="Activated"))


def test_rule_10_not_both_subscriptions(desk: Desk) -> None:
    desk.put_subscription(9)
    refused(BAD, lambda: desk.put_intent(1, subscription_id=uid(9), **IMPLICIT))


def test_rule_10_an_unknown_subscription_is_bad_and_anothers_is_forbidden(desk: Desk) -> None:
    refused(BAD, lambda: desk.put_intent(1, subscription_id=uid(9)))
    refused(BAD, lambda: desk.put_intent(1, subscription_id="none"))
    desk.put_subscription(9, who="uss2")
    refused(FORBIDDEN, lambda: desk.put_intent(1, subscription_id=uid(9)))


def test_rule_10_accepted_without_subscription_says_the_null_id(desk: Desk) -> None:
    assert desk.put_intent(1)["operational_intent_reference"]["subscription_id"] == NULL_SUBSCRIPTION_ID


def test_rule_11_creating_what_exists_is_a_conflict_even_if_identical(desk: Desk) -> None:
    desk.put_intent(1)
    refused(CONFLICT, lambda: desk.put_intent(1))


def test_rule_11_a_wrong_ovn_is_a_conflict_and_one_for_nothing_is_bad(desk: Desk) -> None:
    desk.put_intent(1)
    refused(CONFLICT, lambda: desk.put_intent(1, ovn="x" * 20))
    refused(BAD, lambda: desk.put_intent(2, ovn="x" * 20))
    refused(MISSING, lambda: desk.delete_intent(2, "x" * 20))
    refused(CONFLICT, lambda: desk.delete_intent(1, "x" * 20))


def test_rule_11_an_empty_ovn_is_bad(desk: Desk) -> None:
    desk.put_intent(1)
    refused(BAD, lambda: desk.put_intent(1, ovn=""))
    refused(BAD, lambda: desk.delete_intent(1, ""))


def test_rule_11_the_owner_is_checked_before_the_ovn(desk: Desk) -> None:
    desk.put_intent(1)
    refused(FORBIDDEN, lambda: desk.put_intent(1, who="uss2", ovn="x" * 20))
    refused(FORBIDDEN, lambda: desk.put_intent(1, who="uss2"))
    refused(FORBIDDEN, lambda: desk.delete_intent(1, "x" * 20, who="uss2"))


def test_rule_12_the_key_must_name_every_intent_in_the_way_own_ones_too(desk: Desk) -> None:
    ovns = [ovn_of(desk.put_intent(1)), ""]
    ovns[1] = ovn_of(desk.put_intent(2, key=ovns[:1], who="uss2"))
    body: Any = refused(CONFLICT, lambda: desk.put_intent(3, key=ovns[:1])).body
    assert [m.id for m in body.missing_operational_intents] == [uid(2)]
    assert desk.put_intent(3, key=ovns)


def test_rule_12_the_intent_itself_and_unknown_ovns_do_not_matter(desk: Desk) -> None:
    ovn = ovn_of(desk.put_intent(1, key=["of nothing that is known"]))
    assert desk.put_intent(1, ovn=ovn)


@pytest.mark.parametrize(
    "apart",
    [volume(FAR), volume(low=200, high=300), volume(start=2 * HOUR_US, end=3 * HOUR_US)],
    ids=["elsewhere", "above", "later"],
)
def test_rule_12_what_is_apart_in_space_altitude_or_time_needs_no_key(desk: Desk, apart: dict[str, Any]) -> None:
    desk.put_intent(1)
    assert desk.put_intent(2, apart)


def test_rule_12_off_nominal_intents_need_no_key(desk: Desk) -> None:
    ovn = ovn_of(desk.put_intent(1))
    desk.put_intent(2, key=[ovn])
    assert desk.put_intent(1, ovn=ovn, state="Nonconforming", scopes=MONITORING, **IMPLICIT)


def test_rule_12_what_has_ended_needs_no_key(desk: Desk) -> None:
    desk.put_intent(1, volume(end=MINUTE_US))
    desk.now_us += 2 * MINUTE_US
    assert desk.put_intent(2)


def test_rule_12_a_stale_ovn_is_no_knowledge(desk: Desk) -> None:
    old = ovn_of(desk.put_intent(1))
    desk.put_intent(1, ovn=old)
    refused(CONFLICT, lambda: desk.put_intent(2, key=[old]))


def test_rule_13_constraints_are_asked_for_only_where_the_subscription_hears_of_them(desk: Desk) -> None:
    constraint = desk.put_constraint(5)["constraint_reference"]
    assert desk.put_intent(1, **IMPLICIT)
    hearing: dict[str, Any] = {"new_subscription": {"uss_base_url": URL, "notify_for_constraints": True}}
    ovn = ovn_of(desk.put_intent(2, volume(low=500, high=600)))
    high = volume(low=500, high=600)
    assert desk.put_intent(2, high, ovn=ovn, **hearing)
    refusal = refused(CONFLICT, lambda: desk.put_intent(3, key=[ovn], **hearing))
    body: Any = refusal.body
    assert [c.id for c in body.missing_constraints] == [uid(5)]
    assert [i.id for i in body.missing_operational_intents] == [uid(1)]
    key = [constraint["ovn"], desk.get_intent(1)["ovn"]]
    assert desk.put_intent(3, key=key, **hearing)


def test_rule_13_without_such_a_subscription_no_constraints_are_named(desk: Desk) -> None:
    desk.put_constraint(5)
    desk.put_intent(1)
    body: Any = refused(CONFLICT, lambda: desk.put_intent(2)).body
    assert body.missing_constraints is None


def test_rule_13_and_14_the_ovns_of_others_are_not_given_away(desk: Desk) -> None:
    desk.put_intent(1, who="uss2")
    body: Any = refused(CONFLICT, lambda: desk.put_intent(2)).body
    assert body.missing_operational_intents[0].ovn == NO_OVN_PHRASE
    assert desk.get_intent(1)["ovn"] == NO_OVN_PHRASE
    assert desk.query_intents(volume())[0]["ovn"] == NO_OVN_PHRASE
    assert desk.get_intent(1, who="uss2")["ovn"].startswith("token-")
    listed = desk.put_subscription(9)["operational_intent_references"]
    assert [i["ovn"] for i in listed] == [NO_OVN_PHRASE]


def test_rule_14_the_managers_availability_is_shown(desk: Desk) -> None:
    desk.put_intent(1, who="uss2")
    assert desk.get_intent(1)["uss_availability"] == "Unknown"
    desk.put_availability("uss2", "Down")
    assert desk.get_intent(1)["uss_availability"] == "Down"


def test_rule_15_versions_count_and_ovns_are_new_on_every_change(desk: Desk) -> None:
    seen = set()
    ovn: str | None = None
    for version in range(1, 6):
        reference = desk.put_intent(1, ovn=ovn)["operational_intent_reference"]
        ovn = reference["ovn"]
        assert ovn is not None
        assert reference["version"] == version
        assert 16 <= len(ovn) <= 128
        seen.add(ovn)
    assert len(seen) == 5


def suffix(made_us: int, version: int = 7) -> str:
    ms = made_us // 1_000
    return f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-{version}abc-8abc-0123456789ab"


def test_rule_16_a_requested_suffix_becomes_part_of_the_ovn(desk: Desk) -> None:
    wanted = suffix(NOW_US)
    assert ovn_of(desk.put_intent(1, requested_ovn_suffix=wanted)) == f"{uid(1)}_{wanted}"


@pytest.mark.parametrize(
    "wanted",
    ["", "new", suffix(NOW_US, 4), suffix(NOW_US - MINUTES_6), suffix(NOW_US + MINUTES_6), suffix(NOW_US) + " "],
)
def test_rule_16_other_suffixes_are_refused(desk: Desk, wanted: str) -> None:
    refused(BAD, lambda: desk.put_intent(1, requested_ovn_suffix=wanted))


def test_rule_15_an_ovn_that_was_replaced_never_becomes_current_again(desk: Desk) -> None:
    """Whose key holds it has not seen the entity as it is."""
    first = ovn_of(desk.put_intent(1, requested_ovn_suffix=suffix(NOW_US)))
    refused(BAD, lambda: desk.put_intent(1, ovn=first, requested_ovn_suffix=suffix(NOW_US)))
    second = ovn_of(desk.put_intent(1, ovn=first, requested_ovn_suffix=suffix(NOW_US + 1_000)))
    refused(BAD, lambda: desk.put_intent(1, ovn=second, requested_ovn_suffix=suffix(NOW_US)))


def test_rule_17_an_implicit_subscription_has_the_unions_extents(desk: Desk) -> None:
    reference = desk.put_intent(1, **IMPLICIT)["operational_intent_reference"]
    made = desk.get_subscription(reference["subscription_id"])
    assert made["implicit_subscription"] is True
    assert made["notify_for_operational_intents"] is True
    assert made["dependent_operational_intents"] == [uid(1)]
    assert (made["time_start"], made["time_end"]) == (reference["time_start"], reference["time_end"])


def test_rule_17_a_new_one_on_update_replaces_the_old_one(desk: Desk) -> None:
    first = desk.put_intent(1, **IMPLICIT)["operational_intent_reference"]
    second = desk.put_intent(1, ovn=first["ovn"], **IMPLICIT)["operational_intent_reference"]
    assert second["subscription_id"] != first["subscription_id"]
    refused(MISSING, lambda: desk.get_subscription(first["subscription_id"]))


def test_rule_17_switching_to_an_explicit_one_or_to_none_removes_it(desk: Desk) -> None:
    desk.put_subscription(9)
    switches: list[dict[str, Any]] = [{"subscription_id": uid(9)}, {}]
    for number, switch in enumerate(switches, 1):
        place = volume(low=1_000 * number, high=1_000 * number + 100)
        first = desk.put_intent(number, place, **IMPLICIT)["operational_intent_reference"]
        desk.put_intent(number, place, ovn=first["ovn"], **switch)
        refused(MISSING, lambda first=first: desk.get_subscription(first["subscription_id"]))  # type: ignore[misc]


def test_rule_17_deleting_the_last_dependent_removes_it_and_not_before(desk: Desk) -> None:
    first = desk.put_intent(1, **IMPLICIT)["operational_intent_reference"]
    shared = first["subscription_id"]
    second = desk.put_intent(2, key=[first["ovn"]], subscription_id=shared)["operational_intent_reference"]
    desk.delete_intent(1, first["ovn"])
    assert desk.get_subscription(shared)["dependent_operational_intents"] == [uid(2)]
    desk.delete_intent(2, second["ovn"])
    refused(MISSING, lambda: desk.get_subscription(shared))


def test_rule_17_its_own_id_on_update_extends_it_and_never_shrinks_it(desk: Desk) -> None:
    first = desk.put_intent(1, **IMPLICIT)["operational_intent_reference"]
    own = first["subscription_id"]
    wide = volume(circle(radius_m=5_000.0), end=3 * HOUR_US)
    second = desk.put_intent(1, wide, ovn=first["ovn"], subscription_id=own)["operational_intent_reference"]
    assert desk.get_subscription(own)["time_end"] == second["time_end"]
    third = desk.put_intent(1, ovn=second["ovn"], subscription_id=own)["operational_intent_reference"]
    assert desk.get_subscription(own)["time_end"] == second["time_end"]
    assert third["subscription_id"] == own
    near = volume(circle(lat=46.03, radius_m=10.0))
    assert desk.query_subscriptions(near) == [own]


@pytest.mark.parametrize(
    "beyond",
    [volume(FAR), volume(end=3 * HOUR_US), volume(start=-HOUR_US)],
    ids=["area", "end", "start"],
)
def test_rule_18_an_explicit_subscription_must_cover_the_intent(desk: Desk, beyond: dict[str, Any]) -> None:
    desk.put_subscription(9)
    refused(BAD, lambda: desk.put_intent(1, beyond, subscription_id=uid(9)))
    assert desk.put_intent(1, subscription_id=uid(9))


def test_rule_19_the_implicit_subscription_is_itself_told_with_its_count_raised(desk: Desk) -> None:
    answer = desk.put_intent(1, **IMPLICIT)
    own = answer["operational_intent_reference"]["subscription_id"]
    assert answer["subscribers"] == [
        {"uss_base_url": URL, "subscriptions": [{"subscription_id": own, "notification_index": 1}]}
    ]
    assert desk.get_subscription(own)["notification_index"] == 1


def test_rule_25_counts_rise_once_a_change_and_an_update_tells_old_and_new_places(desk: Desk) -> None:
    desk.put_subscription(8, volume(circle(), low=None, high=None, end=5 * HOUR_US), who="uss2")
    desk.put_subscription(9, volume(FAR, low=None, high=None, end=5 * HOUR_US), who="uss2", uss_base_url=URL + "/b")
    told = desk.put_intent(1)
    assert told["subscribers"] == [
        {"uss_base_url": URL, "subscriptions": [{"subscription_id": uid(8), "notification_index": 1}]}
    ]
    told = desk.put_intent(1, volume(FAR), ovn=ovn_of(told))
    states = {s["subscription_id"]: s["notification_index"] for t in told["subscribers"] for s in t["subscriptions"]}
    assert states == {uid(8): 2, uid(9): 1}
    assert {t["uss_base_url"] for t in told["subscribers"]} == {URL, URL + "/b"}
    told = desk.delete_intent(1, ovn_of(told))
    assert told["subscribers"][0]["subscriptions"] == [{"subscription_id": uid(9), "notification_index": 2}]


def test_rule_25_subscribers_are_grouped_by_base_url(desk: Desk) -> None:
    for number in (7, 8, 9):
        desk.put_subscription(number)
    told = desk.put_intent(1)["subscribers"]
    assert [len(t["subscriptions"]) for t in told] == [3]


def test_subscriptions_for_constraints_alone_hear_nothing_of_intents(desk: Desk) -> None:
    desk.put_subscription(9, notify_for_operational_intents=False, notify_for_constraints=True)
    assert desk.put_intent(1)["subscribers"] == []


def test_ended_subscriptions_are_not_told(desk: Desk) -> None:
    desk.put_subscription(9)
    desk.now_us += 3 * HOUR_US
    assert desk.put_intent(1, volume(start=0, end=4 * HOUR_US))["subscribers"] == []


def test_a_uss_that_is_down_may_not_plan_nor_delete(desk: Desk) -> None:
    ovn = ovn_of(desk.put_intent(1))
    version = desk.put_availability("uss1", "Down")["version"]
    refused(DOWN, lambda: desk.put_intent(2))
    refused(DOWN, lambda: desk.delete_intent(1, ovn))
    assert desk.put_intent(1, ovn=ovn, state="Nonconforming", scopes=MONITORING, **IMPLICIT)
    desk.put_availability("uss1", "Normal", version)
    assert desk.put_intent(2, volume(FAR))


def test_a_refused_request_changes_nothing(desk: Desk) -> None:
    desk.put_intent(1)
    before = sorted(desk.airspace.records(), key=str)
    refused(CONFLICT, lambda: desk.put_intent(2, **IMPLICIT))
    assert sorted(desk.airspace.records(), key=str) == before


def test_a_conflict_lists_no_more_than_an_error_may_hold(desk: Desk) -> None:
    key: list[str] = []
    for number in range(200):
        key.append(ovn_of(desk.put_intent(number, key=key)))
    refusal = refused(CONFLICT, lambda: desk.put_intent(999))
    body: Any = refusal.body
    assert len(body.missing_operational_intents) == 150
    assert "200" in refusal.message


def test_changes_are_taken_back_exactly(desk: Desk) -> None:
    desk.put_subscription(9)
    first = desk.put_intent(1, **IMPLICIT)["operational_intent_reference"]
    before = sorted(desk.airspace.records(), key=str)
    counts = dict(desk.airspace.counts)
    desk.put_intent(1, volume(FAR), ovn=first["ovn"], **IMPLICIT)
    # What undoes the update is what apply gave back: play it against a copy that has seen the update.
    copy = Desk(airspace=type(desk.airspace)())
    copy.airspace.apply(before)
    undo = copy.airspace.apply(desk.changes)
    copy.airspace.apply(undo)
    assert sorted(copy.airspace.records(), key=str) == before
    assert {k: v for k, v in copy.airspace.counts.items() if v} == {k: v for k, v in counts.items() if v}
    assert copy.airspace.dependents(first["subscription_id"]) == [uid(1)]
