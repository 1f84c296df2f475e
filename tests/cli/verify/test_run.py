"""Verification in several processes ends with the one that began it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

PROGRAM = """
import sys, time, click
from dataclasses import dataclass, field
from keepclear.cli.commands import COMMANDS
from keepclear.cli.main import main
from keepclear.cli.verify.run import _spread

@dataclass
class Task:
    party: str
    sizes: dict = field(default_factory=lambda: {"a": 1, "b": 1})

def verify(task):
    print("begun", flush=True)
    time.sleep(600)

module = type(sys)("keepclear.cli.probe")
module.command = click.Command("probe", callback=lambda: _spread(verify, [Task("a"), Task("b")], 2))
sys.modules["keepclear.cli.probe"] = module
COMMANDS["probe"] = "A test."
main(["probe"])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_ends_a_verification_in_several_processes_ends_them_all(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == [b"begun\n"] * 2
        if number is signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal sends it
        else:
            process.send_signal(number)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (128 + number, b"keepclear: interrupted; nothing was left half-written\n")
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # nobody is left
