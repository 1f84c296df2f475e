"""The duty ladder: which role is told over which transport, and when (practice R1.1).

Roles, never named persons: in 2016 a caller waited 27 minutes for one man to come to the line. FLASH goes at once to
whoever is on duty, of any desk if need be, over every transport of that rung, and climbs until a person has it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from keepclear.channel.charter import Desk as CharterDesk
from keepclear.channel.charter import DutyStep
from keepclear.messages.timers import Timers
from keepclear.messages.vocabulary import Desk, Precedence

__all__ = ["REPEAT_MIN_MS", "Call", "due_calls", "ladder_gaps"]

REPEAT_MIN_MS = 60_000
"""At the top, the last rung is told again after as long as the rung before it took, and not more often than this."""


@dataclass(frozen=True, slots=True)
class Call:
    """Tell ``role`` over ``transport``. A call is the same call if all fields but ``at_ms`` are the same."""

    role: str
    transport: str
    at_ms: int
    """when it was due"""
    rung: int
    round: int = 0
    """how often the top has been told before"""


def due_calls(
    desks: Sequence[CharterDesk],
    desk: Desk,
    precedence: Precedence,
    since_ms: int,
    now_ms: int,
    *,
    on_duty: Collection[str],
    had_ms: int | None = None,
    timers: Timers | None = None,
) -> tuple[Call, ...]:
    """Every call that was due by ``now_ms``, in order of time, for a message that came at ``since_ms``.

    ``had_ms`` is when a person had it (shown; for FLASH read back): no call is due after that. ``on_duty`` are the
    roles now on duty: lower rungs without one are passed over at once, higher ones are told in their time, on duty or
    not. Where nobody at all is on duty everybody on the ladder is told at once, for waiting would tell nobody.
    Bounded: of the repeats at the top only the newest is given.
    """  # fmt: skip
    rungs, first = _rungs(desks, desk, precedence, on_duty)
    urgent = precedence in (Precedence.FLASH, Precedence.IMMEDIATE)
    climb_ms = since_ms if urgent else since_ms + 1_000 * (timers or Timers()).of(precedence).shown_s
    until_ms = now_ms if had_ms is None else min(now_ms, had_ms)
    due: list[Call] = []
    for number, step in enumerate(rungs):
        # The first rung that has somebody is told at once, however late its own time would be.
        at_once = number <= first or step.after_s == 0
        at_ms = since_ms if at_once else climb_ms + 1_000 * step.after_s
        if at_ms <= until_ms:
            due += [Call(step.role, transport, at_ms, number) for transport in step.transports]
    if rungs and len({call.rung for call in due}) == len(rungs):
        top_ms = max(call.at_ms for call in due)
        gap_s = rungs[-1].after_s - (rungs[-2].after_s if len(rungs) > 1 else 0)
        every_ms = max(REPEAT_MIN_MS, 1_000 * gap_s)
        rounds = (until_ms - top_ms) // every_ms
        if rounds > 0:
            top = rungs[-1]
            at_ms = top_ms + rounds * every_ms
            due += [Call(top.role, transport, at_ms, len(rungs) - 1, rounds) for transport in top.transports]
    return tuple(sorted(due, key=lambda call: (call.at_ms, call.rung)))


def ladder_gaps(desks: Sequence[CharterDesk]) -> tuple[str, ...]:
    """What is weak about a party's ladders, one line each: a desk without one, or with one transport only."""
    gaps = [f"no ladder for the desk {desk.value}" for desk in Desk if desk.value not in {d.name for d in desks}]
    for desk in desks:
        if len({transport for step in desk.steps for transport in step.transports}) < 2:
            gaps.append(f"the ladder of the desk {desk.name} has one transport only")
    return tuple(gaps)


def _rungs(
    desks: Sequence[CharterDesk], desk: Desk, precedence: Precedence, on_duty: Collection[str]
) -> tuple[list[DutyStep], int]:
    """The steps to climb, and the number of the first, up to which all are told at once."""
    own = [step for d in desks if d.name == desk.value for step in d.steps]
    other = [step for d in desks if d.name != desk.value for step in d.steps]
    choices = [own, other] if precedence is Precedence.FLASH or not own else [own]
    for steps in (sorted(choice, key=lambda step: step.after_s) for choice in choices):
        for number, step in enumerate(steps):
            if step.role in on_duty:
                return steps[number:], 0
    everybody = sorted((step for choice in choices for step in choice), key=lambda step: step.after_s)
    return everybody, len(everybody) - 1
