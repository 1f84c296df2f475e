"""The communications check as a pure step: is the line to one party up, and how do its clock and ours compare?

UNTESTED → UP → TEST_MISSED → DEGRADED → SILENT → RESTORED → UP. A missed test says nothing of anybody's intent: its
cause is UNKNOWN until a person or the other party states one, and the backup is tried (practice R1.6). Instants named
``now_ms`` are of a clock that never steps; those inside an answer are of the two parties' wall clocks, UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from keepclear.errors import UsageError

__all__ = [
    "Answered", "Cause", "CheckSettings", "Clock", "Line", "LineChange", "LineStatus", "Missed", "PeriodicTest",
    "Stated", "Tick", "observe", "periodic_test", "step",
]  # fmt: skip

SAMPLES = 8
"""Exchanges from which the best is taken: the clock filter's register of RFC 5905 §10."""
PERIODIC_TEST_MS = 3_600_000
"""Hourly, in turn, as the Moscow–Washington line is said to do (not confirmed): the charter sets its own."""


class LineStatus(StrEnum):
    UNTESTED = "UNTESTED"
    UP = "UP"
    TEST_MISSED = "TEST_MISSED"
    """one or two checks in a row were not answered: the backup is being tried"""
    DEGRADED = "DEGRADED"
    """the first transport fails, and a backup answers or has not yet been given up"""
    SILENT = "SILENT"
    """no answer over any transport: what is sent waits in the log"""
    RESTORED = "RESTORED"
    """answers again, not yet for long enough to be called UP"""


class Cause(StrEnum):
    """Why it does not answer, as stated by somebody; never inferred."""

    NONE = ""
    UNKNOWN = "UNKNOWN"
    TECHNICAL = "TECHNICAL"
    DECLINED = "DECLINED"
    HOLIDAY = "HOLIDAY"


@dataclass(frozen=True, slots=True)
class CheckSettings:
    period_ms: int = 2_000
    """between two checks; one that is not answered within it is missed"""
    misses_degraded: int = 3
    lost_after_ms: int = 10_000
    """without an answer over any transport"""
    answers_restored: int = 3
    """in a row, until RESTORED is UP"""

    def __post_init__(self) -> None:
        if not (0 < self.period_ms <= self.lost_after_ms and self.misses_degraded > 0 and self.answers_restored > 0):
            raise UsageError("a check's period is above 0 and at most lost_after_ms, its counts are above 0")


DEFAULTS = CheckSettings()


@dataclass(frozen=True, slots=True)
class Clock:
    """How the other party's clock stands to ours (RFC 5905 §8): positive = ahead. Truly within ± half a round trip."""

    offset_ms: float
    round_trip_ms: float

    def differs_by(self, limit_ms: float) -> bool:
        """Whether the clocks are certainly more than ``limit_ms`` apart, the uncertainty taken off."""
        return abs(self.offset_ms) - self.round_trip_ms / 2.0 > limit_ms


@dataclass(frozen=True, slots=True)
class Answered:
    """A check that was answered: asked, received there, answered there, received here (wall clocks, milliseconds)."""

    asked_ms: int
    peer_received_ms: int
    peer_answered_ms: int
    received_ms: int
    backup: bool = False


@dataclass(frozen=True, slots=True)
class Missed:
    """A check that was not answered within the period, or could not be sent."""

    backup: bool = False


@dataclass(frozen=True, slots=True)
class Stated:
    """Somebody states why it does not answer: a person on duty here, or the other party over another medium."""

    cause: Cause


@dataclass(frozen=True, slots=True)
class Tick:
    """Only time has passed."""


Event = Answered | Missed | Stated | Tick


@dataclass(frozen=True, slots=True)
class Line:
    """The line to one party. Begin with ``Line()``."""

    status: LineStatus = LineStatus.UNTESTED
    cause: Cause = Cause.NONE
    since_ms: int | None = None
    """when the status last changed"""
    missed: int = 0
    """checks in a row over the first transport"""
    answered: int = 0
    """checks in a row since RESTORED"""
    last_answer_ms: int | None = None
    """over any transport"""
    first_check_ms: int | None = None
    samples: tuple[Clock, ...] = ()

    @property
    def use_backup(self) -> bool:
        """Whether checks and entries go over the backups too."""
        return self.status in (LineStatus.TEST_MISSED, LineStatus.DEGRADED, LineStatus.SILENT)

    @property
    def clock(self) -> Clock | None:
        """The estimate with the shortest round trip among the last exchanges; None before the first."""
        return min(self.samples, key=lambda sample: sample.round_trip_ms, default=None)


