"""The tally: a rule applied to positions. Whole numbers only, and who was not reached is never taken for silent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from keepclear.decisions.rules.body import Electorate, Member
from keepclear.decisions.rules.rule import Basis, Kind, Rule, Threshold
from keepclear.decisions.rules.stance import OBJECTIONS, Outcome, Stance
from keepclear.errors import InputError
from keepclear.messages import fields

__all__ = ["Check", "Condition", "Tally", "tally", "tally_counts"]


class Condition(StrEnum):
    """What a check is about."""

    QUORUM = "QUORUM"
    OBJECTIONS = "OBJECTIONS"
    RESERVATIONS = "RESERVATIONS"
    UNREACHED = "UNREACHED"
    """members of whom nothing is known"""
    ABSENT = "ABSENT"
    QUALIFIED_ABSTENTIONS = "QUALIFIED_ABSTENTIONS"
    """the limits of them that are reached; at most all but one"""
    VETO = "VETO"
    MEMBERS = "MEMBERS"
    VOTES = "VOTES"
    POPULATION = "POPULATION"
    VOTING = "VOTING"
    KEYS = "KEYS"


class Check(fields.Body, frozen=True, kw_only=True):
    """One condition, with its figures: ``have`` of ``of``, where ``needed`` are."""

    condition: Condition
    have: int
    of: int
    needed: int
    met: bool
    at_most: bool = False
    """``needed`` is the most that may be"""
    deemed: bool = False
    """met because no blocking minority stands against it (TEU 16(4)), or because a quorum is presumed"""


class Tally(fields.Body, frozen=True, kw_only=True):
    rule: str
    outcome: Outcome
    counts: dict[Stance, int]
    """members by stance; stances that nobody took are left out"""
    silent: int = 0
    """members who said nothing and had the text"""
    unreached: tuple[str, ...] = ()
    """members of whom nothing is known, sorted"""
    present: int
    voting: int
    """members who voted for or against"""
    checks: tuple[Check, ...]
    objectors: tuple[str, ...] = ()
    """who keeps it from being adopted, sorted: objections, and vetoes in a vote"""
    reservations: tuple[str, ...] = ()

    @property
    def adopted(self) -> bool:
        return self.outcome is Outcome.ADOPTED

    @property
    def quorum_met(self) -> bool:
        return all(check.met for check in self.checks if check.condition is Condition.QUORUM)

    @property
    def reason(self) -> Check | None:
        """The first condition that is not met."""
        return next((check for check in self.checks if not check.met), None)


def tally(
    rule: Rule,
    electorate: Electorate,
    stances: Mapping[str, Stance],
    *,
    silent: frozenset[str] = frozenset(),
    challenged: bool = False,
) -> Tally:
    """What ``rule`` makes of the members' stances, by member id.

    ``silent`` are members whose silence counts, because the text was proved to have reached them before (R4.1). Who is
    neither there nor in ``stances`` is unreached. ``challenged``: a presumed quorum was asked to be established. The
    stances of members who are left out do not count. Raises :class:`InputError` for a stance of no member.
    """
    _check_call(rule, electorate, (*stances, *silent))
    return _Sheet(rule, electorate, stances, silent, challenged).result()


def tally_counts(
    rule: Rule, electorate: Electorate, *, in_favour: int, against: int, abstaining: int, challenged: bool = False
) -> Tally:
    """The same for a vote that is known by its numbers alone; the other members did not vote.

    Raises :class:`InputError` where the rule asks who voted how, or the numbers do not fit the body.
    """
    needs_names = rule.kind.counts_objections or rule.veto or rule.weighs_population
    if needs_names or any(member.votes != 1 for member in electorate.members):
        raise InputError(f"by {rule.id} it matters who voted how: numbers are not enough", where="rule")
    if min(in_favour, against, abstaining) < 0 or in_favour + against + abstaining > len(electorate):
        raise InputError(
            f"{in_favour}, {against} and {abstaining} are not votes of {len(electorate)} members", where="counts"
        )
    cast = (Stance.FOR,) * in_favour + (Stance.AGAINST,) * against + (Stance.ABSTAIN,) * abstaining
    rest = (Stance.ABSENT,) * (len(electorate) - len(cast))
    stances = {member.id: stance for member, stance in zip(electorate.members, cast + rest)}
    return tally(rule, electorate, stances, challenged=challenged)


def _check_call(rule: Rule, electorate: Electorate, ids: Iterable[str]) -> None:
    left_out, most = len(electorate.excluded), rule.excluded_max
    if left_out > most:
        raise InputError(f"members left out: {left_out}; the rule {rule.id} allows {most or 'none'}", where="excluded")
    for member_id in ids:
        if member_id not in electorate.by_id and member_id not in electorate.excluded:
            what = f"{member_id[:80]} is no member of {electorate.body} on {electorate.on}"
            raise InputError(what, where=member_id[:80])
    if not rule.weighs_population:
        return
    for member in electorate.members:
        if not member.population:
            raise InputError(
                f"{rule.id} weighs the population, and none is stated for {member.id} on {electorate.on}",
                where=f"members.{member.id}.population",
            )


class _Sheet:
    """The positions sorted once, and the checks made on them."""

    def __init__(
        self,
        rule: Rule,
        electorate: Electorate,
        stances: Mapping[str, Stance],
        silent: frozenset[str],
        challenged: bool,
    ) -> None:
        self.rule, self.electorate, self.challenged = rule, electorate, challenged
        self.by_stance: dict[Stance, list[Member]] = {stance: [] for stance in Stance}
        self.silent: list[Member] = []
        self.unreached: list[Member] = []
        for member in electorate.members:
            stance = stances.get(member.id)
            quiet = stance is None or (stance is Stance.ABSENT and rule.silence)
            if quiet and member.id in silent:
                self.silent.append(member)
            elif stance is None:
                self.unreached.append(member)
            else:
                self.by_stance[stance].append(member)
        self.objecting = [m for stance in OBJECTIONS for m in self.by_stance[stance]]

    def result(self) -> Tally:
        rule = self.rule
        checks = [*self._attendance(), *self._by_kind(), *self._thresholds()]
        adopted = all(check.met for check in checks)
        stopping = self.objecting if rule.kind.counts_objections else self._vetoing() if rule.veto else []
        return Tally(
            rule=rule.id,
            outcome=Outcome.ADOPTED if adopted else Outcome.REJECTED,
            counts={stance: len(members) for stance, members in self.by_stance.items() if members},
            silent=len(self.silent),
            unreached=_ids(self.unreached),
            present=self._present(),
            voting=len(self.by_stance[Stance.FOR]) + len(self.by_stance[Stance.AGAINST]),
            checks=tuple(checks),
            objectors=_ids(stopping),
            reservations=_ids(self.by_stance[Stance.RESERVE]),
        )

    def _present(self) -> int:
        """Who sat through it in silence was there; in a vote, who did not vote may have been anywhere."""
        answered = sum(len(members) for stance, members in self.by_stance.items() if stance is not Stance.ABSENT)
        return answered + (len(self.silent) if self.rule.kind.counts_objections else 0)

    def _attendance(self) -> Iterable[Check]:
        if self.rule.kind in (Kind.SILENCE, Kind.DUAL_KEY):
            return
        quorum, members, present = self.electorate.quorum, len(self.electorate), self._present()
        needed = quorum.needed(members) if quorum else 1
        presumed = quorum is not None and quorum.presumed and not self.challenged and 0 < present < needed
        yield Check(
            condition=Condition.QUORUM, have=present, of=members, needed=needed, met=present >= needed or presumed,
            deemed=presumed,
        )  # fmt: skip

    def _by_kind(self) -> Iterable[Check]:
        kind, members = self.rule.kind, len(self.electorate)
        if kind is Kind.DUAL_KEY:
            turned = len(self.by_stance[Stance.FOR])
            yield Check(condition=Condition.KEYS, have=turned, of=members, needed=members, met=turned == members)
        if self.rule.veto:
            yield self._none_of(Condition.VETO, self._vetoing(), sum(m.permanent for m in self.electorate.members))
        if not kind.counts_objections:
            return
        yield self._none_of(Condition.OBJECTIONS, self.objecting, members)
        yield self._none_of(Condition.RESERVATIONS, self.by_stance[Stance.RESERVE], members)
        missing = self.unreached
        if kind is Kind.UNANIMITY:  # silence is no vote
            missing = missing + self.silent
        yield self._none_of(Condition.UNREACHED, missing, members)
        if kind in (Kind.SILENCE, Kind.UNANIMITY):
            yield self._none_of(Condition.ABSENT, self.by_stance[Stance.ABSENT], members)
        if self.rule.abstention_limit:
            yield self._abstentions()

    def _vetoing(self) -> list[Member]:
        return [member for member in self.by_stance[Stance.AGAINST] if member.permanent]

    def _abstentions(self) -> Check:
        limits = self.rule.abstention_limit
        qualified = self.by_stance[Stance.QUALIFIED_ABSTAIN]
        reached = sum(self._amount(t, qualified) >= t.needed(self._total(t)) for t in limits)
        return Check(
            condition=Condition.QUALIFIED_ABSTENTIONS, have=reached, of=len(limits), needed=len(limits) - 1,
            met=reached < len(limits), at_most=True,
        )  # fmt: skip

    def _thresholds(self) -> Iterable[Check]:
        in_favour = self.by_stance[Stance.FOR]
        for threshold in self.rule.thresholds:
            total, have = self._total(threshold), self._amount(threshold, in_favour)
            needed = threshold.needed(total)
            deemed = have < needed and threshold.of is Basis.POPULATION and self._unblocked()
            yield Check(
                condition=Condition(threshold.of.value), have=have, of=total, needed=needed,
                met=have >= needed or deemed, deemed=deemed,
            )  # fmt: skip

    def _unblocked(self) -> bool:
        """Whether those who are not in favour are too few members to block by their population."""
        if self.rule.blocking is None:
            return False
        needed = self.rule.blocking.needed([member.population or 0 for member in self.electorate.members])
        return len(self.electorate) - len(self.by_stance[Stance.FOR]) < needed

    def _total(self, threshold: Threshold) -> int:
        if threshold.of is Basis.VOTING:
            return sum(m.votes for stance in (Stance.FOR, Stance.AGAINST) for m in self.by_stance[stance])
        return self._amount(threshold, self.electorate.members)

    @staticmethod
    def _amount(threshold: Threshold, members: Iterable[Member]) -> int:
        return sum(map(_WEIGHTS[threshold.of], members))

    @staticmethod
    def _none_of(condition: Condition, members: list[Member], of: int) -> Check:
        return Check(condition=condition, have=len(members), of=of, needed=0, met=not members, at_most=True)


_WEIGHTS: Mapping[Basis, Callable[[Member], int]] = {
    Basis.MEMBERS: lambda _: 1,
    Basis.VOTES: lambda member: member.votes,
    Basis.VOTING: lambda member: member.votes,
    Basis.POPULATION: lambda member: member.population or 0,
}


def _ids(members: Iterable[Member]) -> tuple[str, ...]:
    return tuple(sorted(member.id for member in members))
