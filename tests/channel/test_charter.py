"""A charter is in force when all have signed that very charter, and is changed only by all who were there before."""

from __future__ import annotations

import msgspec
import pytest

from keepclear.channel.canonical import encode
from keepclear.channel.charter import (
    CHARTER_BYTES_MAX,
    PARTIES_MAX,
    SignedCharter,
    charter_digits,
    charter_hash,
    sign_charter,
    verify_charter,
)
from keepclear.channel.entry import (
    BODY_BYTES_MAX,
    CHARTER_KIND,
    PAYLOAD_BYTES_MAX,
    Draft,
    Entry,
    Head,
    Record,
    Reference,
    body_hash,
)
from keepclear.channel.log import BrokenLog, LogState, follow, write
from keepclear.channel.signature import in_context
from keepclear.errors import InputError, LimitExceeded
from keepclear.simulation.parties import exercise_charter, exercise_key, exercise_party, signed_by_all

LAST_MS = 253_402_300_799_999
CHARTER = exercise_charter("alfa", "bravo", witnesses=("witness.example",))
SIGNED = signed_by_all(CHARTER)
ALFA, BRAVO = CHARTER.parties


def test_a_charter_that_all_signed_survives_its_file() -> None:
    again = SignedCharter.parse(SIGNED.encode() + b"\n")
    assert again == SIGNED
    assert verify_charter(again) == CHARTER


def test_a_missing_signature_is_one_clear_line() -> None:
    only = SignedCharter(CHARTER, {"alfa": SIGNED.signatures["alfa"]})
    with pytest.raises(InputError, match="not signed by bravo; nothing is in force until all have"):
        verify_charter(only)


def test_a_signature_of_a_stranger_or_on_another_text_is_refused() -> None:
    renamed = msgspec.structs.replace(CHARTER, name="Exercise 2")
    with pytest.raises(InputError, match="was the charter changed"):
        verify_charter(SignedCharter(renamed, SIGNED.signatures))
    with pytest.raises(InputError, match="zulu, who is no party"):
        verify_charter(SignedCharter(CHARTER, {**SIGNED.signatures, "zulu": SIGNED.signatures["alfa"]}))
    with pytest.raises(InputError, match="not the entry key that the charter names for alfa"):
        sign_charter(SIGNED, "alfa", exercise_key("bravo", "entry"))


def test_every_byte_of_the_file_counts() -> None:
    data = SIGNED.encode()
    for at in range(0, len(data), 7):
        spoilt = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(InputError):
            verify_charter(SignedCharter.parse(spoilt))


def test_the_digits_differ_as_soon_as_one_key_does() -> None:
    other = msgspec.structs.replace(CHARTER, parties=(exercise_party("alfa"), exercise_party("bravo", 1)))
    assert charter_digits(CHARTER) != charter_digits(other)
    assert [len(group) for group in charter_digits(CHARTER).split()] == [5] * 6


def test_a_change_needs_everybody_who_was_there_before() -> None:
    parties = tuple(exercise_party(p, 1 if p == "bravo" else 0) for p in ("alfa", "bravo", "charlie"))
    changed = msgspec.structs.replace(CHARTER, parties=parties, serial=1, previous=charter_hash(CHARTER).hex())
    signed = signed_by_all(changed, CHARTER)
    assert verify_charter(signed, CHARTER) == changed
    without = SignedCharter(changed, signed.signatures, {"alfa": signed.approvals["alfa"]})
    with pytest.raises(InputError, match="not approved by bravo"):
        verify_charter(without, CHARTER)
    with pytest.raises(InputError, match="the one before is not known"):
        verify_charter(signed)
    with pytest.raises(InputError, match="does not follow"):
        verify_charter(signed, changed)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"witnesses_needed": 2}, "asks for 2 witnesses and names 1"),
        ({"parties": CHARTER.parties[::-1]}, "not sorted"),
        ({"parties": (ALFA, ALFA)}, "occurs twice"),
        ({"serial": 1}, "every later one has"),
        ({"parties": (ALFA, msgspec.structs.replace(BRAVO, log_key=ALFA.log_key))},
         "are the same key"),
        ({"parties": (ALFA, msgspec.structs.replace(BRAVO, log_key="00" * 32))}, "weak point"),
    ],
)  # fmt: skip
def test_what_the_types_cannot_say_is_said(change: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        SignedCharter.parse(encode(SignedCharter(msgspec.structs.replace(CHARTER, **change))))


def test_a_charter_of_many_parties_is_larger_than_any_other_body_and_travels_in_an_entry() -> None:
    ids = [f"party-{number:03d}" for number in range(PARTIES_MAX)]
    before = exercise_charter(*ids)
    signed = signed_by_all(
        msgspec.structs.replace(before, name="Exercise 2", serial=1, previous=charter_hash(before).hex()), before, 1
    )
    data = signed.encode()
    assert BODY_BYTES_MAX < len(data) < CHARTER_BYTES_MAX
    state = LogState.begin(before, ids[0])
    after, records = write(
        state, [Draft(CHARTER_KIND, data)], key=exercise_key(ids[0], "entry"), seen={}, at_ms=1, salts=[bytes(32)]
    )
    assert after.charter == follow(state, records)[0].charter == signed.charter
    with pytest.raises(LimitExceeded, match="more than 65,535"):
        write(state, [Draft("message", data)], key=exercise_key(ids[0], "entry"), seen={}, at_ms=1, salts=[bytes(32)])
    with pytest.raises(InputError, match="parties"):
        SignedCharter.parse(encode(SignedCharter(exercise_charter(*ids, "one-more"))))


def test_no_other_kind_of_entry_is_taken_with_so_large_a_body() -> None:
    state = LogState.begin(CHARTER, "alfa")
    _, (record,) = write(
        state, [Draft("message", b"{}")], key=exercise_key("alfa", "entry"), seen={}, at_ms=1, salts=[bytes(32)]
    )
    large = bytes(BODY_BYTES_MAX + 1)
    payload = record.payload.replace(body_hash(bytes(32), b"{}").encode(), body_hash(bytes(32), large).encode())
    forged = Record(payload, exercise_key("alfa", "entry").sign(in_context("entry", payload)), bytes(32), large)
    with pytest.raises(BrokenLog, match="damaged body"):
        follow(state, [forged])


def test_the_largest_charter_fits_into_an_entry_that_names_all_others() -> None:
    ids = tuple(sorted(f"{number:063d}" for number in range(PARTIES_MAX)))
    head, reference = Head(2**53 - 1, "f" * 64), Reference(ids[0], 2**53 - 1, "f" * 64)
    most = Entry(
        channel="f" * 64, party=ids[0], seq=2**53 - 1, prev="f" * 64, kind="k" * 40, body="f" * 64, at_ms=LAST_MS,
        to=ids, re=(reference,) * 16, seen=dict.fromkeys(ids[1:], head), from_ms=LAST_MS, until_ms=LAST_MS,
    )  # fmt: skip
    assert len(encode(most)) <= PAYLOAD_BYTES_MAX
