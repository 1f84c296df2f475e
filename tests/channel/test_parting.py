"""Which of many proofs against one party are kept: those that tell where its histories part, however they came."""

from __future__ import annotations

import random

import pytest

from keepclear.channel.charter import charter_hash, origin_of
from keepclear.channel.checkpoint import Checkpoint, sign_checkpoint
from keepclear.channel.entry import NO_LEAF, Draft, Record, seal
from keepclear.channel.fork_proof import ForkProof, prove_fork_by_entries, prove_fork_by_heads, verify_fork_proof
from keepclear.channel.parting import parted_at, parted_before, telling
from keepclear.simulation.parties import exercise_charter, exercise_key

CHARTER = exercise_charter("alfa", "bravo")
CHANNEL = charter_hash(CHARTER).hex()


def entry(seq: int, text: int) -> Record:
    key = exercise_key("alfa", "entry")
    return seal(
        Draft("message", b"%d" % text), channel=CHANNEL, party="alfa", seq=seq, prev=NO_LEAF, seen={}, at_ms=0,
        salt=bytes(32), key=key,
    )  # fmt: skip


def by_heads(size: int, text: int) -> ForkProof:
    origin, key = origin_of("alfa", CHANNEL), exercise_key("alfa", "log")
    one, other = (sign_checkpoint(Checkpoint(origin, size, bytes([n]) * 32), key) for n in (text, text + 1))
    return prove_fork_by_heads("alfa", one, other)


PROOFS = [prove_fork_by_entries("alfa", entry(seq, 0), entry(seq, text)) for seq in (3, 5, 9) for text in (1, 2)]
PROOFS += [by_heads(size, text) for size in (1, 2, 3, 30) for text in range(5)]


def test_all_of_them_are_proofs() -> None:
    for proof in PROOFS:
        verify_fork_proof(proof, CHANNEL, [CHARTER])


@pytest.mark.parametrize("seed", range(20))
def test_whoever_has_met_everybody_keeps_the_same_in_whatever_order_proofs_came(seed: int) -> None:
    chance = random.Random(seed)
    whole = telling(PROOFS, 8)
    held: list[list[ForkProof]] = [[], [], []]
    for proof in chance.sample(PROOFS, len(PROOFS)):
        one = chance.randrange(3)
        held[one] = telling([*held[one], proof], 8)
        if chance.random() < 0.3:
            one, other = chance.sample(range(3), 2)
            held[one] = held[other] = telling([*held[one], *held[other]], 8)
    assert telling([proof for each in held for proof in each], 8) == whole


def test_the_earliest_place_and_the_earliest_bound_stay_whatever_else_comes() -> None:
    kept = telling(PROOFS, 8)
    assert len(kept) == 8
    assert min(place for proof in kept if (place := parted_at(proof)) is not None) == 3
    assert min(parted_before(proof) for proof in kept) == 1
