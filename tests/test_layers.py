"""The flow runs one way: no layer imports one above it, and the command line's overview loads nothing heavy."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_import_contract_holds() -> None:
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert "KEPT" in result.stdout


def test_every_package_stands_in_the_contract() -> None:
    contract = (ROOT / "pyproject.toml").read_text()
    packages = {
        p.stem for p in (ROOT / "src" / "keepclear").iterdir()
        if not p.name.startswith("_") and (p.is_dir() or p.suffix == ".py")
    }  # fmt: skip
    missing = {
        name for name in packages if f'keepclear.{name}"' not in contract and f"keepclear.{name} " not in contract
    }
    assert not missing, f"not in the layers of pyproject.toml: {missing}"
    for package in packages:
        folder = ROOT / "src" / "keepclear" / package
        assert not folder.is_dir() or (folder / "__init__.py").exists(), f"{package} is not a package"


def test_no_copyleft_library_is_imported() -> None:
    forbidden = ("pyModeS", "asterix_decoder", "pymerkle", "bluesky")
    for source in (ROOT / "src").rglob("*.py"):
        for line in source.read_text().splitlines():
            if line.lstrip().startswith(("import ", "from ")):
                assert not any(name in line for name in forbidden), f"{source}: {line.strip()}"
