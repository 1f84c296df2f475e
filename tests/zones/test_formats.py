"""Holds true that every format in the registry is known by its first bytes and refuses what is not its own."""

from __future__ import annotations

import contextlib
import importlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepclear.errors import InputError, UsageError
from keepclear.quantities import UNBOUNDED
from keepclear.space.geometry import Circle
from keepclear.zones.formats import FORMATS, READABLE, WRITABLE, detect_format, read_zones, write_zones
from keepclear.zones.model import Volume, Zone

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
ZONE = Zone("A1", (Volume(Circle(30.0, 50.0, 5_000.0), UNBOUNDED, UNBOUNDED),), name="A1")

HEADS = {
    "notam": b"A0003/23 NOTAMR A0640/22\nQ) UKXX/QAFXX/IV/NBO/E /000/999/4748N03112E999\n",
    "openair": b"* a comment\n* another\n\nAC R\nAN X\nAL GND\nAH UNL\nV X=50:0:0 N 30:0:0 E\nDC 2\n",
    "geojson": b'{"type":"FeatureCollection","features":[]}',
    "aixm": b'<?xml version="1.0"?>\n<message:AIXMBasicMessage xmlns:aixm="http://www.aixm.aero/schema/5.1">',
    "kml": b'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document/></kml>',
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_a_module_with_the_same_four_verbs(name: str) -> None:
    module = importlib.import_module(f"keepclear.zones.{FORMATS[name].module}")
    assert all(callable(getattr(module, verb)) for verb in ("read", "write", "looks_like"))
    assert (name in WRITABLE) is FORMATS[name].writes
    assert name in READABLE


@pytest.mark.parametrize("name", HEADS)
def test_the_first_bytes_tell_the_format_whatever_the_name(name: str) -> None:
    for source in ("x", "x.json", "x.txt", "x.kml"):
        assert detect_format(HEADS[name], source) == name


@pytest.mark.parametrize("name", WRITABLE)
def test_what_a_format_writes_it_knows_and_reads_again(name: str) -> None:
    writing = write_zones([ZONE], name)
    assert detect_format(writing.data) == name
    reading = read_zones(writing.data, "again")
    assert reading.problems == ()
    (zone,) = reading.zones
    assert zone.id == "A1"
    assert isinstance(zone.volumes[0].shape, Circle)
    assert zone.volumes[0].shape.radius_m == pytest.approx(5_000.0, abs=1e-3)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is absent")
def test_the_real_files_are_told_apart() -> None:
    for path, name in (
        ("zones/ED318_Example_Collection.json", "ed318"),
        ("zones/ED318_Example_GeoZone_Circle.json", "ed318"),
        ("notam/ukraine_closure_A0003-23.txt", "notam"),
    ):
        assert detect_format((SHARED / path).read_bytes(), path) == name


def test_a_wrong_name_and_an_unknown_file_are_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(UsageError, match="openair"):
        read_zones(b"", "x", "nonsense")
    with pytest.raises(UsageError, match="geojson"):
        write_zones([ZONE], "notam")
    with pytest.raises(InputError, match="no zone format"):
        detect_format(b"\x00\x01\x02", "x.bin")


def test_a_refusal_carries_the_files_name() -> None:
    for name in ("notam", "openair", "geojson", "aixm", "kml", "ed269", "ed318"):
        with pytest.raises(InputError) as caught:
            read_zones(b"no such thing", "the-file", name)
        assert str(caught.value).startswith("the-file")


@given(st.binary(max_size=120), st.sampled_from(sorted(set(READABLE) - {"gis"})))
def test_any_bytes_in_any_format_give_a_reading_or_a_typed_error(data: bytes, name: str) -> None:
    for given_bytes in (data, HEADS.get(name, b"{") + data):
        with contextlib.suppress(InputError):
            read_zones(given_bytes, "x", name)


def test_utf_16_is_told_by_its_mark_and_read_where_the_format_allows_it() -> None:
    notam = (
        "(A0001/26 NOTAMN\nQ) UKXX/QRTCA/IV/BO/W/000/100/5030N03030E010\n"
        "A) UKBV B) 2601011200 C) 2601021200\nE) RESTRICTED AREA ACT)\n"
    )
    block = "AC R\nAN X\nAL GND\nAH FL9\nV X=50:00:00 N 030:00:00 E\nDC 5\n"
    assert [zone.id for zone in read_zones(notam.encode("utf-16"), "a.txt").zones] == ["A0001/26"]
    assert [zone.id for zone in read_zones(block.encode("utf-16"), "a.txt").zones] == ["X"]
    with pytest.raises(InputError, match="UTF-16 text: save it as UTF-8"):
        read_zones('{"type": "Feature"}'.encode("utf-16"), "a.json")
