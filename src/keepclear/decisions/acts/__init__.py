"""What parties write when they decide: the bodies of entries of the kind ``decision``, addressed to all.

One canonical form in, one out; ``act`` says which it is. An act claims something for its writer alone: what it is worth
is for :mod:`keepclear.decisions.procedure.procedure` to say, from all logs together.
"""

from __future__ import annotations

from hashlib import sha256

from keepclear.channel import canonical
from keepclear.channel.entry import BODY_BYTES_MAX
from keepclear.channel.signature import in_context
from keepclear.decisions.acts.base import REFERENCES_MAX, TEXT_MAX, Act
from keepclear.decisions.acts.meeting import AgendaItem, Apply, Convene, Minutes, StageReached
from keepclear.decisions.acts.proposing import (
    Accept,
    Amend,
    Circulate,
    Close,
    Constitute,
    Extend,
    Move,
    Table,
    Withdraw,
)
from keepclear.decisions.acts.voting import Commit, Counts, Open, Position, Received, Register, Registered, Sheet
from keepclear.errors import InputError, LimitExceeded

__all__ = ["DECISION_KIND", "REFERENCES_MAX", "TEXT_MAX", "Accept", "Act", "AgendaItem", "Amend", "AnyAct", "Apply",
           "Circulate", "Close", "Commit", "Constitute", "Convene", "Counts", "Extend", "Minutes", "Move", "Open",
           "Position", "Received", "Register", "Registered", "Sheet", "StageReached", "Table", "Withdraw", "decode_act",
           "encode_act", "text_hash"]  # fmt: skip

DECISION_KIND = "decision"
"""The kind of the entry."""

AnyAct = (
    Constitute | Accept | Table | Amend | Received | Circulate | Extend | Position | Register | Sheet | Commit | Open
    | Close | Withdraw | Move | Convene | Minutes | Apply | StageReached
)  # fmt: skip


def text_hash(title: str, text: str, language: str) -> str:
    """What members agree to: SHA-256 over title, text and language, whatever proposal they stand in."""
    return sha256(in_context("decision-text", canonical.encode([language, title, text]))).hexdigest()


def encode_act(act: AnyAct) -> bytes:
    """The canonical bytes; raises :class:`LimitExceeded` where they do not fit an entry."""
    data = canonical.encode(act)
    if len(data) > BODY_BYTES_MAX:
        raise LimitExceeded(f"the act has {len(data):,} bytes, more than {BODY_BYTES_MAX:,}: shorten it or split it")
    return data


def decode_act(data: bytes) -> AnyAct:
    """Raises :class:`InputError` with one line for anything that is not exactly the canonical bytes of an act."""
    if len(data) > BODY_BYTES_MAX:
        raise LimitExceeded(f"the decision has {len(data):,} bytes, more than {BODY_BYTES_MAX:,}")
    try:
        act: AnyAct = canonical.decode(data, AnyAct, what="the decision")  # type: ignore[arg-type]
    except InputError as error:
        if error.message.startswith("the decision:"):
            raise
        raise InputError(f"the decision: {error.message}", where=error.where) from None
    return act
