"""Where compiled kernels are kept: in a folder named after all that went into them.

numba's own cache notices a change of a kernel's file, but not of a file whose kernels or constants it took in: after an
upgrade in place it would go on with the old ones. Here each module's folder carries a hash of its source, of all
kernel sources below it, and of the versions of Python, numba and llvmlite, so that old and new never share a file.

Nor does numba's cache know of other processes: two that compile one kernel for different arguments at once would give
both the same file's name, and whoever reads it back later would run the one for the arguments of the other. Here they
take turns.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

__all__ = ["install", "is_compiled", "kept_in"]

PACKAGE = Path(__file__).resolve().parent
IMPORT = re.compile(r"^from keepclear\.([\w.]+) import|^import keepclear\.([\w.]+)", re.MULTILINE)
OLD_KEPT = 3
"""Folders of one module that stay: an older process may still be at work, and who goes back finds them again."""

LOCKED_MAX_S = 5.0
"""Keeping one kernel takes milliseconds. Who waits longer does not keep his: it is compiled again next time."""

_private: list[str] = []
_kept: set[Path] = set()
"""Folders of ours"""


def install() -> None:
    """Let numba keep the kernels of this package here; what others compile stays where numba puts it."""
    from numba.core import caching

    if not any(locator.__name__ == "KernelLocator" for locator in caching.CacheImpl._locator_classes):
        caching.CacheImpl._locator_classes.insert(0, _locator(caching))
        setattr(caching, "IndexDataCacheFile", _cache_file(caching))  # noqa: B010 (numba has types)


def is_compiled(module: Path) -> bool:
    """Whether anything of this kernel module, as it is now, was compiled and kept."""
    return any(any((base / name).glob("*.nbi")) for base, name in _places(module))


def kept_in(module: Path) -> Path:
    """The folder for what is compiled of this module: the first that can be written; at worst this process's own."""
    for base, name in _places(module):
        folder = base / name
        with contextlib.suppress(OSError):
            if not folder.is_dir():
                folder.mkdir(parents=True, exist_ok=True)
                _remove_oldest(base, module.stem)
            tempfile.TemporaryFile(dir=folder).close()
            _kept.add(folder)
            return folder
    if not _private:
        # Not in a place that others could fill: what is read back from here is run.
        _private.append(tempfile.mkdtemp(prefix="keepclear-"))
        import atexit

        atexit.register(shutil.rmtree, _private[0], ignore_errors=True)
    folder = Path(_private[0]) / module.parent.parent.name / module.stem
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether no other process writes in this folder meanwhile. Where a file system has no locks nobody waits."""
    try:
        import fcntl
    except ImportError:
        yield True
        return
    with open(folder / "lock", "ab") as file:
        until_s = time.monotonic() + LOCKED_MAX_S
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() < until_s:
                    time.sleep(0.01)
                    continue
                yield False
                return
            except OSError:
                pass
            yield True
            return


def _places(module: Path) -> list[tuple[Path, str]]:
    name = f"{module.stem}-{fingerprint(module)}"
    bases = [module.parent / "__pycache__"]
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    below = Path("keepclear") / module.parent.parent.name
    if chosen:
        bases.insert(0, Path(chosen) / below)
    with contextlib.suppress(RuntimeError):  # nobody's home
        bases.append(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / below)
    return [(base, name) for base in bases]


@cache
def fingerprint(module: Path) -> str:
    """Of the module, all kernel modules it builds on, and the modules their constants come from."""
    from importlib.metadata import version

    seen: dict[Path, bytes] = {}
    ahead = [module]
    while ahead:
        path = ahead.pop()
        if path in seen:
            continue
        seen[path] = path.read_bytes()
        # Beyond the kernels only the constants named in them matter, not what those modules import in their turn.
        if path.parent.name == "kernels":
            for names in IMPORT.findall(seen[path].decode()):
                file = PACKAGE.joinpath(*(names[0] or names[1]).split(".")).with_suffix(".py")
                if file.is_file():
                    ahead.append(file)
    digest = hashlib.sha256(f"{sys.version}\n{version('numba')}\n{version('llvmlite')}\n".encode())
    for path in sorted(seen):
        digest.update(f"{path.relative_to(module.parents[2])}\n{len(seen[path])}\n".encode() + seen[path])
    return digest.hexdigest()[:16]


def _remove_oldest(base: Path, stem: str) -> None:
    found = sorted(base.glob(f"{stem}-" + "[0-9a-f]" * 16), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in found[OLD_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


def _locator(caching: Any) -> Any:
    once = cache(kept_in)

    class KernelLocator(caching._CacheLocator):  # type: ignore[misc]
        def __init__(self, function: Any, module: Path) -> None:
            self._line = function.__code__.co_firstlineno
            self._module = module

        @classmethod
        def from_function(cls, function: Any, file: str) -> Any:
            module = Path(file).resolve()
            if module.parent.name != "kernels" or PACKAGE not in module.parents:
                return None
            return cls(function, module)

        def get_cache_path(self) -> str:
            return str(once(self._module))

        def get_source_stamp(self) -> str:
            return fingerprint(self._module)

        def get_disambiguator(self) -> str:
            return str(self._line)

    return KernelLocator


def _cache_file(caching: Any) -> Any:
    class KernelCacheFile(caching.IndexDataCacheFile):  # type: ignore[misc]
        def save(self, key: Any, data: Any) -> None:
            folder = Path(self._cache_path)
            with _alone(folder) if folder in _kept else contextlib.nullcontext(True) as alone:
                if alone:
                    super().save(key, data)

    return KernelCacheFile
