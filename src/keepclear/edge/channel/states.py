"""Where each log of a channel's database stands, and its tree, from the few nodes that are kept."""

from __future__ import annotations

from typing import Any

from keepclear.channel.charter import Charter
from keepclear.channel.log import LogState
from keepclear.channel.merkle import HASH_BYTES, Frontier, ProvingTree, node_hash
from keepclear.edge.channel.database import ChannelDatabase
from keepclear.edge.channel.rows import (
    NODE_STEP,
)

__all__ = ["LogStates"]

NODES_CACHED_MAX = 8_192


class LogStates(ChannelDatabase):
    def __init__(self, where: str) -> None:
        super().__init__(where)
        self._fresh: dict[str, tuple[object, LogState]] = {}
        """by log: its state at a version of the database"""
        self._nodes: dict[tuple[str, int, int], bytes] = {}
        self._states: dict[str, tuple[bytes, LogState]] = {}

    def _version(self) -> object:
        """Changes with every commit by anybody; nothing where the database does not tell, or not cheaply."""
        return None

    def state(self, log: str) -> LogState:
        version = self._version()
        fresh = self._fresh.get(log)
        if version is not None and fresh is not None and fresh[0] == version:
            return fresh[1]
        state = self._read_state(log)
        self._fresh[log] = (version, state)
        return state

    def _read_state(self, log: str) -> LogState:
        first = self._name(log)
        rows = self._read("SELECT name, size, frontier, last_leaf, charter, revoked, sum FROM log WHERE name = ?", log)
        return self._state(log, rows, first)

    def _state(self, log: str, rows: list[tuple[Any, ...]], first: Charter) -> LogState:
        if not rows:
            return LogState(self.channel, log, first)
        cached = self._states.get(log)
        if cached and cached[0] == rows[0][-1] and cached[1].size == rows[0][1]:
            return cached[1]
        _, size, frontier, last_leaf, charter, revoked, check = self._checked(rows[0], f"the state of the log of {log}")
        if charter not in self._by_hash:
            self._load_charters()
        if charter not in self._by_hash or len(frontier) != HASH_BYTES * int(size).bit_count():
            raise self._damaged(f"the state of the log of {log}")
        roots = tuple(frontier[k : k + HASH_BYTES] for k in range(0, len(frontier), HASH_BYTES))
        state = LogState(self.channel, log, self._by_hash[charter], Frontier(size, roots), last_leaf, bool(revoked))
        self._states[log] = (check, state)
        return state

    def tree(self, log: str) -> ProvingTree:
        return _StoredTree(self, self.state(log))

    def _node(self, log: str, level: int, place: int) -> bytes:
        key = (log, level, place)
        found = self._nodes.get(key)
        if found is None:
            found = self._make_node(log, level, place)
            if len(self._nodes) >= NODES_CACHED_MAX:
                self._nodes.clear()
            self._nodes[key] = found
        return found

    def _make_node(self, log: str, level: int, place: int) -> bytes:
        width = 1 << level % NODE_STEP
        base, start = level - level % NODE_STEP, place * width
        if base == 0:
            rows = self._read(
                "SELECT seq, leaf FROM entry WHERE log = ? AND seq >= ? AND seq < ? ORDER BY seq",
                log, start, start + width,
            )  # fmt: skip
            hashes = [bytes(row[1]) for row in rows]
        else:
            rows = self._read(
                "SELECT log, level, place, hash, sum FROM node WHERE log = ? AND level = ? AND place >= ?"
                " AND place < ? ORDER BY place",
                log, base, start, start + width,
            )  # fmt: skip
            hashes = [self._checked(row, f"a node of the tree of {log}")[3] for row in rows]
        if len(hashes) != width:
            raise self._damaged(f"the tree of {log}")
        while len(hashes) > 1:
            hashes = [node_hash(hashes[k], hashes[k + 1]) for k in range(0, len(hashes), 2)]
        return hashes[0]


class _StoredTree(ProvingTree):
    def __init__(self, store: LogStates, state: LogState) -> None:
        self._store, self._state = store, state

    def __len__(self) -> int:
        return self._state.size

    def node(self, level: int, index: int) -> bytes:
        if not 0 <= index < self._state.size >> level:
            raise IndexError(f"no node {index} at level {level} in a tree of {self._state.size}")
        return self._store._node(self._state.party, level, index)

    def root(self, size: int | None = None) -> bytes:
        return self._state.root if size in (None, self._state.size) else super().root(size)
