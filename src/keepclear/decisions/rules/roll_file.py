"""The roll of a vote taken in a room, as people write it down: CSV with the columns member and stance."""

from __future__ import annotations

import csv
import io

from keepclear.decisions.rules.body import MEMBERS_MAX
from keepclear.decisions.rules.stance import Stance
from keepclear.errors import InputError, LimitExceeded

__all__ = ["ROLL_BYTES_MAX", "read_roll"]

ROLL_BYTES_MAX = 1_000_000
"""Two thousand members with long names take 200 kB; other columns are read over."""
MEMBER_CHARS_MAX = 1_000
"""No id is so long. (How long a cell may be is set for the whole process by whoever reads CSV.)"""
COLUMNS = ("member", "stance")


def read_roll(data: bytes) -> dict[str, Stance]:
    """Stances by member id; UTF-8, capitals or not. Raises :class:`InputError` with the line for anything else."""
    if len(data) > ROLL_BYTES_MAX:
        raise LimitExceeded(f"the roll has {len(data):,} bytes, more than {ROLL_BYTES_MAX:,}")
    found: dict[str, Stance] = {}
    try:
        rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
        names = [(name or "").strip().lower() for name in rows.fieldnames or ()]
        if any(names.count(column) != 1 for column in COLUMNS):
            raise InputError("the first line must name the columns member,stance, each once")
        rows.fieldnames = names
        for row in rows:
            _take(row, f"line {rows.line_num}", found)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"is no CSV text in UTF-8 ({error})") from None
    if not found:
        raise InputError("the roll names nobody")
    return found


def _take(row: dict[str, str | None], where: str, found: dict[str, Stance]) -> None:
    member, said = (row["member"] or "").strip(), (row["stance"] or "").strip().upper()
    if said not in Stance.__members__:
        raise InputError(f"{said[:80]!r} is none of {', '.join(Stance.__members__)}", where=where)
    if not member:
        raise InputError("the line names no member", where=where)
    if len(member) > MEMBER_CHARS_MAX:
        raise LimitExceeded(
            f"a member's id has {len(member):,} characters, more than {MEMBER_CHARS_MAX:,}", where=where
        )
    if member in found:
        raise InputError(f"{member[:80]} is named twice", where=where)
    if len(found) >= MEMBERS_MAX:
        raise LimitExceeded(f"the roll names more than {MEMBERS_MAX:,} members", where=where)
    found[member] = Stance[said]
