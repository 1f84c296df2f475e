"""The rows of a channel's store: the schema, the checksum on each, and how they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import msgspec

from keepclear.channel.charter import charter_hash
from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.entry import Record
from keepclear.channel.log import LogState
from keepclear.channel.merkle import Frontier, node_hash
from keepclear.channel.signed_note import Note
from keepclear.channel.store import Event, Held, Kept
from keepclear.errors import KeepclearError

__all__ = ["ERASED", "HELD_COLUMNS", "HERE", "MIGRATIONS", "NODE_STEP", "NONE", "TABLES", "WANTED", "ChannelStoreError",
           "Execute", "change_entry", "grown", "joined", "keep_checkpoint_row", "keep_cosignature_row", "keep_entry",
           "keep_events", "keep_log_row", "row_sum"]  # fmt: skip

Execute = Callable[..., list[tuple[Any, ...]]]
"""``execute(query, *values)`` gives all rows."""

NODE_STEP = 4
"""Of the tree's nodes every fourth level is kept: a fifteenth of a row an entry, and a proof reads few more."""
SUM_BYTES = 8
NONE, WANTED, HERE, ERASED = range(4)
"""What is known of a body: not ours, still to come, here, taken back."""

MIGRATIONS = (
    """
    CREATE TABLE charter (
        hash BLOB NOT NULL, serial BIGINT NOT NULL, document BLOB NOT NULL, sum BLOB NOT NULL, PRIMARY KEY (hash)
    );
    CREATE TABLE log (
        name TEXT NOT NULL, size BIGINT NOT NULL, frontier BLOB NOT NULL, last_leaf BLOB NOT NULL,
        charter BLOB NOT NULL, revoked INTEGER NOT NULL, sum BLOB NOT NULL, PRIMARY KEY (name)
    );
    CREATE TABLE entry (
        log TEXT NOT NULL, seq BIGINT NOT NULL, leaf BLOB NOT NULL, payload BLOB NOT NULL, signature BLOB NOT NULL,
        salt BLOB, body BLOB, body_state INTEGER NOT NULL, received_ms BIGINT NOT NULL, sum BLOB NOT NULL,
        PRIMARY KEY (log, seq)
    );
    CREATE INDEX entry_wanted ON entry (log, seq) WHERE body_state = 1;
    CREATE TABLE node (
        log TEXT NOT NULL, level INTEGER NOT NULL, place BIGINT NOT NULL, hash BLOB NOT NULL, sum BLOB NOT NULL,
        PRIMARY KEY (log, level, place)
    );
    CREATE TABLE checkpoint (
        log TEXT NOT NULL, size BIGINT NOT NULL, note BLOB NOT NULL, sum BLOB NOT NULL, PRIMARY KEY (log, size)
    );
    CREATE TABLE cosignature (
        log TEXT NOT NULL, cosigner TEXT NOT NULL, size BIGINT NOT NULL, time_s BIGINT NOT NULL,
        received_ms BIGINT NOT NULL, key_id BLOB NOT NULL, signature BLOB NOT NULL, sum BLOB NOT NULL,
        PRIMARY KEY (log, cosigner, size)
    );
    CREATE INDEX cosignature_of_head ON cosignature (log, size);
    CREATE TABLE fork (
        party TEXT NOT NULL, number BIGINT NOT NULL, document BLOB NOT NULL, sum BLOB NOT NULL,
        PRIMARY KEY (party, number)
    );
    CREATE TABLE event (
        kind TEXT NOT NULL, peer TEXT NOT NULL, log TEXT NOT NULL, text TEXT NOT NULL, first_ms BIGINT NOT NULL,
        last_ms BIGINT NOT NULL, count BIGINT NOT NULL, sum BLOB NOT NULL, PRIMARY KEY (kind, peer, log)
    );
    """,
)
"""Version n of the schema is made by the first n of them, which never change once released."""


class ChannelStoreError(KeepclearError):
    """The channel's store cannot be opened, read or written, or is damaged; the message says what to do."""


