"""Tiles of hashes, made as the leaves come: one open tile a level is all that is kept."""

from __future__ import annotations

from collections.abc import Iterator

from keepclear.channel.merkle import Frontier
from keepclear.channel.tiles import TILE_WIDTH, Tile

__all__ = ["TileBuilder"]


class TileBuilder:
    """For a log whose size is known before: the last tile of a level is as wide as what is left."""

    def __init__(self, size: int) -> None:
        self._counts = [size]
        while self._counts[-1] >= TILE_WIDTH:
            self._counts.append(self._counts[-1] // TILE_WIDTH)
        self._open: list[list[bytes]] = [[] for _ in self._counts]
        self._done = [0] * len(self._counts)

    def add(self, node: bytes, level: int = 0) -> Iterator[tuple[Tile, bytes]]:
        """One leaf hash more; whichever tiles it completes, with their content."""
        hashes = self._open[level]
        hashes.append(node)
        index = self._done[level]
        tile = Tile(level, index, min(TILE_WIDTH, self._counts[level] - index * TILE_WIDTH))
        if len(hashes) < tile.width:
            return
        yield tile, b"".join(hashes)
        self._done[level], self._open[level] = index + 1, []
        if tile.width == TILE_WIDTH:
            yield from self.add(Frontier().extended(hashes).root, level + 1)
