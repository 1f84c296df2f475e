"""Holds true that shapefiles and GeoPackages give the zones that the same features give as GeoJSON."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from keepclear.edge.zone_files import load_zones
from keepclear.errors import InputError, MissingExtra, UsageError
from keepclear.quantities import Datum, LengthUnit, Level
from keepclear.space.geometry import EdgeType, Polygon
from keepclear.zones import gis
from keepclear.zones.formats import detect_format

pyogrio = pytest.importorskip("pyogrio")
shapely = pytest.importorskip("shapely")

SQUARE = shapely.Polygon([(30, 50), (31, 50), (31, 51), (30, 51)], [[(30.2, 50.2), (30.2, 50.4), (30.4, 50.4)]])
TWO = shapely.MultiPolygon([shapely.box(10, 10, 11, 11), shapely.box(12, 10, 13, 11)])


def write(path: Path, *, driver: str, crs: str = "EPSG:4326") -> Path:
    from pyogrio.raw import write as write_raw

    write_raw(
        str(path), np.array([shapely.to_wkb(SQUARE), shapely.to_wkb(TWO)], dtype=object),
        [np.array(["A1", "B2"], dtype=object), np.array(["EAST", "WEST"], dtype=object),
         np.array(["FL100", "2500 ft AMSL"], dtype=object)],
        fields=["ident", "name", "upper"], driver=driver, crs=crs,
        geometry_type="Unknown" if driver == "GPKG" else "MultiPolygon", promote_to_multi=driver != "GPKG",
    )  # fmt: skip
    return path


def check(path: Path) -> None:
    load = load_zones([path])
    assert load.problems == ()
    east, west = load.zones
    assert (east.id, east.name, west.id) == ("A1", "EAST", "B2")
    assert east.volumes[0].upper == Level(100.0, LengthUnit.FLIGHT_LEVEL, Datum.STD)
    assert west.volumes[0].upper == Level(2500.0, LengthUnit.FOOT, Datum.AMSL)
    shape = east.volumes[0].shape
    assert isinstance(shape, Polygon)
    assert shape.edge_type is EdgeType.STRAIGHT
    assert len(shape.holes) == 1
    assert len(west.volumes) == 2
    assert east.origin.format == "gis"


def test_a_geopackage(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gpkg", driver="GPKG")
    assert detect_format(path.read_bytes()) == "gis"
    check(path)


def test_a_shapefile_beside_its_companions_and_zipped(tmp_path: Path) -> None:
    shp = write(tmp_path / "a.shp", driver="ESRI Shapefile")
    check(shp)
    packed = tmp_path / "packed.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for part in sorted(tmp_path.glob("a.*")):
            archive.write(part, part.name)
    check(packed)
    (tmp_path / "a.shx").unlink()
    with pytest.raises(InputError, match=r"\.shx is missing"):
        load_zones([shp])


def test_other_coordinates_are_refused_with_the_way_to_mend_it(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="EPSG:4326"):
        load_zones([write(tmp_path / "a.gpkg", driver="GPKG", crs="EPSG:3857")])


def test_broken_bytes_are_one_line() -> None:
    for data in (b"SQLite format 3\x00" + b"\x00" * 200, b"PK\x03\x04 a.shp nonsense"):
        with pytest.raises(InputError) as caught:
            gis.read(data, "x.gpkg")
        assert "\n" not in str(caught.value)


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyogrio", None)
    with pytest.raises(MissingExtra, match=r"keepclear\[gis\]"):
        gis.read(b"", "x.gpkg")
    with pytest.raises(UsageError):
        gis.write([])
