"""The lines of messages and read-backs: every structured field, in a fixed order, with its label."""

from __future__ import annotations

from dataclasses import dataclass, field

from keepclear.messages.catalogue import Language, count, say
from keepclear.messages.document import Line, Part, Quote, Value
from keepclear.messages.fields import Addressee, Area, Translation
from keepclear.messages.message import Message
from keepclear.messages.read_back import ReadBack
from keepclear.messages.vocabulary import Kind
from keepclear.messages.wording import codes, instant, joined, language_name, limit, place, sentence, word

__all__ = ["Lines", "add_area", "add_critical_fields", "add_message", "add_text"]


@dataclass(slots=True)
class Lines:
    """One document as it is written down."""

    language: Language
    banners: list[tuple[Part, ...]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    notes: list[tuple[Part, ...]] = field(default_factory=list)

    def add(self, key: str, *parts: Part) -> None:
        self.lines.append(Line(say(self.language, key), parts))

    def add_instant(self, key: str, at_ms: int | None) -> None:
        if at_ms is not None:
            self.add(key, *instant(self.language, at_ms))

    def add_name(self, key: str, name: str) -> None:
        if name:
            self.add(key, Quote(name))


def add_message(lines: Lines, message: Message) -> None:
    """All of a message but its heading and what the entry says."""
    language = lines.language
    lines.add("label.kind", *word(language, "kind", message.kind))
    lines.add("label.precedence", *word(language, "precedence", message.precedence))
    lines.add("label.desk", *word(language, "desk", message.desk))
    lines.add_instant("label.valid_until", message.valid_until_ms)
    if message.refs:
        lines.add("label.refs", *codes(language, message.refs))
    add_critical_fields(lines, message)
    if message.kind is not Kind.TEST:
        lines.add("label.affected", *_affected(language, message.affected))
    lines.add_name("label.by_role", message.by_role)
    lines.add_name("label.verified_by", message.verified_by_role)
    if message.test_text is not None:
        text = say(language, f"test.{message.test_text.value}")
        lines.add("label.test_text", text, " ", Value(f"[{message.test_text.value}]"))
    add_text(lines, "label.original", message.text, message.language, message.translations)


def add_critical_fields(lines: Lines, body: Message | ReadBack) -> None:
    """Those that a read-back repeats."""
    language = lines.language
    semicolon, colon = say(language, "mark.semicolon"), say(language, "mark.colon")
    lines.add("label.action", *word(language, "action", body.action))
    lines.add_instant("label.event_from", body.from_ms)
    lines.add_instant("label.event_to", body.to_ms)
    if body.zone:
        version: tuple[Part, ...] = (Quote(body.zone),)
        if body.zone_version:
            version = (*version, semicolon, say(language, "label.version"), colon, Quote(body.zone_version))
        lines.add("label.zone", *version)
    add_area(lines, body.area)
    for number, position in enumerate(body.positions, 1):
        lines.lines.append(Line(f"{say(language, 'label.position')} {number}", place(language, position)))
    if body.lower is not None:
        lines.add("label.lower", *limit(language, body.lower))
    if body.upper is not None:
        lines.add("label.upper", *limit(language, body.upper))
    if body.addressee is not None:
        _add_addressee(lines, body.addressee)


def add_area(lines: Lines, area: Area | None) -> None:
    if area is None:
        return
    language = lines.language
    semicolon, colon = say(language, "mark.semicolon"), say(language, "mark.colon")
    size: tuple[Part, ...]
    if area.radius_m is not None:
        size = (say(language, "label.radius"), colon, Value(f"{area.radius_m} m"))
    else:
        size = (say(language, "label.corners"), colon, count(language, "count.positions", len(area.positions)))
    lines.add("label.area", *((Quote(area.name), semicolon) if area.name else ()), *size)
    for number, position in enumerate(area.positions, 1):
        key = "label.centre" if area.radius_m is not None else "label.position"
        name = say(language, key) if area.radius_m is not None else f"{say(language, key)} {number}"
        lines.lines.append(Line(f"{say(language, 'label.area')} – {name}", place(language, position)))


def add_text(lines: Lines, key: str, text: str, language: str | None, translations: tuple[Translation, ...]) -> None:
    """A free text as it was written, then its translations, each labelled: none ever stands alone (practice R1.8).

    The reader's own language comes first among them; where neither text is in it, that is said.
    """
    if not text or language is None:
        return
    reader = lines.language
    lines.add("label.language", *language_name(reader, language))
    lines.add(key, Quote(text, language))
    own = reader.value
    for translation in sorted(translations, key=lambda t: t.language.partition("-")[0] != own):
        lines.add("label.language", *language_name(reader, translation.language))
        lines.add_name("label.translator", translation.translator)
        lines.add("label.translation", Quote(translation.text, translation.language))
    if own not in {tag.partition("-")[0] for tag in (language, *(t.language for t in translations))}:
        lines.notes.append(sentence(reader, "banner.translation_missing"))


def _affected(language: Language, affected: tuple[str, ...] | None) -> tuple[Part, ...]:
    if affected is None:
        return (say(language, "word.not_stated"),)
    if not affected:
        return (say(language, "word.none_known"),)
    return joined(language, ((Quote(name),) for name in affected))


def _add_addressee(lines: Lines, addressee: Addressee) -> None:
    language = lines.language
    lines.add_name("label.call_sign", addressee.call_sign)
    if addressee.frequency_khz is not None:
        lines.add(
            "label.frequency", Value(f"{addressee.frequency_khz // 1000}.{addressee.frequency_khz % 1000:03d} MHz")
        )
    if addressee.squawk is not None:
        lines.add("label.squawk", Value(addressee.squawk))
    if addressee.position is not None:
        lines.add("label.position", *place(language, addressee.position))
    lines.add_instant("label.seen", addressee.seen_ms)
    if addressee.heading_deg is not None:
        lines.add("label.heading", Value(f"{addressee.heading_deg:03d}°"))
    if addressee.speed_kt is not None:
        lines.add("label.speed", Value(f"{addressee.speed_kt} kt"))
