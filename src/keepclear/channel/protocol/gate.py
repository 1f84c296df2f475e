"""How much a peer may bring: a token bucket each, so that one that floods holds up nobody else."""

from __future__ import annotations

from dataclasses import dataclass, replace

from keepclear.channel.charter import PARTIES_MAX
from keepclear.errors import LimitExceeded

__all__ = ["Bucket", "Gate", "TooMuch"]

MINUTE_MS = 60_000
PEERS_MAX = 2 * PARTIES_MAX
"""Those of two versions of the charter; others are turned away before they come here."""


class TooMuch(LimitExceeded):
    """A peer asks more often than the charter allows."""

    def __init__(self, wait_ms: int) -> None:
        super().__init__(f"too much at once: come again in {wait_ms:,} ms")
        self.wait_ms = wait_ms


@dataclass(frozen=True, slots=True)
class Bucket:
    """``tokens`` were there at ``at_ms``; a minute's worth at most is saved up."""

    tokens: float
    at_ms: int

    def filled(self, now_ms: int, per_minute: int) -> Bucket:
        """A clock that was set back neither gives nor takes."""
        passed_ms = min(max(now_ms - self.at_ms, 0), MINUTE_MS)
        return Bucket(min(float(per_minute), self.tokens + passed_ms * per_minute / MINUTE_MS), now_ms)


class Gate:
    """Lives in memory, one per node. Not for several threads at once."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def take(self, peer: str, count: int, per_minute: int, now_ms: int) -> int | None:
        """Nothing if the peer may bring ``count`` more now, else how many milliseconds to wait."""
        bucket = self._buckets.get(peer, Bucket(float(per_minute), now_ms)).filled(now_ms, per_minute)
        if peer not in self._buckets and len(self._buckets) >= PEERS_MAX:
            self._buckets.clear()
        short = min(count, per_minute) - bucket.tokens
        if short <= 0:
            bucket = replace(bucket, tokens=bucket.tokens - count)
        self._buckets[peer] = bucket
        return None if short <= 0 else max(1, round(short * MINUTE_MS / per_minute))
