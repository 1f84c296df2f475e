"""A channel's store in SQL: what SQLite and PostgreSQL have in common, which is all but opening and committing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from keepclear.channel.charter import Charter
from keepclear.channel.entry import CHARTER_KIND, Entry, Record
from keepclear.channel.fork_proof import ForkProof
from keepclear.channel.parting import telling
from keepclear.channel.store import (
    FORKS_PER_PARTY_MAX,
    READ_BYTES_MAX,
    READ_COUNT_MAX,
    Batch,
    Kept,
    StoreConflict,
)
from keepclear.edge.channel.heads import Heads
from keepclear.edge.channel.rows import (
    ERASED,
    HERE,
    NONE,
    WANTED,
    Execute,
    change_entry,
    grown,
    keep_checkpoint_row,
    keep_cosignature_row,
    keep_entry,
    keep_log_row,
    row_sum,
)
from keepclear.edge.channel.states import LogStates
from keepclear.errors import UsageError

__all__ = ["SqlStore"]


class SqlStore(LogStates, Heads):
    """Open one with the ``open`` of its kind. For several threads at once."""

    def records(
        self, log: str, start: int, *, count_max: int = READ_COUNT_MAX, bytes_max: int = READ_BYTES_MAX
    ) -> list[Kept]:
        size = self.state(log).size
        found: list[Kept] = []
        total, seq = 0, start
        end = min(size, start + min(count_max, READ_COUNT_MAX))
        while 0 <= seq < end:
            rows = self._read(
                "SELECT log, seq, leaf, payload, signature, salt, body, body_state, received_ms, sum FROM entry"
                " WHERE log = ? AND seq >= ? AND seq < ? ORDER BY seq LIMIT 64",
                log, seq, end,
            )  # fmt: skip
            if not rows:
                raise self._damaged(f"entry {seq} of {log}, which is missing,")
            for row in rows:
                kept = self._kept(log, seq, row)
                total += len(kept.record.payload) + len(kept.record.body or b"")
                if found and total > bytes_max:
                    return found
                found.append(kept)
                seq += 1
        return found

    def _kept(self, log: str, seq: int, row: tuple[Any, ...]) -> Kept:
        _, at, leaf, payload, signature, salt, body, body_state, received_ms, _ = self._checked(
            row, f"entry {seq} of {log}"
        )
        record = Record(payload, signature, salt, body)
        if at != seq or record.leaf != leaf:
            raise self._damaged(f"entry {seq} of {log}")
        return Kept(seq, record, received_ms, body_state == ERASED)

    def append(self, batch: Batch, claimed: Callable[[], None] = lambda: None) -> None:
        log = batch.after.party
        first = self._name(log)
        self._write(lambda execute: self._append(execute, batch, first, claimed))
        if batch.after.charter not in self._charters:
            self._load_charters()
        if batch.erased:
            self._forget()

    def _append(self, execute: Execute, batch: Batch, first: Charter, claimed: Callable[[], None]) -> None:
        log, after = batch.after.party, batch.after
        rows = execute("SELECT name, size, frontier, last_leaf, charter, revoked, sum FROM log WHERE name = ?", log)
        before = self._state(log, rows, first)
        if before.head != batch.before:
            raise StoreConflict(f"the log of {log} is at {before.size}, not at {batch.before.size}")
        if before.size:
            last = execute("SELECT leaf FROM entry WHERE log = ? AND seq = ?", log, before.size - 1)
            if not last or bytes(last[0][0]) != before.last_leaf:
                raise self._damaged(f"entry {before.size - 1} of {log}")
        claimed()  # the transaction keeps every other writer out
        leaves = [record.leaf for record in batch.records]
        wanted, erased = set(batch.wanted), set(batch.erased)
        for seq, (record, leaf) in enumerate(zip(batch.records, leaves), before.size):
            state = WANTED if seq in wanted else HERE if record.body is not None else NONE
            keep_entry(execute, log, seq, leaf, record, state, batch.received_ms)
        for level, place, node in grown(before.frontier, leaves):
            execute(
                "INSERT INTO node VALUES (?, ?, ?, ?, ?)", log, level, place, node, row_sum(log, level, place, node)
            )
        for seq in sorted(erased):
            self._erase(execute, log, seq)
        if after.charter != before.charter:
            self._keep_charter(execute, after.charter)
        keep_log_row(execute, after, rows[0][4] if rows and after.charter == before.charter else None)
        if batch.checkpoint is not None:
            keep_checkpoint_row(execute, log, batch.checkpoint)
            if batch.cosignature is not None:
                keep_cosignature_row(execute, log, batch.cosignature)

    # Bodies.

    def wanted(self, log: str, *, count_max: int = READ_COUNT_MAX) -> list[int]:
        self._name(log)
        rows = self._read("SELECT seq FROM entry WHERE log = ? AND body_state = 1 ORDER BY seq LIMIT ?", log, count_max)
        return [row[0] for row in rows]

    def keep_body(self, log: str, seq: int, salt: bytes, body: bytes) -> bool:
        def act(execute: Execute) -> bool:
            kept = self._fetch(execute, log, seq)
            if kept is None or kept[1] != WANTED:
                return False
            record = replace(kept[0].record, salt=salt, body=body)
            change_entry(execute, log, replace(kept[0], record=record), HERE)
            return True

        return self._write(act)

    def erase_body(self, log: str, seq: int) -> None:
        def act(execute: Execute) -> None:
            kept = self._fetch(execute, log, seq)
            if kept is None:
                raise UsageError(f"the log of {log} has no entry {seq}")
            if Entry.parse(kept[0].record.payload).kind == CHARTER_KIND:
                raise UsageError("a charter is not erased: the log would no longer verify")
            self._erase(execute, log, seq)

        self._write(act)
        self._forget()

    def _fetch(self, execute: Execute, log: str, seq: int) -> tuple[Kept, int] | None:
        rows = execute(
            "SELECT log, seq, leaf, payload, signature, salt, body, body_state, received_ms, sum FROM entry"
            " WHERE log = ? AND seq = ?",
            log, seq,
        )  # fmt: skip
        return (self._kept(log, seq, rows[0]), rows[0][7]) if rows else None

    def _erase(self, execute: Execute, log: str, seq: int) -> None:
        kept = self._fetch(execute, log, seq)
        if kept is not None and Entry.parse(kept[0].record.payload).kind != CHARTER_KIND:
            change_entry(execute, log, replace(kept[0], record=kept[0].record.without_body()), ERASED)

    # Forks.

    def forks(self, log: str | None = None) -> tuple[ForkProof, ...]:
        rows = self._read("SELECT party, number, document, sum FROM fork ORDER BY party, number")
        checked = [self._checked(row, "a fork proof") for row in rows]
        return tuple(ForkProof.parse(row[2]) for row in checked if log in (None, row[0]))

    def keep_fork(self, proof: ForkProof) -> bool:
        def act(execute: Execute) -> bool:
            rows = execute("SELECT party, number, document, sum FROM fork WHERE party = ? ORDER BY number", proof.party)
            known = [ForkProof.parse(self._checked(row, "a fork proof")[2]) for row in rows]
            kept = telling([*known, proof], FORKS_PER_PARTY_MAX)
            if proof in known or proof not in kept:
                return False
            number = len(known)
            for place, old in enumerate(known):
                if old not in kept:
                    number = place
                    execute("DELETE FROM fork WHERE party = ? AND number = ?", proof.party, number)
            row = (proof.party, number, proof.encode())
            execute("INSERT INTO fork VALUES (?, ?, ?, ?)", *row, row_sum(*row))
            return True

        return self._write(act)
