"""A log that we write is one that others accept, and they accept nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from keepclear.channel.canonical import decode, encode
from keepclear.channel.charter import charter_hash
from keepclear.channel.entry import CHARTER_KIND, REVOCATION_KIND, Draft, Entry, Record, Reference, seal
from keepclear.channel.log import BrokenLog, LogState, follow, write
from keepclear.channel.signature import in_context
from keepclear.errors import InputError
from keepclear.simulation.parties import exercise_charter, exercise_key, exercise_party, signed_by_all

CHARTER = exercise_charter("alfa", "bravo")
EMPTY = LogState.begin(CHARTER, "alfa")
KEY = exercise_key("alfa", "entry")


def written(state: LogState, *drafts: Draft) -> tuple[LogState, list[Record]]:
    salts = [bytes([k]) * 32 for k in range(len(drafts))]
    return write(state, drafts, key=KEY, seen={}, at_ms=1_700_000_000_000, salts=salts)


STATE, RECORDS = written(EMPTY, *(Draft("message", f"message {k}".encode(), to=("bravo",)) for k in range(5)))


def test_what_was_written_is_followed_to_the_same_state_in_one_go_or_in_pieces() -> None:
    state, entries = follow(EMPTY, RECORDS)
    assert state == STATE
    assert [e.seq for e in entries] == [0, 1, 2, 3, 4]
    piecewise = EMPTY
    for record in RECORDS:
        piecewise, _ = follow(piecewise, [record])
    assert piecewise == STATE


def test_a_body_may_be_absent_or_erased_and_the_log_is_the_same() -> None:
    state, _ = follow(EMPTY, [r.without_body() for r in RECORDS])
    assert state.root == STATE.root


def resealed(record: Record, **changes: object) -> Record:
    """The same entry changed and signed again by its owner."""
    entry = msgspec.structs.replace(Entry.parse(record.payload), **changes)
    payload = encode(entry)
    return Record(payload, KEY.sign(in_context("entry", payload)), record.salt, record.body)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda r: r[1:], "does not follow"),
        (lambda r: [r[0], r[2]], "does not follow"),
        (lambda r: [resealed(r[0], at_ms=253_402_300_800_000)], "<= 253402300799999"),
        (lambda r: [r[0], r[0]], "does not follow"),
        (lambda r: [replace(r[0], signature=bytes(64))], "signature does not verify"),
        (lambda r: [replace(r[0], signature=r[1].signature)], "signature does not verify"),
        (lambda r: [replace(r[0], body=b"another")], "not the one that was signed"),
        (lambda r: [replace(r[0], body=None)], "damaged body"),
        (lambda r: [replace(r[0], payload=r[0].payload.replace(b'"message"', b'"warning"'))], "signature"),
        (lambda r: [replace(r[0], payload=r[0].payload + b" ")], "canonical"),
        (lambda r: [resealed(r[0], channel="0" * 64)], "belongs to alfa on the channel 00000000"),
        (lambda r: [resealed(r[0], party="bravo")], "belongs to bravo"),
        (lambda r: [r[0], resealed(r[1], prev="1" * 64)], "does not follow"),
        (lambda r: [resealed(r[0], from_ms=2, until_ms=1)], "valid until before"),
        (lambda r: [resealed(r[0], to=("bravo", "alfa"))], "not sorted"),
    ],
)  # fmt: skip
def test_whatever_does_not_fit_breaks_the_log_and_nothing_is_taken(
    spoil: Callable[[list[Record]], list[Record]], words: str
) -> None:
    with pytest.raises(BrokenLog, match=words):
        follow(EMPTY, spoil(RECORDS))


def test_an_entry_that_others_would_refuse_is_not_written() -> None:
    for draft in (
        Draft("message", b"x" * 65_536),
        Draft("Message", b""),
        Draft("message", b"", to=("Bravo!",)),
        Draft("message", b"", from_ms=2, until_ms=1),
        Draft("message", b"", re=(Reference("alfa", 0, "0" * 64),) * 17),
    ):
        with pytest.raises(InputError):
            written(EMPTY, draft)


def test_after_a_new_charter_the_new_key_signs_and_the_old_one_is_worth_nothing() -> None:
    parties = (exercise_party("alfa", 1), exercise_party("bravo"))
    changed = msgspec.structs.replace(CHARTER, parties=parties, serial=1, previous=charter_hash(CHARTER).hex())
    draft = Draft(CHARTER_KIND, signed_by_all(changed, CHARTER).encode())
    new = exercise_key("alfa", "entry", 1)
    rotated, records = write(STATE, [draft], key=new, seen={}, at_ms=1, salts=[bytes(32)])
    assert rotated.charter == changed
    assert follow(EMPTY, [*RECORDS, *records])[0] == rotated
    late = seal(
        Draft("message", b"hello"), channel=STATE.channel, party="alfa", seq=6, prev=rotated.last_leaf, seen={},
        at_ms=2, salt=bytes(32), key=KEY,
    )  # fmt: skip
    with pytest.raises(BrokenLog, match="signature"):
        follow(rotated, [late])
    with pytest.raises(BrokenLog, match="without its charter"):
        follow(STATE, [records[0].without_body()])


def test_after_a_revocation_only_a_new_charter_follows() -> None:
    revoked, _ = written(STATE, Draft(REVOCATION_KIND, b'{"key":"entry"}'))
    with pytest.raises(BrokenLog, match="only a new charter may follow"):
        written(revoked, Draft("message", b"hello"))
    parties = (exercise_party("alfa", 1), exercise_party("bravo"))
    changed = msgspec.structs.replace(CHARTER, parties=parties, serial=1, previous=charter_hash(CHARTER).hex())
    draft = Draft(CHARTER_KIND, signed_by_all(changed, CHARTER).encode())
    key = exercise_key("alfa", "entry", 1)
    again, _ = write(revoked, [draft], key=key, seen={}, at_ms=1, salts=[bytes(32)])
    assert not again.revoked


def test_canonical_means_that_printing_it_again_gives_the_same_bytes() -> None:
    payload = RECORDS[0].payload
    assert encode(decode(payload, Entry, what="x")) == payload
    for spoilt in (b" " + payload, payload.replace(b'"seq":0', b'"seq":0.0'), payload.replace(b'"seq":0', b'"seq":-0'),
                   payload.replace(b'"v":1', b'"v":1,"v":1'), payload.replace(b'"v":1', b'"v":1,"x":1')):  # fmt: skip
        assert spoilt != payload
        with pytest.raises(InputError):
            decode(spoilt, Entry, what="x")
