"""Decisions of the past as data, with published figures and sources; replayed, the rules give what history has.

Facts only. A constructed case says so: it shows a threshold on real members' data, and nobody ever voted like that.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import files
from typing import Annotated

import msgspec
from msgspec import Meta

from keepclear.channel.canonical import PartyId
from keepclear.decisions.rules.body import Electorate
from keepclear.decisions.rules.rule import Identifier, Rule, Source
from keepclear.decisions.rules.shipped import shipped_body
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.rules.tally import Tally, tally, tally_counts
from keepclear.decisions.vocabulary import Effect, Request, Stage
from keepclear.errors import InputError
from keepclear.messages import fields

__all__ = ["Case", "Chain", "Counts", "Step", "case", "cases", "chains", "replay"]

Sources = Annotated[tuple[Source, ...], Meta(min_length=1, max_length=16)]


class Counts(fields.Body, frozen=True, kw_only=True):
    """A vote known by its numbers; whoever is in none of them did not vote."""

    in_favour: int
    against: int
    abstaining: int


class Case(fields.Body, frozen=True, kw_only=True):
    """One decision: who said what to it, by which rule, and what came of it."""

    id: Identifier
    title: fields.Name
    on: date
    body: Identifier
    rule: Identifier
    effect: Effect = Effect.BINDING
    counts: Counts | None = None
    stances: dict[Identifier, Stance] = msgspec.field(default_factory=dict)
    rest: Stance | None = None
    """of the members that ``stances`` leaves out; none: they kept silent, having the text"""
    excluded: tuple[Identifier, ...] = ()
    outcome: Outcome
    follows: Identifier | None = None
    """the case after whose failure this body took the matter up"""
    constructed: bool = False
    """nobody ever voted like that"""
    confirmed: bool = False
    """whether the figures were checked against a source that is named"""
    sources: Sources
    note: Annotated[str, Meta(max_length=600)] = ""


class Step(fields.Body, frozen=True, kw_only=True):
    """One stage of an application, on its day; ``case`` is the decision that it rests on, ``advice`` one that it
    may take note of and is not bound by."""

    stage: Stage
    on: date
    by: fields.Name
    case: Identifier | None = None
    advice: Identifier | None = None


class Chain(fields.Body, frozen=True, kw_only=True):
    """An application from its receipt to its end."""

    id: Identifier
    title: fields.Name
    applicant: PartyId
    request: Request
    basis: fields.Name
    steps: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=64)]
    confirmed: bool = False
    sources: Sources
    note: Annotated[str, Meta(max_length=600)] = ""

    def __post_init__(self) -> None:
        days = [step.on for step in self.steps]
        if days != sorted(days):
            raise InputError(f"the steps of {self.id} are not in the order of their days", where="steps")


class _History(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cases: tuple[Case, ...] = ()
    chains: tuple[Chain, ...] = ()


def cases() -> tuple[Case, ...]:
    """All decisions, the oldest first, constructed ones last."""
    return _history().cases


def chains() -> tuple[Chain, ...]:
    return _history().chains


def case(case_id: str) -> Case:
    """Raises :class:`InputError` for a case that is not there."""
    for one in cases():
        if one.id == case_id:
            return one
    raise InputError(f"no case is called {case_id[:80]!r}; there are {', '.join(c.id for c in cases())}", where="case")


def replay(one: Case) -> tuple[Rule, Electorate, Tally]:
    """The rule, who took part, and what the rule makes of it."""
    body = shipped_body(one.body)
    rule, electorate = body.rule(one.rule), body.electorate(one.on, one.excluded)
    if one.counts:
        counts = one.counts
        return rule, electorate, tally_counts(
            rule, electorate, in_favour=counts.in_favour, against=counts.against, abstaining=counts.abstaining
        )  # fmt: skip
    others = [member.id for member in electorate.members if member.id not in one.stances]
    if one.rest is None:
        return rule, electorate, tally(rule, electorate, one.stances, silent=frozenset(others))
    return rule, electorate, tally(rule, electorate, {**dict.fromkeys(others, one.rest), **one.stances})


@cache
def _history() -> _History:
    folder = files("keepclear.decisions").joinpath("data/cases")
    found = [
        msgspec.json.decode(file.read_bytes(), type=_History)
        for file in sorted(folder.iterdir(), key=lambda file: file.name)
        if file.name.endswith(".json")
    ]
    all_cases = sorted((c for f in found for c in f.cases), key=lambda c: (c.constructed, c.on, c.id))
    assert len({c.id for c in all_cases}) == len(all_cases), "a case is there twice"
    return _History(tuple(all_cases), tuple(c for f in found for c in f.chains))
