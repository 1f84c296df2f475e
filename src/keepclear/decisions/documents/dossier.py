"""An application as a document: what is asked for, on what basis, and every stage that it has reached."""

from __future__ import annotations

from collections.abc import Iterable

from keepclear.decisions.acts import StageReached
from keepclear.decisions.documents.text import translated_note
from keepclear.decisions.procedure.application import Application, Step
from keepclear.decisions.procedure.status import Void
from keepclear.messages.catalogue import Language, say
from keepclear.messages.document import Document, Part, Quote, Table, Value
from keepclear.messages.message_lines import Lines, add_text
from keepclear.messages.wording import joined, sentence, word
from keepclear.quantities import format_instant

__all__ = ["describe_application"]


def describe_application(found: Application, language: Language) -> Document:
    lines, act = Lines(language), found.apply
    lines.add("label.application", Value(found.number))
    lines.add("label.kind", *word(language, "application", act.kind))
    if found.body is not None:
        lines.add("label.body", Quote(found.body.name), " ", Value(f"[{found.body.id}]"))
    lines.add("label.applicant", Quote(act.applicant))
    lines.add("label.subject", Quote(act.subject, act.language))
    lines.add("label.basis", Quote(act.basis, act.language))
    if found.stage is not None:
        lines.add("label.stage", *word(language, "stage", found.stage))
    if found.next:
        lines.add("label.next", *joined(language, (word(language, "stage", stage) for stage in found.next)))
        lines.add("label.owner", Quote(found.owner))
    add_text(lines, "label.original", act.text, act.language if act.text else None, ())
    for advice in found.advice:
        state = word(language, "decision", advice.state) if advice.state else (say(language, "authority.NOT_SHOWN"),)
        lines.add("label.advisory", Value(advice.proposal), say(language, "mark.colon"), *state)
    if found.advice:
        lines.notes.append(sentence(language, "banner.advisory"))
    translated_note(lines)
    title: tuple[Part, ...] = (say(language, "title.application"), say(language, "mark.colon"), Quote(act.subject))
    heads = tuple(
        say(language, key) for key in ("label.log", "label.stage", "label.owner", "label.due", "label.decision_ref")
    )
    tables = (Table(heads, tuple(_row(step, language) for step in found.steps)),) if found.steps else ()
    if found.void:
        tables = (*tables, _void(found.void, language))
    for step in found.steps:
        for condition in step.conditions:
            lines.add("label.conditions", Quote(condition))
    return Document(language, title, tuple(lines.banners), tuple(lines.lines), tuple(lines.notes), tables)


def _row(step: Step, language: Language) -> tuple[tuple[Part, ...], ...]:
    def instant(at_ms: int | None) -> tuple[Part, ...]:
        return () if at_ms is None else (Value(format_instant(at_ms / 1000.0)),)

    decision = (Value(step.decision),) if step.decision else ()
    return (
        instant(step.filed.at_ms),
        word(language, "stage", step.stage),
        (Quote(step.owner),),
        instant(step.due_ms),
        decision,
    )


def _void(found: Iterable[Void], language: Language) -> Table:
    """Stages that somebody has claimed and that were not reached: shown, and of no effect."""
    heads = tuple(say(language, key) for key in ("label.log", "label.stage", "label.not_counted"))
    rows = []
    for one in found:
        act = one.filed.act
        stage = word(language, "stage", act.stage) if isinstance(act, StageReached) else ()
        rows.append((
            (Value(f"{one.filed.party} {one.filed.seq}"),), stage, word(language, "void", one.reason)
        ))  # fmt: skip
    return Table(heads, tuple(rows))
