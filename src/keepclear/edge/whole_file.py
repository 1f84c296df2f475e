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
    """
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


def write_bytes(path: Path, data: bytes, *, private: bool = False) -> None:
    """``data`` as the whole file; ``private``: for its owner's eyes only."""

    def write(file: IO[bytes]) -> None:
        file.write(data)

    write_whole(path, write, mode=0o600 if private else 0o666)
