"""What is fuzzed by name: every feed decoder, reader of zones and of declared volumes, parser of channel and decisions.

Each has seeds, and says what must hold for any bytes.

``TARGETS[name](data)`` raises nothing but :class:`KeepclearError`; anything else that comes out is a defect.
Used by ``benchmarks/fuzz_campaign.py`` (coverage-guided, long) and by ``tests/fuzz`` (fixed mutations, short).
"""

# ruff: noqa: E501 - a seed is one line, as its format writes it
from __future__ import annotations

import importlib.util
import io
import json
import struct
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from keepclear.edge.volume_files import read_volumes
from keepclear.errors import InputError
from keepclear.feeds.formats import FORMATS as FEEDS
from keepclear.feeds.formats import DecoderOptions, make_decoder
from keepclear.feeds.reports import ReportBatch
from keepclear.messages.bodies import BODIES, AnyBody, decode_body, encode_body
from keepclear.messages.catalogue import Language
from keepclear.messages.document import to_html, to_text
from keepclear.messages.gazetteer import read_gazetteer
from keepclear.messages.rendering import Circumstances, describe
from keepclear.zones import formats as zone_formats
from keepclear.zones import zip_archive

# A neighbour, however this file was loaded.
sys.path.append(str(Path(__file__).resolve().parent))
import fuzz_acts
import fuzz_decisions
import fuzz_dss
import fuzz_gis
import fuzz_network
import fuzz_records

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
RECEIVED_S = 1_700_000_000.0
SEED_BYTES_MAX = 700
"""Heads of the real files: short inputs run often, and a few records show all that there is."""


def check_batch(batch: ReportBatch) -> None:
    """What every batch holds, whatever the bytes were."""
    if not len(batch):
        return
    # A nan makes every comparison false, so it fails here too.
    assert -90.0 <= batch.lat_deg.min() <= batch.lat_deg.max() <= 90.0, "latitude"
    assert -180.0 <= batch.lon_deg.min() <= batch.lon_deg.max() < 180.0, "longitude"
    assert -np.inf < batch.time_s.min() <= batch.time_s.max() < np.inf, "time"
    track = batch.track_deg[~np.isnan(batch.track_deg)]
    assert not len(track) or 0.0 <= track.min() <= track.max() < 360.0, "track"
    for labels in (batch.target, batch.callsign, batch.source):
        assert len(labels.codes) == len(batch)
        assert -1 <= labels.codes.min() <= labels.codes.max() < len(labels.names), "label code"


VOLUMES = ("f3548", "csv", "parquet", "geojson")
"""readers of declared volumes; the other zone formats come in by the zone readers"""
WHOLE = 64
"""First bytes from here on let the rest through in one piece: two pieces take twice the time and show little more."""


def run_feed(name: str, data: bytes) -> None:
    """The first byte says whether and where the rest is cut in two; the decoder gets the parts and the end."""
    if not data:
        return
    body = data[1:]
    cut = len(body) * data[0] // WHOLE if data[0] < WHOLE else len(body)
    options = DecoderOptions(source="fuzz", receiver_lat_deg=50.0, receiver_lon_deg=30.0, start_s=RECEIVED_S)
    decoder = make_decoder(name, options)
    try:
        check_batch(decoder.decode(body[:cut], RECEIVED_S))
        if cut < len(body):
            check_batch(decoder.decode(body[cut:], RECEIVED_S + 1.0))
        check_batch(decoder.finish())
    finally:
        assert len(decoder.faults.examples) <= 100, "fault examples"
        assert len(decoder.faults.counts) <= 65, "fault reasons"


def run_zones(name: str, data: bytes) -> None:
    zone_formats.read_zones(data, "fuzz", name)


def run_volumes(name: str, data: bytes) -> None:
    reading = read_volumes(data, "fuzz", name)
    assert len(reading.volumes) == len(reading.part) == len(reading.place)
    for volume in reading.volumes:
        assert volume.from_s <= volume.to_s, "interval"


