"""The reference of rules is what the data says, and its example is a body."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from keepclear.decisions.rules.body_file import read_body
from keepclear.decisions.rules.rule import Basis
from keepclear.decisions.rules.stance import Stance

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "decision-rules.md").read_text()


def test_the_tables_of_rules_bodies_and_cases_are_up_to_date() -> None:
    result = subprocess.run(
        [sys.executable, ROOT / "scripts" / "write-rules", "--check"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert result.returncode == 0, "run scripts/write-rules and commit what it writes"


def test_the_example_is_a_body() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    body = read_body(example.encode())
    assert [rule.id for rule in body.rules] == ["silence", "two-thirds-of-votes"]


def test_every_stance_and_every_basis_is_explained() -> None:
    assert [stance for stance in Stance if f"| `{stance.value}` |" not in PAGE] == []
    assert [basis for basis in Basis if f"| `{basis.value}` |" not in PAGE] == []
