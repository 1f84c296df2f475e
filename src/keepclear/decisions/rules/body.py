"""A body: its members with their dates, weights and representation, and the rules by which it decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Annotated

from msgspec import Meta

from keepclear.channel import canonical
from keepclear.channel.canonical import PartyId
from keepclear.decisions.rules.rule import TOTAL_MAX, Identifier, Quorum, Rule, Source
from keepclear.errors import InputError
from keepclear.messages import fields

__all__ = ["MEMBERS_MAX", "Body", "Electorate", "Member", "Representation", "body_hash"]

MEMBERS_MAX = 2_000
"""A parliament has some 700; more would not fit an entry of the channel."""
RULES_MAX = 32
REPRESENTATIONS_MAX = 32

Total = Annotated[int, Meta(ge=1, le=TOTAL_MAX)]


class Representation(fields.Body, frozen=True, kw_only=True):
    """Which party of the channel speaks for a member, and from when until when (both days count, UTC)."""

    party: PartyId
    from_date: date
    until_date: date | None = None
    credentials: fields.OptionalName = ""
    """the document that says so"""

    def __post_init__(self) -> None:
        fields.check_text(self.credentials, "credentials", lines=False)
        _check_dates(self.from_date, self.until_date, f"the representation by {self.party}")

    def holds(self, on: date) -> bool:
        return _within(self.from_date, self.until_date, on)


class Member(fields.Body, frozen=True, kw_only=True):
    """One member in one period. Who comes again, or gets other weights, is named again with later dates."""

    id: Identifier
    name: fields.OptionalName = ""
    from_date: date
    until_date: date | None = None
    """the last day of it, UTC"""
    votes: Annotated[int, Meta(ge=0, le=TOTAL_MAX)] = 1
    population: Annotated[int, Meta(ge=0, le=TOTAL_MAX)] | None = None
    permanent: bool = False
    """may veto, where the rule knows a veto"""
    represented_by: Annotated[tuple[Representation, ...], Meta(max_length=REPRESENTATIONS_MAX)] = ()

    def __post_init__(self) -> None:
        fields.check_text(self.name, "name", lines=False)
        _check_dates(self.from_date, self.until_date, f"the membership of {self.id}")

    def holds(self, on: date) -> bool:
        return _within(self.from_date, self.until_date, on)

    def represented(self, on: date) -> tuple[PartyId, ...]:
        """The parties that may speak for it on that day."""
        return tuple(r.party for r in self.represented_by if r.holds(on))


@dataclass(frozen=True, slots=True)
class Electorate:
    """Who takes part in one decision: the members of a day, less those who are left out."""

    body: str
    on: date
    members: tuple[Member, ...]
    excluded: frozenset[str] = frozenset()
    quorum: Quorum | None = None
    by_id: Mapping[str, Member] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_id", {member.id: member for member in self.members})

    def __len__(self) -> int:
        return len(self.members)

    @property
    def votes_total(self) -> int:
        return sum(member.votes for member in self.members)

    @property
    def population_total(self) -> int:
        return sum(member.population or 0 for member in self.members)


class Body(fields.Body, frozen=True, kw_only=True):
    id: Identifier
    name: fields.Name
    secretary: PartyId | None = None
    """the party whose log says when a position came in (the hub); none in a body that is only data"""
    members: Annotated[tuple[Member, ...], Meta(min_length=1, max_length=MEMBERS_MAX)]
    rules: Annotated[tuple[Rule, ...], Meta(min_length=1, max_length=RULES_MAX)]
    quorum: Quorum | None = None
    """for every rule but silence, which needs no meeting"""
    totals_on: date | None = None
    """the day on which the stated totals hold"""
    members_total: Total | None = None
    votes_total: Total | None = None
    population_total: Total | None = None
    source: Source = ""
    confirmed: bool = False
    """whether members, dates and weights were checked against the source"""

    def __post_init__(self) -> None:
        fields.check_text(self.name, "name", lines=False)
        fields.check_text(self.source, "source", lines=False)
        _check_once((rule.id for rule in self.rules), "rules", f"{self.id} has the rule")
        self._check_memberships()
        self._check_totals()
        self._check_populations()

    def rule(self, rule_id: str) -> Rule:
        """Raises :class:`InputError` where the body does not decide by it."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        known = ", ".join(rule.id for rule in self.rules)
        raise InputError(f"{self.id} has no rule {rule_id[:80]}; it has {known}", where="rule")

    def member(self, member_id: str, on: date) -> Member | None:
        """As it is on that day; none where it is no member then."""
        for member in self.members:
            if member.id == member_id and member.holds(on):
                return member
        return None

    def electorate(self, on: date, excluded: Iterable[str] = ()) -> Electorate:
        """Raises :class:`InputError` where nobody is a member on that day, or who is left out is none."""
        members = tuple(member for member in self.members if member.holds(on))
        left_out = frozenset(excluded)
        strange = left_out - {member.id for member in members}
        if strange:
            raise InputError(f"{min(strange)[:80]} is no member of {self.id} on {on}", where="excluded")
        rest = tuple(member for member in members if member.id not in left_out)
        if not rest:
            raise InputError(f"{self.id} has no member on {on} who could decide", where="members")
        return Electorate(self.id, on, rest, left_out, self.quorum)

    def _check_memberships(self) -> None:
        last: dict[str, Member] = {}
        in_time = sorted(enumerate(self.members), key=lambda place: place[1].from_date)
        for index, member in in_time:
            before = last.get(member.id)
            if before and (before.until_date is None or before.until_date >= member.from_date):
                raise InputError(f"{member.id} is a member twice at once: keep one", where=f"members[{index}].id")
            last[member.id] = member

    def _check_totals(self) -> None:
        stated = {
            "members": self.members_total, "votes": self.votes_total, "population": self.population_total
        }  # fmt: skip
        if (self.totals_on is None) != all(total is None for total in stated.values()):
            raise InputError("totals need the day on which they hold, and it needs a total", where="totals_on")
        if self.totals_on is None:
            return
        then = self.electorate(self.totals_on)
        found = {"members": len(then), "votes": then.votes_total, "population": then.population_total}
        for what, total in stated.items():
            if total is not None and total != found[what]:
                word = "inhabitants" if what == "population" else what
                raise InputError(
                    f"there are {found[what]:,} {word} in it on {self.totals_on}, and {total:,} are stated",
                    where=f"{what}_total",
                )

    def _check_populations(self) -> None:
        """Which member lacks one on which day is the tally's to say: figures hold for a year, memberships longer."""
        weighing = next((index for index, rule in enumerate(self.rules) if rule.weighs_population), None)
        if weighing is not None and not any(member.population for member in self.members):
            rule = self.rules[weighing].id
            raise InputError(f"{rule} weighs the population, and no member states one", where=f"rules[{weighing}]")


def body_hash(body: Body) -> str:
    """SHA-256 of the canonical bytes, in hexadecimal: what a party accepts."""
    return sha256(canonical.encode(body)).hexdigest()


def _within(first: date, last: date | None, on: date) -> bool:
    return first <= on and (last is None or on <= last)


def _check_dates(first: date, last: date | None, what: str) -> None:
    if last is not None and last < first:
        raise InputError(f"{what} ends on {last}, before it starts on {first}", where="until_date")


def _check_once(ids: Iterable[str], where: str, what: str) -> None:
    seen: set[str] = set()
    for index, one in enumerate(ids):
        if one in seen:
            raise InputError(f"{what} {one} twice: keep one", where=f"{where}[{index}].id")
        seen.add(one)
