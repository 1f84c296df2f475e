"""Declared volumes are read from every form they are exchanged in; what is broken is said, and the rest is kept."""

from __future__ import annotations

import gzip
import io
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from keepclear.edge.volume_files import load_volumes, read_volumes
from keepclear.errors import InputError
from keepclear.quantities import UNBOUNDED, Datum
from keepclear.space.geometry import Circle, EdgeType, Polygon

EIGHT = 1796112000.0
"""2026-12-01T08:00:00Z"""


def altitude(metres: float, reference: str = "W84") -> dict[str, Any]:
    return {"value": metres, "reference": reference, "units": "M"}


def circle_4d(lon: float = 30.0, radius: float = 900.0) -> dict[str, Any]:
    return {
        "volume": {
            "outline_circle": {"center": {"lng": lon, "lat": 50.0}, "radius": {"value": radius, "units": "M"}},
            "altitude_lower": altitude(10.0), "altitude_upper": altitude(120.0),
        },
        "time_start": {"value": "2026-12-01T08:00:00Z", "format": "RFC3339"},
        "time_end": {"value": "2026-12-01T09:00:00+00:00", "format": "RFC3339"},
    }  # fmt: skip


def polygon_4d() -> dict[str, Any]:
    vertices = [{"lng": 179.9, "lat": 50.0}, {"lng": -179.9, "lat": 50.0}, {"lng": -179.9, "lat": 50.1}]
    return {"volume": {"outline_polygon": {"vertices": vertices}}}


def test_a_volume_of_f3548_says_shape_limits_and_interval() -> None:
    reading = read_volumes(json.dumps(circle_4d()).encode(), "x.json")
    (one,) = reading.volumes
    assert one.shape == Circle(30.0, 50.0, 900.0)
    assert (one.lower.metres, one.upper.metres, one.lower.datum) == (10.0, 120.0, Datum.WGS84)
    assert (one.from_s, one.to_s) == (EIGHT, EIGHT + 3600.0)


def test_what_f3548_leaves_out_is_unbounded() -> None:
    (one,) = read_volumes(json.dumps(polygon_4d()).encode(), "x.json").volumes
    assert isinstance(one.shape, Polygon)
    assert one.shape.edge_type is EdgeType.GEODESIC
    assert (one.lower, one.upper, one.from_s, one.to_s) == (UNBOUNDED, UNBOUNDED, -math.inf, math.inf)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (json.dumps([circle_4d(), polygon_4d()]), ["1", "2"]),
        (json.dumps({"id": "F1", "volumes": [circle_4d(), polygon_4d()]}), ["F1", "F1"]),
        (json.dumps({"extents": [circle_4d()], "state": "Accepted"}), ["1"]),
        (json.dumps({"operational_intent": {"reference": {"id": "F1"}, "details": {
            "volumes": [circle_4d()], "off_nominal_volumes": [polygon_4d()]}}}), ["F1", "F1"]),
        (json.dumps({"operational_intents": [{"reference": {"id": "F1"}, "details": {"volumes": [circle_4d()]}},
                                             {"reference": {"id": "F2"}, "details": {"volumes": [circle_4d()]}}]}),
         ["F1", "F2"]),
        ("\n".join(json.dumps({**circle_4d(), "id": name}) for name in "ab") + "\n", ["a", "b"]),
    ],
)  # fmt: skip
def test_f3548_volumes_are_found_however_they_are_wrapped(text: str, ids: list[str]) -> None:
    reading = read_volumes(text.encode(), "x.json")
    assert reading.problems == []
    assert [volume.id for volume in reading.volumes] == ids


def test_a_broken_volume_is_named_and_the_rest_kept() -> None:
    bad = circle_4d()
    bad["volume"]["altitude_lower"] = altitude(10.0, "SFC")
    late = {**circle_4d(), "time_start": {"value": "2026-12-01T10:00:00Z", "format": "RFC3339"}}
    swapped = {
        "volume": {"outline_circle": {"center": {"lng": 50.0, "lat": 130.0}, "radius": {"value": 900, "units": "M"}}}
    }
    reading = read_volumes(json.dumps({"id": "F1", "volumes": [bad, circle_4d(), late, swapped]}).encode(), "x.json")
    assert len(reading.volumes) == 1
    said = [str(problem) for problem in reading.problems]
    assert said == [
        'x.json, volumes[0].volume.altitude_lower.reference: "SFC" is not one of W84',
        "x.json, volumes[2]: the volume ends before it begins",
        "x.json, volumes[3].volume.outline_circle: latitude 130.0 is outside ±90°; longitude and latitude swapped?",
    ]


def test_a_broken_line_of_json_lines_is_named_and_the_rest_kept() -> None:
    text = json.dumps(circle_4d()) + "\n{\n" + json.dumps(circle_4d()) + '\n{"id": "nothing"}\n'
    reading = read_volumes(text.encode(), "x.jsonl", "f3548")
    assert [volume.id for volume in reading.volumes] == ["1", "3"]
    assert [problem.where for problem in reading.problems] == ["line 2", "line 4"]


CSV = """id,lon_deg,lat_deg,radius_m,wkt,edge_type,lower_m,upper_ft,altitude_datum,from_time,to_time,remark
A,30,50,1500,,,0,,AMSL,2026-12-01T08:00:00Z,1796115600,x
B,,,,"POLYGON((30 50, 31 50, 31 51, 30 50))",RHUMB,,1000,STD,,,
B,,,,"MULTIPOLYGON(((32 50, 33 50, 33 51, 32 50)),((34 50, 35 50, 35 51, 34 50)))",,,,,,,
,30,50,100,,,,,,,,
"""


