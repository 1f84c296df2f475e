"""One exported log at random: its head at any size, its entries by number. What it reads is not yet verified."""

from __future__ import annotations

from collections import OrderedDict

from keepclear.channel.merkle import HASH_BYTES, Frontier, node_hash
from keepclear.channel.record.layout import ENTRIES_BYTES_MAX, ExportFiles, log_folder
from keepclear.channel.tiles import TILE_WIDTH, Tile, decode_bundle
from keepclear.errors import InputError

__all__ = ["ExportedLog"]

_KEPT_BYTES_MAX = 4 << 20
"""Of each log's tiles and bundles; references mostly go to the newest entries of the others."""
_STEP_MAX = 4 * TILE_WIDTH
"""Heads further on than that are built from the tiles again, not leaf by leaf."""


class ExportedLog:
    def __init__(self, files: ExportFiles, party: str, size: int) -> None:
        self.party, self.size = party, size
        self._files = files
        self._kept: OrderedDict[tuple[int, int], tuple[list[bytes], int]] = OrderedDict()
        self._bytes = 0
        self._cursor = Frontier()
        self._root = self._cursor.root

    def root_at(self, size: int) -> bytes:
        """The root of the first ``size`` entries; raises :class:`InputError` where a tile is missing."""
        if not 0 <= size <= self.size:
            raise IndexError(f"no head {size} in a log of {self.size}")
        cursor = self._cursor
        if cursor.size == size:
            return self._root
        if not 0 < size - cursor.size <= _STEP_MAX:
            cursor = self._frontier(size - size % TILE_WIDTH)
        while cursor.size < size:
            begin = cursor.size % TILE_WIDTH
            leaves = self._hashes(0, cursor.size // TILE_WIDTH)[begin : begin + size - cursor.size]
            cursor = cursor.extended(leaves)
        self._cursor, self._root = cursor, cursor.root
        return self._root

    def payload(self, seq: int) -> bytes:
        return self._parts(-1, seq // TILE_WIDTH)[seq % TILE_WIDTH]

    def _frontier(self, size: int) -> Frontier:
        roots, start = [], 0
        for level in range(size.bit_length() - 1, -1, -1):
            if size >> level & 1:
                roots.append(self._node(level, start >> level))
                start += 1 << level
        return Frontier(size, tuple(roots))

    def _node(self, level: int, index: int) -> bytes:
        width = 1 << level % 8
        begin = index * width
        nodes = self._hashes(level // 8, begin // TILE_WIDTH)[begin % TILE_WIDTH : begin % TILE_WIDTH + width]
        while len(nodes) > 1:
            nodes = [node_hash(nodes[k], nodes[k + 1]) for k in range(0, len(nodes), 2)]
        return nodes[0]

    def _hashes(self, level: int, index: int) -> list[bytes]:
        return self._parts(level, index)

    def _parts(self, level: int, index: int) -> list[bytes]:
        """A tile's hashes; at level -1, a bundle's entries."""
        found = self._kept.get((level, index))
        if found is not None:
            self._kept.move_to_end((level, index))
            return found[0]
        tile = Tile(level, index, min(TILE_WIDTH, (self.size >> 8 * max(level, 0)) - index * TILE_WIDTH))
        name = f"{log_folder(self.party)}/{tile.path}"
        data = self._files.read(name, ENTRIES_BYTES_MAX if level < 0 else TILE_WIDTH * HASH_BYTES)
        if data is None:
            raise InputError("the file is missing", source=name)
        parts = decode_bundle(data) if level < 0 else _split_hashes(data)
        if len(parts) != tile.width:
            raise InputError(f"the tile has {len(parts)} parts, not {tile.width}", source=name)
        self._kept[level, index] = parts, len(data)
        self._bytes += len(data)
        while self._bytes > _KEPT_BYTES_MAX and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1][1]
        return parts


def _split_hashes(data: bytes) -> list[bytes]:
    if len(data) % HASH_BYTES:
        raise InputError("the tile does not hold whole hashes")
    return [data[k : k + HASH_BYTES] for k in range(0, len(data), HASH_BYTES)]
