"""What is fuzzed of shapefiles and GeoPackages inside their containers, which damages would otherwise only break.

A zip has a checksum for each file: here the input is the files, and the archive is made of them. A GeoPackage is a
database of 90 kB, where bytes damaged at random hit pages that nothing reads: the input is a list of cells to set and
bytes to change, and the file is made anew from them.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keepclear.zones import gis, zip_archive

PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
BETWEEN = b"\n-8<-\n"

CELLS = (
    ("gpkg_contents", "table_name"), ("gpkg_contents", "data_type"), ("gpkg_contents", "identifier"),
    ("gpkg_contents", "srs_id"), ("gpkg_contents", "min_x"), ("gpkg_contents", "last_change"),
    ("gpkg_geometry_columns", "table_name"), ("gpkg_geometry_columns", "column_name"),
    ("gpkg_geometry_columns", "geometry_type_name"), ("gpkg_geometry_columns", "srs_id"),
    ("gpkg_geometry_columns", "z"), ("gpkg_geometry_columns", "m"),
    ("gpkg_spatial_ref_sys", "organization"), ("gpkg_spatial_ref_sys", "organization_coordsys_id"),
    ("gpkg_spatial_ref_sys", "definition"), ("sqlite_master", "sql"), ("sqlite_master", "name"),
    ("z", "geom"), ("z", "ident"), ("z", "upper"), ("z", "fid"),
)  # fmt: skip
END = b"\x1e"
"""between edits"""
EDITS_MAX = 8
RAW = len(CELLS)
"""as the first byte of an edit: the rest overwrites bytes of the file, from the page and offset that it names"""


@functools.cache
def good(suffix: str, driver: str) -> dict[str, bytes]:
    """The files of one square, by suffix."""
    import pyogrio.raw
    import shapely

    with tempfile.TemporaryDirectory() as place:
        pyogrio.raw.write(
            f"{place}/z{suffix}", np.array([shapely.to_wkb(shapely.box(30, 50, 31, 51))], dtype=object),
            [np.array(["A1"], dtype=object), np.array(["FL100"], dtype=object)], fields=["ident", "upper"],
            driver=driver, crs="EPSG:4326", geometry_type="Polygon", layer="z",
        )  # fmt: skip
        return {path.suffix: path.read_bytes() for path in sorted(Path(place).iterdir())}


def edited(edits: bytes) -> bytes:
    """The file with the edits: of each the first byte names a cell, the second a type (text, blob, integer, real)."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.deserialize(good(".gpkg", "GPKG")[".gpkg"])
    raw: list[bytes] = []
    with contextlib.closing(database):
        database.execute("PRAGMA writable_schema = ON")
        for (trigger,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{trigger}"')  # they call functions that only GDAL has
        for edit in edits.split(END)[:EDITS_MAX]:
            if len(edit) < 2:
                continue
            which, kind, value = edit[0] % (RAW + 1), edit[1] % 4, edit[2:]
            if which == RAW:
                raw.append(edit[1:])
                continue
            table, column = CELLS[which]
            padded = value[:8].ljust(8, b"\0")
            cell = (
                value.decode("utf-8", "replace"),
                value,
                struct.unpack("<q", padded)[0],
                struct.unpack("<d", padded)[0],
            )[kind]
            with contextlib.suppress(sqlite3.Error):
                database.execute(f'UPDATE "{table}" SET "{column}" = ?', (cell,))
        data = bytearray(database.serialize())
    for patch in raw:
        at = int.from_bytes(patch[:3], "big") % len(data)
        data[at : at + len(patch[3:])] = patch[3:]
    return bytes(data)


def run_geopackage(data: bytes) -> None:
    for zone in gis.read(edited(data), "fuzz").zones:
        assert zone.origin.format == "gis", "origin"


def run_shapefile(data: bytes) -> None:
    """Each part of the input is one file of the shapefile."""
    parts = dict(zip(PARTS, data.split(BETWEEN), strict=False))
    for zone in gis.read(zip_archive.pack({f"z{suffix}": part for suffix, part in parts.items()}, 0), "fuzz").zones:
        assert zone.origin.format == "gis", "origin"


TARGETS: dict[str, Callable[[bytes], None]] = {
    "zones:geopackage": run_geopackage,
    "zones:shapefile": run_shapefile,
}


def seeds(name: str) -> list[bytes]:
    if name == "shapefile":
        files = good(".shp", "ESRI Shapefile")
        return [BETWEEN.join(files[suffix] for suffix in PARTS if suffix in files)]
    geom = CELLS.index(("z", "geom"))
    header = b"GP\x00\x01" + struct.pack("<i", 4326)
    ring = struct.pack("<BIII8d", 1, 3, 1, 4, 30, 50, 31, 50, 31, 51, 30, 50)
    names = [CELLS.index(cell) for cell in (("gpkg_contents", "identifier"), ("z", "upper"), ("z", "ident"))]
    return [
        b"",
        bytes([geom, 1]) + header + ring,
        END.join(bytes([name, 0]) + text for name, text in zip(names, (b"Zones", b"FL195", b"R-17"), strict=True)),
        bytes([CELLS.index(("gpkg_spatial_ref_sys", "definition")), 0]) + b'GEOGCS["WGS 84"]' + END
        + bytes([RAW]) + (18).to_bytes(3, "big") + b"\x01\x01",
    ]  # fmt: skip
