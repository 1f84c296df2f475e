"""The record of a channel on the disk: a folder or a zip, whole or absent, the same bytes from the same store."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from keepclear.channel.charter import SignedCharter
from keepclear.channel.record.export import Source, export_files
from keepclear.channel.record.transcript import Transcript, transcribe
from keepclear.edge.channel.files import FolderFiles
from keepclear.edge.whole_file import write_whole
from keepclear.errors import InputError, UsageError

__all__ = ["export_record"]

_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""The same for every file, or the same record would be another zip tomorrow."""
_READABLE = 0o644 << 16


def export_record(
    source: Source,
    charters: Sequence[SignedCharter],
    path: Path,
    transcripts: dict[str, Transcript] | None = None,
) -> int:
    """Writes the record to ``path`` (a zip where it ends in .zip) and returns the number of files.

    ``charters`` are those that the party joined under, the channel's first first. ``transcripts`` are written from
    the record itself, by file name. Raises :class:`UsageError` where something is there already,
    :class:`InputError` where the disk refuses; in both cases nothing is left behind.
    """
    if path.exists():
        raise UsageError(f"{path}: is there already; name another place, or remove it")
    try:
        folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", source=str(path)) from None
    try:
        count = _write_folder(folder, export_files(source, *charters))
        files = FolderFiles(folder)
        for name, transcript in sorted((transcripts or {}).items()):
            _write_file(folder / name, (part.encode() for part in transcribe(files, transcript)))
            count += 1
        if path.suffix.lower() == ".zip":
            write_whole(path, lambda file: _write_zip(file, folder))
        else:
            folder.chmod(0o755)
            _sync(folder)
            os.rename(folder, path)
            _sync(path.parent)
        return count
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"cannot be written ({reason}); nothing was left behind", source=str(path)) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_folder(folder: Path, files: Iterable[tuple[str, bytes]]) -> int:
    count = 0
    made: set[Path] = set()
    for name, data in files:
        place = folder / name
        if place.parent not in made:
            place.parent.mkdir(parents=True, exist_ok=True)
            made.add(place.parent)
        _write_file(place, (data,))
        count += 1
    for parent in made:
        _sync(parent)
    return count


def _write_file(path: Path, parts: Iterable[bytes]) -> None:
    with open(path, "wb") as file:
        file.writelines(parts)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_zip(file: IO[bytes], folder: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in FolderFiles(folder).names():
            info = zipfile.ZipInfo(name, _ZIP_DATE)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, _READABLE
            info.create_system = 3
            with archive.open(info, "w", force_zip64=True) as member, open(folder / name, "rb") as source:
                shutil.copyfileobj(source, member, 1 << 20)
