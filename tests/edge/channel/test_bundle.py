"""A channel carried by hand gives the same guarantees as one over the network."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from keepclear.edge.channel.bundle import read_bundle, write_bundle
from keepclear.errors import InputError
from keepclear.simulation.parties import exercise_charter
from tests.channel.line import clock, held_by, meet, new_node, say

THREE = exercise_charter("alfa", "bravo", "charlie")


def test_entries_go_over_and_the_acknowledgement_comes_back(tmp_path: Path) -> None:
    alfa, bravo = new_node("alfa", THREE), new_node("bravo", THREE)
    say(alfa, *(b"%d" % k for k in range(1_500)))
    say(alfa, b"for charlie", to=("charlie",))
    there, back = tmp_path / "there", tmp_path / "back"
    assert write_bundle(there, alfa, "bravo", clock, bytes(32)) == 1_501
    reading = read_bundle(there, bravo, clock)
    assert (reading.sender, reading.entries, reading.problems) == ("alfa", 1_501, ())
    assert bravo.store.state("alfa") == alfa.store.state("alfa")
    assert bravo.store.records("alfa", 1_500)[0].record.body is None
    assert read_bundle(there, bravo, clock).entries == 0  # carried twice, no effect
    say(bravo, b"answer")
    write_bundle(back, bravo, "alfa", clock, bytes(32))
    assert read_bundle(back, alfa, clock).entries == 1
    assert held_by(alfa, "bravo/mirror") == 1_501
    assert write_bundle(there, alfa, "bravo", clock, bytes(32)) == 0


def test_a_bundle_relays_what_others_wrote_and_proves_a_fork(tmp_path: Path) -> None:
    bravo, charlie = new_node("bravo", THREE), new_node("charlie", THREE)
    for peer in (bravo, charlie):
        liar = new_node("alfa", THREE)
        say(liar, f"to {peer.party}".encode())
        meet(liar, peer)
    write_bundle(tmp_path / "b", bravo, "charlie", clock, bytes(32))
    reading = read_bundle(tmp_path / "b", charlie, clock)
    assert reading.problems
    assert charlie.store.forks("alfa")


def test_every_cut_of_a_bundle_is_said_and_what_came_before_is_kept(tmp_path: Path) -> None:
    alfa = new_node("alfa", THREE)
    say(alfa, b"one")
    path = tmp_path / "bundle"
    write_bundle(path, alfa, "bravo", clock, bytes(32))
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        bravo = new_node("bravo", THREE)
        try:
            reading = read_bundle(path, bravo, clock)
        except InputError:
            continue
        assert reading.problems
        assert reading.entries in (0, 1)


def test_a_bundle_for_another_or_none_at_all_gets_one_line(tmp_path: Path) -> None:
    alfa, bravo = new_node("alfa", THREE), new_node("bravo", THREE)
    path = tmp_path / "bundle"
    write_bundle(path, alfa, "bravo", clock, bytes(32))
    with pytest.raises(InputError, match="is for bravo"):
        read_bundle(path, new_node("charlie", THREE), clock)
    with pytest.raises(InputError, match="another channel"):
        read_bundle(path, new_node("bravo", exercise_charter("alfa", "bravo")), clock)
    with pytest.raises(InputError, match="cannot be read"):
        read_bundle(tmp_path / "none", bravo, clock)
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(InputError, match="not a bundle"):
        read_bundle(path, bravo, clock)
    with pytest.raises(InputError, match="not a party"):
        write_bundle(path, alfa, "nobody", clock, bytes(32))


def test_no_changed_byte_of_a_bundle_puts_anything_false_into_the_store(tmp_path: Path) -> None:
    alfa, path = new_node("alfa", THREE), tmp_path / "bundle"
    say(alfa, b"one", b"two")
    meet(new_node("charlie", THREE), alfa)
    write_bundle(path, alfa, "bravo", clock, bytes(32))
    whole, mine = path.read_bytes(), alfa.store.state("alfa")
    rng = Random(1)
    for _ in range(400):
        spoilt = bytearray(whole)
        for _ in range(rng.choice((1, 1, 5))):
            spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
        path.write_bytes(spoilt)
        bravo = new_node("bravo", THREE)
        with suppress(InputError):
            read_bundle(path, bravo, clock)
        size = bravo.store.state("alfa").size
        assert size <= 2
        assert alfa.store.tree("alfa").root(size) == bravo.store.state("alfa").root
        assert bravo.store.forks() == ()
        assert all(h.cosigner == "bravo/mirror" for h in bravo.store.newest_held("alfa"))
    assert mine == alfa.store.state("alfa")
