"""Inputs that the coverage-guided campaign found, or the flaws that they showed: each gives a bounded, typed answer."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import httpx
import pytest

from keepclear.alerts.record import decode_alert
from keepclear.edge.dss.client import DssClient, DssConflict
from keepclear.edge.dss.tokens import ClientCredentials, MintedTokens, TokenRefused
from keepclear.errors import InputError, LimitExceeded
from keepclear.feeds.formats import DecoderOptions, make_decoder
from keepclear.feeds.json_documents import first_repeated_key
from keepclear.feeds.reports import ReportBatch, concatenate
from keepclear.server.dss.tokens import read_key_set
from keepclear.uss.entities import EntityKind
from keepclear.uss.requests import INTENT
from keepclear.zones import aixm, openair
from keepclear.zones.arcs import arc_by_bearings, destination
from keepclear.zones.formats import read_zones


def test_a_shapefile_whose_coordinate_system_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    """pyogrio raises UnboundLocalError for it."""
    raw = pytest.importorskip("pyogrio.raw")
    np = pytest.importorskip("numpy")
    shapely = pytest.importorskip("shapely")
    square = np.array([shapely.to_wkb(shapely.box(30, 50, 31, 51))], dtype=object)
    raw.write(
        str(tmp_path / "z.shp"), square, [np.array(["A"], dtype=object)], fields=["ident"], driver="ESRI Shapefile",
        crs="EPSG:4326", geometry_type="Polygon",
    )  # fmt: skip
    damaged = io.BytesIO()
    with zipfile.ZipFile(damaged, "w") as archive:
        for path in sorted(tmp_path.iterdir()):
            part = path.read_bytes()
            archive.writestr(path.name, part.replace(b"WGS_1984", b"WGS_19\x9b4") if path.suffix == ".prj" else part)
    with pytest.raises(InputError, match="coordinate system is not readable"):
        read_zones(damaged.getvalue(), "z.zip", "gis")


def test_short_lines_that_ask_for_long_arcs_are_bounded_in_openair(monkeypatch: pytest.MonkeyPatch) -> None:
    """161 bytes made 4,000 vertices and took 200 ms; a file of such lines filled the memory."""
    monkeypatch.setattr(openair, "FILE_VERTICES_MAX", 20_000)
    block = b"AC R\nAN A\nAL GND\nAH UNL\nV X=10:00:00 N 010:00:00 E\nDA 2600,0,359\nDP 10:00:00 N 010:00:00 E\n"
    assert len(openair.read(block * 3, "a.txt").zones) + len(openair.read(block * 3, "a.txt").problems) == 3
    with pytest.raises(LimitExceeded, match="split the file"):
        openair.read(block * 20, "a.txt")


def test_short_elements_that_ask_for_long_arcs_are_bounded_in_aixm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aixm, "ARC_VERTICES_MAX", 100)
    arc = (
        b'<gml:segments><gml:ArcByCenterPoint numArc="1"><gml:pos>50 30</gml:pos><gml:radius uom="km">900</gml:radius>'
        b'<gml:startAngle uom="deg">0</gml:startAngle><gml:endAngle uom="deg">359</gml:endAngle></gml:ArcByCenterPoint>'
        b"</gml:segments>"
    )
    data = (
        b'<m xmlns:aixm="http://www.aixm.aero/schema/5.1.1" xmlns:gml="http://www.opengis.net/gml/3.2">'
        b'<aixm:Airspace gml:id="a"><aixm:timeSlice><aixm:AirspaceTimeSlice gml:id="t"><aixm:interpretation>BASELINE'
        b"</aixm:interpretation><aixm:type>R</aixm:type><aixm:designator>R1</aixm:designator><aixm:geometryComponent>"
        b"<aixm:AirspaceGeometryComponent><aixm:theAirspaceVolume><aixm:AirspaceVolume><aixm:horizontalProjection>"
        b'<aixm:Surface srsName="urn:ogc:def:crs:EPSG::4326"><gml:patches><gml:PolygonPatch><gml:exterior><gml:Ring>'
        b"<gml:curveMember><gml:Curve>" + arc + b"</gml:Curve></gml:curveMember></gml:Ring></gml:exterior>"
        b"</gml:PolygonPatch></gml:patches></aixm:Surface></aixm:horizontalProjection></aixm:AirspaceVolume>"
        b"</aixm:theAirspaceVolume></aixm:AirspaceGeometryComponent></aixm:geometryComponent></aixm:AirspaceTimeSlice>"
        b"</aixm:timeSlice></aixm:Airspace></m>"
    )
    (problem,) = aixm.read(data, "a.xml").problems
    assert "more than 100 vertices" in str(problem)


def test_an_arc_drawn_at_once_is_the_arc_drawn_vertex_by_vertex() -> None:
    for centre, radius_m in (((30.0, 50.0), 20_000.0), ((-179.9, -89.0), 300_000.0), ((180.0, 0.0), 4_900_000.0)):
        points = arc_by_bearings(centre, radius_m, 10.0, 350.0, clockwise=True)
        for i in range(0, len(points), max(1, len(points) // 20)):
            lon, lat = destination(centre, 10.0 + 340.0 * i / (len(points) - 1), radius_m)
            assert points[i][1] == pytest.approx(lat, abs=2e-8)
            assert (points[i][0] - lon + 180.0) % 360.0 - 180.0 == pytest.approx(0.0, abs=1e-6)


def test_the_first_repeated_key_is_found_among_very_many() -> None:
    """It was looked for in a time that grew with the square of the number of keys."""
    members = ",".join(f'"k{i}":0' for i in range(200_000))
    assert first_repeated_key(f'{{{members},"k7":1,"k3":1}}'.encode()) == "k3"
    assert first_repeated_key(f"{{{members}}}".encode()) is None


def test_a_flood_of_begun_events_is_read_in_time_that_grows_with_its_length() -> None:
    """Each looked for its end in all that had come: 0.1 s for 32 kB, 2.6 s for 256 kB, and so on with the square."""
    decoder = make_decoder("cot", DecoderOptions())
    count = 150_000
    assert len(decoder.decode(b"<event " * count, 0.0)) == 0
    decoder.finish()
    assert decoder.faults.total == count


def test_the_batch_without_rows_can_be_shared() -> None:
    """Most calls complete no report: the same empty batch is given each time, and nothing can write into it."""
    assert ReportBatch.empty() is ReportBatch.empty()
    one = ReportBatch.build(time_s=[1.0], lat_deg=[2.0], lon_deg=[3.0], target=["a"])
    joined = concatenate([ReportBatch.empty(), one, ReportBatch.empty()])
    assert joined.target.strings() == ["a"]
    assert len(ReportBatch.empty()) == 0


TWICE = {
    "readsb": '{"now":1700000000,"now":5,"aircraft":[{"hex":"abc124","lat":50.5,"lon":30.5,"seen_pos":1}]}',
    "opensky": '{"time":1.7e9,"time":5,"states":[["508035","","",null,1,30.5,50,1,false,1,9,0,null,1,"",false,0]]}',
}


@pytest.mark.parametrize("name", TWICE)
def test_a_document_that_says_twice_when_it_is_gives_no_report(name: str) -> None:
    """The later one held: the aircraft was where it was in 1970."""
    decoder = make_decoder(name, DecoderOptions())
    assert len(decoder.decode(TWICE[name].encode(), 1.7e9)) + len(decoder.finish()) == 0
    assert decoder.faults.counts == {"JSON document names a key twice": 1}


def test_a_mode_s_line_that_says_twice_when_it_was_is_a_fault() -> None:
    decoder = make_decoder("mode-s", DecoderOptions())
    line = b'{"timestamp":1700000000.0,"timestamp":1600000000.0,"frame":"8D40621D58C382D690C8AC2863A7"}\n'
    assert len(decoder.decode(line, 1.7e9)) + len(decoder.finish()) == 0
    assert decoder.faults.counts == {"line is unreadable": 1}


def test_a_trace_that_says_twice_whose_it_is_is_refused() -> None:
    decoder = make_decoder("readsb-trace", DecoderOptions())
    decoder.decode(b'{"icao":"abc124","icao":"f00000","timestamp":1.7e9,"trace":[[0,50,30,1000,100,90,0]]}', 1.7e9)
    with pytest.raises(InputError, match="names 'icao' twice"):
        decoder.finish()


SAID = {
    "no object": b'{"operational_intent_reference": 5}',
    "none of it": b"{}",
    "no version": b'{"operational_intent_reference": {"id": "a"}}',
    "no list": b'{"operational_intent_references": 5}',
}


@pytest.mark.parametrize("said", SAID)
def test_a_dss_that_answers_something_else_is_an_error_with_its_address(said: str) -> None:
    """KeyError, TypeError or AttributeError came out."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=SAID[said]))
    http = httpx.Client(transport=transport)
    with DssClient("https://dss.example", MintedTokens(lambda *_: "a"), http=http, sleep=lambda _: None) as client:
        asked = (
            (lambda: client.query(EntityKind.INTENT, {})) if said == "no list" else (lambda: client.find(INTENT, "a"))
        )
        with pytest.raises(InputError, match=r"https://dss\.example/dss/v1"):
            asked()


