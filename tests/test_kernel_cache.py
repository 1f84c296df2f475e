"""What is compiled is kept, noticed when anything it was made of changes, and never in the way of a program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from keepclear import kernel_cache
from keepclear.kernel_cache import OLD_KEPT, fingerprint, kept_in

CALLEE = """
from numba import njit

@njit(cache=True)
def one() -> int:
    return {value}
"""
CALLER = """
from numba import njit
from keepclear.tiny.kernels.callee import one

@njit(cache=True)
def two() -> int:
    return one() + 1
"""
PROGRAM = """
import sys
import keepclear
keepclear.__path__.append(sys.argv[1])
from keepclear import kernel_cache
kernel_cache.PACKAGE = __import__("pathlib").Path(sys.argv[1])
kernel_cache.install()
from keepclear.tiny.kernels.caller import two
print(two(), sum(two.stats.cache_hits.values()))
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A package with a kernel that calls one of another file."""
    kernels = tmp_path / "src" / "tiny" / "kernels"
    kernels.mkdir(parents=True)
    (kernels / "callee.py").write_text(CALLEE.format(value=1))
    (kernels / "caller.py").write_text(CALLER)
    return tmp_path / "src"


def run(tiny: Path, **environment: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tiny)], capture_output=True, text=True, check=False, cwd=tiny,
        env={**clean, "HOME": str(tiny / "home"), **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_a_changed_callee_in_another_file_is_noticed(tiny: Path) -> None:
    assert run(tiny) == "2 0"
    assert run(tiny) == "2 1", "the second run compiles nothing"
    (tiny / "tiny" / "kernels" / "callee.py").write_text(CALLEE.format(value=5))
    assert run(tiny) == "6 0"
    (tiny / "tiny" / "kernels" / "callee.py").write_text(CALLEE.format(value=1))
    assert run(tiny) == "2 1", "back to the old source, and to what was kept of it"


def test_no_writable_place_at_all_still_gives_a_working_program(tiny: Path) -> None:
    """A file where each folder would have to be, so that it holds for root too."""
    for name in ("wanted", "home"):
        (tiny / name).write_text("")
    (tiny / "tiny" / "kernels" / "__pycache__").write_text("")
    environment = {"NUMBA_CACHE_DIR": str(tiny / "wanted"), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(tiny)}
    assert run(tiny, **environment) == "2 0"
    assert not list(tiny.glob("keepclear-*")), "its own folder is gone with it"


def test_an_empty_cache_setting_means_none(tiny: Path) -> None:
    assert run(tiny, NUMBA_CACHE_DIR="") == "2 0"
    assert list((tiny / "tiny" / "kernels" / "__pycache__").glob("caller-*/*.nbi"))


def test_the_chosen_folder_is_used(tiny: Path) -> None:
    run(tiny, NUMBA_CACHE_DIR=str(tiny / "chosen"))
    assert list((tiny / "chosen" / "keepclear" / "tiny").glob("caller-*/*.nbi"))
    assert not list((tiny / "tiny" / "kernels" / "__pycache__").glob("caller-*"))


def test_folders_of_old_versions_do_not_pile_up(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setattr(kernel_cache, "PACKAGE", tiny)
    module = tiny / "tiny" / "kernels" / "caller.py"
    folders = []
    for value in range(OLD_KEPT + 3):
        (module.parent / "callee.py").write_text(CALLEE.format(value=value))
        fingerprint.cache_clear()
        folders.append(kept_in(module))
        os.utime(folders[-1], (value, value))
    fingerprint.cache_clear()
    assert len(set(folders)) == OLD_KEPT + 3
    assert [f.exists() for f in folders] == [False] * 3 + [True] * OLD_KEPT


MANY = """
import sys
import keepclear
keepclear.__path__.append(sys.argv[1])
from pathlib import Path
from numba.core import caching
from keepclear import kernel_cache
kernel_cache.PACKAGE = Path(sys.argv[1])
kernel_cache.install()
folder = kernel_cache.kept_in(Path(sys.argv[1]) / "tiny" / "kernels" / "callee.py")
sys.stdin.read(1)
for k in range(40):
    caching.IndexDataCacheFile(str(folder), "one", "stamp").save((sys.argv[2], k), (sys.argv[2], k))
print(folder)
"""


def test_two_first_processes_that_compile_for_different_arguments_keep_both_and_mix_up_nothing(tiny: Path) -> None:
    from numba.core.caching import IndexDataCacheFile

    environment = {**os.environ, "HOME": str(tiny)}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MANY, str(tiny), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environment,
        )
        for name in "ab"
    ]  # fmt: skip
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("g")
        process.stdin.flush()
    folders = {process.communicate()[0].strip() for process in processes}
    assert [process.returncode for process in processes] == [0, 0]
    (folder,) = folders
    kept: Any = cast(Any, IndexDataCacheFile)(folder, "one", "stamp")
    assert [key for key in ((name, k) for name in "ab" for k in range(40)) if kept.load(key) != key] == []


def test_who_waits_too_long_for_the_others_keeps_nothing_and_goes_on(
    tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(kernel_cache, "LOCKED_MAX_S", 0.02)
    with open(tiny / "lock", "ab") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with kernel_cache._alone(tiny) as alone:
            assert not alone
    with kernel_cache._alone(tiny) as alone:
        assert alone
