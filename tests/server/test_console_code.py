"""The page's TypeScript holds its types, and its own tests pass: in a copy, with the pinned packages."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL_MAX_S = 240


def hook() -> Any:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_holds_its_types_and_its_own_tests_pass(tmp_path: Path) -> None:
    build = hook()
    try:
        node, npm = build.find_node()
    except build.ConsoleBuildError as error:
        pytest.skip(str(error))
    web = tmp_path / "web"
    shutil.copytree(ROOT / "web", web, ignore=shutil.ignore_patterns("node_modules", "dist"))
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}", "CI": "1"}

    def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [node, *command], cwd=web, env=environment, timeout=TOOL_MAX_S, capture_output=True, text=True, check=False
        )

    fetched = run(npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    if fetched.returncode:
        pytest.skip(f"npm could not fetch the pinned packages: {(fetched.stderr or fetched.stdout).strip()[:200]}")
    for tool, *arguments in (("typescript/bin/tsc", "--noEmit"), ("vitest/vitest.mjs", "run")):
        done = run(web / "node_modules" / tool, *arguments)
        assert done.returncode == 0, f"{tool}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}"
