"""From a node's store into a docket: whatever the logs hold beyond what it has taken."""

from __future__ import annotations

from keepclear.channel.protocol.checking import log_ids
from keepclear.channel.store import Store
from keepclear.decisions.procedure.docket import Docket, Filed

__all__ = ["take_new"]


def take_new(docket: Docket, store: Store) -> list[Filed]:
    """What was new, log by log, those of parties that have left with it; the proofs of two histories too."""
    read: list[Filed] = []
    for log in log_ids(store):
        for seq in list(docket.absent(log)):  # a text may have come since
            docket.take(log, [one.record for one in store.records(log, seq, count_max=1)])
        while kept := store.records(log, docket.size(log)):
            read += docket.take(log, [one.record for one in kept])
    docket.take_forks(store.forks())
    return read
