"""What is checked before a member speaks, and before the secretary writes down what members said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keepclear.decisions import acts
from keepclear.decisions.drafting.writer import Writer, member_speaks, open_round, speaks, this_text
from keepclear.decisions.vocabulary import Ballot
from keepclear.errors import InputError
from keepclear.quantities import format_instant

__all__ = ["CHECKS"]


def _received(act: acts.Received, writer: Writer) -> None:
    found = writer.status(act.proposal)
    this_text(found, act.version, act.text_hash)
    speaks(found, writer)


def _position(act: acts.Position, writer: Writer) -> None:
    found = writer.status(act.proposal)
    this_text(found, act.version, act.text_hash)
    current = open_round(found, writer)
    if current.ballot is Ballot.SECRET and act.stance is not None:
        raise InputError("the vote is secret: an open position would not count")
    member_speaks(found, act.member, writer)


def _commit(act: acts.Commit, writer: Writer) -> None:
    found = writer.status(act.proposal)
    current = open_round(found, writer)
    if current.ballot is not Ballot.SECRET:
        raise InputError("the vote is open: a sealed position would not count")
    member_speaks(found, act.member, writer)


def _open(act: acts.Open, writer: Writer) -> None:
    found = writer.status(act.proposal)
    current = found.round
    if current is None or current.open_by_ms is None:
        raise InputError(f"{act.proposal} is in no secret vote")
    if writer.now_ms <= current.closes_ms:
        when = format_instant(current.closes_ms / 1000.0)
        raise InputError(f"opened before the deadline ({when}) it would not count: wait, so that all open together")
    if writer.now_ms > current.open_by_ms:
        raise InputError(f"it could be opened until {format_instant(current.open_by_ms / 1000.0)}, which has passed")
    member_speaks(found, act.member, writer)


def _register(act: acts.Register, writer: Writer) -> None:
    writer.secretary(writer.status(act.proposal).body)


def _sheet(act: acts.Sheet, writer: Writer) -> None:
    found = writer.status(act.proposal)
    writer.secretary(found.body)
    this_text(found, act.version, act.text_hash)
    current = open_round(found, writer)
    strange = sorted(set(act.roll) - set(current.members))
    if strange:
        raise InputError(f"{strange[0]} takes no part in this decision", where="roll")
    if act.counts:
        said = act.counts.in_favour + act.counts.against + act.counts.abstaining
        if said > len(current.members):
            raise InputError(f"{said} votes of {len(current.members)} members", where="counts")


CHECKS: Mapping[type, Callable[[Any, Writer], None]] = {
    acts.Received: _received,
    acts.Position: _position,
    acts.Commit: _commit,
    acts.Open: _open,
    acts.Register: _register,
    acts.Sheet: _sheet,
}
