"""From a node's store into a docket: whatever the logs hold beyond what it has taken."""

from __future__ import annotations

from collections.abc import Iterable

from keepclear.channel.store import Store
from keepclear.decisions.procedure.docket import Docket, Filed

__all__ = ["take_new"]


def take_new(docket: Docket, store: Store, logs: Iterable[str]) -> list[Filed]:
    """What was new, log by log; the proofs of two histories with it."""
    read: list[Filed] = []
    for log in logs:
        for seq in list(docket.absent(log)):  # a text may have come since
            docket.take(log, [one.record for one in store.records(log, seq, count_max=1)])
        while kept := store.records(log, docket.taken.get(log, 0)):
            read += docket.take(log, [one.record for one in kept])
    docket.take_forks(store.forks())
    return read
