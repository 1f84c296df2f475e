"""Two nodes tell each other what they hold; what does not fit is refused, and a second history is proved."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace

import msgspec
import pytest

from keepclear.channel.canonical import encode
from keepclear.channel.charter import Limits, charter_hash
from keepclear.channel.entry import CHARTER_KIND, ERASURE_KIND, Draft, Entry, Reference
from keepclear.channel.fork_proof import verify_fork_proof
from keepclear.channel.parting import parted_at
from keepclear.channel.protocol import exchange
from keepclear.channel.protocol.gate import TooMuch
from keepclear.channel.protocol.own_log import Node, Written, append_own, write_own
from keepclear.channel.protocol.wire import Ask, CheckReply, Keys, Push, PushAnswer, WireRecord, parse
from keepclear.channel.store import EventKind
from keepclear.errors import InputError, KeepclearError
from keepclear.simulation.memory_store import MemoryStore
from keepclear.simulation.parties import exercise_charter, exercise_key, exercise_party, signed_by_all
from tests.channel.line import clock, drive, heads, held_by, meet, new_node, salt, say

TWO = exercise_charter("alfa", "bravo")
THREE = exercise_charter("alfa", "bravo", "charlie")


def test_what_one_writes_the_other_holds_and_says_so_under_its_mirror_key() -> None:
    alfa, bravo = new_node("alfa", TWO), new_node("bravo", TWO)
    say(alfa, b"one", b"two")
    say(bravo, b"three")
    caught = meet(alfa, bravo)
    assert (caught.sent, caught.received) == (2, 1)
    assert held_by(alfa, "bravo/mirror") == 2
    assert bravo.store.records("alfa", 0)[1].record.body == b"two"
    meet(bravo, alfa)
    assert held_by(bravo, "alfa/mirror") == 1
    assert alfa.store.held("alfa", 0)[0].received_ms == clock()
    assert alfa.store.events() == bravo.store.events() == []


def test_what_is_sent_twice_or_a_thousand_times_has_no_effect() -> None:
    alfa, bravo = new_node("alfa", TWO), new_node("bravo", TWO)
    say(alfa, b"one", b"two")
    asks: list[Ask] = []
    talk = exchange.push_log(alfa, "bravo", "alfa", 0, clock)
    asks.append(next(talk))
    first = exchange.respond(bravo, "alfa", asks[0], clock(), clock)
    for _ in range(1_000):
        assert exchange.respond(bravo, "alfa", asks[0], clock(), clock) == first
    assert bravo.store.state("alfa").size == 2
    assert bravo.store.events() == []


def test_a_body_goes_only_to_whom_it_is_addressed_and_a_relay_carries_none() -> None:
    alfa, bravo, charlie = (new_node(p, THREE) for p in ("alfa", "bravo", "charlie"))
    say(alfa, b"for charlie", to=("charlie",))
    meet(alfa, bravo)
    assert bravo.store.records("alfa", 0)[0].record.body is None
    meet(charlie, bravo)
    assert charlie.store.state("alfa").size == 1
    assert charlie.store.wanted("alfa") == [0]
    assert charlie.store.newest_held("alfa") == []  # not *held* before its body is here
    meet(alfa, charlie)
    assert charlie.store.records("alfa", 0)[0].record.body == b"for charlie"
    assert held_by(alfa, "charlie/mirror") == 1


def test_entries_and_acknowledgements_go_round_a_cut_link() -> None:
    alfa, bravo, charlie = (new_node(p, THREE) for p in ("alfa", "bravo", "charlie"))
    say(alfa, b"hello")
    meet(alfa, bravo)
    meet(charlie, bravo)  # pulls alfa's entry from bravo
    late = lambda: clock() + 10_000  # noqa: E731
    say(alfa, b"again")
    meet(alfa, bravo)
    meet(bravo, charlie, late)  # brings it, since it has been overdue
    assert charlie.store.state("alfa").size == 2
    assert "charlie/mirror" in {h.cosigner for h in bravo.store.newest_held("alfa")}
    meet(alfa, bravo)
    assert held_by(alfa, "charlie/mirror") == 2


def test_a_push_beyond_what_is_held_is_told_what_is() -> None:
    alfa, bravo = new_node("alfa", TWO), new_node("bravo", TWO)
    kept = say(alfa, b"one", b"two", b"three")
    push = Push("alfa", 2, (WireRecord.of(kept[2].record),))
    answer = parse(exchange.respond(bravo, "alfa", Ask("push", encode(push)), clock(), clock), PushAnswer, what="it")
    assert (answer.held.size, answer.refused, bravo.store.state("alfa").size) == (0, None, 0)


def test_the_good_entries_before_a_bad_one_are_kept() -> None:
    alfa, bravo = new_node("alfa", TWO), new_node("bravo", TWO)
    records = [k.record for k in say(alfa, *(b"%d" % k for k in range(20)))]
    records[13] = replace(records[13], signature=bytes(64))
    push = Push("alfa", 0, tuple(WireRecord.of(r) for r in records))
    answer = parse(exchange.respond(bravo, "alfa", Ask("push", encode(push)), clock(), clock), PushAnswer, what="it")
    assert answer.held.size == 13
    assert "signature does not verify" in str(answer.refused)
    assert [e.kind for e in bravo.store.events()] == [EventKind.REFUSED]


@pytest.mark.parametrize("apart", [0, 1, 3, 4, 6, 7])
@pytest.mark.parametrize("lengths", [(1, 1), (1, 4), (4, 1), (3, 3)])
def test_a_second_history_is_proved_at_the_first_exchange_between_two_holders(
    apart: int, lengths: tuple[int, int]
) -> None:
    bravo, charlie = new_node("bravo", THREE), new_node("charlie", THREE)
    one, two = new_node("alfa", THREE), new_node("alfa", THREE)
    common = [(f"common {k}".encode(), salt()) for k in range(apart)]
    for node, peer, length in ((one, bravo, lengths[0]), (two, charlie, lengths[1])):
        for body, grain in common:
            append_own(node, [Draft("message", body)], clock=clock, salts=[grain])
        for k in range(length):
            say(node, f"to {peer.party} {k}".encode())
        meet(node, peer)
    caught = meet(bravo, charlie)
    assert caught.forks
    for node in (bravo, charlie):
        for proof in node.store.forks("alfa"):
            assert "alfa signed" in verify_fork_proof(proof, node.store.channel, [THREE])
        assert node.store.forks("alfa")
        assert EventKind.FORK in {e.kind for e in node.store.events()}


def test_a_fork_proof_is_told_to_those_who_have_not_seen_the_fork() -> None:
    four = exercise_charter("alfa", "bravo", "charlie", "delta")
    bravo, charlie, delta = (new_node(p, four) for p in ("bravo", "charlie", "delta"))
    for peer in (bravo, charlie):
        liar = new_node("alfa", four)
        say(liar, f"to {peer.party}".encode())
        meet(liar, peer)
    meet(bravo, charlie)
    meet(delta, bravo)
    assert delta.store.forks("alfa")


@pytest.mark.parametrize("asks", [0, 1])
def test_a_second_proof_of_the_same_party_is_told_too_since_the_place_matters(asks: int) -> None:
    """Bravo and charlie met two branches that part at 3, delta and echo two that part at 1."""
    five = exercise_charter("alfa", "bravo", "charlie", "delta", "echo")
    nodes = {p: new_node(p, five) for p in five.ids if p != "alfa"}
    grains = [salt() for _ in range(5)]
    for party, place in (("bravo", 3), ("charlie", 3), ("delta", 1), ("echo", 1)):
        liar = new_node("alfa", five)
        for k in range(place):
            append_own(liar, [Draft("message", b"%d" % k)], clock=clock, salts=[grains[k]])
        say(liar, f"to {party}".encode())
        meet(liar, nodes[party])
    meet(nodes["bravo"], nodes["charlie"])
    meet(nodes["delta"], nodes["echo"])
    places = {p: {parted_at(f) for f in nodes[p].store.forks("alfa")} - {None} for p in ("bravo", "delta")}
    assert places == {"bravo": {3}, "delta": {1}}
    one, other = (nodes[p] for p in (("bravo", "delta") if asks else ("delta", "bravo")))
    meet(one, other)
    for node in (one, other):
        assert {1, 3} <= {parted_at(f) for f in node.store.forks("alfa")}
    meet(one, other)  # what the first meeting itself has shown
    assert {*one.store.forks("alfa")} == {*other.store.forks("alfa")}
    asked = drive(exchange.check(one, other.party, salt(), clock), other, one.party)
    talk = exchange.catch_up(one, other.party, asked, clock)
    assert "fork-proofs" not in {ask.path for ask in _asks(talk, other, one.party)}


def _asks(talk: Generator[Ask, bytes, object], other: Node, me: str) -> list[Ask]:
    asks: list[Ask] = []
    with suppress(StopIteration):
        asks.append(next(talk))
        while True:
            asks.append(talk.send(exchange.respond(other, me, asks[-1], clock(), clock)))
    return asks


@pytest.mark.parametrize("asks", ["alfa", "bravo"])
def test_what_a_peer_has_and_our_store_could_not_take_is_written_from_the_lock_with_its_body(asks: str) -> None:
    alfa, bravo = new_node("alfa", THREE), new_node("bravo", THREE)
    full = [False, True]

    def write(moment: str) -> None:
        if moment == "before" and full.pop():
            raise KeepclearError("the disk is full")

    store = MemoryStore(THREE, write)
    alfa = replace(alfa, store=store)
    told: list[Written] = []
    with pytest.raises(KeepclearError, match="disk is full"):
        write_own(
            alfa, [Draft("message", b"for charlie", ("charlie",))], clock=clock, salts=[salt()], on_locked=told.append
        )
    full += [False] * 100
    drive(exchange.push_log(alfa, "bravo", "alfa", 0, clock, told[0]), bravo, "alfa")
    assert (store.state("alfa").size, bravo.store.state("alfa").size) == (0, 1)
    one, other = (alfa, bravo) if asks == "alfa" else (bravo, alfa)
    meet(one, other)
    assert store.records("alfa", 0)[0].record.body == b"for charlie"
    assert alfa.store.events() == bravo.store.events() == []
    meet(alfa, bravo)
    assert held_by(alfa, "bravo/mirror") == 1


def test_a_check_answer_of_another_or_to_another_nonce_is_refused() -> None:
    alfa, bravo = new_node("alfa", TWO), new_node("bravo", TWO)
    talk = exchange.check(alfa, "bravo", salt(), clock)
    old = exchange.respond(bravo, "alfa", next(talk), clock(), clock)
    again = exchange.check(alfa, "bravo", salt(), clock)
    next(again)
    with pytest.raises(InputError, match="another question"):
        again.send(old)
    forged = exchange.check(alfa, "bravo", salt(), clock)
    next(forged)
    spoilt = msgspec.structs.replace(parse(old, CheckReply, what="it"), signature=bytes(64))
    pull = forged.send(encode(spoilt))  # perhaps bravo is under a later charter: its log would tell
    with pytest.raises(InputError, match="not signed by bravo"):
        forged.send(exchange.respond(bravo, "alfa", pull, clock(), clock))
    with pytest.raises(InputError, match="sent the check of alfa"):
        exchange.respond(bravo, "charlie", next(exchange.check(alfa, "bravo", salt(), clock)), clock(), clock)


def test_a_node_from_before_its_peers_keys_were_replaced_learns_them_from_the_peers_log() -> None:
    alfa, bravo = new_node("alfa", TWO), new_node("bravo", TWO)
    parties = tuple(exercise_party(party, 1) for party in TWO.ids)
    later = msgspec.structs.replace(TWO, parties=parties, serial=1, previous=charter_hash(TWO).hex())
    new = {p: Keys(p, *(exercise_key(p, k, 1) for k in ("entry", "log", "mirror"))) for p in TWO.ids}
    bravo = Node(bravo.store, bravo.lock, new["bravo"], bravo.gate)
    say(bravo, signed_by_all(later, TWO).encode(), kind=CHARTER_KIND)

    checked = drive(exchange.check(alfa, "bravo", salt(), clock), bravo, "alfa")

    assert checked.holds("bravo") == 1
    assert alfa.store.charters()[-1] == later


def test_a_flood_is_told_to_come_later_and_noted_once() -> None:
    charter = exercise_charter("alfa", "bravo", limits=Limits(entries_per_minute_max=10))
    alfa, bravo = new_node("alfa", charter), new_node("bravo", charter)
    say(alfa, *(b"%d" % k for k in range(8)))
    say(alfa, *(b"%d" % k for k in range(8)))
    caught = drive(exchange.push_log(alfa, "bravo", "alfa", 0, clock), bravo, "alfa")
    assert caught.later_ms is not None or caught.sent == 16
    for _ in range(50):
        caught = drive(exchange.push_log(alfa, "bravo", "alfa", 0, clock), bravo, "alfa")
    assert caught.later_ms
    flooded = [e for e in bravo.store.events() if e.kind is EventKind.FLOODED]
    assert len(flooded) == 1
    assert flooded[0].count >= 49
    ask = next(exchange.check(alfa, "bravo", salt(), clock))
    while bravo.gate.take("alfa", 1, 10, clock()) is None:
        pass
    with pytest.raises(TooMuch):
        exchange.respond(bravo, "alfa", ask, clock(), clock)


def test_an_entry_from_the_future_or_before_what_it_saw_is_kept_and_noted() -> None:
    alfa, bravo = new_node("alfa", TWO), new_node("bravo", TWO)
    say(alfa, b"ahead", at=lambda: clock() + 3_600_000)
    meet(alfa, bravo)
    assert [e.kind for e in bravo.store.events()] == [EventKind.MISDATED]
    assert bravo.store.state("alfa").size == 1
    say(bravo, b"hello")
    meet(alfa, bravo)
    say(alfa, b"an hour before what it saw", at=lambda: clock() - 3_600_000)
    meet(alfa, bravo)
    noted = next(e for e in bravo.store.events() if e.kind is EventKind.MISDATED)
    assert (noted.count, "BEFORE_WHAT_IT_SAW" in noted.text) == (2, True)
    assert bravo.store.state("alfa").size == 2


def test_an_erased_body_is_gone_on_both_sides_and_the_logs_stay_equal() -> None:
    alfa, bravo = new_node("alfa", TWO), new_node("bravo", TWO)
    secret = say(alfa, b"secret")[0]
    meet(alfa, bravo)
    reference = Reference("alfa", 0, secret.record.leaf.hex())
    append_own(alfa, [Draft(ERASURE_KIND, b"{}", re=(reference,))], clock=clock, salts=[salt()])
    meet(alfa, bravo)
    for node in (alfa, bravo):
        kept = node.store.records("alfa", 0)[0]
        assert (kept.erased, kept.record.body, kept.record.salt) == (True, None, None)
    assert len(heads((alfa, bravo), "alfa")) == 1
    assert held_by(alfa, "bravo/mirror") == 2
    push = Push("alfa", 0, (WireRecord.of(secret.record),))
    exchange.respond(bravo, "alfa", Ask("push", encode(push)), clock(), clock)
    assert bravo.store.records("alfa", 0)[0].record.body is None  # a replay does not bring it back


def test_nobody_can_make_us_take_entries_of_our_own_log_that_we_did_not_write() -> None:
    alfa, bravo, thief = new_node("alfa", TWO), new_node("bravo", TWO), new_node("alfa", TWO)
    say(thief, b"with a stolen key")
    push = Push("alfa", 0, (WireRecord.of(thief.store.records("alfa", 0)[0].record),))
    exchange.respond(alfa, "bravo", Ask("push", encode(push)), clock(), clock)
    assert alfa.store.state("alfa").size == 0
    assert [e.kind for e in alfa.store.events()] == [EventKind.OWN_LOG_DIFFERS]
    assert bravo.store.forks() == alfa.store.forks() == ()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b"null", b'{"log":"alfa"}', b"\xff" * 100, b'{"log":"alfa","start":0.0}',
        b'{"log":"nobody","start":0}', b'{"log":"../alfa","start":0}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["check", "push", "pull", "roots", "fork-proofs", "fork-proofs/add", "", "x"])
def test_whatever_is_no_request_gets_one_typed_refusal(path: str, body: bytes) -> None:
    alfa = new_node("alfa", TWO)
    with pytest.raises(InputError):
        exchange.respond(alfa, "bravo", Ask(path, body), clock(), clock)


def test_what_a_peer_writes_cannot_hide_in_the_events_text() -> None:
    alfa, bravo = new_node("alfa", TWO), new_node("bravo", TWO)
    record = say(alfa, b"one")[0].record
    entry = Entry.parse(record.payload)
    spoilt = replace(record, payload=encode(msgspec.structs.replace(entry, seq=0, prev="1" * 64)))
    push = Push("alfa", 0, (WireRecord.of(spoilt),))
    exchange.respond(bravo, "alfa", Ask("push", encode(push)), clock(), clock)
    assert all(e.text.isprintable() and len(e.text) <= 400 for e in bravo.store.events())


def test_a_head_that_was_seen_is_named_once_in_a_log_whoever_writes_it() -> None:
    alfa, bravo, charlie = (new_node(p, THREE) for p in ("alfa", "bravo", "charlie"))
    for node in (bravo, charlie):
        say(node, b"one")
        meet(alfa, node)
    say(alfa, b"two", b"three")
    say(alfa, b"four")
    say(bravo, b"five")
    meet(alfa, bravo)
    say(alfa, b"six")
    another = Node(alfa.store, alfa.lock, alfa.keys, alfa.gate)  # a process of its own, as the command line is
    say(another, b"seven")
    say(charlie, b"eight")
    meet(alfa, charlie)
    say(another, b"nine")
    say(alfa, b"ten")
    seen = [Entry.parse(kept.record.payload).seen for kept in alfa.store.records("alfa", 0)]
    assert [sorted(heads) for heads in seen] == [["bravo", "charlie"], [], [], ["bravo"], [], ["charlie"], []]
    assert seen[3]["bravo"].size == 2
    assert alfa.store.state("charlie").head == seen[5]["charlie"]
    meet(bravo, alfa)
    assert bravo.store.events() == []


def test_an_entry_dated_before_the_one_ahead_of_it_is_noted() -> None:
    alfa, bravo = new_node("alfa", TWO), new_node("bravo", TWO)
    say(alfa, b"one")
    meet(alfa, bravo)
    say(alfa, b"two", at=lambda: clock() - 3_600_000)
    meet(alfa, bravo)
    (event,) = bravo.store.events()
    assert event.kind is EventKind.MISDATED
    assert "BEFORE_ITS_OWN_LAST" in event.text
