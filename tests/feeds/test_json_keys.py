from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from keepclear.feeds.kernels.json_keys import count_keys

KEYS = (b'"hex"', b'"h"', b'"lat"', b'"now"')


def test_a_key_at_either_end_is_counted_and_one_that_is_cut_off_is_not() -> None:
    assert count_keys(b'"hex" "lat": "lat"', KEYS) == [1, 0, 2, 0]
    assert count_keys(b'"hex', KEYS) == count_keys(b'"', KEYS) == count_keys(b"", KEYS) == [0, 0, 0, 0]


@given(st.lists(st.sampled_from([*KEYS, b'"he', b"x", b'"', b'\\"', b":1.5,", b"\xff\x00", b"lat"])).map(b" ".join))
def test_keys_are_counted_as_bytes_count_them(document: bytes) -> None:
    assert count_keys(document, KEYS) == [document.count(key) for key in KEYS]
