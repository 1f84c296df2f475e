"""What follows from logs does not depend on how they came, and what follows from a part of them is never contrary."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.channel.entry import Reference
from keepclear.decisions.acts import Amend, Close, Extend, Open, Sheet, Withdraw, text_hash
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.status import Status
from keepclear.decisions.rules.body import Representation
from keepclear.decisions.rules.rulebook import find_rule, rulebook
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.vocabulary import State
from keepclear.errors import UsageError
from tests.decisions.logs import CHANNEL, DAY_MS, HOUR_MS, SINCE, TITLE, Logs, P, council

MEMBERS = ("aa", "bb", "cc", "dd")
PARTIES = (*MEMBERS, "a2", "hub", "zz")
PEOPLE = {"aa": 40, "bb": 35, "cc": 20, "dd": 5}
OWN_NAMES = {member: member for member in MEMBERS}
RULES = ("silence", "consensus", "unanimity", "simple-majority", "eu-unanimity")


def anything(rng: Random, called: Mapping[str, str] = OWN_NAMES) -> Logs:
    """A council in which everybody does whatever comes to mind, the secretary included. ``called``: the members' ids,
    by the party that speaks for each."""
    speakers: dict[str, tuple[Representation, ...]] = {
        called[m]: (Representation(party=m, from_date=SINCE),) for m in MEMBERS
    }
    speakers[called["aa"]] += (Representation(party="a2", from_date=SINCE),)
    logs = Logs(council([called[m] for m in MEMBERS], (rng.choice(RULES),), speakers=speakers))
    logs.table(expires_ms=logs.now_ms + 3 * DAY_MS if rng.random() < 0.1 else None)
    version = 1
    logs.circulate(logs.deliver([p for p in PARTIES if rng.random() < 0.9]))
    loose: list[tuple[str | None, Reference]] = []
    for _ in range(rng.randrange(3, 25)):
        logs.wait(rng.choice((0, 1, HOUR_MS, 6 * HOUR_MS, DAY_MS)))
        party = rng.choice(PARTIES)
        match rng.randrange(12):
            case 0:
                version += 1
                text = f"Text {version}."
                logs.write(rng.choice(("hub", party)), Amend(proposal=P, version=version, title=TITLE, text=text,
                                                             language="en"))  # fmt: skip
                logs.circulate(logs.deliver(MEMBERS, version, text), version=version, text=text)
            case 1:
                logs.write("hub", Extend(proposal=P, version=version, closes_ms=logs.now_ms + DAY_MS, reason="asked"))
            case 2:
                logs.write("hub", Close(proposal=P, version=version, outcome=rng.choice(list(Outcome))))
            case 3:
                roll = {called[m]: rng.choice(list(Stance)) for m in MEMBERS if rng.random() < 0.7}
                roll = roll or {called["aa"]: Stance.FOR}
                digest = text_hash(TITLE, f"Text {version}.", "en")
                logs.write("hub", Sheet(proposal=P, version=version, text_hash=digest, roll=roll))
            case 4:
                loose.append((None, logs.write(party, Withdraw(proposal=P))))
            case 5:
                act = Open(proposal=P, version=version, member=called["aa"], stance=Stance.FOR, nonce="0" * 64)
                loose.append((called["aa"], logs.write(party, act)))
            case 6:
                logs.tick()
            case _:
                member = rng.choice(MEMBERS) if rng.random() < 0.2 else ("aa" if party == "a2" else party)
                member = called.get(member, member)
                text = f"Text {version}." if version > 1 else "The zone is closed to all aircraft."
                said = logs.say(party, rng.choice(list(Stance)), member=member, version=version, text=text,
                                register=rng.random() < 0.7, statement="As I see it.")  # fmt: skip
                loose.append((member, said))
        if loose and rng.random() < 0.3:
            member_id, reference = rng.choice(loose)
            logs.register(member_id, reference, version=version)
    return logs


def seen(found: Status) -> tuple[object, ...]:
    """All of it."""
    return tuple(getattr(found, name) for name in Status.__dataclass_fields__)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_order_of_arrival_and_duplicates_do_not_change_anything(seed: int) -> None:
    rng = Random(seed)
    logs = anything(rng)
    expected = seen(logs.status())
    for _ in range(3):
        assert seen(status(logs.docket(rng), P)) == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_two_who_hold_different_parts_of_the_logs_never_say_contrary_things(seed: int) -> None:
    rng = Random(seed)
    logs = anything(rng)
    whole = {r.circulated.leaf: r for r in logs.status().rounds}
    for _ in range(4):
        docket = Docket(CHANNEL)
        for party, records in logs.records.items():
            docket.take(party, records[: rng.randint(len(records) // 2, len(records))])
        try:
            part = status(docket, P)
        except UsageError:
            continue
        for found in part.rounds:
            if found.finished and not part.missing and found.circulated.leaf in whole:
                assert (found.state, found.tally) == (
                    whole[found.circulated.leaf].state, whole[found.circulated.leaf].tally,
                )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.permutations(["zulu", "m1", "a", "bb"]))
def test_other_names_of_the_members_change_nothing_but_the_names(seed: int, names: list[str]) -> None:
    new = dict(zip(MEMBERS, names))
    one, other = anything(Random(seed)).status(), anything(Random(seed), new).status()
    assert (one.state, one.outcome, one.version, one.adopted_ms) == (
        other.state, other.outcome, other.version, other.adopted_ms,
    )  # fmt: skip
    assert len(one.rounds) == len(other.rounds)
    for each, again in zip(one.rounds, other.rounds):
        assert each.tally is not None
        assert again.tally is not None
        assert (each.state, each.finished_ms, each.tally.counts, each.tally.silent, each.tally.checks) == (
            again.state, again.finished_ms, again.tally.counts, again.tally.silent, again.tally.checks,
        )  # fmt: skip
        assert {new.get(m, m) for m in each.broken_by} == set(again.broken_by)
        assert {(new.get(c.member, c.member), c.stance) for c in each.counted} == {
            (c.member, c.stance) for c in again.counted
        }
    assert sorted((v.filed.party, v.filed.seq, v.reason) for v in one.void) == sorted(
        (v.filed.party, v.filed.seq, v.reason) for v in other.void
    )


def sitting(rule: str, stances: Mapping[str, Stance | None], delivered: Collection[str]) -> Status:
    """All say in time what they say, and the deadline passes."""
    logs = Logs(council(MEMBERS, (rule,), people=PEOPLE))
    logs.table()
    logs.circulate(logs.deliver(sorted(delivered)), closes_in_ms=4 * DAY_MS)
    for member, stance in stances.items():
        if stance is not None:
            logs.say(member, stance, statement="As I see it.")
    logs.wait(5 * DAY_MS)
    logs.tick()
    return logs.status()


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(list(rulebook())),
    st.fixed_dictionaries(dict.fromkeys(MEMBERS, st.none() | st.sampled_from(Stance))),
    st.sets(st.sampled_from(MEMBERS)), st.sampled_from(MEMBERS),
)  # fmt: skip
def test_from_the_logs_too_one_more_in_favour_rejects_nothing_and_nobody_unreached_is_silent(
    rule: str, stances: dict[str, Stance | None], delivered: set[str], turning: str
) -> None:
    before = sitting(rule, stances, delivered)
    after = sitting(rule, stances | {turning: Stance.FOR}, delivered)
    assert after.state is State.ADOPTED or before.state is not State.ADOPTED
    unheard = {m for m, stance in stances.items() if stance is None} - delivered
    assert before.tally is not None
    assert before.tally.silent <= len(delivered)
    if find_rule(rule).kind.counts_objections:
        assert set(before.tally.unreached) >= unheard
        assert not unheard or before.state is not State.ADOPTED
