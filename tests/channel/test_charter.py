"""A charter is in force when all have signed that very charter, and is changed only by all who were there before."""

from __future__ import annotations

import msgspec
import pytest

from keepclear.channel.canonical import encode
from keepclear.channel.charter import (
    SignedCharter,
    charter_digits,
    charter_hash,
    sign_charter,
    verify_charter,
)
from keepclear.errors import InputError
from keepclear.simulation.parties import exercise_charter, exercise_key, exercise_party, signed_by_all

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
