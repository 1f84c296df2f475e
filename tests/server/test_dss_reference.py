"""The DSS's reference lists the operations that there are."""

from __future__ import annotations

import re
from pathlib import Path

from keepclear.dss.scopes import SCOPES
from keepclear.server.dss.app import OPERATIONS
from keepclear.server.dss.auxiliary import METRICS
from keepclear.server.dss.operations import Operation

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "dss.md"


def row(operation: Operation) -> str:
    path = re.sub(r"\{(\w+):path\}", r"{\1}", operation.path)
    alternatives = SCOPES[operation.scope] if operation.scope else ()
    scopes = " or ".join("`" + "` + `".join(sorted(needed)) + "`" for needed in alternatives) or "none"
    codes = " ".join(str(code) for code in operation.codes)
    return f"| {operation.method} | `{path}` | {scopes} | {operation.ok} | {codes} |"


def test_every_operation_is_documented_with_its_scopes_and_codes() -> None:
    documented = [line for line in REFERENCE.read_text().splitlines() if re.match(r"\| (GET|PUT|POST|DELETE) ", line)]
    assert sorted(documented) == sorted(row(operation) for operation in (*OPERATIONS, METRICS))


def test_every_scope_opens_some_operation() -> None:
    assert {operation.scope for operation in OPERATIONS if operation.scope} == set(SCOPES)
