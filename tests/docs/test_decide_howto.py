"""docs/how-to/decide.md as a program: every command is run in order, and prints what is shown there («…»: anything)."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from keepclear.cli.main import run
from keepclear.quantities import UNBOUNDED
from keepclear.space.geometry import Circle
from keepclear.zones.formats import write_zones
from keepclear.zones.model import Volume, Zone
from keepclear.zones.zone_set import ZoneSet
from tests.cli.decide.deciding import Table, make_table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "decide.md"
PART = re.compile(r"^```(json|text|console)\n(.*?)^```$|^<!-- (two days later) -->$", re.DOTALL | re.MULTILINE)
BEGINS_MS = 1_772_355_600_000
"""1 March 2026, 09:00 UTC."""


def settled(table: Table) -> None:
    """As between served nodes: what was written is with the others, and the secretary has received it."""
    table.exchange()
    assert run(["decide", "register", "--node", "alfa"]) in (0, 2)  # 2: there is no body yet
    table.exchange()


def matches(shown: list[str], said: list[str]) -> bool:
    """A line «…» stands for any lines, «…» in a line for any characters."""
    pattern = "".join(r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*") + r"\n" for line in shown)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in said)) is not None


def test_the_commands_run_in_order_and_print_what_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = make_table(tmp_path, capsys, monkeypatch, begins_ms=BEGINS_MS)
    zone = Zone("CORRIDOR-NORTH", (Volume(Circle(30.5, 50.4, 5_000.0), UNBOUNDED, UNBOUNDED),),
                decision_ref="P-BRAVO-2026-0001")  # fmt: skip
    (tmp_path / "zone.geojson").write_bytes(write_zones(ZoneSet.of((zone,)), "geojson").data)
    ran = 0
    for kind, content, later in PART.findall(PAGE.read_text()):
        if later:
            table.skip(hours=49)
        elif kind == "json":
            (tmp_path / "council.json").write_text(content)
        elif kind == "text":
            (tmp_path / "text.txt").write_text(content)
        else:
            settled(table)
            for call in content.split("$ keepclear ")[1:]:
                command, *shown = call.splitlines()
                capsys.readouterr()
                code = run(shlex.split(command))
                said = capsys.readouterr()
                assert code in (0, 1), (command, said.err)
                assert not shown or matches(shown, said.out.splitlines()), f"{command}\n{said.out}"
                ran += 1
    assert ran > 15
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF-")
