"""The secretary's receipt: what others have written to a proposal and the register does not show yet (practice R4.3).

It is a receipt and no judgement: a position that is late, on another text or contradictory is received like any other.
Only what parties write that have no part in the body is left out, so that a stranger cannot fill the register.
"""

from __future__ import annotations

from collections.abc import Iterable

from keepclear.decisions.acts import REFERENCES_MAX, Register, Registered, Table
from keepclear.decisions.procedure.docket import Docket, Filed, origin
from keepclear.decisions.procedure.events import history

__all__ = ["register_acts"]

REFERENCES_PER_ACT = REFERENCES_MAX // 2
"""With the longest names so many fit the 65,535 bytes of an entry."""


def register_acts(docket: Docket, party: str, proposal: str | None = None) -> tuple[Register, ...]:
    """The acts that receive everything that has come, of one proposal or all of which ``party`` is the secretary."""
    acts: list[Register] = []
    for number in [proposal] if proposal is not None else docket.proposals():
        parties = _parties(docket, party, number)
        if parties:
            waiting = [one for one in history(docket, party, number).unreceived if one.party in parties]
            acts += _acts(number, waiting)
    return tuple(acts)


def _parties(docket: Docket, party: str, number: str) -> frozenset[str]:
    """Who tabled it, and who speaks or has ever spoken for a member; empty where ``party`` is not the secretary."""
    tabled = next((f for f in docket.about(number) if isinstance(f.act, Table) and f.party == origin(number)), None)
    if tabled is None:
        return frozenset()
    assert isinstance(tabled.act, Table)
    body = docket.bodies().get(tabled.act.body)
    if body is None or body.secretary != party:
        return frozenset()
    return frozenset(one.party for member in body.members for one in member.represented_by) | {tabled.party}


def _acts(number: str, waiting: Iterable[Filed]) -> Iterable[Register]:
    by_version: dict[int, list[Registered]] = {}
    for one in waiting:
        entry = Registered(member=getattr(one.act, "member", None), party=one.party, seq=one.seq, leaf=one.leaf)
        by_version.setdefault(getattr(one.act, "version", 1), []).append(entry)
    for version, entries in sorted(by_version.items()):
        for start in range(0, len(entries), REFERENCES_PER_ACT):
            part = tuple(entries[start : start + REFERENCES_PER_ACT])
            yield Register(proposal=number, version=version, positions=part)
