"""What a rule makes of positions: absence, abstention, silence and quorum by rule, and what no rule ever does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.decisions.rules.body import Body, Electorate, Member
from keepclear.decisions.rules.rule import Basis, Blocking, Kind, Quorum, Rule, Threshold
from keepclear.decisions.rules.rulebook import find_rule, rulebook
from keepclear.decisions.rules.shipped import shipped_body
from keepclear.decisions.rules.stance import Stance
from keepclear.decisions.rules.tally import Condition, Tally, tally, tally_counts
from keepclear.errors import InputError

DAY = date(2022, 3, 1)
BY_OBJECTION = [rule.id for rule in rulebook().values() if rule.kind.counts_objections]
BY_VOTE = [rule.id for rule in rulebook().values() if not rule.kind.counts_objections]


def body_of(*members: Member, quorum: Quorum | None = None) -> Body:
    return Body(id="b", name="B", members=members, rules=tuple(rulebook().values()), quorum=quorum)


def states(count: int, quorum: Quorum | None = None) -> Electorate:
    """Of one population each; the first is permanent."""
    members = (Member(id=f"m{k:02d}", from_date=DAY, population=1, permanent=k == 0) for k in range(count))
    return body_of(*members, quorum=quorum).electorate(DAY)


def say(electorate: Electorate, rule_id: str, rest: Stance | None, **some: Stance) -> Tally:
    """The named members' stances, and everybody else's; none: they were never reached."""
    stances = {m.id: rest for m in electorate.members if rest is not None and m.id not in some} | some
    return tally(find_rule(rule_id), electorate, stances)


# --- practice R4.1: silence counts only where delivery was proved -----------------------------------------------------


@pytest.mark.parametrize("rule_id", BY_OBJECTION)
def test_r4_1_a_member_that_was_not_reached_is_not_silent(rule_id: str) -> None:
    electorate = states(5)
    agreeing = {m.id: Stance.FOR for m in electorate.members[1:]}
    silent = tally(find_rule(rule_id), electorate, agreeing, silent=frozenset({"m00"}))
    unreached = tally(find_rule(rule_id), electorate, agreeing)
    assert silent.adopted == (find_rule(rule_id).kind is not Kind.UNANIMITY), "silence is no vote"
    assert not unreached.adopted
    assert (unreached.unreached, unreached.silent) == (("m00",), 0)
    assert unreached.reason is not None
    assert unreached.reason.condition is Condition.UNREACHED


@pytest.mark.parametrize("rule_id", BY_VOTE)
def test_r4_1_in_a_vote_silence_is_no_vote_in_favour(rule_id: str) -> None:
    electorate = states(20)
    everybody = frozenset(electorate.by_id)
    assert not tally(find_rule(rule_id), electorate, {}, silent=everybody).adopted


# --- practice R4.6: consensus is not unanimity ------------------------------------------------------------------------

ABSTAINING = {
    **dict.fromkeys(BY_OBJECTION, True), **dict.fromkeys(BY_VOTE, True),
    "dual-key": False,
}  # fmt: skip
"""Whether a text is adopted when one member abstains and all others are in favour."""
AWAY = {
    **dict.fromkeys(BY_OBJECTION, True), **dict.fromkeys(BY_VOTE, True),
    "silence": False, "nato-silence": False, "osce-silence": False, "eu-silence": False, "unga-silence": False,
    "unanimity": False, "eu-unanimity": False, "eu-cfsp-unanimity": False, "dual-key": False,
}  # fmt: skip
"""The same when one member is away, and was not proved to have the text."""


@pytest.mark.parametrize("rule_id", rulebook())
def test_r4_6_one_abstention_under_each_rule(rule_id: str) -> None:
    for stance in (Stance.ABSTAIN, Stance.QUALIFIED_ABSTAIN):
        assert say(states(27), rule_id, Stance.FOR, m00=stance).adopted is ABSTAINING[rule_id]


@pytest.mark.parametrize("rule_id", rulebook())
def test_r4_6_one_absence_under_each_rule(rule_id: str) -> None:
    assert say(states(27), rule_id, Stance.FOR, m00=Stance.ABSENT).adopted is AWAY[rule_id]


@pytest.mark.parametrize("rule_id", rulebook())
def test_r4_6_all_abstaining_adopt_by_consensus_and_by_silence_only(rule_id: str) -> None:
    kind = find_rule(rule_id).kind
    expected = kind in (Kind.CONSENSUS, Kind.CONSENSUS_MINUS_ONE, Kind.SILENCE)
    assert say(states(27), rule_id, Stance.ABSTAIN).adopted is expected


@pytest.mark.parametrize("rule_id", rulebook())
def test_r4_6_nothing_is_adopted_where_everybody_is_away(rule_id: str) -> None:
    assert not say(states(27), rule_id, Stance.ABSENT).adopted


@pytest.mark.parametrize("rule_id", rulebook())
@pytest.mark.parametrize("stance", [Stance.AGAINST, Stance.BREAK_SILENCE, Stance.AMEND])
def test_r4_6_one_objection_under_each_rule(rule_id: str, stance: Stance) -> None:
    """By the last member, which has no veto. In a vote, what is neither for nor against was not cast."""
    result = say(states(27), rule_id, Stance.FOR, m26=stance)
    assert result.adopted is (rule_id in BY_VOTE and rule_id != "dual-key")
    assert result.objectors == (("m26",) if rule_id in BY_OBJECTION else ())


@pytest.mark.parametrize("rule_id", BY_OBJECTION)
def test_a_reservation_holds_a_text_up_and_is_no_objection(rule_id: str) -> None:
    result = say(states(5), rule_id, Stance.FOR, m01=Stance.RESERVE)
    assert (result.adopted, result.objectors, result.reservations) == (False, (), ("m01",))


def test_a_member_that_is_away_and_has_the_text_is_silent() -> None:
    electorate = states(3)
    stances = {"m00": Stance.ABSENT, "m01": Stance.FOR, "m02": Stance.FOR}
    assert tally(find_rule("nato-silence"), electorate, stances, silent=frozenset({"m00"})).adopted
    assert not tally(find_rule("nato-silence"), electorate, stances).adopted
    assert not tally(find_rule("eu-unanimity"), electorate, stances, silent=frozenset({"m00"})).adopted


def test_absence_and_abstention_of_a_permanent_member_are_no_veto_and_its_no_is() -> None:
    electorate = shipped_body("un-security-council").electorate(DAY)
    for stance, adopted in (
        (Stance.ABSENT, True), (Stance.ABSTAIN, True), (Stance.BREAK_SILENCE, True), (Stance.AGAINST, False),
    ):  # fmt: skip
        assert say(electorate, "unsc-substantive", Stance.FOR, cn=stance).adopted is adopted
        assert say(electorate, "unsc-procedural", Stance.FOR, cn=stance).adopted


# --- who takes part ---------------------------------------------------------------------------------------------------


def test_consensus_minus_one_leaves_out_the_state_concerned_and_no_other() -> None:
    body = shipped_body("osce-ministerial-council")
    rule = body.rule("osce-consensus-minus-one")
    everybody = dict.fromkeys((m.id for m in body.electorate(DAY).members), Stance.FOR)
    one = body.electorate(DAY, {"by"})
    assert tally(rule, one, everybody | {"by": Stance.AGAINST}).adopted
    assert not tally(rule, one, everybody | {"ru": Stance.AGAINST}).adopted
    with pytest.raises(InputError, match="members left out: 2; the rule osce-consensus-minus-one allows 1"):
        tally(rule, body.electorate(DAY, {"by", "ru"}), everybody)
    with pytest.raises(InputError, match="members left out: 1; the rule osce-consensus allows none"):
        tally(body.rule("osce-consensus"), one, everybody)


def test_among_those_who_take_part_the_shares_are_theirs() -> None:
    """TFEU 238(3): Denmark stays out of it; 55 % of 26 members are 15, as their 65 % are of fewer people."""
    body = shipped_body("council-of-the-eu")
    electorate = body.electorate(DAY, {"dk"})
    rule = body.rule("eu-qualified-majority-participating")
    members, population = (
        c for c in tally(rule, electorate, {"de": Stance.FOR}).checks if c.condition.name != "QUORUM"
    )
    assert (members.of, members.needed) == (26, 15)
    assert population.of == 447_007_596 - 5_840_045
    # Germany, France and Italy are the fewest with more than 35 %: three do not block, any fourth does.
    three = dict.fromkeys(("de", "fr", "it"), Stance.AGAINST)
    passed = say(electorate, rule.id, Stance.FOR, **three)
    blocked = say(electorate, rule.id, Stance.FOR, **three, mt=Stance.AGAINST)
    assert passed.checks[-1].have < passed.checks[-1].needed
    assert (passed.adopted, passed.checks[-1].deemed, blocked.adopted) == (True, True, False)


def test_a_share_of_exactly_35_per_cent_does_not_block_yet() -> None:
    """The largest has 35 % and not more, so two are the fewest with more, and three are needed to block."""
    people = (35, 25, 20, 10, 10)
    members = (Member(id=f"m{k}", from_date=DAY, population=population) for k, population in enumerate(people))
    electorate = body_of(*members).electorate(DAY)
    rule_id = "eu-qualified-majority-participating"
    assert say(electorate, rule_id, Stance.FOR, m0=Stance.AGAINST, m1=Stance.AGAINST).adopted


def test_fifteen_members_are_needed_however_few_there_are() -> None:
    """55 % of 25 members would be 14."""
    electorate = states(25)
    for in_favour, adopted in ((14, False), (15, False), (17, True)):
        stances = {f"m{k:02d}": Stance.FOR for k in range(in_favour)}
        result = tally(find_rule("eu-qualified-majority"), electorate, stances)
        members = next(check for check in result.checks if check.condition is Condition.MEMBERS)
        assert (members.needed, members.met, result.adopted) == (15, in_favour >= 15, adopted)


def test_both_keys_have_to_be_turned() -> None:
    body = shipped_body("bosnia-dual-key")
    electorate = body.electorate(date(1994, 2, 9))
    for un, adopted in ((Stance.FOR, True), (Stance.AGAINST, False), (Stance.ABSTAIN, False), (None, False)):
        stances = {"nato": Stance.FOR} | ({"un": un} if un else {})
        assert tally(body.rules[0], electorate, stances).adopted is adopted


def test_a_stance_of_no_member_is_one_clear_line() -> None:
    electorate = shipped_body("north-atlantic-council").electorate(DAY)
    rule = find_rule("nato-silence")
    with pytest.raises(InputError, match="se is no member of north-atlantic-council on 2022-03-01") as caught:
        tally(rule, electorate, {"se": Stance.FOR})
    assert caught.value.where == "se"
    with pytest.raises(InputError, match="fi is no member"):
        tally(rule, electorate, {}, silent=frozenset({"fi"}))


def test_a_population_that_is_not_stated_for_the_day_is_one_clear_line() -> None:
    body = shipped_body("council-of-the-eu")
    later = body.electorate(date(2024, 1, 1))
    with pytest.raises(InputError, match="weighs the population, and none is stated for at on 2024-01-01"):
        tally(body.rule("eu-qualified-majority"), later, {})
    assert tally(body.rule("eu-simple-majority"), later, {m.id: Stance.FOR for m in later.members}).adopted


def test_numbers_that_are_no_vote_of_the_body_are_refused() -> None:
    electorate = states(5)
    for numbers in ((6, 0, 0), (3, 2, 1), (-1, 2, 1)):
        with pytest.raises(InputError, match="are not votes of 5 members"):
            tally_counts(
                find_rule("two-thirds"), electorate, in_favour=numbers[0], against=numbers[1], abstaining=numbers[2]
            )


# --- quorum -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule_id", ["simple-majority", "consensus", "two-thirds"])
def test_without_a_quorum_nothing_is_adopted(rule_id: str) -> None:
    half = Quorum(numerator=1, denominator=2, over=True)
    electorate = states(6, quorum=half)
    away = {f"m{k:02d}": Stance.ABSENT for k in range(3)}
    too_few = tally(find_rule(rule_id), electorate, away | {f"m{k:02d}": Stance.FOR for k in range(3, 6)})
    enough = tally(find_rule(rule_id), electorate, away | {f"m{k:02d}": Stance.FOR for k in range(2, 6)})
    assert (too_few.adopted, too_few.quorum_met, too_few.present) == (False, False, 3)
    assert (enough.adopted, enough.quorum_met) == (True, True)


def test_in_a_vote_silence_is_no_presence_and_at_a_table_it_is() -> None:
    electorate = states(6, quorum=Quorum(numerator=1, denominator=2, over=True))
    quiet = frozenset(f"m{k:02d}" for k in range(1, 6))
    vote = tally(find_rule("simple-majority"), electorate, {"m00": Stance.FOR}, silent=quiet)
    table = tally(find_rule("consensus"), electorate, {"m00": Stance.FOR}, silent=quiet)
    assert (vote.present, vote.adopted, table.present, table.adopted) == (1, False, 6, True)


def test_who_abstains_is_there() -> None:
    electorate = states(6, quorum=Quorum(numerator=1, denominator=2, over=True))
    stances = {"m00": Stance.FOR, "m01": Stance.ABSTAIN, "m02": Stance.ABSTAIN, "m03": Stance.ABSTAIN}
    assert tally(find_rule("simple-majority"), electorate, stances).adopted


def test_the_parliaments_quorum_is_presumed_until_a_member_asks_for_it() -> None:
    electorate = shipped_body("european-parliament-705").electorate(DAY)
    rule = find_rule("ep-simple-majority")
    for present, challenged, adopted in ((234, False, True), (234, True, False), (235, True, True)):
        result = tally_counts(
            rule, electorate, in_favour=present, against=0, abstaining=0, challenged=challenged
        )  # fmt: skip
        assert result.adopted is adopted
        quorum = result.checks[0]
        assert (quorum.have, quorum.of, quorum.needed, quorum.deemed) == (present, 705, 235, present < 235 and adopted)


def test_silence_needs_no_meeting_and_so_no_quorum() -> None:
    electorate = states(4, quorum=Quorum(numerator=1, denominator=1))
    result = tally(find_rule("silence"), electorate, {}, silent=frozenset(electorate.by_id))
    assert (result.adopted, result.quorum_met) == (True, True)


# --- one's own rules: exact shares, and what holds for every rule -----------------------------------------------------

SHARES = st.tuples(st.integers(0, 100), st.integers(1, 100)).filter(lambda s: s[0] < s[1])
THRESHOLDS = st.builds(
    lambda of, share, over, at_least: Threshold(
        of=of, numerator=share[0], denominator=share[1], over=over, at_least=at_least
    ),
    st.sampled_from(Basis), SHARES, st.booleans(), st.integers(1, 4),
)  # fmt: skip


@st.composite
def own_rules(draw: st.DrawFn) -> Rule:
    if draw(st.booleans()):
        return draw(st.sampled_from(list(rulebook().values())))
    kind = draw(st.sampled_from([Kind.QUALIFIED_MAJORITY, Kind.UNANIMITY, Kind.CONSENSUS, Kind.SILENCE]))
    thresholds = tuple(draw(st.lists(THRESHOLDS, min_size=1, max_size=3)))
    blocks = any(t.of is Basis.POPULATION for t in thresholds) and draw(st.booleans())
    limits = draw(st.lists(THRESHOLDS.filter(lambda t: t.of is not Basis.VOTING), max_size=2))
    return Rule(
        id="own", name="Own", kind=kind, thresholds=thresholds, veto=draw(st.booleans()),
        blocking=Blocking(members=draw(st.integers(1, 5)), numerator=draw(st.integers(0, 1)), denominator=3)
        if blocks
        else None,
        abstention_limit=tuple(limits) if kind is Kind.UNANIMITY else (),
    )  # fmt: skip


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Rule, Electorate, dict[str, Stance], frozenset[str]]:
    count = draw(st.integers(1, 9))
    people, votes = st.integers(1, 10**6), st.integers(0, 5)
    members = tuple(
        Member(id=f"m{k}", from_date=DAY, population=draw(people), votes=draw(votes), permanent=draw(st.booleans()))
        for k in range(count)
    )
    quorum = draw(st.none() | st.builds(lambda s: Quorum(numerator=s[0], denominator=s[1]), SHARES))
    electorate = body_of(*members, quorum=quorum).electorate(DAY)
    words = draw(st.lists(st.none() | st.sampled_from(Stance), min_size=count, max_size=count))
    stances = {m.id: stance for m, stance in zip(members, words) if stance is not None}
    silent = frozenset(draw(st.sets(st.sampled_from([m.id for m in members]))))
    return draw(own_rules()), electorate, stances, silent


Scene = tuple[Rule, Electorate, dict[str, Stance], frozenset[str]]


@given(scenes(), st.data())
def test_one_more_in_favour_never_turns_adopted_into_rejected(scene: Scene, data: st.DataObject) -> None:
    rule, electorate, stances, silent = scene
    turning = data.draw(st.sampled_from(electorate.members)).id
    before = tally(rule, electorate, stances, silent=silent)
    after = tally(rule, electorate, stances | {turning: Stance.FOR}, silent=silent)
    assert after.adopted or not before.adopted


@given(scenes())
def test_names_and_their_order_change_nothing(scene: Scene) -> None:
    rule, electorate, stances, silent = scene
    new = {m.id: f"x{k}" for k, m in enumerate(reversed(electorate.members))}
    members = [Member(id=new[m.id], from_date=DAY, population=m.population, votes=m.votes, permanent=m.permanent)
               for m in electorate.members]  # fmt: skip
    members.sort(key=lambda m: m.id)
    renamed = body_of(*members, quorum=electorate.quorum).electorate(DAY)
    one = tally(rule, electorate, stances, silent=silent)
    other = tally(
        rule, renamed, {new[k]: v for k, v in reversed(stances.items())}, silent=frozenset(new[k] for k in silent)
    )
    assert (other.outcome, other.counts, other.checks) == (one.outcome, one.counts, one.checks)
    assert other.objectors == tuple(sorted(new[k] for k in one.objectors))
    assert other.unreached == tuple(sorted(new[k] for k in one.unreached))


@given(scenes())
def test_no_rule_takes_a_member_that_was_not_reached_for_silent(scene: Scene) -> None:
    rule, electorate, stances, silent = scene
    unreached = {m.id for m in electorate.members} - set(stances) - silent
    result = tally(rule, electorate, stances, silent=silent)
    assert set(result.unreached) == unreached
    assert not unreached or not rule.kind.counts_objections or not result.adopted
    fewer = tally(rule, electorate, stances, silent=frozenset())
    assert fewer.silent == 0
    assert result.adopted or not fewer.adopted, "losing a proof of delivery adopts nothing"


@given(scenes())
def test_the_figures_of_a_tally_add_up_and_decide_it(scene: Scene) -> None:
    rule, electorate, stances, silent = scene
    result = tally(rule, electorate, stances, silent=silent)
    assert sum(result.counts.values()) + result.silent + len(result.unreached) == len(electorate)
    assert result.adopted == all(check.met for check in result.checks)
    assert (result.reason is None) == result.adopted
    for check in result.checks:
        held = check.have <= check.needed if check.at_most else check.have >= check.needed
        assert check.met == (held or check.deemed)
        assert 0 <= check.have <= check.of


def test_a_fraction_is_exact_where_floats_are_not() -> None:
    """0.55 × 100 is 55.00000000000001 as a float, and 0.07 × 100 is 7.000000000000001."""
    for numerator in range(1, 100):
        threshold = Threshold(of=Basis.VOTES, numerator=numerator, denominator=100)
        assert threshold.needed(100) == numerator
        over = Threshold(of=Basis.VOTES, numerator=numerator, denominator=100, over=True)
        assert over.needed(100) == numerator + 1


def test_weights_of_votes_are_counted_and_not_heads() -> None:
    members = (Member(id="large", from_date=DAY, votes=7), *(Member(id=f"s{k}", from_date=DAY) for k in range(6)))
    rule = Rule(id="w", name="W", kind=Kind.SIMPLE_MAJORITY,
                thresholds=(Threshold(of=Basis.VOTING, numerator=1, denominator=2, over=True),))  # fmt: skip
    electorate = Body(id="b", name="B", members=members, rules=(rule,)).electorate(DAY)
    small: Mapping[str, Stance] = {f"s{k}": Stance.AGAINST for k in range(6)}
    assert tally(rule, electorate, {**small, "large": Stance.FOR}).adopted
    with pytest.raises(InputError, match="who voted how"):
        tally_counts(rule, electorate, in_favour=1, against=6, abstaining=0)
