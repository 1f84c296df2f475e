"""Tiles of hashes, made as the leaves come: one open tile a level is all that is kept."""

from __future__ import annotations

from collections.abc import Sequence

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
        self._widths = [min(TILE_WIDTH, count) for count in self._counts]
        """of the open tiles"""

    def add(self, node: bytes, level: int = 0) -> Sequence[tuple[Tile, bytes]]:
        """One leaf hash more; whichever tiles it completes, with their content."""
        hashes, width = self._open[level], self._widths[level]
        hashes.append(node)
        if len(hashes) < width:
            return ()
        tile = Tile(level, self._done[level], width)
        self._done[level], self._open[level] = tile.index + 1, []
        self._widths[level] = min(TILE_WIDTH, self._counts[level] - self._done[level] * TILE_WIDTH)
        above = self.add(Frontier().extended(hashes).root, level + 1) if width == TILE_WIDTH else ()
        return (tile, b"".join(hashes)), *above
