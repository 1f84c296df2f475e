"""What a party reads of a channel whose parties change: who left is still read, and nobody is awaited in vain."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from keepclear.channel.charter import charter_hash
from keepclear.channel.entry import CHARTER_KIND
from keepclear.channel_desk import read_new
from keepclear.messages.bodies import encode_body
from keepclear.messages.correspondence import Correspondence
from keepclear.messages.message import Message
from keepclear.simulation.parties import exercise_charter, signed_by_all
from tests.channel.line import NOW_MS, meet, new_node, say

THREE = exercise_charter("alfa", "bravo", "charlie")
TWO = msgspec.structs.replace(THREE, parties=THREE.parties[:2], serial=1, previous=charter_hash(THREE).hex())


def test_who_left_is_still_read_and_a_message_to_all_went_to_those_who_were_there(
    make_message: Callable[..., Message],
) -> None:
    alfa, bravo, charlie = (new_node(party, THREE) for party in THREE.ids)
    say(charlie, encode_body(make_message(id="CHARLIE-2026-0001")))
    say(alfa, encode_body(make_message(id="ALFA-2026-0001")))
    meet(alfa, charlie)
    for node in (alfa, bravo):
        say(node, signed_by_all(TWO, THREE).encode(), kind=CHARTER_KIND)
    say(alfa, encode_body(make_message(id="ALFA-2026-0002")))
    meet(bravo, alfa)

    read = Correspondence(TWO, "bravo", bravo.store.charters())
    read_new(bravo.store, read)

    assert {str(m.body.id) for m in read.inbox() if isinstance(m.body, Message)} == {
        "CHARLIE-2026-0001", "ALFA-2026-0001", "ALFA-2026-0002",
    }  # fmt: skip

    def recipients(message_id: str) -> list[str]:
        return [r.party for r in read.delivery(read.message(message_id), (), NOW_MS).recipients]

    assert recipients("CHARLIE-2026-0001") == ["alfa", "bravo"]
    assert recipients("ALFA-2026-0001") == ["bravo", "charlie"]
    assert recipients("ALFA-2026-0002") == ["bravo"]


def test_a_message_from_before_a_party_joined_does_not_wait_for_it(make_message: Callable[..., Message]) -> None:
    three = msgspec.structs.replace(
        THREE, serial=1, previous=charter_hash(two := exercise_charter("alfa", "bravo")).hex()
    )
    alfa = new_node("alfa", two)
    say(alfa, encode_body(make_message(id="ALFA-2026-0001")))
    say(alfa, signed_by_all(three, two).encode(), kind=CHARTER_KIND)
    say(alfa, encode_body(make_message(id="ALFA-2026-0002")))

    read = Correspondence(three, "charlie", alfa.store.charters())
    read_new(alfa.store, read)

    assert [m.body.id for m in read.inbox() if isinstance(m.body, Message)] == ["ALFA-2026-0002"]
    assert read.message("ALFA-2026-0001").body == make_message(id="ALFA-2026-0001")
