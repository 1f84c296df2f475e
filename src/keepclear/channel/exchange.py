"""The protocol between two nodes, without any input or output: one side asks, the other responds.

:func:`check`, :func:`catch_up` and :func:`push_log` are generators: they yield an :class:`~keepclear.channel.wire.Ask`,
are sent the bytes of the answer, and return what came of it. Whoever drives them brings the transport: HTTPS, a file, a
simulated network. :func:`respond` is the other side. A transport that fails simply drops the generator: what was stored
stays, and the next try goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from keepclear.channel.fork_proof import ForkProof
from keepclear.channel.gate import Gate
from keepclear.channel.store import Store
from keepclear.channel.wire import Ask, CheckStatement, Keys

__all__ = ["CaughtUp", "Checked", "catch_up", "check", "push_log", "respond"]

Clock = Callable[[], int]
"""Wall clock, POSIX milliseconds UTC."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A check that was answered: the four times are those of ``communications.Answered``."""

    statement: CheckStatement
    asked_ms: int
    received_ms: int
    """the answer, by our clock"""
    forks: tuple[ForkProof, ...] = ()
    """newly proved by it"""

    def holds(self, log: str) -> int:
        """How many entries of the log the peer says it holds: the cursor to push from."""
        return self.statement.held[log].size if log in self.statement.held else 0


@dataclass(frozen=True, slots=True)
class CaughtUp:
    sent: int = 0
    """entries"""
    received: int = 0
    forks: tuple[ForkProof, ...] = ()
    """newly proved"""
    later_ms: int | None = None
    """the peer asked to be left alone for so long"""
    cursors: dict[str, int] = field(default_factory=dict)
    """by log: how many entries the peer now holds"""


def check(store: Store, keys: Keys, peer: str, nonce: bytes, clock: Clock) -> Generator[Ask, bytes, Checked]:
    """Raises :class:`InputError` for an answer that is not the peer's, or not to this nonce."""
    yield Ask("", b"")
    raise NotImplementedError


def catch_up(store: Store, keys: Keys, peer: str, checked: Checked, clock: Clock) -> Generator[Ask, bytes, CaughtUp]:
    """Everything either side lacks, as far as ``checked`` shows it: pushes, pulls, bodies, fork proofs, bounded."""
    yield Ask("", b"")
    raise NotImplementedError


def push_log(
    store: Store, keys: Keys, peer: str, log: str, cursor: int, clock: Clock
) -> Generator[Ask, bytes, CaughtUp]:
    """The log's entries from ``cursor``, at once, without a check before: what a node does when it has written."""
    yield Ask("", b"")
    raise NotImplementedError


def respond(store: Store, keys: Keys, gate: Gate, peer: str, ask: Ask, received_ms: int, clock: Clock) -> bytes:
    """The answer to a peer that the transport has authenticated.

    Raises :class:`InputError` for bytes that are no such request (HTTP 400), :class:`LimitExceeded` for too many
    (413). ``gate`` counts what each peer brings.
    """
    raise NotImplementedError