def run_body(kind: str, data: bytes) -> None:
    """Exactly canonical bytes or a typed error; what is good comes back the same and is shown in every language.

    Where the bytes are not canonical, the same value written canonically is tried, so that mutants get past the door.
    """
    if kind == "gazetteer":
        places = read_gazetteer(data).places
        assert all(places.find(name) for name in places.places), "a name that is not found"
        return
    try:
        body = decode_body(kind, data)
        assert encode_body(body) == data, "canonical"
    except InputError:
        loose = _loosely(kind, data)
        if loose is None:
            raise
        body = decode_body(kind, encode_body(loose))
        assert body == loose, "the same value"
    for language in (Language.ENGLISH, Language.ARABIC):
        document = describe(body, language, Circumstances(now_ms=int(RECEIVED_S) * 1000, delivered_ms=0, to=()))
        assert to_text(document).endswith("\n")
        assert to_html(document).endswith("</article>\n")


def _loosely(kind: str, data: bytes) -> AnyBody | None:
    try:
        body: AnyBody = msgspec.json.decode(data, type=BODIES[kind])
    except (msgspec.MsgspecError, InputError, UnicodeError, RecursionError):
        return None
    return body


def _found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


TARGETS: dict[str, Callable[[bytes], None]] = {
    **{f"feed:{n}": partial(run_feed, n) for n, f in FEEDS.items() if _found(f.decoder.partition(":")[0])},
    **{
        f"zones:{n}": partial(run_zones, n)
        for n, f in zone_formats.FORMATS.items()
        if _found(f"keepclear.zones.{f.module}")
    },
    **{f"volumes:{n}": partial(run_volumes, n) for n in VOLUMES},
    **{f"messages:{n}": partial(run_body, n) for n in (*BODIES, "gazetteer")},
    **fuzz_records.TARGETS,
    **fuzz_decisions.TARGETS,
    **fuzz_acts.TARGETS,
    **fuzz_dss.TARGETS,
    **fuzz_network.TARGETS,
    **(fuzz_gis.TARGETS if _found("pyogrio") else {}),
}


def load(target: str) -> None:
    """Import a target's module now: it would be imported at its first input."""
    kind, _, name = target.partition(":")
    if kind == "feed":
        importlib.import_module(FEEDS[name].decoder.partition(":")[0])
    elif kind == "zones" and name in zone_formats.FORMATS:
        importlib.import_module(f"keepclear.zones.{zone_formats.FORMATS[name].module}")


# --- seeds ---------------------------------------------------------------------------------------------------------

AIRCRAFT = {
    "now": 1700000000.5,
    "messages": 10,
    "aircraft": [
        {"hex": "508035", "flight": "UAL123 ", "alt_baro": 35000, "alt_geom": 35600, "gs": 450.1, "track": 91.5,
         "baro_rate": -64, "squawk": "7700", "category": "A3", "lat": 50.25, "lon": 30.5, "nic": 8, "rc": 186,
         "seen_pos": 1.5, "nac_p": 9},
        {"hex": "~4ca7a8", "alt_baro": "ground", "lastPosition": {"lat": 1, "lon": 2, "nic": 8, "rc": 186, "seen_pos": 80}},
    ],
}  # fmt: skip
TRACE = {"icao": "ac671b", "timestamp": 1700000000.0,
         "trace": [[0.0, 16.7, -88.0, 32000, 478.6, 327.8, 1, 0, {"flight": "DAL1", "squawk": "1200"}, "adsb_icao", 33825, 32, 280, 0.0],
                   [9.0, 16.8, -88.1, "ground", None, None, 0, None, None, "mlat", None, None, None, None]]}  # fmt: skip
