"""A log as static files: tiles of hashes and bundles of entries. Source: c2sp.org/tlog-tiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from keepclear.channel.merkle import ProvingTree
from keepclear.errors import InputError

__all__ = ["ENTRY_BYTES_MAX", "TILE_WIDTH", "Tile", "decode_bundle", "encode_bundle", "entry_tiles", "hash_tiles"]

TILE_WIDTH = 256
ENTRY_BYTES_MAX = 65_535
"""The length is two bytes."""
_PATHS_MAX = 256
"""Of the same tile, entries, signatures, bodies and hashes are asked for one after the other."""


@dataclass(frozen=True, slots=True)
class Tile:
    level: int
    """-1 stands for bundles of entries"""
    index: int
    width: int

    @property
    def start(self) -> int:
        """The first leaf."""
        return self.index << 8 * (max(self.level, 0) + 1)

    @property
    def end(self) -> int:
        """How many leaves a log has that reaches so far."""
        return self.index * TILE_WIDTH + self.width << 8 * max(self.level, 0)

    @property
    def path(self) -> str:
        """Below the log's prefix: ``tile/0/x001/234.p/7``."""
        return _path(self.level, self.index, self.width)

    @classmethod
    def parse(cls, path: str) -> Tile:
        """Raises :class:`InputError` for whatever :attr:`path` would not print."""
        try:
            head, level, *rest = path.split("/")
            if head != "tile":
                raise ValueError
            width = TILE_WIDTH
            if len(rest) > 1 and rest[-2].endswith(".p"):
                width = int(rest.pop())
                rest[-1] = rest[-1].removesuffix(".p")
            index = int("".join(part.removeprefix("x") for part in rest))
            tile = cls(-1 if level == "entries" else int(level), index, width)
        except ValueError:
            raise InputError(f"{path[:60]!r} is not a tile's path") from None
        if tile.path != path or not 1 <= tile.width <= TILE_WIDTH or tile.level > 6:
            raise InputError(f"{path[:60]!r} is not a tile's path")
        return tile

    def hashes(self, tree: ProvingTree) -> bytes:
        """The tile's content."""
        return tree.hashes(8 * self.level, self.index * TILE_WIDTH, self.index * TILE_WIDTH + self.width)


@lru_cache(_PATHS_MAX)
def _path(level: int, index: int, width: int) -> str:
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[k : k + 3] for k in range(0, len(digits), 3)]
    number = "/".join([*(f"x{g}" for g in groups[:-1]), groups[-1]])
    partial = f".p/{width}" if width < TILE_WIDTH else ""
    return f"tile/{'entries' if level < 0 else level}/{number}{partial}"


def _tiles(level: int, count: int) -> Iterator[Tile]:
    for index in range(-(-count // TILE_WIDTH)):
        yield Tile(level, index, min(TILE_WIDTH, count - index * TILE_WIDTH))


def hash_tiles(size: int) -> Iterator[Tile]:
    """All tiles of hashes of a tree of that size."""
    level = 0
    while size:
        yield from _tiles(level, size)
        size //= TILE_WIDTH
        level += 1


def entry_tiles(size: int) -> Iterator[Tile]:
    yield from _tiles(-1, size)


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes) -> list[bytes]:
    """The entries; raises :class:`InputError` where the bundle is cut or holds more than a tile's worth."""
    entries, at, size = [], 0, len(data)
    while at < size:
        begin = at + 2
        end = begin + (data[at] << 8 | data[at + 1]) if begin <= size else begin
        if end > size:
            raise InputError("the bundle of entries is cut", where=f"byte {at}")
        entries.append(data[begin:end])
        at = end
        if len(entries) > TILE_WIDTH:
            raise InputError(f"the bundle has more than {TILE_WIDTH} entries")
    return entries
