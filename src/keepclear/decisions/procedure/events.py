"""What a secretary's log shows of a proposal, in its order: its own acts, and everybody else's where it received them.

The secretary's log is the only clock and the only order that all members have in common. What it has not registered has
not been received, whatever its writer's clock says (practice R4.3).
"""

from __future__ import annotations

from dataclasses import dataclass

from keepclear.channel.entry import Reference
from keepclear.decisions.acts import Received, Register, Table
from keepclear.decisions.procedure.docket import Docket, Filed
from keepclear.decisions.procedure.status import Missing

__all__ = ["Event", "Forked", "History", "history"]


@dataclass(frozen=True, slots=True)
class Event:
    seq: int
    """of the secretary's entry that shows it"""
    at_ms: int
    """by the secretary's log"""
    filed: Filed
    member: str | None = None
    """as registered; none for the secretary's own acts"""


@dataclass(frozen=True, slots=True)
class Forked:
    """Something registered of a log of which another history is proved, from there on."""

    seq: int
    at_ms: int
    member: str
    reference: Reference


@dataclass(frozen=True, slots=True)
class History:
    events: tuple[Event | Forked, ...]
    """in the order of the secretary's log"""
    missing: tuple[Missing, ...]
    unreceived: tuple[Filed, ...]
    """other parties' acts that no receipt names"""


def history(docket: Docket, secretary: str, proposal: str) -> History:
    events: list[Event | Forked] = []
    missing: list[Missing] = []
    about = docket.about(proposal)
    received: set[Reference] = set()
    for filed in (each for each in about if each.party == secretary):
        if docket.forked(secretary, filed.seq):
            break  # from here on it has told others something else
        if not isinstance(filed.act, Register):
            events.append(Event(filed.seq, filed.clock_ms, filed))
            continue
        for item in filed.act.positions:
            if item.reference in received:
                continue
            received.add(item.reference)
            found = docket.at(item.reference)
            if docket.forked(item.party, item.seq):
                events.append(Forked(filed.seq, filed.clock_ms, item.member or "", item.reference))
            elif found is not None:
                events.append(Event(filed.seq, filed.clock_ms, found, item.member))
            else:
                missing.append(Missing(f"entry {item.seq} of {item.party}", docket.lacks(item.reference)))
    unreceived = tuple(
        filed for filed in about
        if filed.party != secretary and filed.reference not in received
        and not isinstance(filed.act, Table | Received)
    )  # fmt: skip
    return History(tuple(events), tuple(missing), unreceived)
