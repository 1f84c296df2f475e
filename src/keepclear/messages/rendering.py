"""Any body as a document in any of the five languages, from the same bytes (practice R1.8).

What is fixed is in the reader's language, what a party wrote stays as it was written. The same body, circumstances and
language always give the same document.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keepclear.channel.communications import Cause
from keepclear.messages.bodies import AnyBody
from keepclear.messages.catalogue import Language, say
from keepclear.messages.delivery import Currency, MessageState, currency, expected
from keepclear.messages.denial import Denial
from keepclear.messages.document import Document, Part, Quote, Value
from keepclear.messages.incident import Incident, Prompt
from keepclear.messages.message import Message
from keepclear.messages.message_lines import Lines, add_area, add_critical_fields, add_message, add_text
from keepclear.messages.read_back import ReadBack, compare_read_back
from keepclear.messages.receipt import Answer, Receipt
from keepclear.messages.state import CommunicationsState
from keepclear.messages.suspension import Resumption, Suspension
from keepclear.messages.vocabulary import Kind
from keepclear.messages.wording import codes, duration, instant, joined, place, sentence, word, words

__all__ = ["Circumstances", "describe", "describe_prompt"]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the entry and the log say about a body, as far as the reader has it."""

    party: str = ""
    """whose entry it is"""
    to: tuple[str, ...] | None = None
    """() = all parties, None = not known"""
    sent_ms: int | None = None
    delivered_ms: int | None = None
    """to the party that reads"""
    now_ms: int | None = None
    """None = an archive is read: nothing is called current or expired, and what came late still says so"""
    state: MessageState | None = None
    about: Message | None = None
    """the message that a receipt, a read-back or an answer is about"""


def describe(body: AnyBody, language: Language, seen: Circumstances | None = None) -> Document:
    """The document of a body. Pass what the log knows in ``seen``, else nothing about delivery is said."""
    seen = seen or Circumstances()
    lines = Lines(language)
    if isinstance(body, Message | Incident):
        lines.add("label.message" if isinstance(body, Message) else "label.incident", Value(body.id))
    elif seen.about is not None:
        lines.add("label.about" if isinstance(body, Answer) else "label.message", Value(seen.about.id))
    _add_entry(lines, seen)
    title = _WRITERS[type(body)](body, lines, seen)
    return Document(language, title, tuple(lines.banners), tuple(lines.lines), tuple(lines.notes))


def describe_prompt(prompt: Prompt, language: Language) -> Document:
    """The prompt to the owner of an incident record without a message (practice R1.11)."""
    text = sentence(
        language, "banner.prompt", incident=Value(prompt.incident), duration=duration(language, prompt.waited_ms)
    )
    return Document(language, (say(language, "title.incident"),), (text,), ())


def _add_entry(lines: Lines, seen: Circumstances) -> None:
    if seen.party:
        lines.add("label.from", Value(seen.party))
    if seen.to is not None:
        lines.add("label.to", *(codes(lines.language, seen.to) if seen.to else (say(lines.language, "label.to_all"),)))
    lines.add_instant("label.sent", seen.sent_ms)
    lines.add_instant("label.delivered", seen.delivered_ms)


def _message(body: Message, lines: Lines, seen: Circumstances) -> tuple[Part, ...]:
    language = lines.language
    if body.kind is Kind.TEST:
        lines.banners.append(sentence(language, "banner.TEST"))
    if seen.state in (MessageState.CANCELLED, MessageState.SUPERSEDED):
        lines.banners.append(sentence(language, f"banner.{seen.state.value}"))
    arrived_ms = seen.delivered_ms if seen.delivered_ms is not None else seen.now_ms
    if arrived_ms is not None:
        timely = currency(body, arrived_ms, seen.now_ms if seen.now_ms is not None else arrived_ms)
        if timely is not Currency.CURRENT:
            lines.banners.append(sentence(language, f"banner.{timely.value}"))
    if seen.state is not None:
        lines.add("label.state", *word(language, "state", seen.state))
    if body.from_ms is not None and seen.delivered_ms is not None:
        lead_ms = body.from_ms - seen.delivered_ms
        lead = duration(language, lead_ms) if lead_ms > 0 else (say(language, "word.already_begun"),)
        lines.add("label.lead", *lead)
    add_message(lines, body)
    if expected(body.kind).answer:
        lines.notes.append(sentence(language, "banner.silence"))
    kind = word(language, "kind", body.kind)
    return (
        say(language, "title.message"),
        say(language, "mark.colon"),
        *kind,
        " – ",
        *word(language, "precedence", body.precedence),
    )


