"""Holds true that the command line answers at once, says each refusal in one line, with the promised exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from keepclear import __version__
from keepclear.cli import main as door
from keepclear.cli.commands import COMMANDS
from keepclear.errors import InputError, MissingExtra, UsageError


@pytest.fixture
def failing() -> Iterator[list[BaseException]]:
    """A command that raises what stands in the list."""
    raised: list[BaseException] = []

    @click.command()
    def probe() -> int:
        if raised:
            raise raised[0]
        return 1

    module = type(sys)("keepclear.cli.probe")
    module.__dict__["command"] = probe
    sys.modules["keepclear.cli.probe"] = module
    COMMANDS["probe"] = "A test."
    yield raised
    del COMMANDS["probe"], sys.modules["keepclear.cli.probe"]


def run_in_subprocess(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "keepclear.cli.main", *arguments],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment},
    )  # fmt: skip


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from keepclear.cli.main import run; code = run(['--help']);"
        "print(sorted({'numpy', 'numba', 'pyarrow', 'rich', 'shapely', 'asyncio', 'msgspec'} & set(sys.modules)), code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[] 0"
    assert all(name in done.stdout for name in ("demo", "zones", "scan", "encounters", "watch", "alerts"))


def test_no_commands_own_help_imports_anything_heavy_either() -> None:
    program = (
        "import sys, click; from keepclear.cli.commands import COMMANDS, command\n"
        "from keepclear.cli.main import run\n"
        "heavy = {'numpy', 'numba', 'pyarrow', 'rich', 'shapely'}\n"
        "def every(found, path):\n"
        "    code = run([*path, '--help'])\n"
        "    print('#', *path, code, sorted(heavy & set(sys.modules)))\n"
        "    for name in getattr(found, 'commands', {}):\n"
        "        every(found.commands[name], [*path, name])\n"
        "for name in COMMANDS:\n"
        "    every(command.get_command(click.Context(command), name), [name])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    said = [line for line in done.stdout.splitlines() if line.startswith("# ")]
    assert len(said) > 15
    assert [line for line in said if not line.endswith(" 0 []")] == []


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.run(["--version"]) == 0
    assert capsys.readouterr().out == f"keepclear {__version__}\n"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InputError("is broken", where="line 3", source="a.txt"), 2, "keepclear: a.txt, line 3: is broken\n"),
        (UsageError("not so"), 2, "keepclear: not so\n"),
        (MissingExtra("Shapefiles", "gis"), 2, "keepclear: Shapefiles needs an optional part: pip install "
                                               "'keepclear[gis]'\n"),
        (FileNotFoundError(2, "No such file or directory", "x.csv"), 2,
         "keepclear: x.csv: No such file or directory\n"),
        (KeyboardInterrupt(), 130, "keepclear: interrupted; nothing was left half-written\n"),
        (InputError("two\nlines"), 2, "keepclear: two lines\n"),
    ],
)  # fmt: skip
def test_every_refusal_is_one_line(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    failing.append(error)
    assert door.run(["probe"]) == code
    assert capsys.readouterr().err.lstrip("\n") == said


def test_a_defect_is_one_line_unless_its_traceback_is_asked_for(
    failing: list[BaseException], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing.append(ZeroDivisionError("oops"))
    assert door.run(["probe"]) == 70
    assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setenv("KEEPCLEAR_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        door.run(["probe"])


@pytest.mark.usefixtures("failing")
def test_a_commands_result_is_the_exit_code() -> None:
    assert door.run(["probe"]) == 1


def test_a_wrong_call_says_what_is_meant(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.run(["zonse"]) == 2
    assert "did you mean 'zones'?" in capsys.readouterr().err
    assert door.run(["zones", "show"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert door.run(["zones", "show", "--nonsense", "x"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert door.run([]) == 0
    assert "Commands" in capsys.readouterr().out


def test_a_reader_that_goes_away_ends_it_quietly(tmp_path: Path) -> None:
    source = tmp_path / "many.openair"
    block = "AC R\nAN ZONE\nAL GND\nAH FL100\nV X=48:30:00 N 008:30:00 E\nDC 2\n"
    source.write_text(block * 3000)
    command = [sys.executable, "-m", "keepclear.cli.main", "zones", "show", str(source), "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(100)
        process.stdout.close()
        said = process.stderr.read()
        code = process.wait(timeout=60)
    assert (code, said) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_output_sent_to_a_full_disk_is_one_line(tmp_path: Path) -> None:
    source = tmp_path / "one.openair"
    source.write_text("AC R\nAN ZONE\nAL GND\nAH FL100\nV X=48:30:00 N 008:30:00 E\nDC 2\n")
    command = [sys.executable, "-m", "keepclear.cli.main", "zones", "show", str(source), "--format", "json"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    said = b"keepclear: the output cannot be written (No space left on device)\n"
    assert (done.returncode, done.stderr) == (2, said)


def test_an_unreadable_file_is_one_line_with_its_name() -> None:
    done = run_in_subprocess("zones", "show", "/nowhere/at/all.json")
    assert done.returncode == 2
    assert done.stderr == "keepclear: /nowhere/at/all.json: cannot be read (No such file or directory)\n"


def test_an_interrupt_is_one_line_even_if_a_librarys_finaliser_fails_after_it() -> None:
    program = """
import os, signal, sys, click
from keepclear.cli import main as door
from keepclear.cli.commands import COMMANDS

class HalfMade:
    def __init__(self):
        os.kill(os.getpid(), signal.SIGINT)
        self.handle = 1
    def __del__(self):
        self.handle

module = type(sys)("keepclear.cli.probe")
module.command = click.Command("probe", callback=lambda: HalfMade())
sys.modules["keepclear.cli.probe"] = module
COMMANDS["probe"] = "A test."
door.main(["probe"])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 130
    assert done.stderr == "keepclear: interrupted; nothing was left half-written\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_falls_into_a_finaliser_ends_the_command_too(number: signal.Signals) -> None:
    program = """
import os, sys, click
from keepclear.cli import main as door
from keepclear.cli.commands import COMMANDS

class Swallowing:
    def __del__(self):
        os.kill(os.getpid(), NUMBER)
        sum(range(10))

def go_on_for_ever():
    Swallowing()
    while True:
        pass

module = type(sys)("keepclear.cli.probe")
module.command = click.Command("probe", callback=go_on_for_ever)
sys.modules["keepclear.cli.probe"] = module
COMMANDS["probe"] = "A test."
door.main(["probe"])
"""
    called = [sys.executable, "-c", program.replace("NUMBER", str(int(number)))]
    done = subprocess.run(called, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (128 + number, "keepclear: interrupted; nothing was left half-written\n")