def test_a_table_has_circles_and_polygons_with_limits_in_metres_and_feet() -> None:
    reading = read_volumes(CSV.encode(), "x.csv")
    assert reading.problems == []
    assert [volume.id for volume in reading.volumes] == ["A", "B", "B", "B", "line 5"]
    assert reading.part == [1, 1, 2, 3, 1]
    a, b = reading.volumes[:2]
    assert (a.from_s, a.to_s, a.lower.datum, a.upper) == (EIGHT, EIGHT + 3600.0, Datum.AMSL, UNBOUNDED)
    assert isinstance(b.shape, Polygon)
    assert (b.shape.edge_type, b.upper.metres, b.upper.datum) == (EdgeType.RHUMB, 304.8, Datum.STD)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("X,30,50,,,,,,,,,", "a circle needs lon_deg, lat_deg and radius_m"),
        ("X,,,,,,,,,,,", "a row needs lon_deg, lat_deg and radius_m (a circle) or wkt (a polygon), one of the two"),
        ("X,30,50,nan,,,,,,,,", "radius_m 'nan' is not a number"),
        ("X,30,50,9,,,5,,,,,", "altitude_datum '' is not one of AGL, AMSL, STD, WGS84"),
        ("X,30,50,9,,,500,1000,AMSL,,,", "volume X: the lower limit 500 m AMSL is above the upper limit 1000 ft AMSL"),
        ("X,30,50,9,,,,,,2026-12-01 08:00,,", "time '2026-12-01 08:00' has no zone: write it in UTC, ending in Z"),
        ('X,,,,"POINT(30 50)",,,,,,,', "wkt is not a POLYGON or MULTIPOLYGON with vertices"),
        ('X,,,,"POLYGON((30 50, 31 50, 31 51))",,,,,,,',
         "wkt cannot be read (Points of LinearRing do not form a closed linestring; "
         "repeat the first position at the end)"),
        ('X,,,,"POLYGON((1e999 0, 1 1, 2 0, 1e999 0))",,,,,,,', "position (inf, 0.0) is not a number"),
        ("X,30,50,9,,,,,,,,,one,more", "more fields than the first line has names"),
    ],
)  # fmt: skip
def test_a_broken_row_says_what_is_wrong(row: str, reason: str) -> None:
    reading = read_volumes((CSV + row + "\n").encode(), "x.csv")
    assert len(reading.volumes) == 5
    assert [(problem.where, problem.reason) for problem in reading.problems] == [("line 6", reason)]


def test_parquet_is_read_as_csv_is() -> None:
    packed = io.BytesIO()
    eight = datetime.fromtimestamp(EIGHT, UTC)
    table = pa.table({"id": ["A"], "lon_deg": [30.0], "lat_deg": [50.0], "radius_m": [9.0], "from_time": [eight]})
    pq.write_table(table, packed)
    (one,) = read_volumes(packed.getvalue(), "x.parquet").volumes
    assert (one.id, one.shape, one.from_s) == ("A", Circle(30.0, 50.0, 9.0), EIGHT)
    with pytest.raises(InputError, match="Parquet"):
        read_volumes(packed.getvalue()[:-20], "x.parquet")


def test_geojson_takes_its_interval_from_the_properties() -> None:
    feature = {
        "type": "Feature",
        "properties": {"id": "G", "lower": "0 ft AMSL", "upper": "FL100", "start_time": "2026-12-01T08:00:00Z",
                       "end_time": EIGHT + 60.0},
        "geometry": {"type": "Polygon", "coordinates": [[[29, 49], [31, 49], [31, 51], [29, 49]]]},
    }  # fmt: skip
    (one,) = read_volumes(json.dumps(feature).encode(), "x.geojson").volumes
    assert (one.id, one.from_s, one.to_s, one.upper.datum) == ("G", EIGHT, EIGHT + 60.0, Datum.STD)
    assert isinstance(one.shape, Polygon)
    assert one.shape.edge_type is EdgeType.STRAIGHT


def test_one_id_in_two_files_is_two_declarations_and_gzip_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"id": "F1", "volumes": [circle_4d(), circle_4d(30.1)]}))
    (tmp_path / "b.json.gz").write_bytes(gzip.compress((tmp_path / "a.json").read_bytes()))
    load = load_volumes([tmp_path / "a.json", tmp_path / "b.json.gz"])
    assert load.declaration == (0, 0, 1, 1)
    assert load.part == (1, 2, 1, 2)
    assert load.source[1] == f"{tmp_path / 'a.json'}, volumes[1]"


@pytest.mark.parametrize(
    ("data", "format", "said"),
    [
        (b"id,lon\n1,2\n", None, "no zone format"),
        (b"id,lon\n1,2\n", "csv", "are needed"),
        (b"id,wkt,wkt\n", "csv", "same name"),
        (b"\xff\xfe", "csv", "UTF-8"),
        (b'{"volume": 1} x', None, "not JSON"),
        (b"{}", "shapes", "there is no format"),
    ],
)
def test_a_file_that_is_nothing_of_the_kind_is_refused_whole(data: bytes, format: str | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_volumes(data, "x", format)