def row_sum(*fields: object) -> bytes:
    return blake2b(msgspec.msgpack.encode(fields), digest_size=SUM_BYTES).digest()


HELD_COLUMNS = "log, cosigner, size, time_s, received_ms, key_id, signature, sum"
TABLES = {
    "charter": ("hash", "serial, document"),
    "log": ("name", "size, frontier, last_leaf, charter, revoked"),
    "node": ("log, level, place", "hash"),
    "checkpoint": ("log, size", "note"),
    "cosignature": ("log, cosigner, size", "time_s, received_ms, key_id, signature"),
    "fork": ("party, number", "document"),
    "event": ("kind, peer, log", "text, first_ms, last_ms, count"),
    "entry": ("log, seq", "leaf, payload, signature, salt, body, body_state, received_ms"),
}
"""The key and the other columns, in the order in which they are summed."""


def keep_entry(execute: Execute, log: str, seq: int, leaf: bytes, record: Record, state: int, at_ms: int) -> None:
    row = (log, seq, leaf, record.payload, record.signature, record.salt, record.body, state, at_ms)
    execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", *row, row_sum(*row))


def keep_log_row(execute: Execute, state: LogState, charter: bytes | None) -> None:
    """``charter``: its hash, where it is known."""
    row = (state.party, state.size, b"".join(state.frontier.roots), state.last_leaf,
           charter or charter_hash(state.charter), int(state.revoked))  # fmt: skip
    execute(
        "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET size = excluded.size,"
        " frontier = excluded.frontier, last_leaf = excluded.last_leaf, charter = excluded.charter,"
        " revoked = excluded.revoked, sum = excluded.sum",
        *row, row_sum(*row),
    )  # fmt: skip


def change_entry(execute: Execute, log: str, kept: Kept, state: int) -> None:
    record = kept.record
    row = (log, kept.seq, record.leaf, record.payload, record.signature, record.salt, record.body, state,
           kept.received_ms)  # fmt: skip
    execute(
        "UPDATE entry SET salt = ?, body = ?, body_state = ?, sum = ? WHERE log = ? AND seq = ?",
        record.salt, record.body, state, row_sum(*row), log, kept.seq,
    )  # fmt: skip


def keep_checkpoint_row(execute: Execute, log: str, note: Note) -> None:
    row = (log, Checkpoint.parse(note.text).size, note.encode())
    execute("INSERT INTO checkpoint VALUES (?, ?, ?, ?) ON CONFLICT (log, size) DO NOTHING", *row, row_sum(*row))


def keep_cosignature_row(execute: Execute, log: str, held: Held) -> None:
    row = (log, held.cosigner, held.size, held.time_s, held.received_ms, held.signature.key_id, held.signature.blob)
    execute("INSERT INTO cosignature VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *row, row_sum(*row))


def joined(before: Event | None, event: Event | None) -> Event:
    """Two counts of the same thing as one, worded as the later."""
    if before is None or event is None:
        found = before or event
        assert found is not None
        return found
    return replace(event, first_ms=before.first_ms, count=before.count + event.count)


def keep_events(execute: Execute, noted: dict[tuple[str, str, str], Event]) -> None:
    for key, event in noted.items():
        rows = execute("SELECT first_ms, count FROM event WHERE kind = ? AND peer = ? AND log = ?", *key)
        first_ms, count = rows[0] if rows else (event.first_ms, 0)
        row = (*key, event.text, first_ms, event.last_ms, count + event.count)
        execute("DELETE FROM event WHERE kind = ? AND peer = ? AND log = ?", *key)
        execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *row, row_sum(*row))


def grown(frontier: Frontier, leaves: Sequence[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """The nodes of every NODE_STEP-th level above the leaves that further leaves complete: level, place, hash."""
    roots, size = list(frontier.roots), frontier.size
    for node in leaves:
        size += 1
        carry, level = size, 0
        while not carry & 1:
            node = node_hash(roots.pop(), node)
            carry, level = carry >> 1, level + 1
            if level % NODE_STEP == 0:
                yield level, carry - 1, node
        roots.append(node)