def _receipt(body: Receipt, lines: Lines, seen: Circumstances) -> tuple[Part, ...]:
    language = lines.language
    lines.add("label.level", *word(language, "shown", body.level))
    lines.add_name("label.role", body.by_role)
    lines.add_instant("label.at", body.at_ms)
    lines.add_name("label.units", body.units)
    return (say(language, "title.receipt"),)


def _read_back(body: ReadBack, lines: Lines, seen: Circumstances) -> tuple[Part, ...]:
    language = lines.language
    if seen.about is None:
        lines.add("label.message", Value(body.message))
    elif differing := compare_read_back(seen.about, body):
        fields = words(language, "field", tuple(mismatch.field for mismatch in differing))
        lines.banners.append(sentence(language, "banner.mismatch", fields=fields))
    else:
        lines.notes.append(sentence(language, "banner.match"))
    lines.add("label.kind", *word(language, "kind", body.kind))
    add_critical_fields(lines, body)
    lines.add_name("label.role", body.by_role)
    return (say(language, "title.read_back"),)


def _answer(body: Answer, lines: Lines, seen: Circumstances) -> tuple[Part, ...]:
    language = lines.language
    lines.add("label.answer", *word(language, "answer", body.answer))
    lines.add_name("label.role", body.by_role)
    add_text(lines, "label.reason", body.reason, body.language, body.translations)
    return (say(language, "title.answer"), say(language, "mark.colon"), *word(language, "answer", body.answer))


def _denial(body: Denial, lines: Lines, seen: Circumstances) -> tuple[Part, ...]:
    language = lines.language
    lines.banners.append(sentence(language, "banner.denial", party=Value(body.party)))
    if seen.now_ms is not None and seen.now_ms >= body.to_ms:
        lines.banners.append(sentence(language, "banner.denial_expired"))
    if body.about is not None:
        lines.add("label.about", Value(body.about))
    lines.add("label.forces", *words(language, "force", body.forces))
    add_area(lines, body.area)
    lines.add_instant("label.denied_from", body.from_ms)
    lines.add_instant("label.denied_to", body.to_ms)
    lines.add_name("label.role", body.by_role)
    add_text(lines, "label.original", body.text, body.language, body.translations)
    return (say(language, "title.denial"), say(language, "mark.colon"), Value(body.party))


def _suspension(body: Suspension | Resumption, lines: Lines, seen: Circumstances) -> tuple[Part, ...]:
    language = lines.language
    lines.add("label.desks", *(words(language, "desk", body.desks) or (say(language, "label.all_desks"),)))
    lines.add_instant("label.since", body.from_ms)
    if isinstance(body, Resumption):
        lines.add_name("label.role", body.by_role)
        return (say(language, "title.resumption"),)
    until = (say(language, "label.until_resumed"),) if body.until_ms is None else instant(language, body.until_ms)
    lines.add("label.until", *until)
    lines.add_name("label.role", body.by_role)
    add_text(lines, "label.reason", body.reason, body.language, ())
    lines.notes.append(sentence(language, "banner.suspended"))
    return (say(language, "title.suspension"),)


def _state(body: CommunicationsState, lines: Lines, seen: Circumstances) -> tuple[Part, ...]:
    language = lines.language
    lines.add("label.line_to", Value(body.party))
    lines.add("label.before", *word(language, "line", body.before))
    lines.add("label.after", *word(language, "line", body.after))
    lines.add_instant("label.at", body.at_ms)
    if body.cause is not Cause.NONE:
        lines.add("label.cause", *word(language, "cause", body.cause))
        lines.add_name("label.role", body.by_role)
    if body.cause is Cause.UNKNOWN:
        lines.notes.append(sentence(language, "banner.cause_unknown"))
    return (
        say(language, "title.state"),
        say(language, "mark.colon"),
        Value(body.party),
        " – ",
        *word(language, "line", body.after),
    )


def _incident(body: Incident, lines: Lines, seen: Circumstances) -> tuple[Part, ...]:
    language = lines.language
    lines.add("label.category", *word(language, "incident", body.category))
    lines.add_instant("label.at", body.at_ms)
    if body.position is not None:
        lines.add("label.position", *place(language, body.position))
    lines.add("label.owners", *codes(language, body.owners))
    if body.affected:
        lines.add("label.affected", *joined(language, ((Quote(name),) for name in body.affected)))
    lines.add_name("label.role", body.by_role)
    add_text(lines, "label.original", body.text, body.language, body.translations)
    lines.notes.append(sentence(language, "banner.incident"))
    return (say(language, "title.incident"),)


_WRITERS: dict[type, Callable[[Any, Lines, Circumstances], tuple[Part, ...]]] = {
    Message: _message, Receipt: _receipt, ReadBack: _read_back, Answer: _answer, Denial: _denial,
    Suspension: _suspension, Resumption: _suspension, CommunicationsState: _state, Incident: _incident,
}  # fmt: skip
