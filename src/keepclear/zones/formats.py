"""The zone formats by name: which module reads and writes each, by which suffix and first bytes it is known."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from keepclear.errors import InputError, UsageError
from keepclear.zones.model import Zone
from keepclear.zones.reading import ZoneReading, ZoneWriting

if TYPE_CHECKING:
    from keepclear.zones.fir import FirIndex

__all__ = ["FORMATS", "READABLE", "WRITABLE", "ZoneFormat", "detect_format", "read_zones", "write_zones"]

HEAD_BYTES = 4096
"""How much of a file the sniffers look at."""


@dataclass(frozen=True, slots=True)
class ZoneFormat:
    """One format: its name on the command line, its module in this package, its suffixes."""

    name: str
    title: str
    module: str
    suffixes: tuple[str, ...]
    writes: bool = True


FORMATS: dict[str, ZoneFormat] = {
    entry.name: entry
    for entry in (
        # In the order in which they are asked «does this look like yours?»: the most particular first.
        ZoneFormat("ed318", "ED-318 (EU UAS geographical zones)", "ed318", (".json", ".geojson")),
        ZoneFormat("ed269", "ED-269 (EU UAS geographical zones)", "ed269", (".json",)),
        ZoneFormat("geojson", "GeoJSON (RFC 7946)", "geojson", (".geojson", ".json")),
        ZoneFormat("kml", "KML and KMZ", "kml", (".kml", ".kmz")),
        ZoneFormat("aixm", "AIXM 5.1 airspaces", "aixm", (".xml", ".aixm", ".gml"), writes=False),
        ZoneFormat("gis", "Shapefile (zipped) and GeoPackage", "gis", (".zip", ".gpkg", ".shz"), writes=False),
        ZoneFormat("notam", "NOTAM text", "notam", (".notam", ".txt"), writes=False),
        ZoneFormat("openair", "OpenAir", "openair", (".openair", ".air", ".txt")),
    )
}
READABLE = tuple(FORMATS)
WRITABLE = tuple(name for name, entry in FORMATS.items() if entry.writes)


def detect_format(data: bytes, source: str = "") -> str:
    """The format's name, by the first bytes, and by the file's suffix where those say nothing.

    Raises :class:`InputError` where neither tells.
    """
    head = data[:HEAD_BYTES]
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", errors="ignore").encode()
    for entry in FORMATS.values():
        if _module(entry).looks_like(head):
            return entry.name
    suffixes = [suffix.lower() for suffix in PurePath(source).suffixes if suffix.lower() != ".gz"]
    for entry in FORMATS.values():
        # A suffix that several formats share (.json, .txt) tells nothing that the sniffers did not.
        if suffixes and suffixes[-1] in entry.suffixes and suffixes[-1] not in (".json", ".txt", ".xml", ".zip"):
            return entry.name
    raise InputError(f"this is no zone format that we know; name it: {', '.join(READABLE)}", source=source)


def read_zones(data: bytes, source: str, format: str | None = None, firs: FirIndex | None = None) -> ZoneReading:
    """The zones in these bytes. ``source`` is the name that problems carry; ``firs`` the outlines which NOTAMs cite.

    Raises :class:`InputError` where the file as a whole is not what it claims to be; single blocks that are
    broken come back as problems beside the rest.
    """
    module = _module(_entry(format, READABLE) if format else FORMATS[detect_format(data, source)])
    try:
        reading: ZoneReading = (
            module.read(data, source, firs) if module.__name__.endswith(".notam") else module.read(data, source)
        )
    except InputError as error:
        error.source = error.source or source
        raise
    return reading


def write_zones(zones: Iterable[Zone], format: str) -> ZoneWriting:
    """The zones in the format, and what it could not hold of them. Raises :class:`UsageError` for a bad name."""
    writing: ZoneWriting = _module(_entry(format, WRITABLE)).write(tuple(zones))
    return writing


def _entry(name: str, allowed: tuple[str, ...]) -> ZoneFormat:
    if name not in allowed:
        raise UsageError(f"no zone format {name!r} here; there are: {', '.join(allowed)}")
    return FORMATS[name]


def _module(entry: ZoneFormat) -> Any:
    return importlib.import_module(f"keepclear.zones.{entry.module}")
