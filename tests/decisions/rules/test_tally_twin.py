"""Every shipped rule on every assignment of stances to a small body, and on blocs of the large ones, is as its twin."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from datetime import date

import pytest

from keepclear.decisions.rules.body import Body, Electorate, Member
from keepclear.decisions.rules.rule import Kind, Rule
from keepclear.decisions.rules.rulebook import find_rule, rulebook
from keepclear.decisions.rules.shipped import shipped_body
from keepclear.decisions.rules.stance import Stance
from keepclear.decisions.rules.tally import tally, tally_counts
from keepclear.errors import InputError
from tests.decisions.rules import rule_twin as twin

DAY = date(2022, 3, 1)


EVERYTHING = [*(s.value for s in Stance), twin.SILENT, twin.UNREACHED, twin.ABSENT_SILENT]
CORE = ["FOR", "AGAINST", "ABSTAIN", "QUALIFIED_ABSTAIN", "ABSENT", twin.UNREACHED]
VOTE = ["FOR", "AGAINST", "ABSTAIN", twin.UNREACHED]


def small_body(populations: Iterable[int]) -> Electorate:
    members = tuple(
        Member(id=f"m{k}", from_date=DAY, population=people, permanent=k == 0) for k, people in enumerate(populations)
    )
    return Body(id="b", name="B", members=members, rules=tuple(rulebook().values())).electorate(DAY)


def check(rule_id: str, electorate: Electorate, says: dict[str, str]) -> None:
    stances: dict[str, Stance] = {}
    silent: set[str] = set()
    for member_id, word in says.items():
        if word in (twin.SILENT, twin.ABSENT_SILENT):
            silent.add(member_id)
        if word == twin.ABSENT_SILENT:
            stances[member_id] = Stance.ABSENT
        elif word not in (twin.SILENT, twin.UNREACHED):
            stances[member_id] = Stance(word)
    seats = [twin.Seat(says[m.id], m.population or 1, m.permanent) for m in electorate.members]
    result = tally(find_rule(rule_id), electorate, stances, silent=frozenset(silent))
    assert result.adopted == twin.adopted(rule_id, seats), (rule_id, says, result)


@pytest.mark.parametrize("rule_id", rulebook())
@pytest.mark.parametrize(
    ("populations", "words"), [((5, 3, 2), EVERYTHING), ((40, 35, 20, 5), CORE)], ids=["three", "four"]
)
def test_every_assignment_on_a_small_body(rule_id: str, populations: tuple[int, ...], words: list[str]) -> None:
    electorate = small_body(populations)
    for assignment in itertools.product(words, repeat=len(populations)):
        check(rule_id, electorate, {member.id: word for member, word in zip(electorate.members, assignment)})


def blocs(electorate: Electorate, sizes: Iterable[int]) -> Iterator[list[str]]:
    ids = iter([m.id for m in sorted(electorate.members, key=lambda m: (-(m.population or 0), not m.permanent, m.id))])
    for size in sizes:
        yield list(itertools.islice(ids, size))
    assert next(ids, None) is None


@pytest.mark.parametrize("body_id", ["council-of-the-eu", "un-security-council"])
@pytest.mark.parametrize("turn", [0, 1])
def test_every_assignment_of_blocs_in_the_large_bodies(body_id: str, turn: int) -> None:
    body = shipped_body(body_id)
    electorate = body.electorate(DAY)
    council = body_id == "council-of-the-eu"
    sizes = ([1, 2, 4, 8, 12], [2, 4, 9, 11, 1])[turn] if council else ([1, 4, 4, 2, 4], [1, 1, 3, 3, 7])[turn]
    parts = list(blocs(electorate, sizes))
    for rule in (rule for rule in body.rules if not rule.kind.counts_objections):
        for assignment in itertools.product(VOTE, repeat=len(parts)):
            says = {member: word for part, word in zip(parts, assignment) for member in part}
            if council and sum(word != twin.UNREACHED for word in says.values()) < 14:
                continue  # the Council's quorum, which the twin does not know
            check(rule.id, electorate, says)


@pytest.mark.parametrize("rule", rulebook().values(), ids=lambda rule: rule.id)
def test_a_vote_by_numbers_is_the_vote_by_names_and_is_refused_where_names_matter(rule: Rule) -> None:
    electorate = small_body((1, 1, 1, 1, 1))
    for yes, no, abstaining in itertools.product(range(6), repeat=3):
        if yes + no + abstaining > 5:
            continue
        words = ["FOR"] * yes + ["AGAINST"] * no + ["ABSTAIN"] * abstaining
        words += ["ABSENT"] * (5 - len(words))
        stances = {member.id: Stance(word) for member, word in zip(electorate.members, words)}
        if rule.kind.counts_objections or rule.veto or rule.weighs_population:
            with pytest.raises(InputError, match="who voted how"):
                tally_counts(rule, electorate, in_favour=yes, against=no, abstaining=abstaining)
        else:
            counted = tally_counts(rule, electorate, in_favour=yes, against=no, abstaining=abstaining)
            assert counted == tally(rule, electorate, stances)
            assert rule.kind is not Kind.DUAL_KEY or counted.adopted == (yes == 5)
