"""The text of a proposal as a document: what members agree to, in the words in which it was tabled."""

from __future__ import annotations

from keepclear.decisions.acts import Table
from keepclear.decisions.procedure.status import Status
from keepclear.decisions.rules.rule import Rule
from keepclear.decisions.vocabulary import Effect
from keepclear.messages.catalogue import Language, say
from keepclear.messages.document import Document, Part, Quote, Value
from keepclear.messages.message_lines import Lines, add_text
from keepclear.messages.wording import codes, sentence, word

__all__ = ["add_rule", "describe_text", "translated_note"]


def describe_text(found: Status, language: Language) -> Document:
    """The version that stands. The text itself is never translated here."""
    table = found.tabled.act
    assert isinstance(table, Table)
    text = next((one for one in found.texts if one.hash == found.text_hash), found.texts[-1])
    lines = Lines(language)
    if found.effect is Effect.ADVISORY:
        lines.banners.append(sentence(language, "banner.advisory"))
    if found.body is not None:
        lines.add("label.body", Quote(found.body.name), " ", Value(f"[{found.body.id}]"))
    lines.add("label.proposal", Value(found.proposal))
    lines.add("label.text_version", Value(str(text.version)))
    lines.add("label.text_hash", Value(text.hash))
    if found.rule is not None:
        add_rule(lines, found.rule)
    lines.add("label.effect", *word(language, "effect", found.effect))
    for key, names in (("label.authorises", table.authorises), ("label.revokes", table.revokes)):
        if names:
            lines.add(key, *codes(language, names))
    if table.excluded:
        lines.add("label.excluded", *codes(language, table.excluded))
    lines.add_instant("label.expires", table.expires_ms)
    lines.add("label.decision", *word(language, "decision", found.state))
    add_text(lines, "label.original", text.text, text.language, ())
    translated_note(lines)
    title: tuple[Part, ...] = (say(language, "title.decision_text"), say(language, "mark.colon"), Quote(text.title))
    return Document(language, title, tuple(lines.banners), tuple(lines.lines), tuple(lines.notes))


def add_rule(lines: Lines, rule: Rule) -> None:
    """The rule, its kind in the reader's words, and where it stands; what was not checked against that says so."""
    language = lines.language
    lines.add("label.rule", Quote(rule.name), " – ", *word(language, "rule", rule.kind))
    if rule.source:
        doubt = () if rule.confirmed else (say(language, "mark.semicolon"), say(language, "word.unconfirmed"))
        lines.add("label.source", Quote(rule.source), *doubt)


def translated_note(lines: Lines) -> None:
    if lines.language is not Language.ENGLISH:
        lines.notes.append(sentence(lines.language, "banner.translation"))
