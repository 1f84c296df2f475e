"""The incident record, and the prompt that goes with it: something happened, and nobody has told the other (R1.11).

In 2022 a missile crossed a border by mistake, and the country that it fell in announced it first. A record that no
message mentions within some minutes prompts its two owners, whoever of them wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from keepclear.channel.canonical import PartyId
from keepclear.errors import InputError
from keepclear.messages.fields import (
    Body,
    Instant,
    LanguageTag,
    MessageId,
    Name,
    Names,
    Position,
    Text,
    Translation,
    check_free_text,
    check_text,
)
from keepclear.messages.message import Message, parse_id
from keepclear.messages.timers import IncidentTimers
from keepclear.messages.vocabulary import IncidentCategory

__all__ = ["PROMPT_AFTER_MS", "Incident", "Prompt", "prompts"]

PROMPT_AFTER_MS = 1_000 * IncidentTimers().prompt_s
"""How long an incident may stand without a message about it; the charter states its own as ``incident.prompt_s``."""


class Incident(Body, frozen=True, kw_only=True):
    """What happened, where, when; numbered in the same series as the party's messages, so that ``refs`` can name it."""

    id: MessageId
    category: IncidentCategory
    at_ms: Instant
    owners: Annotated[tuple[PartyId, ...], Meta(min_length=1, max_length=2)]
    """whose object it was and whose place it was, where each is known and on the channel; never a finding of fault"""
    by_role: Name
    position: Position | None = None
    affected: Names = ()
    """parties that are not on the channel (practice R1.5)"""
    text: Text = ""
    language: LanguageTag | None = None
    translations: Annotated[tuple[Translation, ...], Meta(max_length=8)] = ()

    def __post_init__(self) -> None:
        parse_id(self.id)
        check_text(self.by_role, "by_role", lines=False)
        check_free_text(self.text, self.language, self.translations)
        for affected in self.affected:
            check_text(affected, "affected", lines=False)
        if len(set(self.owners)) < len(self.owners):
            raise InputError("it names one owner twice", where="owners")


@dataclass(frozen=True, slots=True)
class Prompt:
    """To put before ``party``: this incident stands without a message, for so long."""

    party: PartyId
    incident: MessageId
    waited_ms: int


def prompts(
    incidents: Iterable[tuple[Incident, int]],
    messages: Iterable[Message],
    now_ms: int,
    *,
    after_ms: int = PROMPT_AFTER_MS,
) -> tuple[Prompt, ...]:
    """Who is to be prompted at ``now_ms``: both owners of each incident that no message names in its ``refs``.

    ``incidents`` come with the instant at which the record was written (its entry's time): the event's own time may
    have been learnt late. The record itself is no message.
    """  # fmt: skip
    named = {ref for message in messages for ref in message.refs}
    found = []
    for incident, recorded_ms in incidents:
        waited_ms = now_ms - recorded_ms
        if incident.id not in named and waited_ms >= after_ms:
            found += [Prompt(owner, incident.id, waited_ms) for owner in incident.owners]
    return tuple(found)
