"""The checker of histories finds what it is there to find, and nothing else."""

from __future__ import annotations

from benchmarks.dss_history import Write, violations


def put(entity: str, sent: float, answered: float, ovn: str, *key: str, **given: object) -> Write:
    return Write(entity, sent, answered, 201, low_m=0, high_m=9, ovn=ovn, key=frozenset(key), **given)  # type: ignore[arg-type]


def test_a_later_intent_that_knew_the_earlier_one_is_fine() -> None:
    assert violations([put("a", 0, 1, "A"), put("b", 2, 3, "B", "A")], {"a": "A", "b": "B"}) == []


def test_two_that_did_not_know_each_other_are_found_also_when_they_were_under_way_together() -> None:
    for sent in (0.5, 2.0):
        assert len(violations([put("a", 0, 1, "A"), put("b", sent, sent + 1, "B")], {"a": "A", "b": "B"})) == 1


def test_one_that_may_have_gone_before_the_other_came_proves_nothing() -> None:
    history = [put("a", 0, 1, "A"), Write("a", 2, 4, 200, deleted=True), put("b", 3, 5, "B")]
    assert violations(history, {"a": None, "b": "B"}) == []


def test_bands_apart_need_no_knowledge() -> None:
    high = Write("b", 2, 3, 201, low_m=20, high_m=30, ovn="B")
    assert violations([put("a", 0, 1, "A"), high], {"a": "A", "b": "B"}) == []


def test_counts_that_repeat_or_fall_are_found() -> None:
    key = {"a": "A", "b": "B"}
    again = [put("a", 0, 1, "A", counts={"s": 1}), put("b", 2, 3, "B", "A", counts={"s": 1})]
    fallen = [put("a", 0, 1, "A", counts={"s": 2}), put("b", 2, 3, "B", "A", counts={"s": 1})]
    assert len(violations(again, key)) == 1  # type: ignore[arg-type]
    assert len(violations(fallen, key)) == 1  # type: ignore[arg-type]


def test_acknowledged_writes_that_are_gone_are_found_and_unclear_ones_are_not() -> None:
    assert len(violations([put("a", 0, 1, "A")], {"a": None})) == 1
    unclear = Write("a", 2, 3, 0)
    assert violations([put("a", 0, 1, "A"), unclear], {"a": None}) == []
