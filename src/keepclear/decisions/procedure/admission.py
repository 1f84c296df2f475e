"""Whether what was received counts in a circulation, and if not, why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepclear.decisions.acts import Commit, Open, Position, Sheet
from keepclear.decisions.procedure.events import Event
from keepclear.decisions.procedure.status import day_of
from keepclear.decisions.vocabulary import Ballot, Under, VoidReason
from keepclear.errors import InputError

if TYPE_CHECKING:
    from keepclear.decisions.procedure.circulation import Circulation

__all__ = ["refuse_position", "refuse_sheet"]


def refuse_position(into: Circulation, act: Position | Commit | Open, event: Event) -> tuple[VoidReason | None, str]:
    """Why a position, a commitment or an opening does not count in a circulation; None: it does."""
    own = event.filed.party == into.filed.party
    if event.member != act.member and not (own and event.member is None):
        return VoidReason.MISREGISTERED, f"the receipt is for {event.member or 'nobody'}"
    if act.version != into.act.version:
        return VoidReason.OTHER_VERSION, f"version {into.act.version} is before the members"
    if isinstance(act, Position) and act.text_hash != into.act.text_hash:
        return VoidReason.OTHER_TEXT, f"it is about the text {act.text_hash[:12]}…"
    member = into.members_on(day_of(event.at_ms)).get(act.member)
    if act.member not in into.electorate.by_id or member is None:
        return VoidReason.NOT_A_MEMBER, f"on {day_of(event.at_ms)}"
    if event.filed.party not in member.represented(day_of(event.at_ms)):
        return VoidReason.NOT_REPRESENTED, f"{event.filed.party} did not speak for it on {day_of(event.at_ms)}"
    return _refuse_time(into, act, event)


def _refuse_time(into: Circulation, act: Position | Commit | Open, event: Event) -> tuple[VoidReason | None, str]:
    late_ms = event.at_ms - into.closes_ms
    if isinstance(act, Open):
        if into.open_by_ms is None:
            return VoidReason.BALLOT, "the ballot is open"
        return (VoidReason.TOO_EARLY, "the ballot was still closed") if late_ms <= 0 else (None, "")
    secret = into.act.ballot is Ballot.SECRET
    if isinstance(act, Commit) != secret and not (isinstance(act, Position) and act.stance is None):
        return VoidReason.BALLOT, "the ballot is secret" if secret else "the ballot is open"
    if late_ms > 0 and not (isinstance(act, Position) and act.member in into.reserved_by):
        return VoidReason.LATE, f"received {late_ms / 1000:.3f} s after the deadline"
    return None, ""


def refuse_sheet(into: Circulation, act: Sheet, event: Event) -> VoidReason | None:
    """The same for a vote taken in a room: all of it counts or none."""
    if act.version != into.act.version:
        return VoidReason.OTHER_VERSION
    if act.text_hash != into.act.text_hash:
        return VoidReason.OTHER_TEXT
    if event.at_ms > into.closes_ms:
        return VoidReason.LATE
    if into.act.under is Under.SILENCE or into.act.ballot is Ballot.SECRET:
        return VoidReason.BALLOT
    if any(member not in into.electorate.by_id for member in act.roll):
        return VoidReason.NOT_A_MEMBER
    if act.counts is not None:
        try:
            into.tally_counts(act)
        except InputError:
            return VoidReason.AGAINST_THE_RULE
    return None
