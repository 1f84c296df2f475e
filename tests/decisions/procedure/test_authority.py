"""What follows from decisions, and requirement R4.7: zones and orders cite an adopted decision; dual keys need both."""

from __future__ import annotations

import pytest

from keepclear.decisions.acts import Amend, Constitute
from keepclear.decisions.procedure.authority import Authority, authority
from keepclear.decisions.rules.body import Body
from keepclear.decisions.rules.rule import Quorum
from keepclear.decisions.rules.stance import Stance
from keepclear.decisions.vocabulary import Effect
from tests.decisions.logs import DAY_MS, START_MS, TITLE, Logs, P, council

ALL = ("aa", "bb", "cc")
SECOND = "P-HUB-2026-0002"
LATER_MS = START_MS + 30 * DAY_MS


def logs_of(rule: str = "simple-majority", **body: object) -> Logs:
    return Logs(council(rules=(rule,), **body))  # type: ignore[arg-type]


def decide(logs: Logs, number: str = P, *, stances: tuple[Stance, ...] = (Stance.FOR,) * 3, body: Body | None = None,
           text: str = "The zone is closed to all aircraft.", **table: object) -> None:  # fmt: skip
    logs.table(proposal=number, body=body, text=text, **table)  # type: ignore[arg-type]
    logs.circulate(logs.deliver(ALL, proposal=number, text=text), proposal=number, body=body, text=text)
    for party, stance in zip(ALL, stances, strict=False):
        logs.say(party, stance, proposal=number, text=text)
    logs.wait(DAY_MS + 1)
    logs.tick()


def of(logs: Logs, number: str = P, at_ms: int = LATER_MS, subject: str = "") -> tuple[Authority, str]:
    found = authority(logs.docket(), number, at_ms, subject=subject)
    return found.authority, found.reason


def test_r4_7_an_adopted_decision_carries_what_cites_it_from_its_adoption_on() -> None:
    logs = logs_of()
    decide(logs, authorises=("NFZ-1",))
    assert of(logs, at_ms=START_MS + DAY_MS, subject="NFZ-1") == (Authority.IN_FORCE, "")
    assert of(logs, at_ms=START_MS + DAY_MS - 1)[0] is Authority.NOT_SHOWN
    assert of(logs, subject="NFZ-2") == (Authority.NOT_SHOWN, "it authorises NFZ-1, not NFZ-2")


@pytest.mark.parametrize("number", ["", "SIM-DECISION-1", SECOND, "P-", "\x00"])
def test_r4_7_a_decision_that_cannot_be_shown_carries_nothing(number: str) -> None:
    logs = logs_of()
    decide(logs)
    found = authority(logs.docket(), number, LATER_MS)
    assert found.authority is Authority.NOT_SHOWN
    assert found.reason
    assert not found.carries(restricts=True)


def test_r4_7_dual_key_needs_both_bodies_and_one_text() -> None:
    logs = logs_of()
    other = council(("aa", "bb", "cc"), ("simple-majority",), body_id="alliance")
    logs.write("hub", Constitute(body=other))
    decide(logs, key_of=SECOND)
    assert of(logs) == (Authority.ONE_KEY_MISSING, f"no proposal {SECOND} was tabled in the logs that are here")
    logs.table(proposal=SECOND, body=other, key_of=P)
    assert of(logs) == (Authority.ONE_KEY_MISSING, f"{SECOND} is TABLED")
    logs.circulate(proposal=SECOND, body=other)
    for party in ALL:
        logs.say(party, Stance.FOR, proposal=SECOND)
    logs.wait(DAY_MS + 1)
    logs.tick()
    assert of(logs) == (Authority.IN_FORCE, "")
    assert of(logs, SECOND) == (Authority.IN_FORCE, "")


