"""The files of an exported record on the disk: a folder, or a zip of one."""

from __future__ import annotations

import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from keepclear.channel.record.verify import NOT_A_RECORD
from keepclear.errors import InputError, LimitExceeded

__all__ = ["FolderFiles", "ZipFiles", "open_record"]

_ZIP_ERRORS = (
    OSError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, RuntimeError, EOFError, ValueError,
    OverflowError, IndexError,
)  # fmt: skip
"""What the standard library's reader lets out for damaged bytes (found by mutation)."""
_NAMES_MAX = 50_000_000
"""A zip's directory is kept in memory; that many files would be a log of three thousand million entries."""


PIECE_BYTES = 1 << 16


def open_record(path: Path) -> FolderFiles | ZipFiles:
    """Raises :class:`InputError` for what is neither a folder nor a zip."""
    if path.is_dir():
        return FolderFiles(path)
    if not path.exists():
        raise InputError("there is no such file or folder", source=str(path))
    return ZipFiles(path)


class FolderFiles:
    """Symbolic links and devices are no files of a record: what they lead to may be another thing tomorrow."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> Iterator[str]:
        yield from _walk(str(self._path), "")

    def read(self, name: str, limit: int) -> bytes | None:
        path = os.path.join(self._path, *name.split("/"))
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", source=name) from None
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise InputError("is not a plain file", source=name)
            if found.st_size > limit:
                raise LimitExceeded(f"has {found.st_size:,} bytes, more than {limit:,}", source=name)
            return file.read(found.st_size + 1)

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of a file that may be of any size, some of it at a time."""
        path = os.path.join(self._path, *name.split("/"))
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb", buffering=0) as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise InputError("is not a plain file", source=name)
                while piece := file.read(PIECE_BYTES):
                    yield piece
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", source=name) from None


def _walk(folder: str, prefix: str) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", source=folder) from None
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(entry.path, f"{prefix}{entry.name}/")
        else:
            yield prefix + entry.name


class ZipFiles:
    """May hold the record at its top or in one folder. Opened again in another process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
            infos = [info for info in self._zip.infolist() if not info.is_dir()]
        except _ZIP_ERRORS as error:
            raise InputError(f"neither a record's folder nor a zip of one ({error})", source=str(path)) from None
        if len(infos) > _NAMES_MAX:
            raise LimitExceeded(f"has more than {_NAMES_MAX:,} files", source=str(path))
        tops = [
            info.filename.removesuffix("charter-0.json") for info in infos if info.filename.endswith("charter-0.json")
        ]
        prefix = min((top for top in tops if top.count("/") <= 1), key=len, default=None)
        if prefix is None:
            raise InputError(NOT_A_RECORD, source=str(path))
        self._infos: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            name = info.filename.removeprefix(prefix) if info.filename.startswith(prefix) else f"../{info.filename}"
            if name in self._infos:
                raise InputError("is in the zip twice", source=name)
            self._infos[name] = info

    def __reduce__(self) -> tuple[type[ZipFiles], tuple[Path]]:
        return ZipFiles, (self._path,)

    def names(self) -> Iterator[str]:
        yield from self._infos

    def read(self, name: str, limit: int) -> bytes | None:
        info = self._infos.get(name)
        if info is None:
            return None
        if info.file_size > limit:
            raise LimitExceeded(f"has {info.file_size:,} bytes, more than {limit:,}", source=name)
        try:
            with self._zip.open(info) as file:
                data = file.read(limit + 1)
        except _ZIP_ERRORS as error:
            raise InputError(f"cannot be read from the zip ({error})", source=name) from None
        if len(data) > limit:
            raise LimitExceeded(f"has more than {limit:,} bytes", source=name)
        return data

    def pieces(self, name: str) -> Iterator[bytes]:
        """As :meth:`FolderFiles.pieces`."""
        try:
            with self._zip.open(self._infos[name]) as file:
                while piece := file.read(PIECE_BYTES):
                    yield piece
        except _ZIP_ERRORS as error:
            raise InputError(f"cannot be read from the zip ({error})", source=name) from None