STATES = {"time": 1700000000,
          "states": [["508035", "UAL123  ", "Ukraine", 1699999999, 1700000000, 30.5, 50.25, 10668.0, False, 231.0, 91.5, -0.3,
                      None, 10850.0, "7700", False, 0, 3]]}  # fmt: skip
FLIGHTS = {"timestamp": {"value": "2023-11-14T22:13:21Z", "format": "RFC3339"},
           "flights": [{"id": "F1", "aircraft_type": "Helicopter", "simulated": True, "current_state": {
               "timestamp": {"value": "2023-11-14T22:13:20.5Z", "format": "RFC3339"}, "timestamp_accuracy": 0.1,
               "operational_status": "Airborne", "speed_accuracy": "SA3mps", "track": 271.5, "speed": 12.2, "vertical_speed": -1,
               "position": {"lat": 50.2, "lng": 30.5, "alt": 320, "accuracy_h": "HA10m", "pressure_altitude": 290}},
               "recent_positions": [{"time": "2023-11-14T22:13:19Z", "position": {"lat": 50.1, "lng": 30.4, "alt": -1000}}]}]}  # fmt: skip
EVENT = (
    '<event version="2.0" uid="A" type="a-u-A-M-F-Q" time="2023-11-14T22:13:20.500Z" start="2023-11-14T22:13:20.500Z"'
    ' stale="2023-11-14T22:14:20.500Z" how="m-g"><point lat="50.25" lon="30.5" hae="320.5" ce="9.0" le="9999999.0"/>'
    '<detail><contact callsign="HAWK 7"/><track course="271.5" speed="33.25"/></detail></event>'
)
GPX = (
    '<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><trk><name>A</name><trkseg>'
    '<trkpt lat="50.25" lon="30.5"><ele>120</ele><time>2023-11-14T22:13:20Z</time></trkpt></trkseg></trk></gpx>'
)
AIS = (
    b"\\c:1565218798*53\\!BSVDM,1,1,,A,13mb9U0P00PRk8fT5nw>4?wj2006,0*5D\r\n"
    b"\\g:1-2-9999,c:1565218798*53\\!BSVDM,2,1,3,A,53nPnh800000ha@J2218UH60U@4hT6000000000t2PD33t?P008000000000,0*72\r\n"
    b"\\g:2-2-9999,c:1565218798*53\\!BSVDM,2,2,3,A,00000000000,2*3E\r\n!BSVDM,1,1,,A,13mb9U0P00PRk8fT5nw>4?wj2006,0*5D\r\n"
)
SBS = (
    b"MSG,3,1,1,508035,1,2023/11/14,22:13:20.500,2023/11/14,22:13:20.600,,35000,,,50.25,30.5,,,0,0,0,0\r\n"
    b"MSG,4,1,1,508035,1,2023/11/14,22:13:20.500,2023/11/14,22:13:20.600,,,450,91,,,-64,,,,,\r\n"
    b"MSG,1,1,1,508035,1,2023/11/14,22:13:20.500,2023/11/14,22:13:20.600,UAL123,,,,,,,,,,,\r\n"
)
# The even and odd position, velocity and identification frames that textbooks on Mode S work through.
MODE_S = (
    "8D40621D58C382D690C8AC2863A7",
    "8D40621D58C386435CC412692AD6",
    "8D485020994409940838175B284F",
    "8D4840D6202CC371C32CE0576098",
)
CSV = (
    b"time_s,lat_deg,lon_deg,target,altitude_baro_m,ground_speed_mps,track_deg,squawk,domain\n"
    b"1700000000.5,50.25,30.5,508035,10668,231.5,91.5,7700,AIR\n1700000001.5,50.26,30.6,508035,,,,,\n"
)
GEOJSON = {
    "type": "FeatureCollection",
    "features": [
        {"type": "Feature", "id": "Z1", "properties": {"name": "Zone 1"},
         "geometry": {"type": "Polygon", "coordinates": [[[30, 50], [31, 50], [31, 51], [30, 51], [30, 50]]]}},
        {"type": "Feature", "id": "Z2", "properties": {"name": "Zone 2", "lower": 100},
         "geometry": {"type": "MultiPolygon", "coordinates": [[[[10, 50], [11, 50], [11, 51], [10, 50]]]]}},
    ],
}  # fmt: skip
OPENAIR = b"AC R\nAN Range 1\nAL GND\nAH FL100\nV X=50:30:00 N 030:30:00 E\nDC 5\n\nAC P\nAN P2\nAL 1000ft MSL\nAH UNL\nDP 50:00:00 N 030:00:00 E\nDP 50:00:00 N 031:00:00 E\nDP 51:00:00 N 031:00:00 E\nDB 51:00:00 N 031:00:00 E, 50:00:00 N 030:00:00 E\n"
NOTAM = b"A0001/23 NOTAMN\nQ) UKBV/QRTCA/IV/BO/W/000/100/5020N03030E005\nA) UKBV\nB) 2301010000 C) 2302010000 EST\nD) DAILY 0600-1800\nE) TEMPO RESTRICTED AREA WI 502000N0303000E-502000N0304000E-503000N0304000E-502000N0303000E\nF) GND G) FL100\n"
KML = b'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document><Placemark id="a"><name>A</name><Polygon><outerBoundaryIs><LinearRing><coordinates>30,50,0 31,50,0 31,51,0 30,50,0</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark></Document></kml>'
AIXM = b'<?xml version="1.0"?><message:AIXMBasicMessage xmlns:message="http://www.aixm.aero/schema/5.1.1/message" xmlns:aixm="http://www.aixm.aero/schema/5.1.1" xmlns:gml="http://www.opengis.net/gml/3.2"><message:hasMember><aixm:Airspace gml:id="a"><aixm:timeSlice><aixm:AirspaceTimeSlice gml:id="t"><aixm:interpretation>BASELINE</aixm:interpretation><aixm:type>R</aixm:type><aixm:designator>R1</aixm:designator><aixm:geometryComponent><aixm:AirspaceGeometryComponent><aixm:theAirspaceVolume><aixm:AirspaceVolume><aixm:upperLimit uom="FL">100</aixm:upperLimit><aixm:upperLimitReference>STD</aixm:upperLimitReference><aixm:lowerLimit uom="FT">GND</aixm:lowerLimit><aixm:lowerLimitReference>SFC</aixm:lowerLimitReference><aixm:horizontalProjection><aixm:Surface srsName="urn:ogc:def:crs:EPSG::4326"><gml:patches><gml:PolygonPatch><gml:exterior><gml:LinearRing><gml:posList>50 30 50 31 51 31 50 30</gml:posList></gml:LinearRing></gml:exterior></gml:PolygonPatch></gml:patches></aixm:Surface></aixm:horizontalProjection></aixm:AirspaceVolume></aixm:theAirspaceVolume></aixm:AirspaceGeometryComponent></aixm:geometryComponent></aixm:AirspaceTimeSlice></aixm:timeSlice></aixm:Airspace></message:hasMember></message:AIXMBasicMessage>'


