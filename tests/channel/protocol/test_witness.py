"""The witness answers as c2sp.org/tlog-witness says, cosigns nothing that has not merely grown, and once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from keepclear.channel.checkpoint import Checkpoint, sign_checkpoint
from keepclear.channel.cosignature import cosigner_key, find_cosignature
from keepclear.channel.merkle import Tree, leaf_hash
from keepclear.channel.protocol.witness import Submission, WitnessAnswer, witness_head
from keepclear.channel.signed_note import Note, parse_lines
from keepclear.edge.channel.witness_memory import WitnessFile
from keepclear.errors import InputError
from keepclear.simulation.parties import exercise_key

LOG, WITNESS, NAME, ORIGIN = exercise_key("alfa", "log"), exercise_key("w", "witness"), "w.example", "alfa/keepclear/1"
TREE = Tree(leaf_hash(b"%d" % k) for k in range(20))
OTHER = Tree(leaf_hash(b"x%d" % k) for k in range(20))


@dataclass
class Memory:
    heads: dict[str, Checkpoint] = field(default_factory=dict)
    raced: bool = False

    def newest(self, origin: str) -> Checkpoint | None:
        return self.heads.get(origin)

    def swap(self, before: Checkpoint | None, after: Checkpoint) -> bool:
        if self.raced or self.heads.get(after.origin) != before:
            return False
        self.heads[after.origin] = after
        return True


def head(size: int, tree: Tree = TREE, origin: str = ORIGIN) -> Note:
    return sign_checkpoint(Checkpoint(origin, size, tree.root(size)), LOG)


def ask(memory: Memory, old: int, size: int, tree: Tree = TREE, path: tuple[bytes, ...] | None = None) -> WitnessAnswer:
    proof = tuple(tree.consistency_proof(old, size)) if path is None and 0 < old <= size else path or ()
    data = Submission(old, proof, head(size, tree)).encode()
    return witness_head(data, {ORIGIN: [LOG.public]}, memory, NAME, WITNESS, 1_700_000_000)


def test_a_log_that_grows_is_cosigned_and_the_cosignature_verifies() -> None:
    memory = Memory()
    for old, size in ((0, 5), (5, 8), (8, 8), (8, 20)):
        answer = ask(memory, old, size)
        assert answer.status == 200
        note = head(size).with_signatures(parse_lines(answer.body))
        found = find_cosignature(note, cosigner_key(NAME, WITNESS.public))
        assert found is not None
        assert found.time_s == 1_700_000_000


@pytest.mark.parametrize(
    ("old", "size", "tree", "path", "status", "body"),
    [
        (0, 12, TREE, None, 409, "8\n"),
        (9, 12, TREE, None, 409, "8\n"),
        (12, 8, TREE, (), 400, ""),
        (8, 8, OTHER, None, 409, "8\n"),
        (8, 12, OTHER, None, 422, ""),
        (8, 12, TREE, (), 422, ""),
        (8, 12, TREE, (bytes(32),), 422, ""),
    ],
)  # fmt: skip
def test_whatever_has_not_merely_grown_is_not_cosigned(
    old: int, size: int, tree: Tree, path: tuple[bytes, ...] | None, status: int, body: str
) -> None:
    memory = Memory()
    ask(memory, 0, 8)
    answer = ask(memory, old, size, tree, path)
    assert answer.status == status
    assert "—" not in answer.body
    assert not body or (answer.body, answer.media_type) == (body, "text/x.tlog.size")
    assert memory.heads[ORIGIN].size == 8


def test_strangers_are_told_so() -> None:
    data = Submission(0, (), head(3)).encode()
    assert witness_head(data, {}, Memory(), NAME, WITNESS, 1).status == 404
    assert witness_head(data, {ORIGIN: [exercise_key("z", "log").public]}, Memory(), NAME, WITNESS, 1).status == 403
    for garbage in (b"", b"old 1", b"old 01\n\n" + head(3).encode(), b"old 0\nx\n\n" + head(3).encode(), b"\xff" * 50):
        assert witness_head(garbage, {ORIGIN: [LOG.public]}, Memory(), NAME, WITNESS, 1).status == 400


def test_of_two_at_once_one_is_cosigned() -> None:
    memory = Memory(raced=True)
    assert ask(memory, 0, 5).status == 409


def test_a_submission_is_read_back_as_it_was_written() -> None:
    sent = Submission(5, tuple(TREE.consistency_proof(5, 20)), head(20))
    assert Submission.parse(sent.encode()) == sent
    with pytest.raises(InputError, match="64 hashes"):
        Submission.parse(Submission(5, (bytes(32),) * 64, head(20)).encode())


def test_its_memory_survives_and_moves_only_from_where_it_stands(tmp_path: Path) -> None:

    path = tmp_path / "witness.sqlite"
    one, two = Checkpoint(ORIGIN, 5, TREE.root(5)), Checkpoint(ORIGIN, 8, TREE.root(8))
    file = WitnessFile(path)
    assert file.newest(ORIGIN) is None
    assert [file.swap(None, one), file.swap(None, two), file.swap(two, one), file.swap(one, two)] == [
        True, False, False, True,
    ]  # fmt: skip
    file.close()
    assert WitnessFile(path).newest(ORIGIN) == two
