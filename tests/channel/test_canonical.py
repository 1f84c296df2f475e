"""Canonical JSON is RFC 8785, as another's implementation prints it (rfc8785 of Trail of Bits, Apache-2.0)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.channel.canonical import decode, encode
from keepclear.errors import InputError

KEYS = st.text(st.characters(max_codepoint=0x7F), max_size=8)
"""The package has no others: the RFC sorts by UTF-16, which differs from code points beyond the first plane."""
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)


class Line(msgspec.Struct, forbid_unknown_fields=True):
    text: str
    number: int = 0


@settings(max_examples=150)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_it_is_printed_as_another_implementation_prints_it(value: dict[str, Any]) -> None:
    assert encode(value) == rfc8785.dumps(value)


def test_every_character_is_escaped_as_the_rfc_says_or_not_at_all() -> None:
    """RFC 8785 §3.2.2.2: seven by a letter or themselves, other controls as \\u00xx in lower case, the rest never."""
    text = "".join(map(chr, (*range(0x100), 0x2028, 0x2029, 0xFEFF, 0xFFFF, 0x1F600, 0x10FFFF)))
    assert encode([text]) == rfc8785.dumps([text])
    assert encode(["\x1f\x7f/<\u20ac"]) == '["\\u001f\x7f/<\u20ac"]'.encode()


@given(st.text(max_size=20), st.integers(-(2**53) + 1, 2**53 - 1))
def test_what_was_printed_is_read_and_nothing_that_lies_beside_it(text: str, number: int) -> None:
    data = encode(Line(text, number))
    assert decode(data, Line, what="the line") == Line(text, number)
    for other in (b" " + data, data + b"\n", data.replace(b":", b": ", 1), data.replace(b"{", b'{"number":0,', 1)):
        with pytest.raises(InputError):
            decode(other, Line, what="the line")


@pytest.mark.parametrize(
    "data",
    [
        b'{"number":1.0,"text":""}', b'{"number":1e0,"text":""}', b'{"number":-0,"text":""}',
        b'{"number":01,"text":""}', b'{"text":"","number":0}', b'{"number":0,"text":"","text":""}',
        b'{"number":0,"text":"\\u0041"}',
        b'{"number":0,"text":"\\/"}', b'{"number":0,"text":"\\u001F"}', b'{"number":0,"text":"\\ud800"}',
        b'{"number":0,"text":"\xff"}', b'{"text":""}', b"\xef\xbb\xbf{}", b"[" * 100_000, b"",
    ],
)  # fmt: skip
def test_another_spelling_of_the_same_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        decode(data, Line, what="the line")
