"""The acts by which members say what they think of a text, and the secretary's receipt for them."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from keepclear.channel.canonical import Count, Hash, PartyId
from keepclear.channel.entry import Reference
from keepclear.decisions.acts.base import REFERENCES_MAX, Act, OptionalText, ProposalId, Total, Version
from keepclear.decisions.rules.body import MEMBERS_MAX
from keepclear.decisions.rules.rule import Identifier
from keepclear.decisions.rules.stance import Stance
from keepclear.errors import InputError
from keepclear.messages import fields

__all__ = ["Commit", "Counts", "Open", "Position", "Received", "Register", "Registered", "Sheet"]


class Received(Act, frozen=True, kw_only=True):
    """A party has the text, for all members that it represents: without it their silence says nothing (R4.1)."""

    proposal: ProposalId
    version: Version
    text_hash: Hash


class Position(Act, frozen=True, kw_only=True):
    """What a member says to a text. It counts once the secretary has registered it in time."""

    proposal: ProposalId
    version: Version
    text_hash: Hash
    member: Identifier
    stance: Stance | None = None
    """none: a statement alone, which changes no count"""
    statement: OptionalText = ""
    """interpretative: how the member understands the text, or its formal declaration"""
    language: fields.LanguageTag | None = None
    """of the statement"""
    authority_ref: fields.OptionalName = ""
    """the instruction or the credentials on which its writer acts"""

    def __post_init__(self) -> None:
        super().__post_init__()
        if bool(self.statement) != (self.language is not None):
            raise InputError("a statement states its language, and only a statement does", where="language")
        if self.stance is None and not self.statement:
            raise InputError("it says nothing: give a stance, a statement, or both", where="stance")
        if self.stance is Stance.QUALIFIED_ABSTAIN and not self.statement:
            raise InputError("a qualified abstention comes with its formal declaration", where="statement")


class Registered(fields.Body, frozen=True, kw_only=True):
    """One entry that the secretary has received: a member's position, commitment or opening; or, without a member, an
    amendment or a withdrawal by who tabled the text."""

    member: Identifier | None = None
    party: PartyId
    seq: Count
    leaf: Hash

    @property
    def reference(self) -> Reference:
        return Reference(self.party, self.seq, self.leaf)


class Register(Act, frozen=True, kw_only=True):
    """The secretary's receipt. Its date decides whether something was in time (practice R4.3)."""

    proposal: ProposalId
    version: Version
    positions: Annotated[tuple[Registered, ...], Meta(min_length=1, max_length=REFERENCES_MAX)]


class Counts(fields.Body, frozen=True, kw_only=True):
    in_favour: Total
    against: Total
    abstaining: Total


class Sheet(Act, frozen=True, kw_only=True):
    """A vote taken in a room, as the secretary wrote it down: by name, or by its numbers."""

    proposal: ProposalId
    version: Version
    text_hash: Hash
    roll: Annotated[dict[Identifier, Stance], Meta(max_length=MEMBERS_MAX)] = {}  # noqa: RUF012
    counts: Counts | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if bool(self.roll) == (self.counts is not None):
            raise InputError("a sheet has either a roll by name or counts", where="roll")


class Commit(Act, frozen=True, kw_only=True):
    """A sealed vote: :func:`keepclear.decisions.procedure.ballot.seal` makes the commitment."""

    proposal: ProposalId
    version: Version
    member: Identifier
    commitment: Hash


class Open(Act, frozen=True, kw_only=True):
    proposal: ProposalId
    version: Version
    member: Identifier
    stance: Stance
    nonce: Hash
    """32 random bytes"""