def _asterix() -> bytes:
    position = struct.pack(">ii", round(50 * 2**25 / 180), round(30 * 2**25 / 180))
    track = b"\x9d\x10" + b"\x19\x0c" + bytes.fromhex("545f00") + position + struct.pack(">hh", 400, -400) + b"\x00\x07"
    plot = (
        b"\xf6\x10"
        + b"\x19\x0c"
        + bytes.fromhex("545f00")
        + b"\x40"
        + b"\x0a\x00\x40\x00"
        + b"\x01\x40"
        + b"\x05\x00"
        + b"\x00\x07"
    )
    return (
        struct.pack(">BH", 62, 3 + len(track))
        + track
        + b"\x22\x00\x08\xc0\x19\x0c\x01\x00"
        + struct.pack(">BH", 48, 3 + len(plot))
        + plot
    )


def _capture(payload: bytes) -> bytes:
    udp = struct.pack(">HHHH", 1, 2, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 9, 17, 0, bytes(4), bytes(4)) + udp
    frame = bytes(12) + b"\x08\x00" + ip
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    return head + struct.pack("<IIII", int(RECEIVED_S), 0, len(frame), len(frame)) + frame


def _beast() -> bytes:
    frames = b""
    for number, text in enumerate(MODE_S):
        body = (number * 12_000_000).to_bytes(6) + b"\x80" + bytes.fromhex(text)
        frames += b"\x1a3" + body.replace(b"\x1a", b"\x1a\x1a")
    return frames


