"""What every decoder is: bytes in, report batches out, faults counted, memory bounded, no sockets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from keepclear.feeds.reports import ReportBatch

__all__ = ["FAULT_EXAMPLES_MAX", "Decoder", "Fault", "Faults", "first_line"]

FAULT_EXAMPLES_MAX = 100
"""Examples kept a decoder; the counts go on. A feed of garbage must not fill the memory."""
FAULT_REASONS_MAX = 64
"""Distinct reasons counted; later ones count as «other». A reason must not contain the input itself."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One refused piece of input: where it stood, and why it was refused."""

    where: str
    reason: str


@dataclass(slots=True)
class Faults:
    """What a decoder refused: a count by reason and the first examples."""

    counts: dict[str, int] = field(default_factory=dict)
    examples: list[Fault] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def add(self, reason: str, where: str = "") -> None:
        reason = self._count(reason, 1)
        if len(self.examples) < FAULT_EXAMPLES_MAX:
            self.examples.append(Fault(where, reason))

    def add_all(self, reason: str, rows: Sequence[int], where: Callable[[int], str]) -> None:
        """The same for many rows at once; ``where`` is asked only for as many examples as are kept."""
        reason = self._count(reason, len(rows))
        self.examples += [Fault(where(row), reason) for row in rows[: FAULT_EXAMPLES_MAX - len(self.examples)]]

    def _count(self, reason: str, times: int) -> str:
        if reason not in self.counts and len(self.counts) >= FAULT_REASONS_MAX:
            reason = "other"
        self.counts[reason] = self.counts.get(reason, 0) + times
        return reason


class Decoder(Protocol):
    """A decoder keeps the cut end of a chunk until the next one; it never raises on bad bytes in a stream.

    ``decode`` takes the next bytes and the instant at which they came; ``finish`` says that no more will come.
    A file whose whole is unreadable (not the format at all) raises :class:`~keepclear.errors.InputError`.
    """

    faults: Faults

    def decode(self, data: bytes, received_s: float) -> ReportBatch: ...

    def finish(self) -> ReportBatch: ...


def first_line(error: Exception) -> str:
    """What a library says of a broken file, short enough for a fault."""
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
