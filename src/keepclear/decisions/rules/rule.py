"""A rule: when a text is adopted. Conditions are exact fractions of whole numbers.

Every rule is monotone by construction: a member that turns to FOR can complete a condition and never break one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from keepclear.channel.canonical import PartyId
from keepclear.errors import InputError
from keepclear.messages import fields

__all__ = ["SOURCE_MAX", "TOTAL_MAX", "Basis", "Blocking", "Identifier", "Kind", "Quorum", "Rule", "Source",
           "Threshold"]  # fmt: skip

TOTAL_MAX = 2**40
"""Of votes or population: mankind fits a hundred times, and products of two stay exact in any language's integers."""
THRESHOLDS_MAX = 8
SOURCE_MAX = 400
DENOMINATOR_MAX = 10_000
"""Rules speak of thirds, halves and per cent."""

Identifier = PartyId
"""Of a body, a rule or a member: lower case, as of a party."""
Source = Annotated[str, Meta(max_length=SOURCE_MAX)]
"""Treaty and article, or rules of procedure and paragraph."""
Numerator = Annotated[int, Meta(ge=0, le=DENOMINATOR_MAX)]
Denominator = Annotated[int, Meta(ge=1, le=DENOMINATOR_MAX)]


class Kind(StrEnum):
    """How positions are read; the thresholds say how many are needed."""

    CONSENSUS = "CONSENSUS"
    """nobody objects; who is absent does not object"""
    SILENCE = "SILENCE"
    """nobody objects until the deadline; only who was proved to have the text is silent"""
    UNANIMITY = "UNANIMITY"
    """nobody objects and nobody is missing; abstaining is no objection"""
    SIMPLE_MAJORITY = "SIMPLE_MAJORITY"
    ABSOLUTE_MAJORITY = "ABSOLUTE_MAJORITY"
    QUALIFIED_MAJORITY = "QUALIFIED_MAJORITY"
    CONSENSUS_MINUS_ONE = "CONSENSUS_MINUS_ONE"
    """consensus of all but one, who takes no part"""
    DUAL_KEY = "DUAL_KEY"
    """the members are bodies, and every one of them has to be for it"""

    @property
    def counts_objections(self) -> bool:
        """Otherwise it counts votes: who does not vote in favour, does not."""
        return self in _BY_OBJECTION


_BY_OBJECTION = frozenset({Kind.CONSENSUS, Kind.SILENCE, Kind.UNANIMITY, Kind.CONSENSUS_MINUS_ONE})


class Basis(StrEnum):
    """What a threshold is a share of."""

    MEMBERS = "MEMBERS"
    """all that the body has at the time, one each"""
    VOTES = "VOTES"
    """all votes that the body has"""
    POPULATION = "POPULATION"
    """of all that the body has"""
    VOTING = "VOTING"
    """votes for and against: members present and voting"""


class Threshold(fields.Body, frozen=True, kw_only=True):
    """So many in favour: a share, and never fewer than ``at_least``."""

    of: Basis
    numerator: Numerator = 0
    denominator: Denominator = 1
    over: bool = False
    """more than the share, not just as much"""
    at_least: Annotated[int, Meta(ge=1, le=TOTAL_MAX)] = 1
    """one by default: nothing is adopted by nobody"""

    def __post_init__(self) -> None:
        _check_share(self.numerator, self.denominator, self.over)

    def needed(self, total: int) -> int:
        """The smallest whole number that meets it."""
        share = self.numerator * total
        needed = share // self.denominator + 1 if self.over else -(-share // self.denominator)
        return max(needed, self.at_least)


class Blocking(fields.Body, frozen=True, kw_only=True):
    """How many members a minority must have to block by population alone.

    TEU 16(4): ``members`` = 4. TFEU 238(3): the fewest members with more than ``numerator``/``denominator`` of the
    population, and ``members`` = 1 more.
    """

    members: Annotated[int, Meta(ge=1, le=1_000)]
    numerator: Numerator = 0
    denominator: Denominator = 1

    def __post_init__(self) -> None:
        _check_share(self.numerator, self.denominator, over=True)

    def needed(self, populations: list[int]) -> int:
        """Members of the smallest minority that blocks."""
        if not self.numerator:
            return self.members
        limit, reached = self.numerator * sum(populations), 0
        for count, population in enumerate(sorted(populations, reverse=True), 1):
            reached += population
            if reached * self.denominator > limit:
                return count + self.members
        return len(populations) + self.members


