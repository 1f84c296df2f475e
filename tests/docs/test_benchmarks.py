"""Every benchmark that a document names can be asked what it does, and finds what it imports of the project."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))
OURS = {"keepclear": ROOT / "src", "benchmarks": ROOT, "tests": ROOT}


def file_of(module: str) -> Path | None:
    stem = OURS[module.split(".")[0]].joinpath(*module.split("."))
    return next((file for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()), None)


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_what_a_benchmark_takes_from_the_project_is_there(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom) or (node.module or "").split(".")[0] not in OURS:
            continue
        assert node.module
        for name in (alias.name for alias in node.names):
            if file_of(f"{node.module}.{name}"):
                continue
            file = file_of(node.module)
            assert file is not None, f"{path.name}: no module {node.module}"
            assert name in file.read_text(), f"{path.name}: {node.module} has no {name}"


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_that_is_run_answers_help(path: Path) -> None:
    text = path.read_text()
    taken = [
        file_of(module)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("benchmarks")
        for module in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
    ]
    read = "".join([text, *(file.read_text() for file in taken if file)])
    assert "__main__" not in text or "ArgumentParser(" in read


def test_a_peer_that_is_not_installed_is_one_line() -> None:
    code = "import benchmarks; raise ModuleNotFoundError('x', name='polars.io')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == (
        "this benchmark needs polars, which is not installed here: pip install --group bench --group test\n"
    )
