"""Tiles and their paths as c2sp.org/tlog-tiles says; the numbers are that text's own examples."""

from __future__ import annotations

from collections import Counter
from itertools import chain

import pytest

from keepclear.channel.merkle import Tree, leaf_hash, node_hash
from keepclear.channel.record.tile_builder import TileBuilder
from keepclear.channel.tiles import TILE_WIDTH, Tile, decode_bundle, encode_bundle, entry_tiles, hash_tiles
from keepclear.errors import InputError


def test_an_index_is_written_in_groups_of_three_digits() -> None:
    assert Tile(0, 1_234_067, TILE_WIDTH).path == "tile/0/x001/x234/067"
    assert Tile(-1, 1_234_067, 7).path == "tile/entries/x001/x234/067.p/7"
    assert Tile(2, 0, 1).path == "tile/2/000.p/1"


def test_a_tree_of_70_000_and_one_of_256_have_the_tiles_that_the_specification_counts() -> None:
    widths = Counter((tile.level, tile.width) for tile in hash_tiles(70_000))
    assert widths == {(0, 256): 273, (0, 112): 1, (1, 256): 1, (1, 17): 1, (2, 1): 1}
    assert [(t.level, t.width) for t in hash_tiles(256)] == [(0, 256), (1, 1)]
    assert [t.width for t in entry_tiles(70_000)] == [256] * 273 + [112]
    assert list(hash_tiles(0)) == []


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0", "tile/0/0000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/00/000",
        "tile/0/x000", "tile/0/x000/000", "tile/0/001/x234", "tile/0/001/234", "tile/-1/000", "tile/7/000",
        "tile/0/000.p", "0/000", "tile/0/000.p/1/2", "tile/entries/", "tile/0/ 01", "tile/0/\u0661\u0661\u0661",
    ],
)  # fmt: skip
def test_whatever_would_not_be_written_so_is_no_tiles_path(path: str) -> None:
    with pytest.raises(InputError):
        Tile.parse(path)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 70_000])
def test_every_path_is_read_back(size: int) -> None:
    for tile in (*hash_tiles(size), *entry_tiles(size)):
        assert Tile.parse(tile.path) == tile


def test_tiles_made_as_leaves_come_hold_the_hashes_of_the_tree() -> None:
    """At level 1 and above each hash is the root of a full tile below; a partial tile is hashed into none."""
    size = 2 * 256 + 3
    leaves = [leaf_hash(b"%d" % k) for k in range(size)]
    builder, tree = TileBuilder(size), Tree(leaves)
    made = dict(chain.from_iterable(builder.add(leaf) for leaf in leaves))
    assert made == {tile: tile.hashes(tree) for tile in hash_tiles(size)}
    nodes = leaves[256:512]
    while len(nodes) > 1:
        nodes = [node_hash(*nodes[k : k + 2]) for k in range(0, len(nodes), 2)]
    assert made[Tile(1, 0, 2)][32:] == nodes[0]


def test_a_bundle_is_entries_behind_their_lengths() -> None:
    entries = [b"", b"a", b"\x00" * 65_535]
    data = encode_bundle(entries)
    assert data == b"\x00\x00" + b"\x00\x01a" + b"\xff\xff" + entries[2]
    assert decode_bundle(data) == entries
    with pytest.raises(InputError, match="cut"):
        decode_bundle(data[:-1])
    with pytest.raises(InputError, match="more than 256"):
        decode_bundle(encode_bundle([b"x"] * 257))
