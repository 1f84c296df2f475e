"""The keys of sealed votes: what was sealed can be opened, also after a crash in the middle of a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepclear.decisions.rules.stance import Stance
from keepclear.edge.channel.node_folder import NodeFolder
from keepclear.edge.decisions.sealed_votes import SealedVote, keep_sealed, sealed_votes
from keepclear.errors import InputError

ONE = SealedVote("P-HUB-2026-0001", 1, "aa", Stance.FOR, "0" * 64)
TWO = SealedVote("P-HUB-2026-0001", 1, "bb", Stance.AGAINST, "f" * 64)


def test_every_key_that_was_kept_is_there_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = NodeFolder(tmp_path)
    assert sealed_votes(folder) == []
    for vote in (ONE, TWO, ONE):
        keep_sealed(folder, vote)
    assert sealed_votes(folder) == [ONE, TWO, ONE]
    assert (tmp_path / "sealed-votes.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_line_that_a_crash_cut_takes_no_other_with_it(tmp_path: Path) -> None:
    folder, path = NodeFolder(tmp_path), tmp_path / "sealed-votes.jsonl"
    keep_sealed(folder, ONE)
    whole = path.read_bytes()
    for cut in range(1, len(whole)):
        path.write_bytes(whole + whole[:cut])
        complete = cut == len(whole) - 1
        assert sealed_votes(folder) == [ONE] * (1 + complete)
        keep_sealed(folder, TWO)
        assert sealed_votes(folder) == [*([ONE] * (1 + complete)), TWO]


@pytest.mark.parametrize("line", [b"{}", b'{"proposal":1}', b"\xff}", b"[" * 5_000 + b"}"])
def test_a_damaged_line_is_named(tmp_path: Path, line: bytes) -> None:
    folder = NodeFolder(tmp_path)
    keep_sealed(folder, ONE)
    with (tmp_path / "sealed-votes.jsonl").open("ab") as file:
        file.write(line + b"\n")
    with pytest.raises(InputError, match="is damaged") as caught:
        sealed_votes(folder)
    assert caught.value.where == "line 2"
    assert caught.value.source.endswith("sealed-votes.jsonl")
