"""Who is proved to have a text: the receipts that its silence rests on (practice R4.1)."""

from __future__ import annotations

from collections.abc import Collection

from keepclear.channel.entry import Reference
from keepclear.decisions.acts import Received
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.status import day_of
from keepclear.decisions.rules.body import Body

__all__ = ["receipts_of", "unreached_members"]


def receipts_of(docket: Docket, proposal: str, version: int, text_hash: str) -> dict[str, Reference]:
    """By party, its first receipt for this version and this text."""
    found: dict[str, Reference] = {}
    for filed in docket.about(proposal):
        act = filed.act
        if isinstance(act, Received) and (act.version, act.text_hash) == (version, text_hash):
            found.setdefault(filed.party, filed.reference)
    return found


def unreached_members(body: Body, excluded: Collection[str], parties: frozenset[str], now_ms: int) -> tuple[str, ...]:
    """Members of today for whom none of the parties speaks."""
    today = day_of(now_ms)
    members = body.electorate(today, excluded).members
    return tuple(member.id for member in members if parties.isdisjoint(member.represented(today)))
