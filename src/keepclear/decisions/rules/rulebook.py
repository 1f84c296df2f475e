"""The rules that come with Keepclear, by id. A body carries its rules whole; this is where it takes them from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec

from keepclear.decisions.rules.rule import Rule
from keepclear.errors import InputError

__all__ = ["find_rule", "rulebook"]


@cache
def rulebook() -> Mapping[str, Rule]:
    """All of them, in the order of the file."""
    rules = msgspec.json.decode(files("keepclear.decisions").joinpath("data/rules.json").read_bytes(), type=list[Rule])
    book = {rule.id: rule for rule in rules}
    assert len(book) == len(rules), "a rule is there twice"
    return MappingProxyType(book)


def find_rule(rule_id: str, where: str = "rule") -> Rule:
    """Raises :class:`InputError` for a rule that is not there."""
    try:
        return rulebook()[rule_id]
    except KeyError:
        raise InputError(
            f"no rule is called {rule_id[:80]!r}; there are {', '.join(rulebook())}", where=where
        ) from None
