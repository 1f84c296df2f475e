"""The documents say what is so: help, columns, formats, errors, requirements complete; links lead on, snippets run."""

from __future__ import annotations

import enum
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import pytest

import keepclear
from keepclear import errors, node
from keepclear.alerts.heartbeat import BeatState
from keepclear.alerts.model import Alert, AlertStatus, AlertType, EndReason, EventKind, Fix, ReviewVerdict
from keepclear.cli.commands import COMMANDS
from keepclear.detection.infringement import ScanSettings, find_infringements
from keepclear.detection.recorded import encounters_recorded
from keepclear.detection.rows import encounter_rows, infringement_rows
from keepclear.detection.situation import Verdict
from keepclear.feeds.formats import FORMATS
from keepclear.feeds.reports import ReportBatch
from keepclear.node import conflicts
from keepclear.space.geometry import EdgeType
from keepclear.tracks.assemble import assemble
from keepclear.zones.zone_set import ZoneSet

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
WITH_SNIPPETS = [document for document in DOCUMENTS if SNIPPET.search(document.read_text())]
SNIPPETS_MAX_S = 180
"""They take some ten seconds once the kernels are compiled; the first time compiling comes on top."""

# All documents run in one process, each as a program of its own in an empty folder: loading numba once is enough.
RUNNER = """
import json, os, pathlib, sys, traceback
for name, text in json.load(sys.stdin):
    folder = pathlib.Path(sys.argv[1], name.replace("/", "_"))
    folder.mkdir()
    os.chdir(folder)
    try:
        exec(compile(text, name, "exec"), {"__name__": "__main__"})
    except BaseException:
        sys.exit(f"{name}\\n{traceback.format_exc()}")
"""


def test_the_commands_reference_is_up_to_date() -> None:
    result = subprocess.run([sys.executable, ROOT / "scripts" / "write-help", "--check"], env=_environment())
    assert result.returncode == 0, "run scripts/write-help and commit what it writes"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for link in LINK.findall(FENCE.sub("", document.read_text())):
        target, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        place = document.parent / target if target else document
        assert place.exists(), f"{document.name} links to {target}"
        if anchor:
            assert anchor in _anchors(place), f"{document.name} links to {link}, and there is no such heading"