def _mavlink() -> bytes:
    from pymavlink.dialects.v20 import common

    link = common.MAVLink(None, srcSystem=7, srcComponent=1)
    messages = (
        common.MAVLink_heartbeat_message(2, 3, 0, 0, 0, 3),
        common.MAVLink_global_position_int_message(6000, 501_000_000, 305_000_000, 123_456, 20_000, 300, 400, -250, 65535),
        common.MAVLink_adsb_vehicle_message(0x508035, 502_000_000, 306_000_000, 1, 10**6, 9000, 9000, -150, b"UAL", 7, 2, 255, 1200),
        common.MAVLink_open_drone_id_basic_id_message(0, 0, [9] * 20, 1, 2, list(b"1581F4XYZ".ljust(20, b"\0"))),
        common.MAVLink_open_drone_id_location_message(
            0, 0, [9] * 20, 2, 9000, 500, 150, 503_000_000, 307_000_000, 120.5, 130.5, 0, 50.0, 10, 4, 4, 4, 800.0, 0
        ),
    )  # fmt: skip
    return b"".join(bytes(message.pack(link)) for message in messages)


def _tables() -> dict[str, list[bytes]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {"time_s": [1.7e9, 1.7e9 + 1], "lat_deg": [50.0, 51.0], "lon_deg": [30.0, 31.0], "target": ["a", "b"]}
    )
    parquet, stream, file = io.BytesIO(), io.BytesIO(), io.BytesIO()
    pq.write_table(table, parquet)
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    with pa.ipc.new_file(file, table.schema) as writer:
        writer.write_table(table)
    return {"parquet": [parquet.getvalue()], "arrow": [stream.getvalue(), file.getvalue()]}


def _feed_seeds(name: str) -> list[bytes]:
    plain: dict[str, Callable[[], list[bytes]]] = {
        "readsb": lambda: [json.dumps(AIRCRAFT).encode()],
        "readsb-trace": lambda: [json.dumps(TRACE).encode()],
        "sbs": lambda: [SBS],
        "beast": lambda: [_beast()],
        "avr": lambda: ["".join(f"*{m};\n@00000000000{i}{m};\n" for i, m in enumerate(MODE_S)).encode()],
        "mode-s": lambda: [
            "".join(f"170000000{i}000,{m},ADSB,40621d,,\n" for i, m in enumerate(MODE_S)).encode(),
            "".join(json.dumps({"timestamp": 1.7e9 + i, "frame": m}) + "\n" for i, m in enumerate(MODE_S)).encode(),
        ],
        "opensky": lambda: [json.dumps(STATES).encode()],
        "asterix": lambda: [_asterix(), _capture(_asterix())],
        "ais": lambda: [AIS],
        "cot": lambda: [EVENT.encode() * 2],
        "cot-protobuf": lambda: _protobuf(),
        "remote-id": lambda: [json.dumps(FLIGHTS).encode()],
        "gpx": lambda: [GPX.encode()],
        "mavlink": lambda: [_mavlink(), (1_700_000_000_000_000).to_bytes(8) + _mavlink()],
        "parquet": lambda: _tables()["parquet"],
        "arrow": lambda: _tables()["arrow"],
        "csv": lambda: [CSV],
    }
    return plain[name]() if name in plain else []