@dataclass(frozen=True, slots=True)
class LineChange:
    """What is logged: changes only."""

    before: LineStatus
    after: LineStatus
    cause: Cause
    at_ms: int


def step(line: Line, event: Event, now_ms: int, settings: CheckSettings = DEFAULTS) -> tuple[Line, LineChange | None]:
    """The line after the event, and the change to log, if it is one."""
    after = _moved(line, event, now_ms, settings)
    heard_ms = after.last_answer_ms if after.last_answer_ms is not None else after.first_check_ms
    if heard_ms is not None and now_ms - heard_ms >= settings.lost_after_ms and after.status is not LineStatus.SILENT:
        after = replace(after, status=LineStatus.SILENT)
    well = after.status in (LineStatus.UNTESTED, LineStatus.UP, LineStatus.RESTORED)
    if well or after.cause is Cause.NONE:
        after = replace(after, cause=Cause.NONE if well else Cause.UNKNOWN)
    if after.status is line.status and after.cause is line.cause:
        return after, None
    if after.status is not line.status:
        after = replace(after, since_ms=now_ms)
    return after, LineChange(line.status, after.status, after.cause, now_ms)


def _moved(line: Line, event: Event, now_ms: int, settings: CheckSettings) -> Line:
    """The event's own effect, before the time without an answer is looked at."""
    if isinstance(event, Answered):
        return _answered(
            replace(line, samples=observe(line.samples, event), last_answer_ms=now_ms), event, now_ms, settings
        )
    if isinstance(event, Missed):
        first_ms = now_ms - settings.period_ms if line.first_check_ms is None else line.first_check_ms
        line = replace(line, first_check_ms=first_ms)
        return line if event.backup else _missed(line, settings)
    if isinstance(event, Stated):
        if event.cause is Cause.NONE:
            raise UsageError("a cause is stated, or it stays UNKNOWN; it is not taken back while the line is silent")
        return replace(line, cause=event.cause)
    return line


def _answered(line: Line, event: Answered, now_ms: int, settings: CheckSettings) -> Line:
    line = replace(line, first_check_ms=now_ms if line.first_check_ms is None else line.first_check_ms)
    status = line.status
    if event.backup:
        alone = status in (LineStatus.UNTESTED, LineStatus.SILENT)
        return replace(line, status=LineStatus.DEGRADED if alone else status)
    line = replace(line, missed=0, answered=line.answered + 1)
    if status in (LineStatus.DEGRADED, LineStatus.SILENT):
        return replace(line, status=LineStatus.RESTORED, answered=1)
    if status is LineStatus.RESTORED and line.answered < settings.answers_restored:
        return line
    return replace(line, status=LineStatus.UP)


def _missed(line: Line, settings: CheckSettings) -> Line:
    missed, status = line.missed + 1, line.status
    if status is not LineStatus.SILENT and line.last_answer_ms is not None:
        if missed >= settings.misses_degraded:
            status = LineStatus.DEGRADED
        elif status is not LineStatus.DEGRADED:
            status = LineStatus.TEST_MISSED
    return replace(line, missed=missed, answered=0, status=status)


def observe(samples: tuple[Clock, ...], answer: Answered) -> tuple[Clock, ...]:
    """The last exchanges with this one added (RFC 5905 §8). One with a negative round trip is dropped: a clock was
    set in the middle of it."""
    there_ms = answer.peer_answered_ms - answer.peer_received_ms
    round_trip_ms = answer.received_ms - answer.asked_ms - there_ms
    if round_trip_ms < 0 or there_ms < 0:
        return samples
    offset_ms = ((answer.peer_received_ms - answer.asked_ms) + (answer.peer_answered_ms - answer.received_ms)) / 2.0
    return (*samples, Clock(offset_ms, float(round_trip_ms)))[-SAMPLES:]


@dataclass(frozen=True, slots=True)
class PeriodicTest:
    party: str
    """who sends the test"""
    transport: str
    begins_ms: int
    ends_ms: int


def periodic_test(
    parties: Sequence[str], transports: Sequence[str], at_ms: int, *, every_ms: int = PERIODIC_TEST_MS
) -> PeriodicTest:
    """Whose turn it is at ``at_ms``, and over which transport: the parties take turns in the charter's order, and
    after each round the next transport is due, so that every party tests every backup too.

    Raises :class:`UsageError` for an empty list.
    """
    if not parties or not transports or every_ms <= 0:
        raise UsageError("a periodic test needs parties, transports and a period above 0")
    slot = at_ms // every_ms
    transport = transports[slot // len(parties) % len(transports)]
    return PeriodicTest(parties[slot % len(parties)], transport, slot * every_ms, (slot + 1) * every_ms)
