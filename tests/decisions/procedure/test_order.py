"""What follows from logs does not depend on how they came, and what follows from a part of them is never contrary."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.channel.entry import Reference
from keepclear.decisions.acts import Amend, Close, Extend, Open, Sheet, Withdraw, text_hash
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.procedure import status
from keepclear.decisions.procedure.status import Status
from keepclear.decisions.rules.body import Representation
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.errors import UsageError
from tests.decisions.logs import CHANNEL, DAY_MS, HOUR_MS, SINCE, TITLE, Logs, P, council

MEMBERS = ("aa", "bb", "cc", "dd")
PARTIES = (*MEMBERS, "a2", "hub", "zz")
RULES = ("silence", "consensus", "unanimity", "simple-majority", "eu-unanimity")


def anything(rng: Random) -> Logs:
    """A council in which everybody does whatever comes to mind, the secretary included."""
    speakers = {"aa": tuple(Representation(party=p, from_date=SINCE) for p in ("aa", "a2"))}
    logs = Logs(council(MEMBERS, (rng.choice(RULES),), speakers=speakers))
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
                roll = {m: rng.choice(list(Stance)) for m in MEMBERS if rng.random() < 0.7} or {"aa": Stance.FOR}
                digest = text_hash(TITLE, f"Text {version}.", "en")
                logs.write("hub", Sheet(proposal=P, version=version, text_hash=digest, roll=roll))
            case 4:
                loose.append((None, logs.write(party, Withdraw(proposal=P))))
            case 5:
                act = Open(proposal=P, version=version, member="aa", stance=Stance.FOR, nonce="0" * 64)
                loose.append(("aa", logs.write(party, act)))
            case 6:
                logs.tick()
            case _:
                member = rng.choice(MEMBERS) if rng.random() < 0.2 else ("aa" if party == "a2" else party)
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