def _protobuf() -> list[bytes]:
    import takproto

    return [bytes(takproto.xml2proto(EVENT, v)) for v in (takproto.TAKProtoVer.MESH, takproto.TAKProtoVer.STREAM)]


def _zone_seeds(name: str) -> list[bytes]:
    geojson = json.dumps(GEOJSON).encode()
    if f"zones:{name}" in fuzz_gis.TARGETS:
        return fuzz_gis.seeds(name)
    by_hand = {"geojson": geojson, "openair": OPENAIR, "notam": NOTAM, "kml": KML, "aixm": AIXM}
    seeds = [by_hand[name]] if name in by_hand else []
    if name == "gis":
        files = fuzz_gis.good(".shp", "ESRI Shapefile")
        seeds.append(zip_archive.pack({f"z{suffix}": data for suffix, data in files.items()}, 0))
    if name in zone_formats.WRITABLE:
        zones = zone_formats.read_zones(geojson, "seed", "geojson").zones
        seeds.append(zone_formats.write_zones(zones, name).data)
    return seeds


INTENT = {
    "reference": {"id": "F1"},
    "details": {"volumes": [
        {"volume": {"outline_circle": {"center": {"lng": 30.0, "lat": 50.0}, "radius": {"value": 900, "units": "M"}},
                    "altitude_lower": {"value": 10, "reference": "W84", "units": "M"}},
         "time_start": {"value": "2026-12-01T08:00:00Z", "format": "RFC3339"}},
        {"volume": {"outline_polygon": {"vertices": [{"lng": 30.0, "lat": 50.0}, {"lng": 30.1, "lat": 50.0},
                                                     {"lng": 30.1, "lat": 50.1}]}}},
    ]},
}  # fmt: skip
VOLUME_ROWS = (
    b"id,lon_deg,lat_deg,radius_m,wkt,edge_type,lower_m,upper_ft,altitude_datum,from_time,to_time\n"
    b"a,30,50,1500,,,,,,1700000000,\n"
    b'b,,,,"POLYGON((30 50, 31 50, 31 51, 30 50),(30.8 50.2, 30.9 50.2, 30.9 50.3, 30.8 50.2))",RHUMB,0,1000,AMSL,'
    b"2026-12-01T08:00:00Z,2026-12-01T09:00:00Z\n"
)


def _volume_seeds(name: str) -> list[bytes]:
    if name == "f3548":
        one = json.dumps(INTENT["details"]["volumes"][0]).encode()
        return [json.dumps(INTENT).encode(), b"[" + one + b"]", one + b"\n" + one + b"\n"]
    if name == "csv":
        return [VOLUME_ROWS]
    if name == "geojson":
        return [json.dumps(GEOJSON).encode()]
    import pyarrow as pa
    import pyarrow.parquet as pq

    packed = io.BytesIO()
    pq.write_table(pa.table({"lon_deg": [30.0], "lat_deg": [50.0], "radius_m": [900.0], "id": ["a"]}), packed)
    return [packed.getvalue()]


