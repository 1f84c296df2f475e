"""The roll of a vote in a room: a table that people typed is read as they meant it, or the line is named."""

from __future__ import annotations

import pytest

from keepclear.decisions.rules.roll_file import ROLL_BYTES_MAX, read_roll
from keepclear.decisions.rules.stance import Stance
from keepclear.errors import InputError


def test_a_roll_is_read_whatever_program_wrote_it() -> None:
    plain = read_roll(b"member,stance\nnorth,FOR\nsouth,against\n")
    assert plain == {"north": Stance.FOR, "south": Stance.AGAINST}
    assert read_roll('\ufeffName,Stance,Member\r\nN,For, north \r\n"S, S",AGAINST,south\r\n'.encode()) == plain


@pytest.mark.parametrize(
    ("data", "where", "message"),
    [
        (b"", "", "must name the columns member,stance"),
        (b"member\nnorth\n", "", "must name the columns"),
        (b"member,stance,member\nnorth,FOR,south\n", "", "each once"),
        (b"member,stance\n", "", "names nobody"),
        (b"member,stance\nnorth,FOR\nsouth,MAYBE\n", "line 3", "'MAYBE' is none of FOR, AGAINST"),
        (b"member,stance\nnorth\n", "line 2", "'' is none of"),
        (b"member,stance\n,FOR\n", "line 2", "names no member"),
        (b"member,stance\nnorth,FOR\nnorth,FOR\n", "line 3", "north is named twice"),
        (b"member,stance\n" + b"".join(b"m%d,FOR\n" % k for k in range(2_001)), "line 2002", "more than 2,000 members"),
        (b"member,stance\nnorth,\xff\n", "", "no CSV text in UTF-8"),
        (b'member,stance\n"' + b"a" * 100_000 + b'",FOR\n', "line 2", "more than 1,000"),
        (b" " * (ROLL_BYTES_MAX + 1), "", "more than 1,000,000"),
    ],
)  # fmt: skip
def test_what_is_no_roll_is_one_line_with_its_place(data: bytes, where: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read_roll(data)
    assert caught.value.where == where
    assert message in caught.value.message
