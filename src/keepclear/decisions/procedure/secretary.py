"""What a secretary owes: a tabled text to the members, a receipt for what came, a word on what came of it."""

from __future__ import annotations

from collections.abc import Iterator

from keepclear.decisions.acts import Table
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.duty import Duty, Owed
from keepclear.decisions.procedure.registering import register_acts
from keepclear.decisions.procedure.status import Round, Status
from keepclear.decisions.vocabulary import State

__all__ = ["secretary_duties"]

ENDED = frozenset({State.ADOPTED, State.REJECTED, State.LAPSED, State.BROKEN})


def secretary_duties(docket: Docket, found: Status, party: str, now_ms: int) -> Iterator[Duty]:
    """Of one proposal; nothing where ``party`` is not the secretary of the body that decides."""
    if found.body is None or found.body.secretary != party:
        return
    current = found.round
    waiting = register_acts(docket, party, found.proposal) if found.waiting else ()
    if waiting:
        since_ms = min(filed.clock_ms for filed in found.waiting)
        due_ms = current.closes_ms if current and found.state.open else None
        late = due_ms is not None and now_ms > due_ms
        yield Duty(found.proposal, found.version, Owed.REGISTER, (), since_ms, due_ms, late)
    if found.state in (State.TABLED, State.RE_TABLED):
        yield from _circulate(found, now_ms)
    elif current is not None and (over_ms := _over_ms(found, current, now_ms)) is not None:
        yield Duty(found.proposal, found.version, Owed.CLOSE, (), over_ms, None)


def _circulate(found: Status, now_ms: int) -> Iterator[Duty]:
    """What has expired cannot be circulated any more."""
    table = found.tabled.act
    assert isinstance(table, Table)
    if table.expires_ms is not None and now_ms > table.expires_ms:
        return
    text = next((one for one in found.texts if one.hash == found.text_hash), found.texts[-1])
    yield Duty(found.proposal, found.version, Owed.CIRCULATE, (), text.filed.clock_ms, table.expires_ms)


def _over_ms(found: Status, current: Round, now_ms: int) -> int | None:
    """Since when it is over, whether the secretary's log, which is everybody's clock, shows that or not yet."""
    if current.closed is not None or current.version != found.version:
        return None
    if found.state in ENDED:
        if current.finished_ms is not None:
            return current.finished_ms
        broken = [one.received_ms for one in current.counted if one.member in current.broken_by]
        return min(broken, default=current.opened_ms)
    end_ms = current.open_by_ms or current.closes_ms
    waits = found.state.open and not current.reserved_by
    return end_ms if (waits or found.state is State.OPENING) and now_ms > end_ms else None
