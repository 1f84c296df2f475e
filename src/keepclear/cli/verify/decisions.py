"""What a record's decisions amount to, as recomputed: for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from keepclear.channel.entry import Reference
from keepclear.decisions.procedure.recomputation import Recomputed
from keepclear.decisions.procedure.status import Contradiction, Status
from keepclear.quantities import format_instant

__all__ = ["decision_lines", "decisions_object"]


def decision_lines(recomputed: Recomputed) -> Iterator[str]:
    for found in recomputed.decisions:
        yield f"decision {found.proposal} «{found.title}»: {found.state.value}{_when(found)}{_counts(found)}"
        for fault in found.faults:
            yield f"         fault: {fault}"
        for contradiction in found.contradictions:
            yield f"         contradictory positions of {contradiction.member}: {_references(contradiction)}"
        for missing in found.missing:
            yield f"         missing: {missing.what}: {missing.why}"
        if found.void:
            yield f"         void: {len(found.void)}, by " + ", ".join(sorted({v.filed.party for v in found.void}))
    for line in recomputed.unread:
        yield f"remark   without effect: {line}"


def decisions_object(recomputed: Recomputed) -> dict[str, Any]:
    return {
        "decisions": [_object(found) for found in recomputed.decisions],
        "decision_faults": list(recomputed.faults), "decisions_unread": list(recomputed.unread),
    }  # fmt: skip


def _object(found: Status) -> dict[str, Any]:
    return {
        "proposal": found.proposal, "title": found.title, "state": found.state.value, "version": found.version,
        "outcome": found.outcome.value if found.outcome else None,
        "text_hash": found.text_hash, "adopted_ms": found.adopted_ms,
        "counts": {stance.value: count for stance, count in found.tally.counts.items()} if found.tally else {},
        "silent": found.tally.silent if found.tally else 0, "faults": list(found.faults),
        "contradictions": [
            {"member": c.member, "entries": [_place(r) for r in c.references]} for c in found.contradictions
        ],
        "missing": [{"what": m.what, "why": m.why} for m in found.missing],
        "void": [
            {"entry": _place(v.filed.reference), "member": v.member, "reason": v.reason.value, "detail": v.detail}
            for v in found.void
        ],
    }  # fmt: skip


def _when(found: Status) -> str:
    return "" if found.adopted_ms is None else f" on {format_instant(found.adopted_ms / 1000.0)}"


def _counts(found: Status) -> str:
    if found.tally is None:
        return ""
    said = [f"{count} {stance.value}" for stance, count in found.tally.counts.items()]
    said += [f"{found.tally.silent} silent"] if found.tally.silent else []
    said += [f"{len(found.tally.unreached)} unreached"] if found.tally.unreached else []
    return f" ({', '.join(said)})" if said else ""


def _references(found: Contradiction) -> str:
    places = " and ".join(_place(r) for r in found.references)
    return places + (f", and {found.fork.party} told two histories" if found.fork else "")


def _place(reference: Reference) -> str:
    return f"entry {reference.seq} of {reference.party}"
