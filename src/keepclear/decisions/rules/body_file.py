"""A body as people write it: JSON that may name a shipped rule by its id, and many like members in one line.

``{"id": "at", "seats": 19, "from_date": …}`` stands for nineteen members, at-01 to at-19. What comes out is whole: a
body carries its rules, and nothing in it depends on the version of Keepclear that read it.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, TypeVar

import msgspec

from keepclear.decisions.rules.body import MEMBERS_MAX, Body, Member
from keepclear.decisions.rules.rule import Rule
from keepclear.decisions.rules.rulebook import find_rule
from keepclear.errors import InputError, LimitExceeded

__all__ = ["BODY_FILE_BYTES_MAX", "read_body"]

BODY_FILE_BYTES_MAX = 1 << 20
"""Two thousand members with representation take some 400 kB."""
T = TypeVar("T")
_MEMBER = re.compile(r"^members\[(\d+)\]")


def read_body(data: bytes) -> Body:
    """The body of a file. Raises :class:`InputError` with the place for anything that is not one, whole and sound."""
    if len(data) > BODY_FILE_BYTES_MAX:
        raise LimitExceeded(f"the body has {len(data):,} bytes, more than {BODY_FILE_BYTES_MAX:,}")
    value = _strict_json(data)
    if not isinstance(value, dict):
        raise InputError("a body is an object with id, name, members and rules")
    places: list[int] = []
    try:
        rules = _each(_rules(value.get("rules")), Rule, "rules")
        spread, places = _members(value.get("members"))
        return _convert({**value, "rules": rules, "members": _each(spread, Member, "members")}, Body)
    except InputError as error:
        raise type(error)(error.message, where=_in_file(error.where, places)) from None


def _each(values: object, kind: type[Rule] | type[Member], name: str) -> object:
    """One by one, so that a refusal by what a rule or a member is names the one."""
    if not isinstance(values, list):
        return values
    made = []
    for index, value in enumerate(values):
        try:
            made.append(_convert(value, kind))
        except InputError as error:
            where = f"{name}[{index}]{'.' if error.where else ''}{error.where}"
            raise InputError(error.message, where=where) from None
    return made


def _convert(value: object, kind: type[T]) -> T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at ")
        where = place.strip("`").removeprefix("$").removeprefix(".")
        raise InputError(f"{message[:1].lower()}{message[1:]}", where=where) from None


def _rules(rules: object) -> object:
    if not isinstance(rules, list):
        return rules
    return [find_rule(rule, f"rules[{index}]") if isinstance(rule, str) else rule for index, rule in enumerate(rules)]


def _members(members: object) -> tuple[object, list[int]]:
    """All of them, one by one, and for each its place in the file."""
    if not isinstance(members, list):
        return members, []
    spread: list[object] = []
    places: list[int] = []
    for index, member in enumerate(members):
        seats = _seats(member, f"members[{index}].seats")
        spread += seats
        places += [index] * len(seats)
        if len(spread) > MEMBERS_MAX:
            raise LimitExceeded(f"the body has more than {MEMBERS_MAX:,} members", where=f"members[{index}]")
    return spread, places


def _seats(member: object, where: str) -> list[object]:
    if not isinstance(member, dict) or "seats" not in member:
        return [member]
    count, one = member["seats"], {key: value for key, value in member.items() if key != "seats"}
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= MEMBERS_MAX:
        raise InputError(f"a whole number from 1 to {MEMBERS_MAX:,} is expected", where=where)
    digits = max(2, len(str(count)))
    return [{**one, "id": f"{str(one.get('id', ''))[:64]}-{seat:0{digits}d}"} for seat in range(1, count + 1)]


def _in_file(where: str, places: list[int]) -> str:
    found = _MEMBER.match(where)
    if not found or int(found[1]) >= len(places):
        return where
    return f"members[{places[int(found[1])]}]{where[found.end() :]}"


def _strict_json(data: bytes) -> Any:
    """RFC 8259, and nothing that two readers would take differently: a key twice, half a surrogate pair (RFC 7493)."""
    try:
        value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_no_number)
        if b"\\u" in data:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise InputError("this is not UTF-8 text", where=f"byte {error.start}") from None
    except UnicodeEncodeError:
        raise InputError("a text holds half of a surrogate pair (\\ud800–\\udfff)") from None
    except json.JSONDecodeError as error:
        raise InputError(f"this is not JSON ({error.msg})", where=f"line {error.lineno}") from None
    except RecursionError:
        raise LimitExceeded("the JSON nests too deep for a body") from None
    except ValueError:  # a whole number with thousands of digits
        raise InputError("a number in it is too large") from None
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise InputError(f"the key {twice[:60]!r} is given twice in one object")
    return value


def _no_number(text: str) -> NoReturn:
    raise InputError(f"{text} is no number of JSON")
