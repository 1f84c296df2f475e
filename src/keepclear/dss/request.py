"""What every rule is given beside the airspace: who asks, when, and what chance supplies."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec

from keepclear.dss.cells import AREA_MAX_KM2
from keepclear.dss.records import Change
from keepclear.dss.refusal import bad

__all__ = ["Caller", "Moment", "Outcome", "Rules", "check_id", "check_url", "parse"]

URL_CHARACTERS_MAX = 2_048
"""Longer ones are not carried by every proxy."""
ARRAYS_DEEP_MAX = 64
"""The deepest body of the standards nests some ten levels."""

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Rules:
    """What one pool agrees on."""

    strict: bool = False
    """keys and notifications only where volumes truly intersect, not wherever they share a cell"""
    allow_http: bool = False
    """take base URLs without TLS: for development"""
    area_max_km2: float = AREA_MAX_KM2


class Caller(NamedTuple):
    """Who asks (the token's ``sub``) and what for (its scopes)."""

    subject: str
    scopes: frozenset[str]


class Moment(NamedTuple):
    """The instant at which a request is decided, and the source of ids and OVNs that nobody can guess."""

    now_us: int
    new_id: Callable[[], str]
    new_ovn: Callable[[], str]


class Outcome(msgspec.Struct, frozen=True):
    """What the asker is told and what changes. ``counts`` are notification counts by subscription: a write in a
    congested cell raises hundreds, so they go another way than the other changes."""

    answer: Any
    changes: list[Change]
    counts: dict[str, int] = {}


_NAME = re.compile(rb'"\s*:')
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")


def check_id(text: str) -> str:
    """The UUID in lower case (rule 8)."""
    lower = text.lower()
    if not _UUID.fullmatch(lower):
        raise bad(f"{text[:60]!r} is not a UUID")
    return lower


def check_url(url: str, rules: Rules, what: str = "uss_base_url") -> str:
    """The URL, if peers can call it (rule 8)."""
    schemes = ("https", "http") if rules.allow_http else ("https",)
    if len(url) > URL_CHARACTERS_MAX:
        raise bad(f"{what} has {len(url)} characters; at most {URL_CHARACTERS_MAX}")
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.scheme in schemes and url.isprintable() and " " not in url
    except ValueError:
        usable = False
    if not usable:
        raise bad(f"{what} must be a URL that begins with {schemes[0]}://")
    return url


def parse(decoder: msgspec.json.Decoder[M], body: bytes) -> M:
    """The message in a body. Unknown fields are ignored, as the standards say; fields given twice are refused."""
    try:
        message = decoder.decode(body)
        if len(_NAME.findall(body)) != _names(msgspec.json.decode(body)):
            json.loads(body, object_pairs_hook=_once)
    except msgspec.MsgspecError as error:
        raise bad(_shortened(str(error))) from None
    except (ValueError, RecursionError) as error:
        raise bad(_shortened(f"the body cannot be read: {error}")) from None
    return message


def _names(value: Any) -> int:
    """How many fields there are, one given twice counted once. Text that looks like a field only makes the count in
    the body larger, so equal counts mean that none is given twice, and the slow look is rare."""
    if isinstance(value, dict):
        return len(value) + sum(_names(inner) for inner in value.values())
    if isinstance(value, list):
        return sum(_names(inner) for inner in value if not isinstance(inner, str))
    return 0


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the field {twice!r} is given twice")


def _shortened(text: str) -> str:
    return " ".join(text.split())[:400]
