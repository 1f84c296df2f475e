"""Files of declared volumes from the disk, in any of the formats, into one list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from keepclear.detection.conflict import DeclaredVolume
from keepclear.edge import volume_json, volume_table, volume_zones
from keepclear.edge.volume_reading import VOLUMES_MAX, VolumeReading
from keepclear.edge.zone_files import file_content
from keepclear.errors import InputError, LimitExceeded
from keepclear.zones import geojson
from keepclear.zones.formats import FORMATS as ZONE_FORMATS
from keepclear.zones.formats import detect_format
from keepclear.zones.reading import Problem

__all__ = ["FORMATS", "VolumeLoad", "load_volumes", "read_volumes"]

FORMATS = ("f3548", "csv", "parquet", *ZONE_FORMATS)


@dataclass(frozen=True, slots=True)
class VolumeLoad:
    """The volumes of all files; ``declaration`` numbers what was declared together (one id in one file)."""

    volumes: tuple[DeclaredVolume, ...]
    declaration: tuple[int, ...]
    part: tuple[int, ...]
    source: tuple[str, ...]
    """file and place in it"""
    problems: tuple[Problem, ...] = ()

    def __len__(self) -> int:
        return len(self.volumes)


def load_volumes(paths: Iterable[Path], *, format: str | None = None) -> VolumeLoad:
    """Every file's volumes. A file that cannot be read as a whole raises :class:`InputError` carrying its name."""
    volumes: list[DeclaredVolume] = []
    declaration: list[int] = []
    part: list[int] = []
    source: list[str] = []
    problems: list[Problem] = []
    numbers: dict[tuple[int, str], int] = {}
    for file, path in enumerate(paths):
        try:
            reading = read_volumes(file_content(path), str(path), format)
        except InputError as error:
            error.source = error.source or str(path)
            raise
        volumes += reading.volumes
        declaration += [numbers.setdefault((file, volume.id), len(numbers)) for volume in reading.volumes]
        part += reading.part
        source += [f"{path}, {place}" if place else str(path) for place in reading.place]
        problems += reading.problems
        if len(volumes) > VOLUMES_MAX:
            raise LimitExceeded(f"more than {VOLUMES_MAX:,} volumes in all", source=str(path))
    return VolumeLoad(tuple(volumes), tuple(declaration), tuple(part), tuple(source), tuple(problems))


def read_volumes(data: bytes, source: str, format: str | None = None) -> VolumeReading:
    """The volumes of one file's bytes; the format is recognised by content where it is not given."""
    chosen = format or _recognise(data, source)
    if chosen == "f3548":
        return volume_json.read(data, source)
    if chosen == "csv":
        return volume_table.read_csv(data, source)
    if chosen == "parquet":
        return volume_table.read_parquet(data, source)
    if chosen not in ZONE_FORMATS:
        raise InputError(f"there is no format {chosen!r}; there are: {', '.join(FORMATS)}", source=source)
    return volume_zones.read(data, source, chosen)


def _recognise(data: bytes, source: str) -> str:
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if data[:4] == b"PAR1":
        return "parquet"
    if head[:1] in (b"[", b"{") and not geojson.looks_like(data):
        if b'"volume' in data or b'"extents"' in data:
            return "f3548"
    elif _names(head) & {"wkt", "radius_m"}:
        return "csv"
    return detect_format(data, source)


def _names(head: bytes) -> set[str]:
    """The fields of the first line."""
    return {name.strip().strip('"') for name in head.split(b"\n", 1)[0].decode("utf-8", "replace").split(",")}
