"""The bodies of entries by the entry's kind: canonical bytes in, checked values out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from keepclear.channel import canonical
from keepclear.errors import InputError, LimitExceeded
from keepclear.messages.denial import Denial
from keepclear.messages.incident import Incident
from keepclear.messages.message import Message
from keepclear.messages.read_back import ReadBack
from keepclear.messages.receipt import Answer, Receipt
from keepclear.messages.state import CommunicationsState
from keepclear.messages.suspension import Resumption, Suspension

__all__ = ["BODIES", "BODY_MAX_BYTES", "AnyBody", "decode_body", "encode_body", "kind_of"]

BODY_MAX_BYTES = 65_535
"""The channel's own limit of a body."""

AnyBody = (
    Message | Receipt | ReadBack | Answer | Denial | Suspension | Resumption | CommunicationsState | Incident
)  # fmt: skip

BODIES: Mapping[str, type[AnyBody]] = MappingProxyType(
    {
        "message": Message, "receipt": Receipt, "read-back": ReadBack, "answer": Answer, "denial": Denial,
        "suspension": Suspension, "resumption": Resumption, "state": CommunicationsState, "incident": Incident,
    }
)  # fmt: skip
"""By the entry's ``kind``. Other kinds are the channel's own, or are carried and not understood here."""
_KINDS = {body: kind for kind, body in BODIES.items()}


def kind_of(body: AnyBody) -> str:
    """The kind of the entry that carries it."""
    return _KINDS[type(body)]


def encode_body(body: AnyBody) -> bytes:
    """The canonical bytes; raises :class:`LimitExceeded` where texts and translations together are too long."""
    data = canonical.encode(body)
    if len(data) > BODY_MAX_BYTES:
        raise LimitExceeded(
            f"the {kind_of(body)} has {len(data):,} bytes, more than {BODY_MAX_BYTES:,}: shorten a text"
        )
    return data


def decode_body(kind: str, data: bytes) -> AnyBody:
    """The body of an entry of this kind. Raises :class:`InputError` with one line for anything that is not exactly
    the canonical bytes of one; ``where`` is the field, with the kind before it."""
    type_ = BODIES.get(kind)
    if type_ is None:
        raise InputError(f"{kind[:40]!r} is none of {', '.join(BODIES)}", where="kind")
    if len(data) > BODY_MAX_BYTES:
        raise LimitExceeded(f"the {kind} has {len(data):,} bytes, more than {BODY_MAX_BYTES:,}")
    try:
        return canonical.decode(data, type_, what=kind)
    except InputError as error:
        if error.message.startswith(f"{kind}:"):
            raise
        raise InputError(f"{kind}: {error.message}", where=error.where) from None
