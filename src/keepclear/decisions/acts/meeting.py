"""The acts of meetings and of applications."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from keepclear.channel.canonical import Hash
from keepclear.decisions.acts.base import (
    Act,
    ApplicationId,
    LongText,
    MeetingId,
    OptionalText,
    ProposalId,
    StatedReason,
    Title,
)
from keepclear.decisions.rules.body import MEMBERS_MAX
from keepclear.decisions.rules.rule import Identifier
from keepclear.decisions.vocabulary import Request, Stage
from keepclear.messages import fields
from keepclear.messages.fields import Instant

__all__ = ["AgendaItem", "Apply", "Convene", "Minutes", "StageReached"]


class AgendaItem(fields.Body, frozen=True, kw_only=True):
    title: Title
    proposal: ProposalId | None = None

    def __post_init__(self) -> None:
        fields.check_text(self.title, "title", lines=False)


class Convene(Act, frozen=True, kw_only=True):
    meeting: MeetingId
    body: Hash
    starts_ms: Instant
    place: Title
    language: fields.LanguageTag
    extraordinary: bool = False
    agenda: Annotated[tuple[AgendaItem, ...], Meta(min_length=1, max_length=64)]


class Minutes(Act, frozen=True, kw_only=True):
    meeting: MeetingId
    present: Annotated[tuple[Identifier, ...], Meta(max_length=MEMBERS_MAX)]
    text: LongText
    language: fields.LanguageTag


class Apply(Act, frozen=True, kw_only=True):
    """A request for a measure, or for membership or candidate status."""

    application: ApplicationId
    applicant: fields.Name
    body: Hash
    kind: Request
    subject: Title
    basis: StatedReason
    """the article or the agreement that it rests on"""
    text: OptionalText = ""
    language: fields.LanguageTag


class StageReached(Act, frozen=True, kw_only=True, tag="stage"):
    application: ApplicationId
    stage: Stage
    after: Hash
    """leaf of the act that it follows: the application, or its stage before"""
    owner: fields.Name
    """the party by its id, or a role: whose move it is now"""
    due_ms: Instant | None = None
    document: Hash | None = None
    """SHA-256 of the opinion, the questionnaire, the decision"""
    conditions: Annotated[tuple[StatedReason, ...], Meta(max_length=32)] = ()
    decision: ProposalId | None = None
    """what grants, defers or refuses it"""
    advisory: ProposalId | None = None
    """an opinion by vote; it changes no status (practice R4.5)"""
