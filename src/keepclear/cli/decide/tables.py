"""Tallies and what stands behind them as lines and rows: one wording for every command that shows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keepclear.decisions.rules.tally import Check, Tally

__all__ = ["check_lines", "check_rows", "check_text", "names", "positions_text"]

NAMES_MAX = 12
"""In one line of a table or a note."""

_WORDS = {
    "QUORUM": "quorum", "OBJECTIONS": "objections", "RESERVATIONS": "reservations", "UNREACHED": "members not reached",
    "ABSENT": "members absent", "QUALIFIED_ABSTENTIONS": "limits of qualified abstention reached",
    "VETO": "permanent members against", "MEMBERS": "members in favour", "VOTES": "votes in favour",
    "POPULATION": "population of members in favour", "VOTING": "in favour, of those voting", "KEYS": "bodies for it",
}  # fmt: skip


def check_lines(found: Tally) -> Iterator[str]:
    """Who said what in numbers, then every condition with what it has and what it needs."""
    yield f"positions: {positions_text(found) or 'none'}"
    for check in found.checks:
        yield f"  {'met    ' if check.met else 'NOT met'}  {check_text(check)}"
    for words, members in (("objected", found.objectors), ("reserved", found.reservations),
                           ("nothing known of", found.unreached)):  # fmt: skip
        if members:
            yield f"{words}: {names(members)}"


def names(members: Sequence[str]) -> str:
    """The first of them, and how many more; ``--json`` has all."""
    more = len(members) - NAMES_MAX
    return ", ".join(members[:NAMES_MAX]) + (f" and {more} more" if more > 0 else "")


def positions_text(found: Tally) -> str:
    counts = [f"{count} {stance.value}" for stance, count in found.counts.items() if count]
    counts += [f"{found.silent} silent with the text"] if found.silent else []
    counts += [f"{len(found.unreached)} of whom nothing is known"] if found.unreached else []
    return ", ".join(counts)


def check_text(check: Check) -> str:
    needs = f"at most {check.needed:,} may be" if check.at_most else f"needs {check.needed:,}"
    deemed = ", deemed met" if check.deemed else ""
    return f"{_WORDS[check.condition.value]}: {check.have:,} of {check.of:,}, {needs}{deemed}"


def check_rows(found: Tally) -> list[dict[str, Any]]:
    return [
        {"condition": c.condition.value, "have": c.have, "of": c.of, "needed": c.needed, "at_most": c.at_most,
         "deemed": c.deemed, "met": c.met}
        for c in found.checks
    ]  # fmt: skip
