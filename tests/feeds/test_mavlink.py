"""MAVLink positions, traffic and remote ID come out of logs and streams with the right time, datum and name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.mavlink import MavlinkDecoder, looks_like_mavlink
from keepclear.feeds.reports import ReportBatch, TargetCategory, TargetDomain

common: Any = pytest.importorskip("pymavlink.dialects.v20.common")
old: Any = pytest.importorskip("pymavlink.dialects.v10.common")
Rows = Callable[[ReportBatch], list[tuple[object, ...]]]
LOGGED_US = 1_700_000_100_000_000


def frames(*messages: Any, dialect: Any = common, system: int = 7) -> list[bytes]:
    link = dialect.MAVLink(None, srcSystem=system, srcComponent=1)
    return [bytes(message.pack(link)) for message in messages]


def log(*packed: bytes) -> bytes:
    return b"".join((LOGGED_US + 1_000_000 * i).to_bytes(8) + frame for i, frame in enumerate(packed))


def heartbeat(kind: int = 2, dialect: Any = common) -> Any:
    return dialect.MAVLink_heartbeat_message(kind, 3, 0, 0, 0, 3)


def own(dialect: Any = common, lat: int = 501_000_000) -> Any:
    return dialect.MAVLink_global_position_int_message(6000, lat, 305_000_000, 123_456, 20_000, 300, 400, -250, 65535)


def traffic(**more: Any) -> Any:
    values = {
        "ICAO_address": 0x508035, "lat": 502_000_000, "lon": 306_000_000, "altitude_type": 1, "altitude": 1_000_000,
        "heading": 9000, "hor_velocity": 10_000, "ver_velocity": -150, "callsign": b"UAL123", "emitter_type": 7,
        "tslc": 2,
        "flags": 1 | 2 | 4 | 8 | 16 | 32 | 128, "squawk": 1200, **more,
    }  # fmt: skip
    return common.MAVLink_adsb_vehicle_message(**values)


def basic_id(serial: bytes = b"1581F4XYZ") -> Any:
    return common.MAVLink_open_drone_id_basic_id_message(0, 0, [9] * 20, 1, 2, list(serial.ljust(20, b"\0")))


def location(**more: Any) -> Any:
    values = {
        "target_system": 0, "target_component": 0, "id_or_mac": [9] * 20, "status": 2, "direction": 9000,
        "speed_horizontal": 500, "speed_vertical": 150, "latitude": 503_000_000, "longitude": 307_000_000,
        "altitude_barometric": 120.5, "altitude_geodetic": 130.5, "height_reference": 0, "height": 50.0,
        "horizontal_accuracy": 10, "vertical_accuracy": 4,
        "barometer_accuracy": 4, "speed_accuracy": 4, "timestamp": 800.0, "timestamp_accuracy": 0, **more,
    }  # fmt: skip
    return common.MAVLink_open_drone_id_location_message(**values)


def test_the_vehicle_itself(decode_all: Any) -> None:
    system_time = common.MAVLink_system_time_message(1_700_000_000_000_000, 5000)
    data = b"".join(frames(heartbeat(), system_time, own()))
    batch, _ = decode_all("mavlink", data)
    assert batch.time_s.tolist() == [1_700_000_001.0]  # booted 5 s before the system time, measured 6 s after that
    assert (batch.lat_deg[0], batch.lon_deg[0]) == pytest.approx((50.1, 30.5))
    assert batch.ground_speed_mps[0] == pytest.approx(5.0)
    assert batch.track_deg[0] == pytest.approx(math.degrees(math.atan2(4, 3)))
    assert batch.vertical_rate_mps[0] == 2.5
    assert batch.target.at(0) == "mavlink:7"
    assert (batch.domain[0], batch.category[0]) == (TargetDomain.AIR, TargetCategory.UAS)
    assert np.isnan(batch.altitude_baro_m[0])


def test_its_altitude_is_brought_to_the_ellipsoid(decode_all: Any) -> None:
    geoid: Any = pytest.importorskip("keepclear.space.geoid")
    batch, decoder = decode_all("mavlink", b"".join(frames(own())))
    undulation_m = float(geoid.undulation_m(np.array([50.1]), np.array([30.5]))[0])
    assert batch.altitude_geo_m[0] == pytest.approx(123.456 + undulation_m)
    assert decoder.faults.total == 0


@pytest.mark.parametrize(
    ("kind", "domain"),
    [(1, TargetDomain.AIR), (10, TargetDomain.GROUND), (11, TargetDomain.SEA), (6, TargetDomain.UNKNOWN)],
)
def test_the_heartbeat_gives_the_domain(decode_all: Any, kind: int, domain: TargetDomain) -> None:
    assert decode_all("mavlink", b"".join(frames(heartbeat(kind), own())))[0].domain.tolist() == [domain]


def test_traffic_that_it_received(decode_all: Any) -> None:
    batch, decoder = decode_all("mavlink", log(*frames(traffic())))
    assert decoder.faults.total == 0
    assert batch.time_s.tolist() == [LOGGED_US / 1e6 - 2]
    assert (batch.target.at(0), batch.callsign.at(0), batch.squawk[0]) == ("508035", "UAL123", 1200)
    assert (batch.altitude_geo_m[0], batch.ground_speed_mps[0], batch.track_deg[0]) == (1000.0, 100.0, 90.0)
    assert batch.vertical_rate_mps[0] == -1.5
    assert batch.category[0] == TargetCategory.ROTARY


def test_what_traffic_does_not_say_is_not_known(decode_all: Any) -> None:
    batch, decoder = decode_all(
        "mavlink",
        b"".join(frames(traffic(flags=1), traffic(flags=1 | 2, altitude_type=0), traffic(flags=0), traffic(flags=65))),
    )
    assert len(batch) == 3
    assert np.isnan(batch.altitude_geo_m).all()  # a QNH altitude has no datum here
    assert np.isnan(batch.altitude_baro_m).all()
    assert np.isnan(batch.track_deg).all()
    assert decoder.skipped == {"position unknown": 1}
    assert batch.source.strings() == ["", "", "simulated"]


def test_remote_id_that_it_received(decode_all: Any) -> None:
    batch, decoder = decode_all("mavlink", b"".join(frames(location(), basic_id(), location())))
    assert decoder.faults.total == 0
    assert batch.target.strings() == ["mavlink:07" + "09" * 20, "1581F4XYZ"]
    assert batch.time_s.tolist() == [1_700_000_000.0] * 2  # 800 s past the hour is 22:13:20
    assert (batch.altitude_baro_m[0], batch.altitude_geo_m[0], batch.accuracy_m[0]) == (120.5, 130.5, 10.0)
    motion = (batch.ground_speed_mps[0], batch.track_deg[0], batch.vertical_rate_mps[0], batch.on_ground[0])
    assert motion == (
        5.0,
        90.0,
        1.5,
        0,
    )


def test_no_value_numbers_are_not_known(decode_all: Any) -> None:
    nothing = location(
        direction=36100, speed_horizontal=25500, speed_vertical=6300, altitude_barometric=-1000.0,
        altitude_geodetic=-1000.0,
        horizontal_accuracy=0, timestamp=65535.0,
    )  # fmt: skip
    batch, decoder = decode_all("mavlink", b"".join(frames(nothing, location(latitude=0, longitude=0), own(lat=0))))
    assert len(batch) == 2  # latitude 0 alone is the equator
    for column in (
        batch.altitude_baro_m,
        batch.altitude_geo_m,
        batch.track_deg,
        batch.ground_speed_mps,
        batch.accuracy_m,
    ):
        assert np.isnan(column[0])
    assert batch.time_s[0] == 1_700_000_000.0
    assert decoder.skipped == {"position unknown": 1}


def test_the_remote_id_hour_wraps(decode_all: Any) -> None:
    hour_s = 1_700_002_800.0
    batch, _ = decode_all("mavlink", frames(location(timestamp=3599.5))[0], received_s=hour_s + 1)
    assert batch.time_s.tolist() == [hour_s - 0.5]


def test_version_1_frames(decode_all: Any) -> None:
    data = b"".join(frames(heartbeat(dialect=old), own(old), dialect=old))
    assert data[0] == 0xFE
    batch, _ = decode_all("mavlink", data)
    assert batch.domain.tolist() == [TargetDomain.AIR]


STREAM = frames(heartbeat(), traffic(), location(), basic_id(), location(), traffic(ICAO_address=0x4CA7A8))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 900), max_size=12),
    st.one_of(st.binary(max_size=30), st.just(b"\xfd\xff\x00")),
    st.booleans(),
)
def test_any_split_gives_the_same(decode_all: Any, rows_of: Rows, cuts: list[int], noise: bytes, logged: bool) -> None:
    good = log(*STREAM) if logged else b"".join(STREAM)
    data = good + noise + good + good[:-3]
    whole, first = decode_all("mavlink", data)
    pieces, second = decode_all("mavlink", data, cuts)
    assert rows_of(whole) == rows_of(pieces)
    assert (first.faults, first.skipped) == (second.faults, second.skipped)


@pytest.mark.parametrize("logged", [True, False])
def test_frames_after_garbage_are_read(decode_all: Any, logged: bool) -> None:
    good = log(*STREAM) if logged else b"".join(STREAM)
    batch, decoder = decode_all("mavlink", good + b"\xfd\xff\x00garbage\xfe\x09" + good)
    assert len(batch) == 8
    assert list(decoder.faults.counts.values()) == [1]


def test_a_wrong_checksum_is_refused(decode_all: Any) -> None:
    bad = bytearray(STREAM[1])
    bad[20] ^= 1
    batch, decoder = decode_all("mavlink", bytes(bad) + STREAM[1])
    assert len(batch) == 1
    assert decoder.faults.counts == {"not a MAVLink frame, or its checksum is wrong": 1}


def test_memory_stays_bounded() -> None:
    decoder = MavlinkDecoder(DecoderOptions())
    for _ in range(200):
        decoder.decode(b"\xfd\xff\x01" + bytes(range(256)) * 4, 1e9)
        assert len(decoder._buffer) < 400


def test_recognised_by_its_head() -> None:
    assert looks_like_mavlink(b"".join(STREAM))
    assert looks_like_mavlink(log(*STREAM))
    assert not looks_like_mavlink(b"")
    assert not looks_like_mavlink(bytes(100))
    assert not looks_like_mavlink(b'{"now": 1}')
