"""A proposal's status as plain values, for ``--json``; and what can happen to it next, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keepclear.cli.decide.tables import check_rows

if TYPE_CHECKING:
    from keepclear.decisions.procedure.status import Round, Status

__all__ = ["next_step", "status_object"]


def next_step(found: Status) -> str:
    """What can happen now, and who can make it happen."""
    from keepclear.decisions.vocabulary import State
    from keepclear.quantities import format_instant

    secretary = found.body.secretary if found.body else "the secretary"
    current = found.round
    closes = format_instant(current.closes_ms / 1000.0) if current else ""
    silent = current is not None and current.under.value == "SILENCE"
    match found.state:
        case State.TABLED | State.RE_TABLED:
            return f"{secretary} puts version {found.version} to the members"
        case State.UNDER_SILENCE | State.VOTING | State.EXTENDED:
            return f"{'members may break the silence' if silent else 'members take positions'} until {closes}"
        case State.RESERVED:
            return f"it waits for {', '.join(current.reserved_by) if current else '?'}"
        case State.OPENING:
            until = format_instant((current.open_by_ms or 0) / 1000.0) if current else ""
            return f"sealed votes are opened until {until}"
        case State.BROKEN | State.CONSULTATION:
            return (
                f"consultation; then another text (decide amend), another body (decide move), or {secretary} closes it"
            )
        case State.LAPSED | State.REJECTED:
            return "another text (decide amend), or another body (decide move)"
        case State.MOVED:
            return f"it is before another body as {found.moved_to}"
        case State.INCOMPLETE:
            return "what is missing has to come first"
        case _:
            return "nothing"


def status_object(found: Status) -> dict[str, Any]:
    """The whole status as plain values: what ``--json`` prints."""
    return {
        "proposal": found.proposal, "state": found.state.value, "title": found.title, "effect": found.effect.value,
        "body": found.body.id if found.body else None, "rule": found.rule.id if found.rule else None,
        "tabled_by": found.tabled.party, "tabled_ms": found.tabled.at_ms, "version": found.version,
        "text_hash": found.text_hash, "outcome": found.outcome.value if found.outcome else None,
        "rounds": [_round_object(one) for one in found.rounds],
        "bound": [{"member": b.member, "bound": b.bound, "why": b.why} for b in found.bound],
        "void": [
            {"member": v.member or None, "party": v.filed.party, "seq": v.filed.seq, "reason": v.reason.value,
             "detail": v.detail} for v in found.void
        ],
        "waiting": [{"party": f.party, "seq": f.seq} for f in found.waiting],
        "missing": [{"what": m.what, "why": m.why} for m in found.missing],
        "statements": [
            {"member": s.member, "version": s.version, "text": s.text, "language": s.language}
            for s in found.statements
        ],
        "faults": list(found.faults), "moved_to": found.moved_to or None, "adopted_ms": found.adopted_ms,
        "heads": dict(found.heads), "next": next_step(found),
    }  # fmt: skip


def _round_object(one: Round) -> dict[str, Any]:
    return {
        "version": one.version, "text_hash": one.text_hash, "under": one.under.value, "ballot": one.ballot.value,
        "opened_ms": one.opened_ms, "closes_ms": one.closes_ms, "first_closes_ms": one.first_closes_ms,
        "open_by_ms": one.open_by_ms, "state": one.state.value, "finished_ms": one.finished_ms,
        "members": list(one.members), "delivered": list(one.delivered),
        "positions": [
            {"member": c.member, "stance": c.stance.value, "party": c.reference.party if c.reference else None,
             "seq": c.reference.seq if c.reference else None, "received_ms": c.received_ms, "by_sheet": c.by_sheet}
            for c in one.counted
        ],
        "contradictions": [
            {"member": c.member, "stances": [s.value for s in c.stances],
             "entries": [{"party": r.party, "seq": r.seq, "leaf": r.leaf} for r in c.references]}
            for c in one.contradictions
        ],
        "broken_by": list(one.broken_by), "reserved_by": list(one.reserved_by),
        "tally": _tally_object(one) , "closed": one.closed.outcome.value if one.closed else None,
    }  # fmt: skip


def _tally_object(one: Round) -> dict[str, Any] | None:
    found = one.tally
    if found is None:
        return None
    return {
        "outcome": found.outcome.value, "counts": {stance.value: count for stance, count in found.counts.items()},
        "silent": found.silent, "unreached": list(found.unreached), "objectors": list(found.objectors),
        "reservations": list(found.reservations), "checks": check_rows(found),
    }  # fmt: skip
