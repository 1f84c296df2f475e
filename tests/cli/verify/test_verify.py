"""``keepclear verify`` says in words and by its exit code what a record, or a single file of it, shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keepclear.channel.charter import charter_digits
from keepclear.cli.main import run
from keepclear.edge.channel.export import export_record
from keepclear.simulation.channel_record import Exercise


@pytest.fixture(scope="module")
def exercise() -> Exercise:
    made = Exercise(("alpha", "bravo"), seed=4)
    made.message("alpha")
    made.reply("bravo")
    made.close()
    return made


@pytest.fixture
def record(exercise: Exercise, tmp_path: Path) -> Path:
    export_record(exercise, (exercise.first,), tmp_path / "record")
    return tmp_path / "record"


def test_a_good_record_is_verified_but_loudly_only_in_itself(
    record: Path, exercise: Exercise, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(record)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("VERIFIED, BUT ONLY IN ITSELF: nothing was given from elsewhere")
    assert charter_digits(exercise.first.charter) in text
    assert "HELD 1, SHOWN 1, READ_BACK 1, ANSWERED 1" in text
    assert "\nnot proved:" in text
    digits = charter_digits(exercise.first.charter).replace(" ", "-")
    for known in (
        ["--channel", digits],
        ["--channel", exercise.channel],
        ["--charter", str(record / "charter-0.json")],
    ):
        assert run(["verify", str(record), *known]) == 0
        assert capsys.readouterr().out.startswith("VERIFIED: the record of the channel that you named is whole")


def test_a_spoilt_one_is_not_and_the_line_says_what_and_where(
    record: Path, exercise: Exercise, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(record), "--channel", "0" * 64]) == 1
    assert f"fault    charter-0.json: the record is of the channel {exercise.channel}" in capsys.readouterr().out
    body = next((record / "logs" / "alpha" / "bodies").rglob("1"))
    body.write_bytes(body.read_bytes()[:-1] + b"!")
    assert run(["verify", str(record), "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["verdict"] == "NOT VERIFIED"
    assert found["findings"][0]["what"] == "the body of entry 0 of alpha is not the one that was signed"
    assert found["proved"] == []


def test_several_processes_find_the_same(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = []
    for jobs in ("1", "2"):
        assert run(["verify", str(record), "--jobs", jobs, "--format", "json"]) == 0
        outputs.append(json.loads(capsys.readouterr().out))
    assert outputs[0] == outputs[1]


def test_a_fork_is_something_found(exercise: Exercise, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    forked = Exercise(("alpha", "bravo"), seed=4)
    forked.message("alpha")
    forked.fork_by_heads("alpha")
    export_record(forked, (forked.first,), tmp_path / "forked.zip")
    assert run(["verify", str(tmp_path / "forked.zip")]) == 1
    assert "VERIFIED, AND IT PROVES A FORK" in capsys.readouterr().out
    export_record(forked, (forked.first,), tmp_path / "forked")
    alone = str(tmp_path / "forked" / "forks" / "alpha-0.json")
    charter = str(tmp_path / "forked" / "charter-0.json")
    assert run(["verify", alone, "--charter", charter]) == 1
    assert "FORK PROVED: alpha signed two different heads of its log at 1 entries" in capsys.readouterr().out
    assert run(["verify", alone]) == 2
    assert "give the channel's first charter" in capsys.readouterr().err


def test_single_files_are_verified_too(
    record: Path, exercise: Exercise, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    charter, proof = str(record / "charter-0.json"), str(record / "proofs" / "alpha-0.tlog-proof")
    assert run(["verify", charter]) == 0
    assert "is signed by all its parties: alpha, bravo" in capsys.readouterr().out
    entry = tmp_path / "entry"
    entry.write_bytes(exercise.records("alpha", 0)[0].record.payload)
    assert run(["verify", proof, "--charter", charter, "--entry", str(entry)]) == 0
    assert "number 0 of alpha's log, under its signed head of 1 entries, cosigned by bravo" in capsys.readouterr().out
    entry.write_bytes(exercise.records("bravo", 0)[0].record.payload)
    assert run(["verify", proof, "--charter", charter, "--entry", str(entry)]) == 1
    assert "NOT VERIFIED" in capsys.readouterr().out
    assert run(["verify", proof, "--charter", charter]) == 2


@pytest.mark.parametrize(
    ("name", "data", "line"),
    [
        ("picture.png", b"\x89PNG", "neither a record (folder or zip) nor a .tlog-proof"),
        ("torn.zip", b"PK\x03\x04", "neither a record's folder nor a zip of one"),
        ("empty", b"", "neither a record"),
    ],
)
def test_what_is_no_record_is_one_line_and_exit_code_2(
    name: str, data: bytes, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(data)
    assert run(["verify", str(tmp_path / name)]) == 2
    assert line in capsys.readouterr().err
    assert run(["verify", str(tmp_path)]) == 2
    assert "no exported record" in capsys.readouterr().err
    assert run(["verify", str(tmp_path / "nothing")]) == 2
    assert run(["verify", str(tmp_path), "--channel", "123"]) == 2
