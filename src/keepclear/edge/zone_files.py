"""Zone files from the disk: files, directories, gzip, and the shapefiles' companions, into one zone set."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from keepclear.errors import InputError, LimitExceeded, MissingExtra
from keepclear.zones import zip_archive
from keepclear.zones.fir import FirIndex
from keepclear.zones.formats import FORMATS, read_zones
from keepclear.zones.model import Zone
from keepclear.zones.notam import superseded
from keepclear.zones.reading import Problem, Severity, Supersession, ZoneReading
from keepclear.zones.zone_set import ZoneSet

__all__ = ["ZoneLoad", "file_content", "load_zones", "read_firs", "read_zone_file", "zone_paths"]

FILE_BYTES_MAX = 256 * 1024 * 1024
"""One file, unpacked: the world's airspaces in GeoJSON are some 60 MB; more is not a zone file or is an attack."""
FILES_MAX = 10_000
"""Files under the given directories: a larger tree was surely not meant."""
_SUFFIXES = frozenset({suffix for entry in FORMATS.values() for suffix in entry.suffixes} | {".shp"})
_COMPANIONS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


@dataclass(frozen=True, slots=True)
class ZoneLoad:
    """The zones of all files, and all that was refused or doubtful in them."""

    zones: ZoneSet
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity is Severity.ERROR)


def load_zones(
    paths: Iterable[Path], *, format: str | None = None, firs: Path | Sequence[Path] | None = None
) -> ZoneLoad:
    """Reads every file (of a directory: every file in it with a zone format's suffix) into one set.

    A file that cannot be read as a whole raises :class:`InputError` carrying its name, except within a directory,
    where it becomes an error among the problems. ``firs``: files with the outlines that NOTAMs cite. A NOTAM that
    another one in any of the files replaces or cancels ends then.
    """
    index = read_firs(firs) if firs is not None else None
    zones: dict[tuple[str, str], Zone] = {}
    problems: list[Problem] = []
    ends: list[Supersession] = []
    for path, named in zone_paths(paths):
        try:
            reading = read_zone_file(path, format=format, firs=index)
        except (InputError, MissingExtra) as error:
            if named:
                raise
            reason = error.message if isinstance(error, InputError) else str(error)
            problems.append(Problem(str(path), error.where if isinstance(error, InputError) else "", reason))
            continue
        problems.extend(reading.problems)
        ends.extend(reading.supersessions)
        for zone in reading.zones:
            known = zones.setdefault((zone.id, zone.version), zone)
            if known is not zone and known != zone:
                first = ", ".join(part for part in (known.origin.source, known.origin.where) if part)
                reason = (
                    f"zone {zone.id} version {zone.version} was already given otherwise in {first}; the first is kept"
                )
                problems.append(Problem(zone.origin.source or str(path), zone.origin.where, reason))
    # A NOTAM may be replaced or cancelled by one in another file.
    return ZoneLoad(ZoneSet.of(superseded(zones.values(), ends)), tuple(problems))


def read_firs(paths: Path | Sequence[Path]) -> FirIndex:
    """The flight information regions of the files by ICAO code. Raises :class:`InputError`."""
    zones: list[Zone] = []
    for path, _ in zone_paths([paths] if isinstance(paths, Path) else paths):
        zones.extend(read_zone_file(path).zones)
    return FirIndex.of(zones)


def read_zone_file(path: Path, *, format: str | None = None, firs: FirIndex | None = None) -> ZoneReading:
    """One file, unpacked if it is gzip, read by :func:`keepclear.zones.formats.read_zones`."""
    try:
        data = _zipped_shapefile(path) if path.suffix.lower() == ".shp" else file_content(path)
        return read_zones(data, str(path), format, firs)
    except InputError as error:
        error.source = error.source or str(path)
        raise


def zone_paths(paths: Iterable[Path]) -> list[tuple[Path, bool]]:
    """The files meant, sorted within each directory, and whether each was named by itself."""
    found: list[tuple[Path, bool]] = []
    for path in paths:
        if not path.is_dir():
            found.append((path, True))
            continue
        inside = [file for file in sorted(path.rglob("*")) if file.is_file() and _suffix(file) in _SUFFIXES]
        if not inside:
            raise InputError("the directory holds no zone file that we know by its suffix", source=str(path))
        found.extend((file, False) for file in inside)
        if len(found) > FILES_MAX:
            raise LimitExceeded(f"more than {FILES_MAX:,} files", source=str(path))
    return found


def _suffix(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix != ".gz"), "")


def file_content(path: Path) -> bytes:
    """The file's bytes, unpacked if it is gzip; refused where it is empty or larger than any such file."""
    too_large = LimitExceeded(f"larger than {FILE_BYTES_MAX // 2**20} MB: no such file is", source=str(path))
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", source=str(path)) from None
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
                data = packed.read(FILE_BYTES_MAX + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"the gzip is broken or cut off ({error})", source=str(path)) from None
    if len(data) > FILE_BYTES_MAX:
        raise too_large
    if not data.strip():
        raise InputError("the file is empty", source=str(path))
    return data


def _zipped_shapefile(path: Path) -> bytes:
    """A shapefile is several files: put those that are there into one archive, as the reader takes it."""
    files: dict[str, bytes] = {}
    for suffix in _COMPANIONS:
        for beside in (path.with_suffix(suffix), path.with_suffix(suffix.upper())):
            if beside.is_file():
                files[f"{path.stem}{suffix}"] = file_content(beside)
                break
        else:
            if suffix in (".shp", ".shx"):
                raise InputError(f"the shapefile's {suffix} is missing beside it", source=str(path))
    return zip_archive.pack(files, zipfile.ZIP_STORED)