def test_r4_7_two_keys_of_one_body_or_for_two_texts_are_one_key() -> None:
    logs = logs_of()
    decide(logs, key_of=SECOND)
    decide(logs, SECOND, key_of=P)
    assert of(logs)[1] == f"{SECOND} is of the same body: two keys are two bodies'"
    logs = logs_of()
    other = council(("aa", "bb", "cc"), ("simple-majority",), body_id="alliance")
    logs.write("hub", Constitute(body=other))
    decide(logs, key_of=SECOND)
    decide(logs, SECOND, body=other, text="Another text.", key_of=P)
    assert of(logs)[1] == f"{SECOND} has another text"


def test_what_an_advisory_vote_says_authorises_nothing() -> None:
    logs = logs_of()
    decide(logs, effect=Effect.ADVISORY)
    assert of(logs) == (Authority.NOT_SHOWN, "it is advisory: nothing follows from it")


def test_a_decision_lapses_and_is_revoked_by_a_later_one_of_the_same_body_alone() -> None:
    logs = logs_of()
    decide(logs, expires_ms=START_MS + 10 * DAY_MS)
    assert of(logs, at_ms=START_MS + 10 * DAY_MS)[0] is Authority.IN_FORCE
    assert of(logs, at_ms=START_MS + 10 * DAY_MS + 1)[0] is Authority.LAPSED
    other = council(("aa", "bb", "cc"), ("simple-majority",), body_id="alliance")
    logs.write("hub", Constitute(body=other))
    decide(logs, "P-HUB-2026-0003", body=other, text="No zone.", revokes=(P,))
    assert of(logs, at_ms=START_MS + 9 * DAY_MS)[0] is Authority.IN_FORCE
    decide(logs, SECOND, text="No zone.", revokes=(P,))
    assert of(logs, at_ms=START_MS + 9 * DAY_MS) == (Authority.REVOKED, f"revoked by {SECOND}")
    assert of(logs, at_ms=START_MS + 2 * DAY_MS)[0] is Authority.IN_FORCE, "not before it was revoked"


def test_a_proposal_to_revoke_that_was_voted_down_revokes_nothing() -> None:
    logs = logs_of()
    decide(logs)
    decide(logs, SECOND, stances=(Stance.AGAINST,) * 3, text="No zone.", revokes=(P,))
    assert of(logs)[0] is Authority.IN_FORCE


def test_without_a_quorum_the_more_restrictive_state_stands() -> None:
    logs = logs_of(quorum=Quorum(numerator=2, denominator=3))
    decide(logs, stances=(Stance.FOR,))
    found = authority(logs.docket(), P, LATER_MS)
    assert (found.authority, found.reason) == (Authority.SUSPENDED, "it lapsed undecided")
    assert found.carries(restricts=True), "a closed zone stays closed"
    assert not found.carries(restricts=False), "a corridor does not open"


def test_a_reserved_or_amended_text_and_one_that_cannot_be_recomputed_are_in_doubt() -> None:
    logs = logs_of("silence")
    decide(logs, stances=(Stance.RESERVE,))
    assert of(logs) == (Authority.SUSPENDED, "a member has reserved its position")
    logs.write("hub", Amend(proposal=P, version=2, title=TITLE, text="Another text.", language="en"))
    assert of(logs) == (Authority.SUSPENDED, "its text was amended and is not decided")
    logs = logs_of()
    decide(logs)
    found = authority(logs.docket(without=("aa",)), P, LATER_MS)
    assert (found.authority, found.reason) == (Authority.SUSPENDED, "what decides on it is not all here")


def test_what_was_voted_down_broken_or_is_still_open_carries_nothing() -> None:
    logs = logs_of()
    decide(logs, stances=(Stance.AGAINST,) * 3)
    assert of(logs) == (Authority.NOT_SHOWN, "it is REJECTED")
    logs = logs_of("silence")
    decide(logs, stances=(Stance.BREAK_SILENCE,))
    assert of(logs) == (Authority.NOT_SHOWN, "it is BROKEN")
