"""The acts that bring a text before a body, and end its way there."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from keepclear.channel.canonical import Hash
from keepclear.channel.entry import Reference
from keepclear.decisions.acts.base import (
    REFERENCES_MAX,
    Act,
    LongText,
    ProposalId,
    Reason,
    StatedReason,
    Title,
    Total,
    Version,
)
from keepclear.decisions.rules.body import Body
from keepclear.decisions.rules.rule import Identifier
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.vocabulary import Ballot, Effect, Under
from keepclear.errors import InputError
from keepclear.messages import fields
from keepclear.messages.fields import Instant

__all__ = ["Accept", "Amend", "Circulate", "Close", "Constitute", "Extend", "Move", "Table", "Withdraw"]


class Constitute(Act, frozen=True, kw_only=True):
    """Proposes a body to the channel. Whoever writes it accepts it; the others do by :class:`Accept`."""

    body: Body


class Accept(Act, frozen=True, kw_only=True):
    body: Hash
    """of the body as it was constituted: no other version is accepted with it"""


class Table(Act, frozen=True, kw_only=True):
    """Version 1 of a proposal's text. Only the first act that bears its number counts, and only in its own log."""

    proposal: ProposalId
    body: Hash
    rule: Identifier
    title: Title
    text: LongText
    language: fields.LanguageTag
    effect: Effect = Effect.BINDING
    expires_ms: Instant | None = None
    """what is adopted ends then; what is not adopted by then lapses"""
    authorises: Annotated[tuple[fields.Name, ...], Meta(max_length=64)] = ()
    """ids of zones and orders that rest on it"""
    revokes: Annotated[tuple[ProposalId, ...], Meta(max_length=64)] = ()
    """decisions that end where this one is adopted"""
    key_of: ProposalId | None = None
    """dual key: the proposal of the other body, whose text must be the same"""
    excluded: Annotated[tuple[Identifier, ...], Meta(max_length=16)] = ()
    """members who take no part (consensus minus one)"""


class Amend(Act, frozen=True, kw_only=True):
    """Another text, as the next version: it has to be circulated anew (practice R4.2)."""

    proposal: ProposalId
    version: Version
    title: Title
    text: LongText
    language: fields.LanguageTag


class Circulate(Act, frozen=True, kw_only=True):
    """The secretary puts a version to the members."""

    proposal: ProposalId
    version: Version
    text_hash: Hash
    under: Under
    closes_ms: Instant
    """a receipt at this very millisecond is in time, one a millisecond later is late (practice R4.3)"""
    ballot: Ballot = Ballot.OPEN
    open_by_ms: Instant | None = None
    """of a secret ballot: commitments are opened after ``closes_ms``, until this"""
    delivered: Annotated[tuple[Reference, ...], Meta(max_length=REFERENCES_MAX)] = ()
    """the acts :class:`Received` that prove delivery before the opening"""

    def __post_init__(self) -> None:
        super().__post_init__()
        secret = self.ballot is Ballot.SECRET
        if secret != (self.open_by_ms is not None):
            raise InputError("a secret ballot, and only one, says until when it is opened", where="open_by_ms")
        if self.open_by_ms is not None and self.open_by_ms <= self.closes_ms:
            raise InputError("it is opened after its deadline, not before", where="open_by_ms")
        if secret and self.under is not Under.VOTE:
            raise InputError("only a vote can be secret: an objection names who objects", where="ballot")


class Extend(Act, frozen=True, kw_only=True):
    """The secretary moves the deadline, either way, as far as the rule allows it (practice R4.4)."""

    proposal: ProposalId
    version: Version
    closes_ms: Instant
    reason: StatedReason


class Close(Act, frozen=True, kw_only=True):
    """What the secretary says came of it. Everybody recomputes it; a difference is a fault of the secretary's."""

    proposal: ProposalId
    version: Version
    outcome: Outcome
    tally: dict[Stance, Total] = {}  # noqa: RUF012  msgspec copies it


class Withdraw(Act, frozen=True, kw_only=True):
    proposal: ProposalId
    reason: Reason = ""


class Move(Act, frozen=True, kw_only=True):
    """To another body, where it is tabled anew; the record of what failed here stays (practice R4.8)."""

    proposal: ProposalId
    to_body: Hash
    as_proposal: ProposalId
    reason: Reason = ""
