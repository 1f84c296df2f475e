"""A transcript is held against the entries that it is of: what people read must be what was signed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from keepclear.cli.main import run
from keepclear.cli.verify.transcripts import written_transcripts
from keepclear.edge.channel.export import export_record
from keepclear.simulation.channel_record import Exercise


@pytest.fixture(params=["record", "record.zip"])
def record(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    exercise = Exercise(("alpha", "bravo"), seed=4)
    exercise.message("alpha")
    exercise.reply("bravo")
    exercise.close()
    path = tmp_path / str(request.param)
    export_record(exercise, (exercise.first,), path, written_transcripts(("en", "ar")))
    return path


def test_a_transcript_that_says_what_the_entries_say_is_said_to(
    record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(record), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    names = [f"transcript-{language}.{kind}" for language in ("ar", "en") for kind in ("html", "txt")]
    assert found["transcripts"] == dict.fromkeys(names, True)
    assert any("word for word" in line for line in found["proved"])


@pytest.mark.parametrize("change", [(b"alpha", b"bravo"), (b"\n", b""), (b"", b"and more")])
def test_a_changed_transcript_is_named_though_the_entries_stand(
    change: tuple[bytes, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exercise = Exercise(("alpha", "bravo"), seed=4)
    exercise.message("alpha")
    export_record(exercise, (exercise.first,), tmp_path / "record", written_transcripts(("en",)))
    transcript = tmp_path / "record" / "transcript-en.txt"
    before, after = change
    data = transcript.read_bytes()
    transcript.write_bytes(data.replace(before, after, 1) if before else data + after)
    assert run(["verify", str(tmp_path / "record")]) == 1
    text = capsys.readouterr().out
    assert text.startswith("VERIFIED, BUT NOT transcript-en.txt")
    assert "that transcript-en.txt says what the entries say: it differs" in text
    assert run(["verify", str(tmp_path / "record"), "--skip-transcripts"]) == 0


def test_what_else_is_for_people_is_said_not_to_be_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exercise = Exercise(("alpha", "bravo"), seed=4)
    exercise.message("alpha")
    export_record(exercise, (exercise.first,), tmp_path / "record")
    (tmp_path / "record" / "README.txt").write_text("believe me")
    assert run(["verify", str(tmp_path / "record")]) == 0
    assert "anything in README.txt" in capsys.readouterr().out
