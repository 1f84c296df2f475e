"""OVNs, and the two kinds of version. An OVN proves that its bearer has seen an entity as it now is."""

from __future__ import annotations

import re
import uuid

from keepclear.dss.instants import MINUTE_US
from keepclear.dss.records import Constraint, OperationalIntent
from keepclear.dss.refusal import Refusal, RefusalKind, bad
from keepclear.dss.request import Caller

__all__ = ["check_ovn", "next_version", "parse_version", "requested_ovn"]

OVN_SUFFIX_SKEW_US = 5 * MINUTE_US
"""A requested suffix carries its own time and must be this new (InterUSS DSS, requested_ovn_suffix)."""
MADE_AT = 13
"""Characters of a UUIDv7 that tell when it was made."""
INT64_MAX = (1 << 63) - 1
_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_BASE_32 = re.compile(r"[0-9a-vA-V]{1,13}")


def requested_ovn(entity_id: str, suffix: str, now_us: int, before: str = "") -> str:
    """``{id}_{suffix}`` (rule 16). The suffix must be a UUIDv7 of about now, and not older than the suffix of the OVN
    ``before``: a key that holds an OVN may not become good again once the entity has changed."""
    try:
        parsed = uuid.UUID(suffix)
    except ValueError:
        parsed = None
    if parsed is None or str(parsed) != suffix.lower() or parsed.version != 7 or parsed.variant != uuid.RFC_4122:
        raise bad("requested_ovn_suffix must be a UUID of version 7")
    made_us = (parsed.int >> 80) * 1_000
    if abs(made_us - now_us) > OVN_SUFFIX_SKEW_US:
        raise bad("requested_ovn_suffix must be made within five minutes of now")
    made, earlier = suffix.lower(), before.removeprefix(f"{entity_id}_")
    if earlier != before and (made == earlier or made[:MADE_AT] < earlier[:MADE_AT]):
        raise bad("requested_ovn_suffix must be newer than the one that the entity has")
    return f"{entity_id}_{made}"


def check_ovn(old: OperationalIntent | Constraint, ovn: str | None, caller: Caller, what: str) -> None:
    """May the caller change what there is, and does he know it as it is? The owner is judged first (rule 11)."""
    if old.manager != caller.subject:
        raise Refusal(RefusalKind.NOT_ALLOWED, f"{what} {old.id} is managed by {old.manager}")
    if ovn is None:
        raise Refusal(RefusalKind.CONFLICT, f"{what} {old.id} exists: name its OVN to change it")
    if ovn != old.ovn:
        raise Refusal(RefusalKind.CONFLICT, f"{what} {old.id} has changed since that OVN")


def next_version(now_us: int, previous: str | None = None) -> str:
    """A remote ID version: base-32 nanoseconds, always later than the previous one (rule 28)."""
    time_ns = now_us * 1_000
    if previous is not None:
        time_ns = max(time_ns, parse_version(previous) + 1_000)
    digits = ""
    while time_ns:
        time_ns, digit = divmod(time_ns, 32)
        digits = _DIGITS[digit] + digits
    return digits


def parse_version(text: str) -> int:
    """Nanoseconds of a remote ID version. Raises :class:`~keepclear.dss.refusal.Refusal` (rule 28)."""
    time_ns = int(text, 32) if _BASE_32.fullmatch(text) else -1
    if not 0 <= time_ns <= INT64_MAX:
        raise bad(f"{text[:40]!r} is not a version: copy it from the entity as it was last returned")
    return time_ns
