"""Shapefiles (zipped) and GeoPackages through GDAL, read only; needs the extra ``gis``.

GDAL only unpacks: each feature goes on as GeoJSON, so that property names, limits and outlines are understood by one
reader. Edges run straight in longitude and latitude, as GIS software draws them, unless a property ``edge_type``
says otherwise. Coordinates must be WGS84 longitude and latitude.
"""

from __future__ import annotations

import json
import math
import re
import warnings
from dataclasses import replace
from typing import Any

from keepclear.errors import InputError, LimitExceeded, MissingExtra, UsageError
from keepclear.zones import geojson
from keepclear.zones.model import Zone
from keepclear.zones.reading import Problem, ZoneReading, ZoneWriting
from keepclear.zones.shapefile_archive import only_shapefiles

__all__ = ["looks_like", "read", "write"]

LAYERS_MAX = 100
FEATURES_MAX = 500_000
"""Ten times the airspaces of the world."""
_SQLITE, _GEOPACKAGE = b"SQLite format 3\x00", (b"GPKG", b"GP10", b"GP11")
_IN_MEMORY = re.compile(r"['`]?/vsi(?:mem|zip)/[^\s'`,)]*['`]?")
"""what GDAL calls bytes in memory: nobody knows it"""
_WGS84 = ("EPSG:4326", "OGC:CRS84", "EPSG:4979")


def looks_like(head: bytes) -> bool:
    """A GeoPackage says so in its header (OGC 12-128r18 §1.1.1.1.1); a zip names its members, one of them .shp."""
    if head.startswith(_SQLITE):
        return head[68:72] in _GEOPACKAGE or len(head) < 72
    return head.startswith(b"PK\x03\x04") and any(
        suffix in head.lower() for suffix in (b".shp", b".shx", b".dbf", b".prj", b".cpg")
    )


def write(zones: object) -> ZoneWriting:
    """Refused: GeoJSON holds more than they do, and every GIS reads it."""
    raise UsageError("shapefiles and GeoPackages are read, not written: convert to geojson")


def read(data: bytes, source: str) -> ZoneReading:
    """The zones of every layer that has polygons.

    Raises :class:`MissingExtra` where pyogrio is not installed, :class:`InputError` where GDAL cannot open the file
    or its coordinates are not WGS84 longitude and latitude.
    """
    try:
        import pyogrio  # noqa: F401
    except ImportError:
        raise MissingExtra("Reading shapefiles and GeoPackages", "gis") from None
    with warnings.catch_warnings():
        # GDAL grumbles that bytes in memory have no file name with the right suffix, and of measured shapes.
        warnings.simplefilter("ignore")
        return _layers(_known(data, source), source)


def _known(data: bytes, source: str) -> bytes:
    """What GDAL may see: it would open anything else in any of its many formats."""
    if data.startswith(b"PK"):
        return only_shapefiles(data, source)
    if data.startswith(_SQLITE) and data[68:72] in _GEOPACKAGE:
        return data
    raise InputError("neither a GeoPackage nor a zip archive with a shapefile", source=source)


def _layers(data: bytes, source: str) -> ZoneReading:
    import pyogrio

    try:
        layers = [str(name) for name, kind in pyogrio.list_layers(data) if kind is not None]
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        raise InputError(f"GDAL cannot open it ({_first_line(error)})", source=source) from None
    if not layers:
        raise InputError("it has no layer with shapes", source=source)
    if len(layers) > LAYERS_MAX:
        raise LimitExceeded(f"it has {len(layers):,} layers, more than {LAYERS_MAX}", source=source)
    zones: list[Zone] = []
    problems: list[Problem] = []
    for layer in layers:
        reading = _layer(data, source, layer)
        prefix = f"layer {layer}, " if len(layers) > 1 else ""
        for zone in reading.zones:
            origin = replace(zone.origin, where=prefix + zone.origin.where, format="gis")
            zones.append(replace(zone, origin=origin))
        problems.extend(replace(problem, where=prefix + problem.where) for problem in reading.problems)
    return ZoneReading(tuple(zones), tuple(problems))


def _layer(data: bytes, source: str, layer: str) -> ZoneReading:
    import pyogrio.raw
    import shapely

    try:
        info = pyogrio.read_info(data, layer=layer)
        if info["features"] > FEATURES_MAX:
            raise LimitExceeded(f"layer {layer} has {info['features']:,} features, more than {FEATURES_MAX:,}",
                                source=source)  # fmt: skip
        crs = info.get("crs")
        if crs is not None and crs not in _WGS84:
            raise InputError(
                f"layer {layer} is in {str(crs)[:40]!r}: bring it into WGS84 longitude/latitude first "
                "(ogr2ogr -t_srs EPSG:4326)", source=source,
            )  # fmt: skip
        meta, _, shapes, columns = pyogrio.raw.read(data, layer=layer, force_2d=True)
    except UnboundLocalError:  # pyogrio 0.13 stumbles over its own message where the CRS is not UTF-8
        raise InputError(f"layer {layer}: its coordinate system is not readable text", source=source) from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"layer {layer}: its text is not in {error.encoding.upper()}, as the file says (a shapefile in its .cpg): "
            "put the right name there, e.g. CP1252, or write the file anew in UTF-8", source=source,
        ) from None  # fmt: skip
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        raise InputError(f"GDAL cannot read layer {layer} ({_first_line(error)})", source=source) from None
    features = []
    for row, wkb in enumerate(shapes):
        properties = {str(name): _plain(column[row]) for name, column in zip(meta["fields"], columns)}
        try:
            geometry = None if wkb is None else json.loads(shapely.to_geojson(shapely.from_wkb(bytes(wkb))))
        except (shapely.errors.ShapelyError, ValueError):
            geometry = None
        features.append({"type": "Feature", "geometry": geometry, "properties": properties})
    collection = {"type": "FeatureCollection", "features": features}
    return geojson.read(json.dumps(collection, allow_nan=False).encode(), source)


def _plain(value: Any) -> Any:
    """A cell as JSON has it."""
    if hasattr(value, "item") and not hasattr(value, "isoformat"):
        value = value.item()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)


def _first_line(error: Exception) -> str:
    said = " ".join(str(error).split()).partition("; It might help")[0]  # to name a driver: nobody can, here
    return _IN_MEMORY.sub("the file", said)[:120]
