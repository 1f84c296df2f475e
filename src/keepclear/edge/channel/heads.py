"""The heads of a channel's logs in its database, and who has cosigned each."""

from __future__ import annotations

from typing import Any

from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.signed_note import Note, NoteSignature
from keepclear.channel.store import (
    Held,
)
from keepclear.edge.channel.database import ChannelDatabase
from keepclear.edge.channel.rows import (
    HELD_COLUMNS,
    Execute,
    keep_checkpoint_row,
    keep_cosignature_row,
)
from keepclear.errors import UsageError

__all__ = ["Heads"]


class Heads(ChannelDatabase):
    def checkpoint(self, log: str, *, above: int = -1, up_to: int | None = None) -> Note | None:
        self._name(log)
        rows = self._read(
            "SELECT log, size, note, sum FROM checkpoint WHERE log = ? AND size > ? AND size <= ?"
            " ORDER BY size DESC LIMIT 1",
            log, above, 2**62 if up_to is None else up_to,
        )  # fmt: skip
        if not rows:
            return None
        _, size, note, _ = self._checked(rows[0], f"a head of {log}")
        found = self._read(
            f"SELECT {HELD_COLUMNS} FROM cosignature WHERE log = ? AND size = ? ORDER BY cosigner",  # noqa: S608
            log, size,
        )  # fmt: skip
        return Note.parse(note).with_signatures(self._held(row, log).signature for row in found)

    def keep_checkpoint(self, log: str, note: Note) -> None:
        size = Checkpoint.parse(note.text).size
        if not self._read("SELECT 1 FROM checkpoint WHERE log = ? AND size = ?", log, size):
            self._write(lambda execute: keep_checkpoint_row(execute, log, note), lasting=False)

    def keep_cosignature(self, log: str, head: Checkpoint, held: Held) -> bool:
        def act(execute: Execute) -> bool:
            rows = execute("SELECT log, size, note, sum FROM checkpoint WHERE log = ? AND size = ?", log, head.size)
            if not rows or Note.parse(self._checked(rows[0], f"a head of {log}")[2]).text != head.text:
                raise UsageError(f"a cosignature of a head of {log} that is not kept")
            found = execute(
                "SELECT 1 FROM cosignature WHERE log = ? AND cosigner = ? AND size = ?", log, held.cosigner, held.size
            )
            if found:
                return False
            keep_cosignature_row(execute, log, held)
            return True

        return self._write(act, lasting=False)

    def _held(self, row: tuple[Any, ...], log: str) -> Held:
        _, cosigner, size, time_s, received_ms, key_id, blob, _ = self._checked(row, f"a cosignature of {log}")
        return Held(cosigner, size, time_s, received_ms, NoteSignature(cosigner, key_id, blob))

    def held(self, log: str, seq: int) -> list[Held]:
        return self._one_each(log, seq, "ORDER BY size")

    def newest_held(self, log: str) -> list[Held]:
        return self._one_each(log, -1, "ORDER BY size DESC")

    def _one_each(self, log: str, above: int, order: str) -> list[Held]:
        """Of every cosigner the first in that order, by one short look into the index each."""
        self._name(log)
        names = {f"{p.id}/mirror" for c in self._charters for p in c.parties}
        names |= {w.id for c in self._charters for w in c.witnesses}
        query = f"SELECT {HELD_COLUMNS} FROM cosignature WHERE log = ? AND cosigner = ? AND size > ? {order} LIMIT 1"  # noqa: S608
        return [self._held(row, log) for name in sorted(names) for row in self._read(query, log, name, above)]
