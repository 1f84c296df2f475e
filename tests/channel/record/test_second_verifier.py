"""The second verifier gives the first one's verdicts and stands alone (campaign: benchmarks.channel_verifiers)."""

from __future__ import annotations

import ast
import importlib.util
import random
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from keepclear.channel.record.verify import verify_export
from keepclear.edge.channel.export import export_record
from keepclear.errors import InputError
from keepclear.simulation.channel_damage import damaged, forged
from keepclear.simulation.channel_record import Exercise, ExerciseFiles, exercise_record

PROGRAM = Path(__file__).resolve().parents[3] / "tools" / "second_verifier" / "verify_record.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_record", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SECOND = load()


def verdicts(files: dict[str, bytes]) -> tuple[str, str]:
    try:
        first = verify_export(ExerciseFiles(files)).verdict
    except InputError:
        first = "NO RECORD"
    try:
        second = SECOND.Record(files.get, lambda: iter(sorted(files))).verify().verdict
    except SECOND.NoRecord:
        second = "NO RECORD"
    return first, second


def test_it_imports_nothing_of_the_package_and_no_other_library_than_libsodiums() -> None:
    names = set()
    for node in ast.walk(ast.parse(PROGRAM.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(str(node.module).split(".")[0])
    assert names - set(sys.stdlib_module_names) == {"nacl"}


@pytest.mark.parametrize("seed", range(40))
def test_it_agrees_on_forgeries_by_those_who_hold_keys(seed: int) -> None:
    first, second = verdicts(forged(seed)[0])
    assert first == second


@pytest.mark.parametrize("seed", range(20))
def test_it_agrees_on_good_and_on_damaged_records(seed: int) -> None:
    files = exercise_record(seed, 8)
    assert verdicts(files) == ("VERIFIED", "VERIFIED")
    first, second = verdicts(damaged(files, random.Random(seed))[0])
    assert first == second


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(PROGRAM), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_as_a_program_it_reads_folders_and_zips_and_says_what_it_found(tmp_path: Path) -> None:
    exercise = Exercise(("alpha", "bravo"), seed=1)
    exercise.run(6)
    export_record(exercise, (exercise.first,), tmp_path / "record")
    export_record(exercise, (exercise.first,), tmp_path / "record.zip")
    for path in (tmp_path / "record", tmp_path / "record.zip"):
        result = run(path, "--channel", exercise.channel)
        assert result.returncode == 0, result.stderr
        assert "VERIFIED: the channel expected" in result.stdout
    assert "nothing from elsewhere confirms" in run(tmp_path / "record").stdout
    (tmp_path / "record" / "README.txt").write_text("believe me")
    assert "not looked into: README.txt" in run(tmp_path / "record").stdout
    assert run(tmp_path / "record", "--channel", "0" * 64).returncode == 1
    (tmp_path / "record" / "logs" / "alpha" / "checkpoint").unlink()
    assert run(tmp_path / "record").returncode == 1
    assert run(tmp_path).returncode == 2
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme", b"")
    assert run(tmp_path / "other.zip").returncode == 2


def test_both_read_a_record_whose_charter_is_larger_than_any_other_body() -> None:
    exercise = Exercise([f"{number:03d}".rjust(63, "p") for number in range(78)])
    exercise.rotate()
    files = exercise.files()
    assert len(files["charter-1.json"]) > 65_535
    assert verdicts(files) == ("VERIFIED", "VERIFIED")
