"""The documents say what is so: commands' help is up to date, links lead somewhere, snippets run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")


def test_the_commands_reference_is_up_to_date() -> None:
    result = subprocess.run([sys.executable, ROOT / "scripts" / "write-help", "--check"], env=_environment())
    assert result.returncode == 0, "run scripts/write-help and commit what it writes"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: str(d.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(document.read_text()):
        if "://" not in target and not target.startswith("mailto:"):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


@pytest.mark.parametrize(
    "document", [d for d in DOCUMENTS if SNIPPET.search(d.read_text())], ids=lambda d: str(d.relative_to(ROOT))
)
def test_snippets_run(document: Path, tmp_path: Path) -> None:
    """All Python snippets of a document run in order, in an empty folder, as one program."""
    program = "\n".join(SNIPPET.findall(document.read_text()))
    result = subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", "-c", program],
        cwd=tmp_path, capture_output=True, text=True, env=_environment(), timeout=180,
    )  # fmt: skip
    assert result.returncode == 0, f"{document.name}:\n{result.stderr[-2000:]}"


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src")}
