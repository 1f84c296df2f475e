"""How long each step of a message's delivery may take, by precedence; the charter's own figures take their place.

The defaults are of this program and no standard's, but one: a question is answered within 7 days, an urgent one within
2 (an agreement between two neighbours, practice §1). Each timer begins where the step before it was reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from keepclear.errors import InputError
from keepclear.messages.vocabulary import Precedence

__all__ = ["IncidentTimers", "StepTimers", "Timers"]

Seconds = Annotated[int, msgspec.Meta(ge=1, le=366 * 86_400)]


class StepTimers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds, but for ``roles``. What is overdue is said and climbs the ladder; it never means anything about the
    recipient's will."""

    held_s: Seconds
    """from sending to the recipient's mirror cosignature"""
    shown_s: Seconds
    """from held to shown"""
    read_back_s: Seconds
    """from shown to read back"""
    answered_s: Seconds
    """from read back (or shown, where no read-back is due) to the answer; one STAND_BY begins it anew"""
    escalated_s: Seconds
    """from overdue to escalated: the next role is told"""
    roles: Annotated[int, msgspec.Meta(ge=1, le=2)] = 1
    """how many roles release such a message: with two, another than the one that sends it has verified it"""


class IncidentTimers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    prompt_s: Seconds = 600
    """how long an incident record may stand without a message about it (practice R1.11)"""


_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


class Timers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    flash: StepTimers = StepTimers(held_s=10, shown_s=_MINUTE, read_back_s=_MINUTE, answered_s=180, escalated_s=_MINUTE)
    immediate: StepTimers = StepTimers(
        held_s=_MINUTE, shown_s=300, read_back_s=300, answered_s=30 * _MINUTE, escalated_s=300
    )
    priority: StepTimers = StepTimers(
        held_s=300, shown_s=30 * _MINUTE, read_back_s=30 * _MINUTE, answered_s=2 * _DAY, escalated_s=30 * _MINUTE
    )
    routine: StepTimers = StepTimers(
        held_s=_HOUR, shown_s=12 * _HOUR, read_back_s=12 * _HOUR, answered_s=7 * _DAY, escalated_s=_DAY
    )

    incident: IncidentTimers = IncidentTimers()

    def of(self, precedence: Precedence) -> StepTimers:
        timers: StepTimers = getattr(self, precedence.value.lower())
        return timers

    @staticmethod
    def from_charter(stated: Mapping[str, int]) -> Timers:
        """The defaults with what the charter states (``flash.shown_s``: 45 …) in their place.

        Raises :class:`InputError` for a name that is none, or a time below a second or above a year.
        """
        values: dict[str, dict[str, int]] = msgspec.to_builtins(Timers())
        for name, seconds in stated.items():
            precedence, _, step = name.partition(".")
            if step not in values.get(precedence, {}):
                raise InputError(f"{name!r} is no timer; one is called like flash.shown_s", where="timers.messages")
            values[precedence][step] = seconds
        try:
            return msgspec.convert(values, Timers)
        except msgspec.ValidationError as error:
            raise InputError(
                f"a timer is not between a second and a year, or roles are not 1 or 2 ({error})",
                where="timers.messages",
            ) from None
