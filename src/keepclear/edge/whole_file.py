"""A file is written whole or not at all: into a sibling, flushed to the disk, then renamed over the old one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from keepclear.errors import InputError

__all__ = ["write_bytes", "write_whole"]


def write_whole(path: Path, write: Callable[[IO[bytes]], None], *, mode: int = 0o666) -> None:
    """Calls ``write`` with an open temporary file beside ``path`` and renames it once everything is on disk.

    Whatever goes wrong on the way (a full disk, Ctrl-C, an error of ``write``), ``path`` is what it was before and
    no temporary file stays behind. Raises :class:`InputError` where the operating system refuses.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent or ".")
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", source=str(path)) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode & ~_umask())
        os.replace(name, path)
    except BaseException as error:
        if os.path.exists(name):
            os.unlink(name)
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            reason = error.strerror or str(error)
            raise InputError(f"cannot be written ({reason}); nothing was left behind", source=str(path)) from None
        raise


def write_bytes(path: Path, data: bytes, *, private: bool = False) -> None:
    """``data`` as the whole file; ``private``: for its owner's eyes only."""

    def write(file: IO[bytes]) -> None:
        file.write(data)

    write_whole(path, write, mode=0o600 if private else 0o666)


def _umask() -> int:
    """The process's umask: mkstemp makes files that only their owner can read, an output is no secret."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
