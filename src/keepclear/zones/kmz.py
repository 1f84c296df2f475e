"""KMZ: the KML inside a zip archive, with the archive's claims bounded before anything is unpacked."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from keepclear.errors import InputError, LimitExceeded
from keepclear.zones.xml_tree import MAX_DOCUMENT_BYTES

__all__ = ["pack", "unpack"]

MAX_ENTRIES = 1_000
"""Icons and overlays lie beside the KML; a published archive has some dozens."""
MAX_RATIO = 250
"""KML packs to a tenth or a fiftieth; deflate's most is 1,032, which only a bomb comes near."""
_SMALL_BYTES = 1024 * 1024
"""Below this the ratio does not matter."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The zip format's first instant: the same zones give the same bytes."""


def unpack(data: bytes, *, source: str = "") -> bytes:
    """The bytes of ``doc.kml``, else of the first ``.kml``; raises :class:`InputError` for broken archives."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise LimitExceeded(
                    f"the archive has {len(entries):,} entries, more than {MAX_ENTRIES:,}", source=source
                )
            files = [entry for entry in entries if entry.filename.lower().endswith(".kml")]
            if not files:
                raise InputError("there is no .kml in this archive", source=source)
            entry = next((file for file in files if file.filename.lower() == "doc.kml"), files[0])
            name = entry.filename[:80]
            if entry.flag_bits & 0x1:
                raise InputError("the KML in this archive is encrypted", where=name, source=source)
            if entry.file_size > MAX_DOCUMENT_BYTES or (
                entry.file_size > _SMALL_BYTES and entry.file_size > MAX_RATIO * max(entry.compress_size, 1)
            ):
                raise LimitExceeded(
                    f"the KML would unpack from {entry.compress_size:,} to {entry.file_size:,} bytes, more than "
                    f"{MAX_DOCUMENT_BYTES:,} or {MAX_RATIO} times as many: give the .kml itself",
                    where=name, source=source,
                )  # fmt: skip
            with archive.open(entry) as packed:
                text = packed.read(MAX_DOCUMENT_BYTES + 1)
    except InputError:
        raise
    except (
        zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError, OSError,
        ValueError, struct.error, LookupError, OverflowError,
    ) as error:  # fmt: skip
        raise InputError(f"the archive is broken ({error})", source=source) from None
    if len(text) > MAX_DOCUMENT_BYTES:
        raise LimitExceeded(f"the KML unpacks to more than {MAX_DOCUMENT_BYTES:,} bytes", where=name, source=source)
    return text


def pack(kml: bytes) -> bytes:
    """An archive with one entry, ``doc.kml``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo("doc.kml", _EPOCH)
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, kml)
    return buffer.getvalue()
