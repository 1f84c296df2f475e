"""How many requests a second one client may make: a bucket of tokens each."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from keepclear.dss.refusal import Refusal, RefusalKind

__all__ = ["Rates"]

CLIENTS_MAX = 10_000
"""Buckets remembered; the one unused for longest is forgotten, which refills it."""
BURST_S = 2.0
"""A client that was silent may make so many seconds' requests at once."""


class Rates:
    """``per_s`` None: no limit."""

    def __init__(self, per_s: float | None = None, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = per_s
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> None:
        """Raises :class:`Refusal` where the client has none left."""
        if self._per_s is None:
            return
        now_s, full = self._clock(), self._per_s * BURST_S
        left, seen_s = self._buckets.pop(client, (full, now_s))
        left = min(full, left + (now_s - seen_s) * self._per_s)
        allowed = left >= 1.0
        self._buckets[client] = (left - 1.0 if allowed else left, now_s)
        if len(self._buckets) > CLIENTS_MAX:
            self._buckets.popitem(last=False)
        if not allowed:
            raise Refusal(RefusalKind.TOO_MANY, f"{client} makes more than {self._per_s:g} requests a second; wait")
