"""KMZ: the KML inside a zip archive."""

from __future__ import annotations

from keepclear.errors import InputError, LimitExceeded
from keepclear.zones import zip_archive
from keepclear.zones.xml_tree import MAX_DOCUMENT_BYTES

__all__ = ["pack", "unpack"]

MAX_RATIO = 250
"""KML packs to a tenth or a fiftieth; deflate's most is 1,032, which only a bomb comes near."""
_SMALL_BYTES = 1024 * 1024
"""Below this the ratio does not matter."""


def unpack(data: bytes, *, source: str = "") -> bytes:
    """The bytes of ``doc.kml``, else of the first ``.kml``; raises :class:`InputError` for broken archives."""
    with zip_archive.open_archive(data, source) as archive:
        files = [entry for entry in archive.infolist() if entry.filename.lower().endswith(".kml")]
        if not files:
            raise InputError("there is no .kml in this archive", source=source)
        entry = next((file for file in files if file.filename.lower() == "doc.kml"), files[0])
        if entry.file_size > _SMALL_BYTES and entry.file_size > MAX_RATIO * max(entry.compress_size, 1):
            raise LimitExceeded(
                f"the KML would unpack from {entry.compress_size:,} to {entry.file_size:,} bytes, more than "
                f"{MAX_RATIO} times as many: give the .kml itself",
                where=entry.filename[:80], source=source,
            )  # fmt: skip
        return zip_archive.read_entry(archive, entry, MAX_DOCUMENT_BYTES, source)


def pack(kml: bytes) -> bytes:
    """An archive with one entry, ``doc.kml``."""
    return zip_archive.pack({"doc.kml": kml})
