"""The notice of a meeting and its minutes as documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from keepclear.decisions.acts import Convene, Minutes
from keepclear.decisions.documents.text import translated_note
from keepclear.decisions.rules.body import Body
from keepclear.messages.catalogue import Language, say
from keepclear.messages.document import Document, Line, Part, Quote, Value
from keepclear.messages.message_lines import Lines, add_text
from keepclear.messages.wording import joined

__all__ = ["describe_meeting", "describe_minutes"]


def describe_meeting(convene: Convene, body: Body, language: Language) -> Document:
    """The notice: when, where, about what."""
    lines = Lines(language)
    _add_meeting(lines, convene, body)
    return _document(lines, "title.meeting", convene)


def describe_minutes(minutes: Minutes, convene: Convene, body: Body, language: Language) -> Document:
    """Who was there and what was recorded. Minutes record; what was decided is in the positions, not in them."""
    lines = Lines(language)
    _add_meeting(lines, convene, body)
    day = datetime.fromtimestamp(convene.starts_ms / 1000.0, UTC).date()
    names = [_member(body, member_id, day) for member_id in minutes.present]
    lines.add("label.present", *(joined(language, names) if names else (say(language, "word.not_stated"),)))
    add_text(lines, "label.minutes_text", minutes.text, minutes.language, ())
    return _document(lines, "title.minutes", convene)


def _add_meeting(lines: Lines, convene: Convene, body: Body) -> None:
    language = lines.language
    lines.add("label.body", Quote(body.name), " ", Value(f"[{body.id}]"))
    special = (say(language, "mark.semicolon"), say(language, "word.extraordinary")) if convene.extraordinary else ()
    lines.add("label.meeting", Value(convene.meeting), *special)
    lines.add_instant("label.starts", convene.starts_ms)
    lines.add("label.meeting_place", Quote(convene.place, convene.language))
    for number, item in enumerate(convene.agenda, 1):
        about = (" ", Value(f"[{item.proposal}]")) if item.proposal else ()
        label = f"{say(language, 'label.agenda')} {number}"
        lines.lines.append(Line(label, (Quote(item.title, convene.language), *about)))


def _member(body: Body, member_id: str, day: date) -> tuple[Part, ...]:
    member = body.member(member_id, day)
    return (Quote(member.name if member and member.name else member_id),)


def _document(lines: Lines, title: str, convene: Convene) -> Document:
    language = lines.language
    translated_note(lines)
    heading: Sequence[Part] = (say(language, title), say(language, "mark.colon"), Value(convene.meeting))
    return Document(language, tuple(heading), tuple(lines.banners), tuple(lines.lines), tuple(lines.notes))