class Quorum(fields.Body, frozen=True, kw_only=True):
    """How many members have to be there: heads, not votes."""

    numerator: Numerator = 0
    denominator: Denominator = 1
    over: bool = False
    at_least: Annotated[int, Meta(ge=1, le=1_000)] = 1
    presumed: bool = False
    """taken for met until a member asks for it to be established"""
    source: Source = ""
    confirmed: bool = False

    def __post_init__(self) -> None:
        _check_share(self.numerator, self.denominator, self.over)
        fields.check_text(self.source, "source", lines=False)

    def needed(self, members: int) -> int:
        share = self.numerator * members
        return max(share // self.denominator + 1 if self.over else -(-share // self.denominator), self.at_least)


class Rule(fields.Body, frozen=True, kw_only=True):
    """Whole in itself: it travels with the body, so that a later version of Keepclear tallies old records alike."""

    id: Identifier
    name: fields.Name
    kind: Kind
    thresholds: Annotated[tuple[Threshold, ...], Meta(max_length=THRESHOLDS_MAX)] = ()
    """all of them"""
    blocking: Blocking | None = None
    """without a minority of so many members, the threshold of the population counts as met"""
    abstention_limit: Annotated[tuple[Threshold, ...], Meta(max_length=THRESHOLDS_MAX)] = ()
    """qualified abstentions that reach all of these keep the text from being adopted (TEU 31(1))"""
    veto: bool = False
    """a permanent member against it is enough; abstaining and staying away are no veto"""
    excluded_max: Annotated[int, Meta(ge=0, le=1_000)] = 0
    """how many members may be left out of it"""
    silence_min_s: Annotated[int, Meta(ge=0, le=31_536_000)] = 0
    """the shortest time that a text may be under silence by this rule"""
    source: Source = ""
    confirmed: bool = False
    """whether it was checked against the text of its source"""

    def __post_init__(self) -> None:
        fields.check_text(self.name, "name", lines=False)
        fields.check_text(self.source, "source", lines=False)
        by_votes = not self.kind.counts_objections and self.kind is not Kind.DUAL_KEY
        if by_votes and not self.thresholds:
            raise InputError(f"the rule {self.id} counts votes and says not how many", where="thresholds")
        if self.kind is Kind.CONSENSUS_MINUS_ONE and self.excluded_max != 1:
            raise InputError(f"the rule {self.id} leaves out one member: excluded_max is 1", where="excluded_max")
        if self.silence_min_s and not self.silence:
            raise InputError(f"the rule {self.id} is no silence and has a shortest time of it", where="silence_min_s")
        if self.abstention_limit and self.kind is not Kind.UNANIMITY:
            raise InputError(f"only unanimity has a limit of abstentions, not {self.id}", where="abstention_limit")
        if any(limit.of is Basis.VOTING for limit in self.abstention_limit):
            raise InputError("who abstains does not vote: it cannot be a share of those", where="abstention_limit")
        if self.blocking and not any(t.of is Basis.POPULATION for t in self.thresholds):
            raise InputError(f"the rule {self.id} has no threshold of population to be blocked by", where="blocking")

    @property
    def silence(self) -> bool:
        return self.kind is Kind.SILENCE

    @property
    def weighs_population(self) -> bool:
        return any(t.of is Basis.POPULATION for t in (*self.thresholds, *self.abstention_limit))


def _check_share(numerator: int, denominator: int, over: bool) -> None:
    if numerator > denominator or (over and numerator == denominator):
        raise InputError(f"nothing reaches {'more than ' if over else ''}{numerator}/{denominator}", where="numerator")
