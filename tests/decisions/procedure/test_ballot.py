"""Secret ballots: sealed until the deadline, opened together, and what is not opened rightly is void and shown."""

from __future__ import annotations

from keepclear.decisions.acts import Commit, Open, text_hash
from keepclear.decisions.procedure.ballot import seal
from keepclear.decisions.procedure.status import Status
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.vocabulary import State, VoidReason
from tests.decisions.logs import CHANNEL, DAY_MS, HOUR_MS, TEXT, TITLE, Logs, P, council

NONCE = "5" * 64


def secret() -> Logs:
    logs = Logs(council(rules=("simple-majority",)))
    logs.table()
    logs.circulate(open_in_ms=HOUR_MS)
    return logs


def commit(logs: Logs, party: str, stance: Stance, *, member: str | None = None, nonce: str = NONCE) -> None:
    digest = text_hash(TITLE, TEXT, "en")
    sealed = seal(CHANNEL, P, 1, digest, member or party, stance, nonce)
    logs.seal(party, Commit(proposal=P, version=1, member=member or party, commitment=sealed), member)


def reveal(logs: Logs, party: str, stance: Stance, *, member: str | None = None, nonce: str = NONCE) -> None:
    logs.seal(party, Open(proposal=P, version=1, member=member or party, stance=stance, nonce=nonce), member)


def closed(logs: Logs) -> Logs:
    logs.wait(DAY_MS + 1)
    return logs


def opened(logs: Logs) -> Status:
    logs.wait(HOUR_MS)
    logs.tick()
    return logs.status()


def void_of(found: Status) -> list[tuple[str, VoidReason]]:
    return [(v.member, v.reason) for v in found.void]


def test_votes_are_sealed_until_the_deadline_and_count_once_they_are_opened() -> None:
    logs = secret()
    for party in ("aa", "bb", "cc"):
        commit(logs, party, Stance.AGAINST if party == "cc" else Stance.FOR)
    found = logs.status()
    assert found.round is not None
    assert (found.state, found.round.sealed, found.round.counted) == (State.VOTING, ("aa", "bb", "cc"), ())
    closed(logs).tick()
    assert logs.status().state is State.OPENING
    for party in ("aa", "bb", "cc"):
        reveal(logs, party, Stance.AGAINST if party == "cc" else Stance.FOR)
    assert logs.status().state is State.OPENING, "until the time for it has ended, others may still open"
    found = opened(logs)
    assert (found.state, found.void) == (State.ADOPTED, ())
    assert found.tally is not None
    assert found.tally.counts == {Stance.FOR: 2, Stance.AGAINST: 1}


def test_a_vote_that_is_not_opened_or_opened_as_another_is_void_and_shown() -> None:
    logs = secret()
    for party in ("aa", "bb", "cc"):
        commit(logs, party, Stance.FOR)
    closed(logs)
    reveal(logs, "aa", Stance.FOR)
    reveal(logs, "bb", Stance.AGAINST)  # another stance
    reveal(logs, "cc", Stance.FOR, nonce="6" * 64)  # another nonce
    assert [v for v in void_of(logs.status()) if v[1] is VoidReason.NOT_OPENED] == []
    found = opened(logs)
    assert void_of(found) == [
        ("bb", VoidReason.OPENED_WRONGLY), ("bb", VoidReason.NOT_OPENED),
        ("cc", VoidReason.OPENED_WRONGLY), ("cc", VoidReason.NOT_OPENED),
    ]  # fmt: skip
    assert found.tally is not None
    assert found.tally.counts == {Stance.FOR: 1}


def test_an_opening_before_the_deadline_is_void_and_may_be_made_again_after_it() -> None:
    logs = secret()
    commit(logs, "aa", Stance.FOR)
    reveal(logs, "aa", Stance.FOR)
    closed(logs)
    found = logs.status()
    assert void_of(found) == [("aa", VoidReason.TOO_EARLY)]
    reveal(logs, "aa", Stance.FOR)
    assert opened(logs).outcome is Outcome.ADOPTED


def test_a_commitment_after_the_deadline_an_opening_after_its_time_and_one_without_commitment_are_void() -> None:
    logs = secret()
    commit(logs, "aa", Stance.FOR)
    closed(logs)
    commit(logs, "bb", Stance.FOR)
    reveal(logs, "bb", Stance.FOR)
    logs.wait(HOUR_MS)
    reveal(logs, "aa", Stance.FOR)
    found = logs.status()
    assert set(void_of(found)) == {
        ("bb", VoidReason.LATE), ("bb", VoidReason.NO_COMMITMENT), ("aa", VoidReason.LATE),
        ("aa", VoidReason.NOT_OPENED),
    }  # fmt: skip
    assert found.outcome is Outcome.REJECTED


def test_an_open_vote_in_a_secret_ballot_and_a_sealed_one_in_an_open_ballot_are_void() -> None:
    logs = secret()
    logs.say("aa", Stance.FOR)
    assert void_of(logs.status()) == [("aa", VoidReason.BALLOT)]
    logs = Logs(council(rules=("simple-majority",)))
    logs.table()
    logs.circulate()
    commit(logs, "aa", Stance.FOR)
    assert void_of(logs.status()) == [("aa", VoidReason.BALLOT)]


def test_a_later_commitment_of_the_same_log_takes_the_place_of_an_earlier_one() -> None:
    logs = secret()
    commit(logs, "aa", Stance.FOR)
    commit(logs, "aa", Stance.AGAINST)
    closed(logs)
    reveal(logs, "aa", Stance.FOR)
    reveal(logs, "aa", Stance.AGAINST)
    found = opened(logs)
    assert found.tally is not None
    assert found.tally.counts == {Stance.AGAINST: 1}
    assert void_of(found) == [("aa", VoidReason.OPENED_WRONGLY)]


def test_a_commitment_is_for_one_member_text_and_channel_alone() -> None:
    said = (CHANNEL, P, 1, "0" * 64, "aa", Stance.FOR, NONCE)
    others = [
        ("d" * 64, *said[1:]), (*said[:2], 2, *said[3:]), (*said[:3], "1" * 64, *said[4:]),
        (*said[:4], "bb", *said[5:]), (*said[:5], Stance.AGAINST, NONCE), (*said[:6], "6" * 64),
    ]  # fmt: skip
    assert len({seal(*said), *(seal(*other) for other in others)}) == 7
