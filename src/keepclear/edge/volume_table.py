"""Declared volumes from CSV and Parquet, one row a volume (docs/reference/volume-formats.md)."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from keepclear.edge.volume_reading import VOLUMES_MAX, VolumeReading
from keepclear.errors import InputError, LimitExceeded
from keepclear.quantities import UNBOUNDED, Datum, LengthUnit, Level, parse_instant
from keepclear.space.geometry import EdgeType, Shape
from keepclear.zones.outline_checks import check_circle, check_polygon

__all__ = ["COLUMNS", "read_csv", "read_parquet"]

COLUMNS = (
    "id", "lon_deg", "lat_deg", "radius_m", "wkt", "edge_type", "lower_m", "lower_ft", "upper_m", "upper_ft",
    "altitude_datum", "from_time", "to_time",
)  # fmt: skip
"""What is read; others are left alone."""
_DATUMS = ("AGL", "AMSL", "STD", "WGS84")
_UNITS = (("m", LengthUnit.METRE), ("ft", LengthUnit.FOOT))
FIELD_BYTES_MAX = 8 << 20
"""A polygon of 200,000 vertices as text."""
ROWS_A_BATCH = 20_000
CELL_BYTES_MAX = 1 << 30
"""What a Parquet file may unpack to: a small file can name gigabytes."""


def read_csv(data: bytes, source: str) -> VolumeReading:
    """The volumes of CSV text in UTF-8 with a line of names; a broken row is refused, the rest kept."""
    reading = VolumeReading(source)
    csv.field_size_limit(FIELD_BYTES_MAX)
    try:
        rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        _check_names([name or "" for name in rows.fieldnames or ()], source)
        for row in rows:
            if None in row:
                reading.refuse(f"line {rows.line_num}", "more fields than the first line has names")
                continue
            _add_row({k: v for k, v in row.items() if v is not None}, rows.line_num, "line", reading)
    except UnicodeDecodeError as error:
        raise InputError("this is not UTF-8 text", where=f"byte {error.start}", source=source) from None
    except csv.Error as error:
        raise InputError(f"this is not CSV ({error})", source=source) from None
    return reading


def read_parquet(data: bytes, source: str) -> VolumeReading:
    """The volumes of a Parquet file; a broken row is refused, the rest kept."""
    reading = VolumeReading(source)
    for number, row in enumerate(_parquet_rows(data, source), 1):
        _add_row(row, number, "row", reading)
    return reading


def _parquet_rows(data: bytes, source: str) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        names = file.schema_arrow.names
        _check_names(names, source)
        _check_promises(file.metadata, source)
        for batch in file.iter_batches(ROWS_A_BATCH, columns=[name for name in COLUMNS if name in names]):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError, OverflowError, UnicodeDecodeError) as error:
        raise InputError(f"this Parquet file cannot be read ({str(error)[:200]})", source=source) from None


def _check_promises(metadata: Any, source: str) -> None:
    """Refuse an index that promises too much: a thousand bytes can name a billion rows. The columns' own metadata is
    not asked: pyarrow ends the process where it is damaged."""
    groups = [metadata.row_group(k) for k in range(metadata.num_row_groups)]
    size, rows = sum(group.total_byte_size for group in groups), sum(group.num_rows for group in groups)
    if not (0 <= size <= CELL_BYTES_MAX and 0 <= rows <= VOLUMES_MAX):
        raise LimitExceeded(f"more than {VOLUMES_MAX:,} rows or {CELL_BYTES_MAX >> 30} GB unpacked", source=source)


def _check_names(names: list[str], source: str) -> None:
    if len(set(names)) != len(names):
        raise InputError("two columns have the same name", source=source)
    if "wkt" not in names and not {"lon_deg", "lat_deg", "radius_m"} <= set(names):
        raise InputError(
            "the columns lon_deg, lat_deg and radius_m (circles) or wkt (polygons) are needed", source=source
        )


def _add_row(row: Mapping[str, Any], number: int, word: str, reading: VolumeReading) -> None:
    place = f"{word} {number}"
    warnings: list[str] = []
    try:
        name = _text(row, "id") or place
        lower, upper = _level(row, "lower"), _level(row, "upper")
        from_s, to_s = _instant(row, "from_time", -math.inf), _instant(row, "to_time", math.inf)
        for shape in _shapes(row, warnings):
            reading.add(name, shape, lower=lower, upper=upper, from_s=from_s, to_s=to_s, place=place)
    except LimitExceeded:
        raise
    except InputError as error:
        reading.refuse(place, error.message)
        return
    for warning in warnings:
        reading.warn(place, warning)


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value).strip()


def _number(row: Mapping[str, Any], name: str) -> float | None:
    text = _text(row, name)
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(f"{name} {text[:40]!r} is not a number")
    return number


def _level(row: Mapping[str, Any], side: str) -> Level:
    given = [(value, unit) for suffix, unit in _UNITS if (value := _number(row, f"{side}_{suffix}")) is not None]
    if not given:
        return UNBOUNDED
    if len(given) > 1:
        raise InputError(f"{side}_m and {side}_ft are both given: leave one out")
    datum = _text(row, "altitude_datum").upper()
    if datum not in _DATUMS:
        raise InputError(f"altitude_datum {datum[:20]!r} is not one of {', '.join(_DATUMS)}")
    return Level(given[0][0], given[0][1], Datum(datum))


def _instant(row: Mapping[str, Any], name: str, missing: float) -> float:
    value = row.get(name)
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InputError(f"{name} has no zone: store it in UTC")
        return value.astimezone(UTC).timestamp()
    text = _text(row, name)
    if not text:
        return missing
    try:
        seconds = float(text)
    except ValueError:
        return parse_instant(text)
    if not math.isfinite(seconds):
        raise InputError(f"{name} {text[:40]!r} is not an instant")
    return seconds


def _shapes(row: Mapping[str, Any], warnings: list[str]) -> list[Shape]:
    text = _text(row, "wkt")
    circle = [_number(row, name) for name in ("lon_deg", "lat_deg", "radius_m")]
    if bool(text) == any(value is not None for value in circle):
        raise InputError("a row needs lon_deg, lat_deg and radius_m (a circle) or wkt (a polygon), one of the two")
    if not text:
        lon, lat, radius = circle
        if lon is None or lat is None or radius is None:
            raise InputError("a circle needs lon_deg, lat_deg and radius_m")
        return [check_circle(lon, lat, radius)]
    edge = _text(row, "edge_type").upper() or EdgeType.GEODESIC.value
    if edge not in EdgeType.__members__:
        raise InputError(f"edge_type {edge[:20]!r} is not one of {', '.join(EdgeType.__members__)}")
    return [check_polygon(rings, EdgeType(edge), warnings=warnings) for rings in _rings(text)]


def _rings(text: str) -> list[list[list[tuple[float, float]]]]:
    import numpy as np
    import shapely

    try:
        with np.errstate(all="ignore"):  # it warns of numbers too large; the rings are checked after it
            geometry = shapely.from_wkt(text)
    except (shapely.errors.ShapelyError, ValueError, TypeError) as error:
        said = " ".join(str(error).split()).partition(": ")[2][:120] or "not well-known text"
        hint = "; repeat the first position at the end" if "closed" in said else ""
        raise InputError(f"wkt cannot be read ({said}{hint})") from None
    if geometry is None or geometry.is_empty or geometry.geom_type not in ("Polygon", "MultiPolygon"):
        raise InputError("wkt is not a POLYGON or MULTIPOLYGON with vertices")
    polygons = list(geometry.geoms) if geometry.geom_type == "MultiPolygon" else [geometry]
    return [
        [[(x, y) for x, y, *_ in ring.coords] for ring in (polygon.exterior, *polygon.interiors)]
        for polygon in polygons
        if not polygon.is_empty
    ]
