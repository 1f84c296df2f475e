"""Holds true that shapefiles and GeoPackages give the zones that the same features give as GeoJSON."""

from __future__ import annotations

import contextlib
import sqlite3
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
from keepclear.zones.zip_archive import pack

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


@pytest.mark.parametrize("name", ["a.shp", "a.vrt", "a.prj", "a.shp.vrt", "in/a.shp"])
def test_an_archive_reads_no_other_file_of_this_machine(tmp_path: Path, name: str) -> None:
    other = write(tmp_path / "secret.gpkg", driver="GPKG")
    layer = f'<OGRVRTLayer name="z"><SrcDataSource>{other}</SrcDataSource></OGRVRTLayer>'
    vrt = f"<OGRVRTDataSource>{layer}</OGRVRTDataSource>".encode()
    assert len(pyogrio.list_layers(vrt)) == 1, "GDAL itself would follow it"
    for beside in ({}, {f"{name[:-4]}.shx": vrt}):
        with pytest.raises(InputError, match=r"no \.shp|no shapefile|\.shx is missing"):
            gis.read(pack({name: vrt, **beside}), "x.zip")


def test_text_in_another_encoding_than_said_is_named(tmp_path: Path) -> None:
    write(tmp_path / "a.shp", driver="ESRI Shapefile")
    files = {path.name: path.read_bytes() for path in tmp_path.glob("a.*")}
    files["a.dbf"] = files["a.dbf"].replace(b"EAST", b"\xd6ST ")
    assert b"\xd6" in files["a.dbf"]
    with pytest.raises(InputError, match=r"not in UTF-8, as the file says \(a shapefile in its \.cpg\)"):
        gis.read(pack(files), "x.zip")


def test_shapefiles_in_folders_of_an_archive(tmp_path: Path) -> None:
    write(tmp_path / "a.shp", driver="ESRI Shapefile")
    files = {path.name: path.read_bytes() for path in tmp_path.glob("a.*")}
    twice = {f"{folder}/{name.upper()}": data for folder in ("x", "y") for name, data in files.items()}
    reading = gis.read(pack({**twice, "x/read me.txt": b"x", "x/a.vrt": b"<OGRVRTDataSource/>"}), "x.zip")
    assert len(reading.zones) == 4
    assert not reading.problems


@pytest.mark.filterwarnings("error")
def test_measured_shapes_are_read_in_silence(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gpkg", driver="GPKG")
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE gpkg_geometry_columns SET m = 1, geometry_type_name = 'MULTIPOLYGON'")
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
    geopackage = (b"SQLite format 3\x00" + b"\x00" * 52 + b"GPKG").ljust(300, b"\x00")
    for data in (geopackage, b"SQLite format 3\x00" + b"\x00" * 200, b"PK\x03\x04 a.shp nonsense", b"", b"<a/>"):
        with pytest.raises(InputError) as caught:
            gis.read(data, "x.gpkg")
        assert "\n" not in str(caught.value)
        assert "vsimem" not in str(caught.value)


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyogrio", None)
    with pytest.raises(MissingExtra, match=r"keepclear\[gis\]"):
        gis.read(b"", "x.gpkg")
    with pytest.raises(UsageError):
        gis.write([])
