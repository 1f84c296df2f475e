"""Anyone with an exported record finds what was decided, and where the secretary says something else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keepclear.channel.entry import Draft, Reference
from keepclear.channel.record.verify import verify_export
from keepclear.cli.main import run
from keepclear.decisions.acts import (
    DECISION_KIND,
    AnyAct,
    Circulate,
    Close,
    Constitute,
    Position,
    Received,
    Register,
    Registered,
    Table,
    encode_act,
    text_hash,
)
from keepclear.decisions.procedure.recomputation import recompute
from keepclear.decisions.rules.body import body_hash
from keepclear.decisions.rules.stance import Outcome, Stance
from keepclear.decisions.vocabulary import State, Under
from keepclear.edge.channel.export import export_record
from keepclear.edge.channel.files import open_record
from keepclear.simulation.channel_record import Exercise
from keepclear.simulation.parties import CREATED_MS
from tests.decisions.logs import HOUR_MS, TEXT, TITLE, P, council

MEMBERS = ("aa", "bb", "cc")


def write(exercise: Exercise, party: str, act: AnyAct, later_ms: int = 1_000) -> Reference:
    exercise.say(party, [Draft(DECISION_KIND, encode_act(act))], later_ms=later_ms)
    return exercise.reference(party, exercise.records(party, 0)[-1].seq)


def decided(said: Outcome, *, broken: bool = False, seed: int = 1) -> Exercise:
    """A silence that ends, and what the secretary says came of it."""
    exercise = Exercise(("hub", *MEMBERS), seed=seed)
    body, digest = council(), text_hash(TITLE, TEXT, "en")
    for party in exercise.ids:
        write(exercise, party, Constitute(body=body))
    write(
        exercise, "hub", Table(proposal=P, body=body_hash(body), rule="silence", title=TITLE, text=TEXT, language="en")
    )
    delivered = tuple(write(exercise, m, Received(proposal=P, version=1, text_hash=digest)) for m in MEMBERS)
    write(exercise, "hub", Circulate(proposal=P, version=1, text_hash=digest, under=Under.SILENCE,
                                     closes_ms=CREATED_MS + HOUR_MS, delivered=delivered))  # fmt: skip
    if broken:
        stance = Stance.BREAK_SILENCE
        at = write(exercise, "bb", Position(proposal=P, version=1, text_hash=digest, member="bb", stance=stance))
        entry = Registered(member="bb", party=at.party, seq=at.seq, leaf=at.leaf)
        write(exercise, "hub", Register(proposal=P, version=1, positions=(entry,)))
    write(exercise, "hub", Close(proposal=P, version=1, outcome=said), later_ms=2 * HOUR_MS)
    exercise.close()
    return exercise


def exported(exercise: Exercise, folder: Path) -> Path:
    export_record(exercise, (exercise.first,), folder / "record")
    return folder / "record"


def test_verify_prints_what_follows_from_the_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = exported(decided(Outcome.ADOPTED), tmp_path)
    assert run(["verify", str(record)]) == 0
    assert f"decision {P} «{TITLE}»: ADOPTED on 2023-11-14T23:13:20Z (3 silent)" in capsys.readouterr().out


def test_verify_says_where_the_secretary_says_something_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = exported(decided(Outcome.ADOPTED, broken=True), tmp_path)
    assert run(["verify", str(record)]) == 1
    out = capsys.readouterr().out
    assert out.startswith("VERIFIED"), "the record itself is sound"
    assert "the secretary closed version 1 as ADOPTED; it is REJECTED" in out
    assert run(["verify", str(record), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["decisions"][0]["state"], found["decisions"][0]["outcome"]) == ("CONSULTATION", "REJECTED")
    assert found["decision_faults"] == [f"{P}: the secretary closed version 1 as ADOPTED; it is REJECTED"]


def test_a_log_that_is_not_sound_is_not_used_and_what_rests_on_it_is_left_open(tmp_path: Path) -> None:
    record = exported(decided(Outcome.REJECTED, broken=True), tmp_path)
    bodies = next((record / "logs" / "bb" / "bodies").rglob("*.p/*"))
    bodies.write_bytes(bodies.read_bytes()[:-1] + b"!")
    files = open_record(record)
    found = verify_export(files)
    assert not found.verified
    (decision,) = recompute(files, found).decisions
    assert decision.state is State.INCOMPLETE
    assert "the log of bb is here only up to 0 entries" in {m.why for m in decision.missing}


def test_a_record_without_decisions_says_nothing_of_any(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exercise = Exercise(("alfa", "bravo"), seed=4)
    exercise.message("alfa")
    exercise.close()
    record = exported(exercise, tmp_path)
    assert run(["verify", str(record), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["decisions"] == []
