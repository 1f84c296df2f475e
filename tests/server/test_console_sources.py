"""The page is built from pinned packages and our own sources, again only when they have changed."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def hook() -> Any:
    pytest.importorskip("hatchling", reason="hatchling is a build requirement and not installed here")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_package_is_pinned_to_one_version_and_digest() -> None:
    package = json.loads((ROOT / "web" / "package.json").read_text())
    for version in {**package["dependencies"], **package["devDependencies"]}.values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text())
    for name, entry in lock["packages"].items():
        if name:
            assert entry["integrity"].startswith("sha512-"), name
            assert entry.get("resolved", "https://registry.npmjs.org/").startswith("https://registry.npmjs.org/"), name


def test_no_third_party_code_lies_among_our_sources() -> None:
    for path in (ROOT / "web" / "src").rglob("*"):
        assert path.stat().st_size < 64_000, path
        assert path.suffix in (".ts", ".css"), path


def test_the_digest_follows_the_sources_and_nothing_else(hook: Any, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.ts").write_text("1")
    first = hook.sources_digest(tmp_path)
    for ignored in ("node_modules", "dist", "tests"):
        (tmp_path / ignored).mkdir()
        (tmp_path / ignored / "x.ts").write_text("2")
    assert hook.sources_digest(tmp_path) == first
    (tmp_path / "src" / "main.ts").rename(tmp_path / "src" / "other.ts")
    renamed = hook.sources_digest(tmp_path)
    assert renamed != first
    (tmp_path / "src" / "other.ts").write_text("3")
    assert hook.sources_digest(tmp_path) not in (first, renamed)


def test_a_page_built_from_the_same_sources_is_left_alone(hook: Any, tmp_path: Path, monkeypatch: Any) -> None:
    web, static = tmp_path / "web", tmp_path / "static"
    web.mkdir()
    static.mkdir()
    (web / "index.html").write_text("page")
    (static / ".sources-sha256").write_text(hook.sources_digest(web))

    def no_node() -> Any:
        raise hook.ConsoleBuildError("it should not have come to this")

    monkeypatch.setattr(hook, "find_node", no_node)
    assert hook.build_console(web, static) is False
    (web / "index.html").write_text("another page")
    with pytest.raises(hook.ConsoleBuildError):
        hook.build_console(web, static)
    assert static.is_dir()


def test_a_tool_that_fails_is_one_line_and_the_old_page_stays(hook: Any, tmp_path: Path, monkeypatch: Any) -> None:
    import sys

    web, static = tmp_path / "web", tmp_path / "static"
    web.mkdir()
    static.mkdir()
    (static / "index.html").write_text("old")
    npm = tmp_path / "npm.py"
    npm.write_text("import sys\nsys.exit('npm error code ECONNREFUSED\\nnpm error at a place')\n")
    monkeypatch.setattr(hook, "find_node", lambda: (Path(sys.executable), npm))
    with pytest.raises(hook.ConsoleBuildError) as caught:
        hook.build_console(web, static)
    assert str(caught.value) == "npm could not fetch the page's pinned packages: npm error code ECONNREFUSED"
    assert (static / "index.html").read_text() == "old"
