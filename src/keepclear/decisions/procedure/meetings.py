"""What a meeting asks of parties: to be there, and of the secretary to record it."""

from __future__ import annotations

from collections.abc import Iterator

from keepclear.decisions.acts import Convene, Minutes
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.duty import Duty, Owed
from keepclear.decisions.procedure.status import day_of

__all__ = ["meeting_duties"]


def meeting_duties(docket: Docket, number: str, party: str, now_ms: int) -> Iterator[Duty]:
    """By the secretary's newest notice, and only its own minutes are the minutes."""
    bodies = docket.bodies()
    secretary = {digest: body.secretary for digest, body in bodies.items()}
    about = docket.about(number)
    notices = [f for f in about if isinstance(f.act, Convene) and secretary.get(f.act.body) == f.party]
    if not notices:
        return
    notice = notices[-1]
    act = notice.act
    assert isinstance(act, Convene)
    if now_ms <= act.starts_ms:
        on = day_of(act.starts_ms)
        ours = tuple(m.id for m in bodies[act.body].members if m.holds(on) and party in m.represented(on))
        if ours:
            yield Duty(number, None, Owed.MEETING, ours, notice.clock_ms, act.starts_ms)
    elif party == notice.party and not any(isinstance(f.act, Minutes) and f.party == party for f in about):
        yield Duty(number, None, Owed.MINUTES, (), act.starts_ms, None)
