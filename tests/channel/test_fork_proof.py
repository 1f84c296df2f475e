"""A fork proof shows what it says to anyone with the charter, and nothing that is not so can be made into one."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from keepclear.channel.checkpoint import Checkpoint, sign_checkpoint
from keepclear.channel.entry import Draft, Record
from keepclear.channel.fork_proof import ForkProof, prove_fork_by_entries, prove_fork_by_heads, verify_fork_proof
from keepclear.channel.log import LogState, write
from keepclear.channel.merkle import Tree
from keepclear.errors import InputError
from keepclear.simulation.parties import exercise_charter, exercise_key

CHARTER = exercise_charter("alfa", "bravo")
EMPTY = LogState.begin(CHARTER, "alfa")
ENTRY, LOG = exercise_key("alfa", "entry"), exercise_key("alfa", "log")


def branch(name: bytes, common: int, own: int) -> list[Record]:
    """A history that shares its first ``common`` entries with all others."""
    bodies = [b"common %d" % k for k in range(common)] + [name + b" %d" % k for k in range(own)]
    drafts = [Draft("message", body) for body in bodies]
    return write(EMPTY, drafts, key=ENTRY, seen={}, at_ms=1, salts=[bytes(32)] * len(drafts))[1]


ONE, OTHER = branch(b"one", 5, 8), branch(b"other", 5, 8)


def judged(proof: ForkProof) -> str:
    return verify_fork_proof(ForkProof.parse(proof.encode()), EMPTY.channel, [CHARTER])


def test_two_entries_in_one_place_or_one_that_does_not_follow_are_a_fork() -> None:
    assert "two different entries as number 5" in judged(prove_fork_by_entries("alfa", ONE[5], OTHER[5]))
    for pair in ((ONE[5], OTHER[6]), (OTHER[6], ONE[5])):
        assert "entry 6 that does not follow its entry 5" in judged(prove_fork_by_entries("alfa", *pair))


def test_entries_of_one_history_are_never_a_fork() -> None:
    for k in range(len(ONE)):
        for other in range(len(ONE)):
            with pytest.raises(InputError, match="can stand in one log"):
                judged(prove_fork_by_entries("alfa", ONE[k], ONE[other]))
    for apart in (7, 8):  # too far apart to tell
        with pytest.raises(InputError, match="can stand in one log"):
            judged(prove_fork_by_entries("alfa", ONE[5], OTHER[apart]))


def test_entries_that_the_party_did_not_sign_prove_nothing() -> None:
    forged = replace(OTHER[5], signature=bytes(64))
    with pytest.raises(InputError, match="not signed by the party"):
        judged(prove_fork_by_entries("alfa", ONE[5], forged))
    with pytest.raises(InputError, match="an entry of alfa"):
        judged(prove_fork_by_entries("bravo", ONE[5], OTHER[5]))


@pytest.mark.parametrize("small", range(1, 13))
@pytest.mark.parametrize("large", [8, 12, 13])
def test_heads_are_a_fork_exactly_where_one_is_not_the_beginning_of_the_other(small: int, large: int) -> None:
    if small > large:
        return
    mine = Tree(r.leaf for r in ONE)
    larger = sign_checkpoint(Checkpoint(EMPTY.origin, large, mine.root(large)), LOG)
    path = mine.consistency_proof(small, large)
    if small & (small - 1) == 0 and small != large:
        path.insert(0, mine.root(small))
    for records, forked in ((ONE, False), (OTHER, small > 5)):
        root = Tree(r.leaf for r in records).root(small)
        smaller = sign_checkpoint(Checkpoint(EMPTY.origin, small, root), LOG)
        proof = prove_fork_by_heads("alfa", smaller, larger, path)
        if forked:
            assert "alfa signed" in judged(proof)
        else:
            with pytest.raises(InputError, match="can be of one log"):
                judged(proof)


def test_no_change_of_a_path_makes_honest_heads_a_fork() -> None:
    mine = Tree(r.leaf for r in ONE)
    notes = [sign_checkpoint(Checkpoint(EMPTY.origin, n, mine.root(n)), LOG) for n in (6, 13)]
    path = mine.consistency_proof(6, 13)
    for k in range(len(path)):
        for changed in (path[:k] + path[k + 1 :], [*path[:k], bytes(32), *path[k + 1 :]], [*path, path[k]]):
            with pytest.raises(InputError, match="can be of one log"):
                judged(prove_fork_by_heads("alfa", notes[0], notes[1], changed))


def test_a_changed_proof_is_refused() -> None:
    proof = prove_fork_by_entries("alfa", ONE[5], OTHER[5])
    data = proof.encode()
    for at in range(0, len(data), 11):
        spoilt = bytearray(data)
        spoilt[at] ^= 1
        with pytest.raises(InputError):
            verify_fork_proof(ForkProof.parse(bytes(spoilt)), EMPTY.channel, [CHARTER])
    with pytest.raises(InputError, match="no party"):
        judged(msgspec.structs.replace(proof, party="charlie"))
