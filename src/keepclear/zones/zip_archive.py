"""Zip archives from others: an archive's claims are bounded before anything is unpacked."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from keepclear.errors import InputError, LimitExceeded

__all__ = ["open_archive", "pack", "read_entry"]

MAX_ENTRIES = 1_000
"""Icons and overlays lie beside a KML, other forms beside a shapefile; a published archive has some dozens."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The zip format's first instant: the same content gives the same bytes."""


@contextmanager
def open_archive(data: bytes, source: str) -> Iterator[zipfile.ZipFile]:
    """Raises :class:`InputError` for a broken archive, while it is opened or read."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            count = len(archive.infolist())
            if count > MAX_ENTRIES:
                raise LimitExceeded(f"the archive has {count:,} entries, more than {MAX_ENTRIES:,}", source=source)
            yield archive
    except InputError:
        raise
    except (
        zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError, OSError,
        ValueError, struct.error, LookupError, OverflowError,
    ) as error:  # fmt: skip
        raise InputError(f"the archive is broken ({error})", source=source) from None


def read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, bytes_max: int, source: str) -> bytes:
    """What is in it, also where the archive lies about its size."""
    name = entry.filename[:80]
    if entry.flag_bits & 0x1:
        raise InputError("this file of the archive is encrypted", where=name, source=source)
    content = b""
    if entry.file_size <= bytes_max:
        with archive.open(entry) as packed:
            content = packed.read(bytes_max + 1)
    if entry.file_size > bytes_max or len(content) > bytes_max:
        raise LimitExceeded(f"this file of the archive unpacks to more than {bytes_max:,} bytes", where=name,
                            source=source)  # fmt: skip
    return content


def pack(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these files, by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = compression
            archive.writestr(entry, content)
    return buffer.getvalue()