def test_every_document_is_reached_from_the_index() -> None:
    index = DOCS / "README.md"
    reached = {(index.parent / link.partition("#")[0]).resolve() for link in LINK.findall(index.read_text())}
    decisions = DOCS / "decisions" / "README.md"
    reached |= {(decisions.parent / link).resolve() for link in LINK.findall(decisions.read_text())}
    missing = [d for d in DOCS.rglob("*.md") if d.resolve() not in reached and d != index]
    assert not missing, f"docs/README.md does not lead to {missing}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_tables_have_rows_as_wide_as_their_heads(document: Path) -> None:
    """A row with a stray or missing bar is shown broken, or cut."""
    wide = 0
    for number, line in enumerate(FENCE.sub("", document.read_text()).splitlines(), 1):
        if not line.startswith("|"):
            wide = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", re.sub(r"`[^`]*`", lambda code: code[0].replace("|", "?"), line)))
        raw = len(re.findall(r"(?<!\\)\|", line))
        assert cells == raw, f"{document.name}, line {number}: a bar inside code cuts the cell; write \\|"
        assert wide in (0, cells), f"{document.name}, line {number}: {cells - 1} cells under a head of {wide - 1}"
        wide = cells


def test_snippets_run(tmp_path: Path) -> None:
    """All Python snippets of a document run in order, in an empty folder, as one program."""
    programs = [(str(d.relative_to(ROOT)), "\n".join(SNIPPET.findall(d.read_text()))) for d in WITH_SNIPPETS]
    assert len(programs) >= 3
    result = subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", "-c", RUNNER, str(tmp_path)],
        input=json.dumps(programs), capture_output=True, text=True, env=_environment(), timeout=SNIPPETS_MAX_S,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr[-3000:]


def test_the_documented_columns_are_the_real_ones() -> None:
    table, zones = assemble(ReportBatch.empty()), ZoneSet(())
    real = [
        infringement_rows(find_infringements(table, zones, ScanSettings()), table, zones).column_names,
        encounter_rows(encounters_recorded(table), table).column_names,
        conflicts([]).rows.column_names,
    ]
    text = (REFERENCE / "results.md").read_text()
    documented = [_first_cells(section) for section in text.split("\n## ")[1:]]
    assert documented == real


def test_every_feed_format_is_documented_with_whether_it_can_be_live() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|.*\| (yes|no) \|$", (REFERENCE / "feeds.md").read_text(), re.MULTILINE)
    assert dict(rows) == {name: "yes" if feed.streaming else "no" for name, feed in FORMATS.items()}
    described = re.findall(r"^\*\*(.+?)\*\*", (REFERENCE / "feeds.md").read_text(), re.MULTILINE)
    assert {name for line in described for name in re.findall(r"`([a-z-]+)`", line)} == set(FORMATS)


def test_every_command_is_documented() -> None:
    text = (REFERENCE / "commands.md").read_text()
    assert [name for name in COMMANDS if f"## `keepclear {name}`" not in text] == []


@pytest.mark.parametrize(
    ("page", "kind"),
    [
        ("reference/alerts.md", AlertType), ("reference/alerts.md", AlertStatus), ("reference/alerts.md", EventKind),
        ("reference/alerts.md", EndReason), ("reference/alerts.md", ReviewVerdict),
        ("reference/alerts.md", BeatState), ("explanation/verdicts.md", Verdict), ("explanation/geometry.md", EdgeType),
    ],
)  # fmt: skip
def test_every_word_of_the_result_is_documented(page: str, kind: type[enum.Enum]) -> None:
    text = (DOCS / page).read_text()
    words = [str(member) if kind is BeatState else str(member.name) for member in kind]
    assert [word for word in words if word != "NONE" and not re.search(rf"[`| ]{word}[`| ,]", text)] == []


def test_every_field_of_an_alert_line_is_documented() -> None:
    text = (REFERENCE / "alerts.md").read_text()
    instants = {"raised_s", "changed_s", "entered_s", "left_s", "ended_s", "tca_s", "time_s"}
    names = [f.name.removesuffix("_s") if f.name in instants else f.name for f in (*fields(Alert), *fields(Fix))]
    assert [name for name in names if f"`{name}`" not in text] == []


def test_every_public_error_is_documented() -> None:
    """Those of errors.py, and whatever else is derived from them in the package."""
    names = set(errors.__all__)
    derived = re.compile(rf"^class (\w+)\((?:{'|'.join(errors.__all__)})\)", re.MULTILINE)
    for path in (ROOT / "src").rglob("*.py"):
        names |= set(derived.findall(path.read_text()))
    table = (REFERENCE / "errors.md").read_text().split("| error |")[1]
    assert set(_first_cells(table)) == names


def test_every_setting_of_the_environment_is_documented() -> None:
    text = (REFERENCE / "settings.md").read_text()
    paths = [*(ROOT / "src").rglob("*.py"), ROOT / "hatch_build.py", ROOT / "build_geoid.py"]
    read = {name for path in paths for name in re.findall(r"\"(KEEPCLEAR_[A-Z_]+)\"", path.read_text())}
    passed_on = {"KEEPCLEAR_STATIC"}  # from the build hook to the page's own build; nobody sets it by hand
    assert read - passed_on == set(re.findall(r"`(KEEPCLEAR_[A-Z_]+)`", text))


def test_every_public_function_and_setting_of_python_is_documented() -> None:
    text = (REFERENCE / "python.md").read_text()
    settings = [f.name for kind in (ScanSettings, node.WatchSettings) for f in fields(kind)]
    assert [name for name in keepclear.__all__ if f"`kc.{name}" not in text] == []
    assert [name for name in settings if f"`{name}`" not in text] == []


@pytest.mark.parametrize(("chapter", "requirements"), [(1, 11), (2, 11), (4, 8)])
def test_every_requirement_has_a_test_and_the_table_leads_to_some(chapter: int, requirements: int) -> None:
    held: dict[int, set[str]] = {number: set() for number in range(1, requirements + 1)}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for number in re.findall(rf"^def test_r{chapter}_(\d+)_", path.read_text(), re.MULTILINE):
            held[int(number)].add(path.relative_to(ROOT).as_posix())
    assert [number for number, files in held.items() if not files] == [], "a requirement without a test"
    table = (DOCS / "explanation" / "requirements.md").read_text()
    rows = re.findall(rf"^\| R{chapter}\.(\d+) \|(.*)$", table, re.MULTILINE)
    documented = {int(number): set(re.findall(r"\((?:\.\./){2}(tests/[\w/.]+)\)", row)) for number, row in rows}
    assert documented.keys() == held.keys()
    assert [n for n, files in documented.items() if not files or not files <= held[n]] == []


def _first_cells(text: str) -> list[str]:
    """The first cells that are code, of the first table in the text."""
    return re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)


def _anchors(document: Path) -> Sequence[str]:
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", document.read_text()), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src")}
