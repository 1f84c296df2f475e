"""Who is about to write an act, when, and what it can read; and the checks that several acts share."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.status import Round, Status, day_of
from keepclear.decisions.rules.body import Body
from keepclear.decisions.vocabulary import State
from keepclear.errors import InputError
from keepclear.quantities import format_instant

__all__ = ["Writer", "member_speaks", "members_of", "not_ended", "open_round", "speaks", "this_text"]

ENDED = frozenset({State.ADOPTED, State.MOVED, State.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Writer:
    docket: Docket
    party: str
    parties: Collection[str]
    now_ms: int

    def status(self, proposal: str) -> Status:
        return status(self.docket, proposal)

    def secretary(self, body: Body | None) -> None:
        if body is None or body.secretary != self.party:
            who = body.secretary if body and body.secretary else "nobody"
            raise InputError(f"only the secretary can do this, which is {who}, not {self.party}")

    def future(self, at_ms: int | None, where: str) -> None:
        if at_ms is not None and at_ms <= self.now_ms:
            raise InputError(f"{format_instant(at_ms / 1000.0)} is in the past", where=where)

    def body(self, digest: str) -> Body:
        return self.docket.body(digest)


def members_of(body: Body, party: str, now_ms: int) -> tuple[str, ...]:
    """The members for which a party speaks today."""
    today = day_of(now_ms)
    return tuple(m.id for m in body.members if m.holds(today) and party in m.represented(today))


def not_ended(found: Status, writer: Writer) -> None:
    if found.state in ENDED:
        raise InputError(f"{found.proposal} is {found.state.value}: that cannot be changed any more")
    expires_ms = getattr(found.tabled.act, "expires_ms", None)
    if expires_ms is not None and expires_ms <= writer.now_ms:
        raise InputError(f"{found.proposal} has expired: {format_instant(expires_ms / 1000.0)}")


def this_text(found: Status, version: int, text_hash: str) -> None:
    if (version, text_hash) != (found.version, found.text_hash):
        raise InputError(
            f"the text of {found.proposal} is version {found.version}, {found.text_hash[:16]}…, not {text_hash[:16]}…",
            where="text",
        )


def open_round(found: Status, writer: Writer) -> Round:
    current = found.round
    if current is None or current.version != found.version:
        raise InputError(f"version {found.version} of {found.proposal} was not put to the members yet")
    if not found.state.open:
        raise InputError(f"{found.proposal} is {found.state.value}: nothing can be said to it any more")
    if writer.now_ms > current.closes_ms and found.state is not State.RESERVED:
        raise InputError(f"the deadline has passed: {format_instant(current.closes_ms / 1000.0)}")
    return current


def speaks(found: Status, writer: Writer) -> None:
    if found.body is not None and not members_of(found.body, writer.party, writer.now_ms):
        raise InputError(f"{writer.party} speaks for no member of {found.body.id} today")


def member_speaks(found: Status, member_id: str, writer: Writer) -> None:
    body, today = found.body, day_of(writer.now_ms)
    assert body is not None
    periods = [member for member in body.members if member.id == member_id]
    if not periods:
        raise InputError(f"{member_id} is no member of {body.id}", where="member")
    member = body.member(member_id, today)
    if member is None:
        left = max((one.until_date for one in periods if one.until_date), default=None)
        said = f"left {body.id} on {left}" if left and left < today else f"is not yet a member of {body.id}"
        raise InputError(f"{member_id} {said}: its position would not count", where="member")
    if writer.party not in member.represented(today):
        spoken = ", ".join(member.represented(today)) or "nobody"
        raise InputError(f"{writer.party} does not speak for {member_id} today, {spoken} does", where="member")
    if found.round is not None and member_id not in found.round.members:
        raise InputError(f"{member_id} takes no part in this decision", where="member")
