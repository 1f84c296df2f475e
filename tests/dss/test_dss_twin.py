"""Any sequence of requests, held against a slow twin that knows no index, no masks and no batches."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keepclear.dss.instants import HOUR_US
from keepclear.dss.records import Change, Kind
from keepclear.dss.refusal import Refusal, RefusalKind
from tests.dss.desk import NOW_US, URL, Desk, circle, uid, volume

PLACES = (46.0, 46.005, 47.0)
"""The first two share cells, the third is far away."""
NEIGHBOURS = {(46.0, 46.005), (46.005, 46.0)}


class Twin:
    """Intents and subscriptions as plain rows; every question looks at all of them."""

    def __init__(self) -> None:
        self.intents: dict[str, dict[str, Any]] = {}
        self.subscriptions: dict[str, dict[str, Any]] = {}

    @staticmethod
    def overlap(a: dict[str, Any], b: dict[str, Any]) -> bool:
        near = a["lat"] == b["lat"] or (a["lat"], b["lat"]) in NEIGHBOURS
        return bool(
            near and a["low"] <= b["high"] and b["low"] <= a["high"] and a["from"] <= b["to"] and b["from"] <= a["to"]
        )

    def missing(self, name: str, box: dict[str, Any], key: list[str]) -> set[str]:
        return {
            other for other, row in self.intents.items()
            if other != name and self.overlap(row["box"], box) and row["ovn"] not in key
        }  # fmt: skip

    def told(self, *boxes: dict[str, Any]) -> set[str]:
        return {s for s, row in self.subscriptions.items() if any(self.overlap(row["box"], box) for box in boxes)}

    def bump(self, told: set[str]) -> dict[str, int]:
        for name in told:
            self.subscriptions[name]["count"] += 1
        return {name: self.subscriptions[name]["count"] for name in told}


boxes = st.builds(
    lambda lat, low, start: {"lat": lat, "low": 50.0 * low, "high": 50.0 * low + 60.0, "from": start, "to": start + 1},
    st.sampled_from(PLACES), st.integers(0, 3), st.integers(0, 3),
)  # fmt: skip
operations = st.one_of(
    st.tuples(st.just("put"), st.integers(1, 6), boxes, st.integers(0, 100), st.booleans()),
    st.tuples(st.just("delete"), st.integers(1, 6), boxes, st.integers(0, 100), st.booleans()),
    st.tuples(st.just("subscribe"), st.integers(20, 23), boxes, st.integers(0, 100), st.booleans()),
)


def v4(box: dict[str, Any], **more: Any) -> dict[str, Any]:
    place = circle(lat=box["lat"], radius_m=300.0)
    times = {"start": box["from"] * HOUR_US, "end": box["to"] * HOUR_US}
    return volume(place, low=box["low"], high=box["high"], **times, **more)


def counts(told: list[dict[str, Any]]) -> dict[str, int]:
    return {s["subscription_id"]: s["notification_index"] for t in told for s in t["subscriptions"]}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(operations, max_size=25))
def test_the_rules_decide_as_the_slow_twin_does(steps: list[Any]) -> None:
    desk, twin = Desk(), Twin()
    for what, number, box, share, implicit in steps:
        name = uid(number)
        if what == "put":
            known = [row["ovn"] for row in twin.intents.values()]
            key = known[: len(known) * share // 50]
            old = twin.intents.get(name)
            given_: dict[str, Any] = {"new_subscription": {"uss_base_url": URL}} if implicit else {}
            lacking = twin.missing(name, box, key)
            ovn = old["ovn"] if old else None
            if lacking:
                with pytest.raises(Refusal) as caught:
                    desk.put_intent(number, v4(box), ovn=ovn, key=key, **given_)
                body: Any = caught.value.body
                assert caught.value.kind is RefusalKind.CONFLICT
                assert {m.id for m in body.missing_operational_intents} == lacking
                continue
            answer = desk.put_intent(number, v4(box), ovn=ovn, key=key, **given_)
            if old and old["subscription"]:
                del twin.subscriptions[old["subscription"]]
            reference = answer["operational_intent_reference"]
            own = reference["subscription_id"] if implicit else None
            if own:
                twin.subscriptions[own] = {"box": box, "count": 0}
            told = twin.told(box, *([old["box"]] if old else []))
            assert counts(answer["subscribers"]) == twin.bump(told)
            assert reference["version"] == (old["version"] if old else 0) + 1
            twin.intents[name] = {
                "box": box, "ovn": reference["ovn"], "subscription": own, "version": reference["version"]
            }  # fmt: skip
        elif what == "delete" and name in twin.intents:
            old = twin.intents.pop(name)
            answer = desk.delete_intent(number, old["ovn"])
            assert counts(answer["subscribers"]) == twin.bump(twin.told(old["box"]))
            if old["subscription"]:
                del twin.subscriptions[old["subscription"]]
        elif what == "subscribe" and name not in twin.subscriptions:
            answer = desk.put_subscription(number, v4(box))
            found = {i["id"] for i in answer["operational_intent_references"]}
            assert found == {other for other, row in twin.intents.items() if twin.overlap(row["box"], box)}
            twin.subscriptions[name] = {"box": box, "count": 0}
        for lat in PLACES:
            area = {"lat": lat, "low": 0.0, "high": 60.0, "from": 0, "to": 1}
            there = {i["id"] for i in desk.query_intents(v4(area))}
            assert there == {other for other, row in twin.intents.items() if twin.overlap(row["box"], area)}
        assert set(desk.airspace.subscriptions) == set(twin.subscriptions)
        assert {n: desk.airspace.counts[n] for n in twin.subscriptions} == {
            n: row["count"] for n, row in twin.subscriptions.items()
        }
        _rebuilt_is_the_same(desk)


def _rebuilt_is_the_same(desk: Desk) -> None:
    """What a server would load from the database answers as the one that lived through it."""
    again = Desk()
    again.airspace.apply(Change(c.kind, c.id, c.record) for c in desk.airspace.records() if c.kind is not Kind.REPORT)
    for lat in PLACES:
        area = volume(circle(lat=lat), start=0, end=HOUR_US)
        assert sorted(i["id"] for i in again.query_intents(area)) == sorted(i["id"] for i in desk.query_intents(area))


def test_the_twin_and_the_cells_agree_on_what_is_near() -> None:
    desk = Desk()
    boxes_ = [desk._area(volume(circle(lat=lat, radius_m=300.0))) for lat in PLACES]
    assert boxes_[0].meets(boxes_[1])
    assert not boxes_[0].meets(boxes_[2])
    assert desk.now_us == NOW_US
    with pytest.raises(Refusal):
        desk.get_intent(1)
