"""Meetings and applications as lines, rows and documents, for ``decide show|list|document``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from keepclear.errors import UsageError

if TYPE_CHECKING:
    from keepclear.cli.decide.reading import Deciding
    from keepclear.decisions.acts import Convene, Minutes
    from keepclear.messages.catalogue import Language
    from keepclear.messages.document import Document

__all__ = [
    "application_documents", "application_lines", "application_object", "application_row", "meeting_documents",
    "meeting_lines", "meeting_object", "meeting_row",
]  # fmt: skip


def _meeting(read: Deciding, number: str) -> tuple[Convene, list[Minutes]]:
    """The newest notice, and the minutes in the order in which they were recorded: the secretary's alone."""
    from keepclear.decisions.acts import Convene, Minutes

    convened: Convene | None = None
    recorded: list[Minutes] = []
    for filed in read.docket.about(number):
        if isinstance(filed.act, Convene) and _is_secretary(read, filed.act.body, filed.party):
            convened = filed.act
        elif isinstance(filed.act, Minutes) and convened and _is_secretary(read, convened.body, filed.party):
            recorded.append(filed.act)
    if convened is None:
        raise UsageError(f"there is no meeting {number} here; «keepclear decide list» lists them")
    return convened, recorded


def _is_secretary(read: Deciding, digest: str, party: str) -> bool:
    body = read.bodies().get(digest)
    return body is not None and body.secretary == party


def meeting_lines(read: Deciding, number: str) -> Iterator[str]:
    from keepclear.quantities import format_instant

    convened, recorded = _meeting(read, number)
    body = read.docket.body(convened.body)
    special = "extraordinary meeting" if convened.extraordinary else "meeting"
    yield f"{number}: {special} of {body.id} ({body.name})"
    yield f"{format_instant(convened.starts_ms / 1000.0)}, {convened.place}"
    for item_number, item in enumerate(convened.agenda, 1):
        about = f" [{item.proposal}]" if item.proposal else ""
        yield f"  {item_number}. {item.title}{about}"
    for minutes in recorded:
        yield f"minutes [{minutes.language}], present {', '.join(minutes.present) or 'not stated'}:"
        yield from minutes.text.split("\n")
    if not recorded:
        yield "no minutes yet"


def meeting_object(read: Deciding, number: str) -> dict[str, Any]:
    import msgspec

    convened, recorded = _meeting(read, number)
    found: dict[str, Any] = msgspec.to_builtins(convened)
    return {**found, "minutes": [msgspec.to_builtins(one) for one in recorded]}


def meeting_row(read: Deciding, number: str) -> dict[str, Any]:
    try:
        convened, recorded = _meeting(read, number)
    except UsageError:  # convened by somebody who is not the secretary
        return {}
    body = read.docket.body(convened.body)
    return {
        "number": number, "what": "MEETING", "body": body.id, "title": convened.agenda[0].title,
        "state": "MINUTES" if recorded else "CONVENED", "due": convened.starts_ms,
        "next": "nothing" if recorded else f"{body.secretary} records the minutes",
    }  # fmt: skip


def meeting_documents(read: Deciding, number: str, language: Language) -> list[Document]:
    """The notice, then the minutes where there are some."""
    from keepclear.decisions.documents.minutes import describe_meeting, describe_minutes

    convened, recorded = _meeting(read, number)
    body = read.docket.body(convened.body)
    notice = describe_meeting(convened, body, language)
    return [notice, *(describe_minutes(one, convened, body, language) for one in recorded)]


def application_lines(read: Deciding, number: str) -> Iterator[str]:
    from keepclear.cli.decide.reading import now_ms
    from keepclear.decisions.procedure.application import application
    from keepclear.quantities import format_instant

    found = application(read.docket, number)
    act = found.apply
    stage = found.stage.value if found.stage else "not received yet"
    yield f"{number} «{act.subject}»: {stage}"
    body = f"{found.body.id} ({found.body.name})" if found.body else "a body that is not here"
    yield f"{act.kind.value} asked of {body} by {act.applicant}; basis: {act.basis}"
    for step in found.steps:
        due = f", until {format_instant(step.due_ms / 1000.0)}" if step.due_ms is not None else ""
        rests = f", by {step.decision}" if step.decision else ""
        yield f"{format_instant(step.filed.at_ms / 1000.0)}  {step.stage.value}{rests}; with {step.owner}{due}"
        for condition in step.conditions:
            yield f"  condition: {condition}"
    for advice in found.advice:
        state = advice.state.value if advice.state else "not here"
        yield f"advisory vote {advice.proposal}: {state}; it changes no status"
    for void in found.void:
        yield f"void: entry {void.filed.seq} of {void.filed.party}: {void.reason.value}: {void.detail}"
    late = found.late(now_ms())
    if late is not None:
        yield f"LATE: {late.owner}, since {format_instant(late.due_ms / 1000.0)}"
    following = ", ".join(stage.value for stage in found.next)
    yield f"next: {following} (with {found.owner})" if following else "next: nothing, it is over"


def application_object(read: Deciding, number: str) -> dict[str, Any]:
    import msgspec

    from keepclear.cli.decide.reading import now_ms
    from keepclear.decisions.procedure.application import application

    found = application(read.docket, number)
    late = found.late(now_ms())
    given: dict[str, Any] = msgspec.to_builtins(found.apply)
    return {
        **given, "stage": found.stage.value if found.stage else None, "owner": found.owner or None,
        "next": [stage.value for stage in found.next], "late": late.owner if late else None,
        "stages": [
            {"stage": s.stage.value, "owner": s.owner, "at_ms": s.filed.at_ms, "due_ms": s.due_ms,
             "conditions": list(s.conditions), "decision": s.decision, "document": s.document, "by": s.filed.party}
            for s in found.steps
        ],
        "advice": [{"proposal": a.proposal, "state": a.state.value if a.state else None} for a in found.advice],
        "void": [{"party": v.filed.party, "seq": v.filed.seq, "reason": v.reason.value, "detail": v.detail}
                 for v in found.void],
    }  # fmt: skip


def application_row(read: Deciding, number: str, *, only_open: bool) -> dict[str, Any]:
    from keepclear.cli.decide.reading import now_ms
    from keepclear.decisions.procedure.application import application

    try:
        found = application(read.docket, number)
    except UsageError:  # only somebody else's stages of it are here
        return {}
    if only_open and not found.next:
        return {}
    following = ", ".join(stage.value for stage in found.next)
    late = ", LATE" if found.late(now_ms()) else ""
    return {
        "number": number, "what": found.apply.kind.value, "body": found.body.id if found.body else None,
        "title": found.apply.subject, "state": found.stage.value if found.stage else "APPLIED",
        "due": found.steps[-1].due_ms if found.steps else None,
        "next": f"{following} (with {found.owner}{late})" if following else "nothing",
    }  # fmt: skip


def application_documents(read: Deciding, number: str, language: Language) -> list[Document]:
    from keepclear.decisions.documents.dossier import describe_application
    from keepclear.decisions.procedure.application import application

    return [describe_application(application(read.docket, number), language)]
