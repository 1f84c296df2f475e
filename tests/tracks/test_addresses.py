"""An aircraft address tells the state in whose block it lies, as a second decoder knows the blocks, or nothing."""

from __future__ import annotations

import itertools

import pytest
import rs1090
from hypothesis import given
from hypothesis import strategies as st

from keepclear.tracks.addresses import BLOCKS, state_of
from keepclear.tracks.states import is_named_in, state_name


@pytest.mark.parametrize(
    ("address", "state"),
    [
        ("508035", "UA"), ("50ffff", "UA"), ("507fff", "UZ"), ("100000", "RU"), ("1FFFFF", "RU"), ("a00001", "US"),
        ("3c6444", "DE"), ("400000", "GB"), ("4ca7b4", "IE"), ("000000", ""), ("ffffff", ""), ("", ""),
        ("50803", ""), ("+12345", ""), ("1_0000", ""), ("zz8035", ""), ("211234567", ""),
    ],
)  # fmt: skip
def test_known_addresses(address: str, state: str) -> None:
    assert state_of(address) == state


def test_blocks_are_in_order_and_apart() -> None:
    for (_, last, _), (first, after, _) in itertools.pairwise(BLOCKS):
        assert last < first <= after


def test_every_block_is_a_power_of_two_on_its_own_boundary() -> None:
    for first, last, state in BLOCKS:
        size = last - first + 1
        assert size & (size - 1) == 0, state
        assert first % size == 0, state


@pytest.mark.parametrize(("first", "last", "state"), BLOCKS)
def test_a_second_decoder_agrees_on_every_block(first: int, last: int, state: str) -> None:
    for address in (first, (first + last) // 2, last):
        flag = rs1090.aircraft_information(f"{address:06x}")["flag"]
        assert "".join(chr(ord(letter) - 0x1F1E6 + ord("A")) for letter in flag) == state


@given(st.text(max_size=8))
def test_any_label_may_be_asked(label: str) -> None:
    assert state_of(label) in {"", *(state for _, _, state in BLOCKS)}


def test_every_state_has_a_name() -> None:
    assert all(state_name(state) for _, _, state in BLOCKS)
    assert state_name("UA") == "Ukraine"


@pytest.mark.parametrize(
    ("code", "text", "named"),
    [
        ("OM", "EXC STATE ACFT OF ROMANIA", False),
        ("OM", "EXC STATE ACFT OF OMAN", True),
        ("ML", "EXC ACFT OF SOMALIA AND NIGERIA", False),
        ("NE", "EXC ACFT OF SOMALIA AND NIGERIA", False),
        ("GN", "ACFT OF EQUATORIAL GUINEA, GUINEA-BISSAU AND PAPUA\nNEW GUINEA", False),
        ("GN", "ACFT OF EQUATORIAL GUINEA AND OF GUINEA", True),
        ("IR", "STATE ACFT OF IRAN", True),
        ("IR", "STATE ACFT OF THE ISLAMIC REPUBLIC\nOF IRAN", True),
        ("KP", "ACFT OF THE REPUBLIC OF KOREA", False),
        ("KR", "ACFT OF THE DEMOCRATIC PEOPLE'S REPUBLIC OF KOREA", False),
        ("", "STATE ACFT OF UKRAINE", False),
    ],
)
def test_a_state_is_named_in_whole_words_and_not_by_a_part_of_another(code: str, text: str, named: bool) -> None:
    assert is_named_in(code, text) is named
