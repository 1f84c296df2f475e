"""Decisions of the past come out as history has them, from their published figures."""

from __future__ import annotations

from datetime import date

import pytest

from keepclear.decisions.rules.history import Case, case, cases, chains, replay
from keepclear.decisions.rules.rulebook import find_rule
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.rules.tally import Condition, tally_counts
from keepclear.decisions.vocabulary import Effect, Stage
from keepclear.errors import InputError


@pytest.mark.parametrize("one", cases(), ids=lambda one: one.id)
def test_a_case_comes_out_as_it_did(one: Case) -> None:
    _, _, result = replay(one)
    assert result.outcome is one.outcome
    assert one.constructed == ("constructed" in one.sources[0])


def test_every_case_that_follows_another_follows_one_that_failed_earlier() -> None:
    following = [one for one in cases() if one.follows]
    assert {one.id for one in following} == {"nato-2003-02-16", "unsc-2022-02-27", "unga-2022-03-02"}
    for one in following:
        failed = case(str(one.follows))
        assert failed.outcome is Outcome.REJECTED
        assert failed.on < one.on


def test_the_parliament_of_1_march_2022_adopts_with_637_to_13_and_binds_nobody() -> None:
    one = case("ep-2022-03-01")
    _, electorate, result = replay(one)
    assert (len(electorate), one.effect, result.outcome) == (705, Effect.ADVISORY, Outcome.ADOPTED)
    assert result.counts == {Stance.FOR: 637, Stance.AGAINST: 13, Stance.ABSTAIN: 26, Stance.ABSENT: 29}
    assert (result.present, result.voting) == (676, 650)
    voting = next(check for check in result.checks if check.condition is Condition.VOTING)
    assert (voting.have, voting.of, voting.needed) == (637, 650, 326)


def test_the_assembly_of_2_march_2022_adopts_by_two_thirds_of_those_present_and_voting() -> None:
    _, electorate, result = replay(case("unga-2022-03-02"))
    assert len(electorate) == 193
    assert result.counts[Stance.ABSENT] == 12
    voting = next(check for check in result.checks if check.condition is Condition.VOTING)
    assert (voting.have, voting.of, voting.needed) == (141, 146, 98)


def test_who_abstains_in_the_assembly_does_not_vote() -> None:
    """93 in favour are not half of 193 members: a majority of all would have failed."""
    _, electorate, result = replay(case("unga-2022-04-07"))
    assert result.adopted
    of_all = find_rule("absolute-majority")
    assert not tally_counts(of_all, electorate, in_favour=93, against=24, abstaining=58).adopted


def test_abstentions_in_the_parliament_are_no_votes_cast() -> None:
    """Counted as votes, the 48 of 2018 would have kept it from two thirds: 448 of 693."""
    _, electorate, result = replay(case("ep-2018-09-12"))
    assert result.adopted
    with_them = tally_counts(find_rule("ep-two-thirds"), electorate, in_favour=448, against=245, abstaining=0)
    assert not with_them.adopted


def test_the_silence_of_2003_is_broken_by_three_of_nineteen_and_the_committee_of_eighteen_agrees() -> None:
    _, electorate, broken = replay(case("nato-2003-02-10"))
    assert (len(electorate), broken.silent) == (19, 16)
    assert broken.objectors == ("be", "de", "fr")
    _, committee, agreed = replay(case("nato-2003-02-16"))
    assert (len(committee), "fr" in committee.by_id) == (18, False)
    assert agreed.adopted


def test_the_same_positions_are_vetoed_on_the_matter_and_adopted_on_procedure() -> None:
    vetoed, called = replay(case("unsc-2022-02-25"))[2], replay(case("unsc-2022-02-27"))[2]
    assert vetoed.counts == called.counts == {Stance.FOR: 11, Stance.AGAINST: 1, Stance.ABSTAIN: 3}
    assert (vetoed.objectors, vetoed.adopted) == (("ru",), False)
    assert (called.objectors, called.adopted) == ((), True)


def test_permanent_members_who_abstained_in_2011_did_not_veto() -> None:
    result = replay(case("unsc-2011-03-17"))[2]
    assert (result.counts, result.adopted) == ({Stance.FOR: 10, Stance.ABSTAIN: 5}, True)


def test_the_request_for_a_no_fly_zone_of_2022_is_refused_by_what_the_allies_agreed() -> None:
    chain = next(chain for chain in chains() if chain.id == "ukraine-no-fly-zone")
    assert [step.stage for step in chain.steps] == [Stage.RECEIVED, Stage.DECISION, Stage.REFUSED]
    _, electorate, agreed = replay(case(str(chain.steps[-1].case)))
    assert (chain.steps[-1].on, len(electorate), agreed.adopted) == (date(2022, 3, 4), 30, True)


def test_from_application_to_candidate_status_on_the_days_of_2022_and_by_no_advisory_vote() -> None:
    chain = next(chain for chain in chains() if chain.id == "ukraine-candidate-status")
    days = {step.stage: step.on for step in chain.steps}
    assert days[Stage.RECEIVED] == date(2022, 2, 28)
    assert days[Stage.OPINION_GIVEN] == date(2022, 6, 17)
    assert days[Stage.GRANTED] == date(2022, 6, 23)
    assert case("ep-2022-03-01").on == date(2022, 3, 1)
    granted = next(step for step in chain.steps if step.stage is Stage.GRANTED)
    deciding = case(str(granted.case))
    assert (deciding.body, deciding.effect, replay(deciding)[2].adopted) == ("european-council", Effect.BINDING, True)
    for step in chain.steps:
        assert step.case is None or case(step.case).effect is Effect.BINDING
        assert step.advice is None or case(step.advice).effect is Effect.ADVISORY


def test_sixty_five_per_cent_are_met_to_the_inhabitant() -> None:
    """Thirteen of 447 million decide: a share as a floating number would not be asked to."""
    enough, missed = replay(case("eu-qmv-population-just-enough"))[2], replay(case("eu-qmv-population-just-missed"))[2]
    population = {result.outcome: result.checks[-1] for result in (enough, missed)}
    assert population[Outcome.ADOPTED].have == population[Outcome.ADOPTED].needed == 290_554_938
    assert population[Outcome.REJECTED].have == 290_554_925


def test_three_members_do_not_block_and_four_do() -> None:
    three, four = (
        replay(case("eu-qmv-three-largest-against"))[2],
        replay(case("eu-qmv-three-largest-and-malta-against"))[2],
    )
    assert three.checks[-1].condition is four.checks[-1].condition is Condition.POPULATION
    assert (three.checks[-1].met, three.checks[-1].deemed) == (True, True)
    assert (four.checks[-1].met, four.checks[-1].deemed) == (False, False)


def test_an_unknown_case_is_one_clear_line() -> None:
    with pytest.raises(InputError, match="no case is called 'x'; there are nato-2003-02-10"):
        case("x")