_PLACE = {"lat_deg_e7": 504500000, "lon_deg_e7": 305233000, "place_name": "Kyiv", "as_given": "5027N 03031E"}
_TEXT = {
    "text": "Не наближатися.",
    "language": "uk",
    "translations": [{"language": "en", "text": "Keep clear.", "translator": "x"}],
}
_CRITICAL = {
    "positions": [_PLACE], "area": {"positions": [_PLACE], "radius_m": 5000}, "from_ms": 1700000000000, "to_ms": 1700003600000,
    "lower": {"datum": "AGL"}, "upper": {"datum": "STD", "unit": "FL", "value": 320}, "action": "KEEP_CLEAR", "zone": "R-17",
    "addressee": {"call_sign": "RYR03G", "frequency_khz": 121500, "squawk": "7700", "heading_deg": 91, "speed_kt": 450},
}  # fmt: skip
_HEAD = {
    "id": "ALPHA-2023-0007",
    "precedence": "FLASH",
    "desk": "AIR",
    "valid_until_ms": 1700003600000,
    "by_role": "duty officer",
}
MESSAGES: dict[str, list[dict[str, Any]]] = {
    "message": [
        {**_HEAD, "kind": "WARNING", **_CRITICAL, **_TEXT, "affected": ["X"]}, {**_HEAD, "kind": "TEST", "test_text": "T01"},
        {**_HEAD, "kind": "REPLY", "refs": ["BRAVO-2023-0001"], **_TEXT},
    ],
    "receipt": [{"level": "RELAYED_TO_UNITS", "by_role": "x", "at_ms": 1700000000000, "units": "y"}],
    "read-back": [{"message": "ALPHA-2023-0007", "kind": "WARNING", "by_role": "x", **_CRITICAL}],
    "answer": [{"answer": "UNABLE", "by_role": "x", "reason": "ні", "language": "uk"}],
    "denial": [
        {"party": "bravo", "forces": ["OWN", "PROXY"], "area": {"positions": [_PLACE], "radius_m": 9}, "from_ms": 1700000000000,
         "to_ms": 1700003600000, "by_role": "x", "about": "ALPHA-2023-0007", **_TEXT}
    ],
    "suspension": [{"from_ms": 1700000000000, "until_ms": 1700003600000, "by_role": "x", "desks": ["AIR"]}],
    "resumption": [{"from_ms": 1700000000000, "by_role": "x"}],
    "state": [{"party": "bravo", "before": "UP", "after": "SILENT", "at_ms": 1700000000000, "cause": "UNKNOWN"}],
    "incident": [
        {"id": "ALPHA-2023-0008", "category": "OBJECT_FELL", "at_ms": 1700000000000, "owners": ["alpha", "bravo"], "by_role": "x",
         "position": _PLACE, "affected": ["Y"], **_TEXT}
    ],
}  # fmt: skip
GAZETTEER = 'name,lat,lon,radius_km\nKyiv|Київ,50.45,30.5233,15\n"a, b",-1,2,0\n'


def _message_seeds(name: str) -> list[bytes]:
    if name == "gazetteer":
        return [GAZETTEER.encode()]
    return [encode_body(msgspec.convert(fields, BODIES[name])) for fields in MESSAGES[name]]


_SHARED_FILES = {
    "feed:asterix": "asterix/*", "feed:ais": "ais/*.nm4", "feed:beast": "adsb/*.bin", "feed:mode-s": "adsb/*.csv",
    "feed:readsb-trace": "adsb/*.json", "zones:ed318": "zones/*.json", "zones:notam": "notam/*",
}  # fmt: skip


def seeds(target: str) -> list[bytes]:
    """Well-formed inputs: written by the project's own code or by hand, and heads of the real files where present."""
    kind, _, name = target.partition(":")
    makers = {
        "feed": _feed_seeds, "zones": _zone_seeds, "volumes": _volume_seeds, "messages": _message_seeds,
        "channel": fuzz_records.seeds, "decisions": fuzz_decisions.seeds, "acts": fuzz_acts.seeds,
        "dss": fuzz_dss.seeds, "uss": fuzz_dss.seeds, "network": fuzz_network.seeds,
        "files": fuzz_network.seeds,
    }  # fmt: skip
    own: list[Any] = makers[kind](name)
    pattern = _SHARED_FILES.get(target)
    real = (
        [p.read_bytes()[:SEED_BYTES_MAX] for p in sorted(SHARED.glob(pattern))] if pattern and SHARED.is_dir() else []
    )
    cut = b"\x80" if kind == "feed" else b""
    return [cut + bytes(seed) for seed in (*own, *real)]
