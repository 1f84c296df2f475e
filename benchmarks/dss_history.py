"""Judges a history of requests to a DSS without knowing how the DSS works.

A history is a list of writes by entity, each with when it was sent and answered, what it wanted and what was said.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Write", "violations"]


@dataclass(frozen=True, slots=True)
class Write:
    """``status`` 0: no answer came, so it may have been carried out or not."""

    entity: str
    sent_s: float
    answered_s: float
    status: int
    deleted: bool = False
    low_m: float = 0.0
    high_m: float = 0.0
    ovn: str = ""
    key: frozenset[str] = frozenset()
    counts: dict[str, int] = field(default_factory=dict)


def violations(history: list[Write], left: dict[str, str | None]) -> list[str]:
    """``left``: what each entity's OVN was when all was over; None: there is no such entity."""
    by_entity: dict[str, list[Write]] = defaultdict(list)
    for write in sorted(history, key=lambda w: w.sent_s):
        by_entity[write.entity].append(write)
    return [*_unknown_overlaps(by_entity), *_counts(history), *_lost(by_entity, left)]


def _unknown_overlaps(by_entity: dict[str, list[Write]]) -> list[str]:
    """Of two overlapping intents in force together, one must have known the other.

    A was accepted at some instant between its sending and its answer, and held until the next write to the same entity
    was sent at the earliest. If A's holding surely covers B's acceptance or the other way round, then the later one's
    key must hold the earlier one's OVN; which is later cannot be seen from outside, so either will do.
    """
    spans: list[tuple[Write, float]] = []
    for writes in by_entity.values():
        for number, write in enumerate(writes):
            if write.status in (200, 201) and not write.deleted:
                following = writes[number + 1].sent_s if number + 1 < len(writes) else float("inf")
                spans.append((write, following))
    spans.sort(key=lambda span: span[0].sent_s)
    found: list[str] = []
    active: list[tuple[Write, float]] = []
    for a, a_until_s in spans:
        active = [(b, until_s) for b, until_s in active if until_s >= a.sent_s]
        for b, b_until_s in active:
            together = a_until_s >= b.answered_s and b_until_s >= a.answered_s and a.entity != b.entity
            overlap = a.low_m <= b.high_m and b.low_m <= a.high_m
            if together and overlap and a.ovn not in b.key and b.ovn not in a.key:
                found.append(f"{a.entity} {a.ovn} and {b.entity} {b.ovn} overlap, and neither knew the other")
        active.append((a, a_until_s))
    return found


def _counts(history: list[Write]) -> list[str]:
    """A subscription's counts: never the same twice, and higher in every later answer."""
    found: list[str] = []
    seen: dict[str, list[tuple[int, Write]]] = defaultdict(list)
    for write in history:
        for subscription, count in write.counts.items():
            seen[subscription].append((count, write))
    for subscription, told in seen.items():
        told.sort(key=lambda entry: entry[0])
        latest_s = float("-inf")
        for (count, _), (before, _) in zip(told[1:], told):
            if count == before:
                found.append(f"subscription {subscription} was told {count} twice")
        for count, write in told:
            if write.answered_s < latest_s:
                found.append(f"subscription {subscription}: the count {count} came after a higher one")
            latest_s = max(latest_s, write.sent_s)
    return found


def _lost(by_entity: dict[str, list[Write]], left: dict[str, str | None]) -> list[str]:
    """What was acknowledged last, with nothing unclear after it, is what is there."""
    found: list[str] = []
    for entity, writes in by_entity.items():
        decided = [w for w in writes if w.status in (0, 200, 201)]
        if not decided or decided[-1].status == 0:
            continue
        last: Any = decided[-1]
        if left[entity] != (None if last.deleted else last.ovn):
            found.append(f"{entity}: acknowledged {'deletion' if last.deleted else last.ovn}, found {left[entity]}")
    return found