def test_a_conflict_that_lists_nonsense_is_still_a_conflict() -> None:
    said = b'{"message": "no", "missing_operational_intents": 5, "missing_constraints": [{"id": 1}]}'
    http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(409, content=said)))
    with (
        DssClient("https://dss.example", MintedTokens(lambda *_: "a"), http=http, sleep=lambda _: None) as client,
        pytest.raises(DssConflict) as caught,
    ):
        client.put(INTENT, "a", None, {})
    assert caught.value.missing == []


KEY = '{"kty":"EC","crv":"P-256","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",'
KEY += '"y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}'


@pytest.mark.parametrize("other", ['{"kty":"oct"}', "5", "null", '{"kty":"EC","crv":"P-256"}', '{"kty":[]}'])
def test_a_key_that_is_none_does_not_hide_the_good_ones(other: str) -> None:
    """Every request to the server was answered 500 while it stood in the key set."""
    assert list(read_key_set(f'{{"keys":[{other},{KEY}]}}'.encode())) == ["k"]


@pytest.mark.parametrize("said", [b"{}", b"[]", b'{"keys":5}', b"[" * 100_000, b"\xff"])
def test_what_is_no_key_set_is_said_so(said: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_key_set(said)


def test_a_kept_alert_with_a_number_beyond_all_is_refused() -> None:
    with pytest.raises(InputError, match="not a kept alert"):
        decode_alert(f'{{"raised_s": {"9" * 400}}}')


def test_a_token_that_lasts_beyond_all_numbers_is_refused() -> None:
    said = f'{{"access_token":"a","expires_in":{"9" * 400}}}'.encode()
    http = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, content=said)))
    with pytest.raises(TokenRefused):
        ClientCredentials("https://tokens.example", "a", "b", http=http).bearer("https://dss.example", ["c"])


def test_the_antimeridian_is_written_one_way_beside_what_is_no_number() -> None:
    decoder = make_decoder("csv", DecoderOptions(source="x"))
    table = b"time_s,lat_deg,lon_deg,target\n1700000000,50,180,a\n1700000001,50,NaN,b\n1700000002,50,30,c\n"
    found = concatenate([decoder.decode(table, 0.0), decoder.finish()])
    assert found.lon_deg.tolist() == [-180.0, 30.0]
