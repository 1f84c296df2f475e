"""A file is written whole or not at all: into a sibling, flushed to the disk, then renamed over the old one."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO

from keepclear.errors import InputError

__all__ = ["write_bytes", "write_whole"]


def write_whole(path: Path, write: Callable[[IO[bytes]], None], *, mode: int = 0o666) -> None:
    """Calls ``write`` with an open temporary file beside ``path`` and renames it once everything is on disk.

    Whatever goes wrong on the way (a full disk, Ctrl-C, an error of ``write``), ``path`` is what it was before and
    no temporary file stays behind. Raises :class:`InputError` where the operating system refuses.

    What is no file (``/dev/stdout``, a pipe) is written into, and a link stays a link: a rename would put a file in
    their place. Files for their owner's eyes only follow no link.
    """
    if mode & 0o077:
        if path.exists() and not path.is_file() and not path.is_dir():
            _write_into(path, write)
            return
        if path.is_symlink():
            path = Path(os.path.realpath(path))
    # The name is known before there is a file of it: an interrupt at any instant finds what to remove.
    unfinished = path.parent / f".{path.name}.{secrets.token_hex(8)}.part"
    opened = False
    try:
        with open(unfinished, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            opened = True
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException as error:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            unfinished.unlink()
        if isinstance(error, OSError) and not isinstance(error, BrokenPipeError):
            reason = error.strerror or str(error)
            behind = "; nothing was left behind" if opened else ""
            raise InputError(f"cannot be written ({reason}){behind}", source=str(path)) from None
        raise


def _write_into(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    try:
        with open(path, "wb") as file:
            write(file)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise InputError(f"cannot be written ({error.strerror or error})", source=str(path)) from None


def write_bytes(path: Path, data: bytes, *, private: bool = False) -> None:
    """``data`` as the whole file; ``private``: for its owner's eyes only."""

    def write(file: IO[bytes]) -> None:
        file.write(data)

    write_whole(path, write, mode=0o600 if private else 0o666)
