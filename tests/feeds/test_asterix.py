"""ASTERIX records are split as the standard says, dated and placed rightly, and garbage costs only itself."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from geographiclib.geodesic import Geodesic
from hypothesis import example, given, settings
from hypothesis import strategies as st

from keepclear.errors import InputError
from keepclear.feeds.asterix import AsterixDecoder, looks_like_asterix
from keepclear.feeds.asterix_items import position_of_plot
from keepclear.feeds.asterix_records import CATEGORIES, read_records
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.pcap import CaptureReader
from keepclear.feeds.reports import ReportBatch, TargetCategory, TargetDomain

Rows = Callable[[ReportBatch], list[tuple[object, ...]]]
MIDNIGHT_S = 1_700_006_400.0  # 2023-11-15 00:00 UTC
NOON_S = MIDNIGHT_S + 43_200.0


def record(category: int, items: dict[str, bytes]) -> bytes:
    """FSPEC and items in the order of the category's profile."""
    bits = [entry is not None and entry[0] in items for entry in CATEGORIES[category]]
    last = max(i for i, bit in enumerate(bits) if bit)
    octets = bytearray()
    for start in range(0, last + 1, 7):
        octet = sum(0x80 >> i for i, bit in enumerate(bits[start : start + 7]) if bit)
        octets.append(octet | (1 if start + 7 <= last else 0))
    return bytes(octets) + b"".join(items[e[0]] for e in CATEGORIES[category] if e is not None and e[0] in items)


def block(category: int, *records: bytes) -> bytes:
    body = b"".join(records)
    return struct.pack(">BH", category, 3 + len(body)) + body


def time_of_day(seconds: float) -> bytes:
    return round(seconds * 128).to_bytes(3)


def track(number: int, tod_s: float = 43_200.0, lat: float = 50.0, lon: float = 30.0, **more: bytes) -> bytes:
    position = struct.pack(">ii", round(lat * 2**25 / 180), round(lon * 2**25 / 180))
    items = {"010": b"\x19\x0c", "040": struct.pack(">H", number), "070": time_of_day(tod_s), "105": position}
    return record(62, {**items, **{key.lstrip("i"): value for key, value in more.items()}})


def plot(rho_nm: float, theta_deg: float, **more: bytes) -> bytes:
    polar = struct.pack(">HH", round(rho_nm * 256), round(theta_deg * 65536 / 360) % 65536)
    items = {"010": b"\x19\x0c", "140": time_of_day(43_200), "020": b"\x40", "040": polar, "161": b"\x00\x07"}
    return record(48, {**items, **{key.lstrip("i"): value for key, value in more.items()}})


def capture(*payloads: bytes, time_s: int = int(NOON_S)) -> bytes:
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for payload in payloads:
        udp = struct.pack(">HHHH", 1, 2, 8 + len(payload), 0) + payload
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 9, 17, 0, bytes(4), bytes(4)) + udp
        frame = bytes(12) + b"\x08\x00" + ip
        out += struct.pack("<IIII", time_s, 500_000, len(frame), len(frame)) + frame
    return out


@pytest.mark.shared
def test_the_sample_of_cat034_and_cat048_counts_162(shared_data: Path) -> None:
    data = (shared_data / "asterix" / "cat_034_048.pcap").read_bytes()
    radars = {f"{name:04x}": (45.0, 16.0) for name in (0x190C, 0x19C9, 0x19CC, 0x190D, 0x190B, 0x19CD, 0x190E)}
    decoder = AsterixDecoder(DecoderOptions(radars=radars))
    batch = decoder.decode(data, math.nan)
    assert len(decoder.finish()) == 0
    # 34 sector messages, and 126 of 128 radar records; the two others are track ends without a position
    assert len(batch) == 126
    assert decoder.skipped == {"CAT034": 34, "CAT048 record without a position": 2}
    assert decoder.faults.total == 0
    assert "3c660c" in batch.target.names
    assert set(batch.callsign.strings()) >= {"DLH65A", "THY9TX"}
    assert np.all(np.abs(batch.received_s - batch.time_s) < 10.0)  # the time of day found the capture's day


@pytest.mark.shared
def test_one_receiver_position_serves_one_radar_only(shared_data: Path) -> None:
    data = (shared_data / "asterix" / "cat_034_048.pcap").read_bytes()
    decoder = AsterixDecoder(DecoderOptions(receiver_lat_deg=45.0, receiver_lon_deg=16.0))
    batch = decoder.decode(data, math.nan)
    assert len(batch) + decoder.faults.total == 126
    assert 0 < len(batch) < 126
    assert list(decoder.faults.counts) == ["plot of a second radar: --receiver places only the first one in the feed"]


@pytest.mark.shared
def test_the_sample_of_cat062_and_cat065_counts_3(shared_data: Path) -> None:
    decoder = AsterixDecoder(DecoderOptions())
    batch = decoder.decode((shared_data / "asterix" / "cat_062_065.pcap").read_bytes(), math.nan)
    assert (len(batch), decoder.skipped, decoder.faults.total) == (2, {"CAT065": 1}, 0)
    assert batch.target.strings() == ["4ca7a8", "4cac7f"]
    assert batch.callsign.strings() == ["RYR174C", "ISS2007"]
    assert batch.altitude_baro_m[0] == pytest.approx(390 * 30.48)
    assert batch.squawk[0] == 1275


@pytest.mark.shared
def test_the_sample_of_cat021_counts_2(shared_data: Path) -> None:
    decoder = AsterixDecoder(DecoderOptions(start_s=NOON_S))
    batch = decoder.decode((shared_data / "asterix" / "cat21_re.ast").read_bytes(), math.nan)
    assert batch.target.strings() == ["000001", "000002"]
    assert batch.domain.tolist() == [TargetDomain.AIR, TargetDomain.GROUND]  # the second is a service vehicle
    assert decoder.faults.total == 0


@pytest.mark.shared
def test_records_split_as_libasterix_splits_them(shared_data: Path) -> None:
    generated: Any = pytest.importorskip("asterix.generated")
    from asterix.base import Bits, ParsingMode

    editions = {21: generated.Cat_021_2_6, 48: generated.Cat_048_1_32, 62: generated.Cat_062_1_20}

    def theirs(category: int, body: bytes) -> list[dict[str, bytes]] | None:
        found, rest = [], Bits.from_bytes(body)
        while len(rest):
            result = editions[category].cv_record.parse(ParsingMode.StrictParsing, rest)
            if isinstance(result, ValueError):
                return None
            one, rest = result
            found.append({name: item.unparse().to_bytes() for name, item in one.items_regular.items()})
        return found

    bodies = []
    for name in ("cat_034_048.pcap", "cat_062_065.pcap", "cat21_re.ast"):
        data = (shared_data / "asterix" / name).read_bytes()
        payloads = [d.payload for d in CaptureReader(Faults()).feed(data)] if name.endswith("pcap") else [data]
        for payload in payloads:
            at = 0
            while at < len(payload):
                length = int.from_bytes(payload[at + 1 : at + 3])
                if payload[at] in CATEGORIES:
                    bodies.append((payload[at], payload[at + 3 : at + length]))
                at += length
    assert sum(len(read_records(c, body, 0, len(body))[0]) for c, body in bodies) == 128 + 2 + 2
    for category, body in bodies:
        assert read_records(category, body, 0, len(body)) == (theirs(category, body), len(body))

    # Then what no sample holds: each item with random octets. What they read, we read alike; every item comes up.
    random = np.random.default_rng(48)
    seen: set[tuple[int, str]] = set()
    every = [(c, entry[0]) for c, profile in CATEGORIES.items() for entry in profile if entry is not None]
    for category, name in every * 8:
        octets = bytes((random.integers(0, 256, 400) & random.integers(0, 256, 400)).astype(np.uint8))
        body = record(category, {"010": b"\x01\x02", name: octets})
        result = editions[category].cv_record.parse(ParsingMode.StrictParsing, Bits.from_bytes(body))
        if isinstance(result, ValueError):
            continue  # a bit that the standard leaves undefined
        one, rest = result
        end = len(body) - len(rest) // 8
        ours, stop = read_records(category, body, 0, end)
        assert (stop, len(ours)) == (end, 1)
        assert ours[0] == {key: item.unparse().to_bytes() for key, item in one.items_regular.items()}
        seen.update((category, key) for key in ours[0])
    assert set(every) == seen


@pytest.mark.parametrize(
    ("tod_s", "receipt_s", "expected_s"),
    [
        (43_200.0, NOON_S + 2, NOON_S),
        (86_399.5, MIDNIGHT_S + 0.25, MIDNIGHT_S - 0.5),  # measured before midnight, received after it
        (0.25, MIDNIGHT_S - 0.5, MIDNIGHT_S + 0.25),  # the sender's clock is ahead over midnight
    ],
)
def test_the_time_of_day_finds_the_nearest_day(
    decode_all: Any, tod_s: float, receipt_s: float, expected_s: float
) -> None:
    batch, _ = decode_all("asterix", block(62, track(1, tod_s)), received_s=receipt_s)
    assert batch.time_s.tolist() == [expected_s]
    assert batch.received_s.tolist() == [receipt_s]


def test_a_recording_runs_over_several_midnights(decode_all: Any) -> None:
    times = [NOON_S + 7200.0 * i for i in range(40)]
    data = b"".join(block(62, track(1, t % 86_400.0)) for t in times)
    batch, _ = decode_all("asterix", data, options=DecoderOptions(start_s=NOON_S), received_s=math.nan)
    assert batch.time_s.tolist() == times


def test_no_date_at_all_is_a_fault(decode_all: Any) -> None:
    batch, decoder = decode_all("asterix", block(62, track(1)), received_s=math.nan)
    assert len(batch) == 0
    assert decoder.faults.total == 1


def test_every_value_of_a_system_track(decode_all: Any) -> None:
    data = track(
        7,
        i185=struct.pack(">hh", 400, -400),
        i220=struct.pack(">h", -160),
        i136=struct.pack(">h", 1400),
        i130=struct.pack(">h", 1760),
        i060=b"\x0f\xc0",
        i245=b"\x00" + bytes.fromhex("54c5f1c31820"),
        i500=b"\x80" + struct.pack(">HH", 100, 40),
        i080=b"\x01\x80",
    )
    batch, decoder = decode_all("asterix", block(62, data))
    assert decoder.faults.total == 0
    assert batch.target.at(0) == "asterix:190c/7"
    assert batch.lat_deg[0] == pytest.approx(50.0, abs=1e-5)
    assert batch.ground_speed_mps[0] == pytest.approx(100 * math.sqrt(2))
    assert batch.track_deg[0] == pytest.approx(135.0)
    assert batch.vertical_rate_mps[0] == pytest.approx(-1000 * 0.3048 / 60)
    assert batch.altitude_baro_m[0] == pytest.approx(350 * 30.48)
    assert batch.altitude_geo_m[0] == pytest.approx(11_000 * 0.3048)  # the ellipsoid: no geoid in between
    assert batch.squawk[0] == 7700
    assert batch.accuracy_m[0] == pytest.approx(50 * 2.4477)
    assert batch.source.at(0) == "simulated"


def test_every_value_of_an_ads_b_report(decode_all: Any) -> None:
    items = {
        "010": b"\x01\x02",
        "040": b"\x01\x40",  # on the ground
        "073": time_of_day(43_200),
        "131": struct.pack(">ii", round(50.5 * 2**30 / 180), round(-30.25 * 2**30 / 180)),
        "080": bytes.fromhex("508035"),
        "140": struct.pack(">h", 1600),
        "090": b"\x01\x12",  # NACp 9
        "070": b"\x0e\x80",
        "145": struct.pack(">h", -8),
        "157": struct.pack(">H", 0x7FFF & -320),
        "160": struct.pack(">HH", round(0.1 * 2**14), 16384),
        "170": bytes.fromhex("54c5f1c31820"),
        "020": b"\x0a",
    }
    batch, decoder = decode_all("asterix", block(21, record(21, items)))
    assert decoder.faults.total == 0
    assert (batch.lat_deg[0], batch.lon_deg[0]) == pytest.approx((50.5, -30.25), abs=1e-6)
    assert batch.target.at(0) == "508035"
    assert batch.altitude_geo_m[0] == pytest.approx(10_000 * 0.3048)
    assert batch.altitude_baro_m[0] == pytest.approx(-2 * 30.48)
    assert batch.accuracy_m[0] == pytest.approx(30.0)
    assert batch.ground_speed_mps[0] == pytest.approx(185.2, rel=1e-3)
    assert batch.track_deg[0] == 90.0
    assert batch.vertical_rate_mps[0] == pytest.approx(-2000 * 0.3048 / 60)
    assert (batch.on_ground[0], batch.category[0], batch.squawk[0]) == (1, TargetCategory.ROTARY, 7200)


def test_a_plot_without_a_place_says_how_to_give_it(decode_all: Any) -> None:
    batch, decoder = decode_all("asterix", block(48, plot(10, 90)))
    assert len(batch) == 0
    (reason,) = decoder.faults.counts
    assert "--receiver LAT,LON" in reason


def test_a_plot_lies_where_the_geodesic_ends(decode_all: Any) -> None:
    options = DecoderOptions(receiver_lat_deg=50.0, receiver_lon_deg=30.0)
    level = struct.pack(">H", 4 * 330)
    batch, _ = decode_all("asterix", block(48, plot(20, 60, i090=level)), options=options)
    found = Geodesic.WGS84.Inverse(50.0, 30.0, batch.lat_deg[0], batch.lon_deg[0])
    slant_m, height_m = 20 * 1852.0, 330 * 30.48
    assert found["azi1"] == pytest.approx(60.0, abs=0.01)
    assert found["s12"] == pytest.approx(math.sqrt(slant_m**2 - height_m**2), rel=1e-3)
    assert math.isnan(batch.accuracy_m[0])


def test_an_unknown_height_shows_as_error_of_the_slant_range() -> None:
    assert position_of_plot(50.0, 30.0, 30_000.0, 0.0, math.nan)[2] == pytest.approx(
        30_000 - math.sqrt(30_000**2 - 15_000**2)
    )
    assert position_of_plot(50.0, 30.0, 30_000.0, 0.0, 1000.0)[2] == 0.0
    assert position_of_plot(50.0, 30.0, 5_000.0, 0.0, 9000.0)[:2] == pytest.approx((50.0, 30.0))


def test_garbled_codes_and_levels_are_left_out(decode_all: Any) -> None:
    options = DecoderOptions(receiver_lat_deg=50.0, receiver_lon_deg=30.0)
    data = block(48, plot(20, 60, i090=b"\x45\x28", i070=b"\x8f\xc0"))
    batch, _ = decode_all("asterix", data, options=options)
    assert math.isnan(batch.altitude_baro_m[0])
    assert batch.squawk[0] == -1


GOOD = block(62, track(1), track(2)) + block(65, b"\x80\x01\x02") + block(62, track(3))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 400), max_size=12), st.binary(max_size=40), st.sampled_from(["stream", "capture", "cut"])
)
@example(list(range(400)), b"\x3e\x00\x05\x00", "stream")
def test_any_split_gives_the_same(decode_all: Any, rows_of: Rows, cuts: list[int], noise: bytes, how: str) -> None:
    data = {"stream": GOOD + noise + GOOD, "capture": capture(GOOD, noise, GOOD), "cut": GOOD[:-7] + noise}[how]
    whole, first = decode_all("asterix", data)
    pieces, second = decode_all("asterix", data, cuts)
    assert rows_of(whole) == rows_of(pieces)
    assert (first.faults, first.skipped) == (second.faults, second.skipped)


def test_good_blocks_after_garbage_are_read(decode_all: Any) -> None:
    batch, decoder = decode_all("asterix", GOOD + bytes(range(200, 256)) * 3 + GOOD)
    assert batch.target.strings() == [f"asterix:190c/{i}" for i in (1, 2, 3, 1, 2, 3)]
    assert decoder.faults.counts == {"not a data block": 1}


def test_the_good_records_of_a_broken_block_are_kept(decode_all: Any) -> None:
    broken = block(62, track(1), track(2)[:-3])
    batch, decoder = decode_all("asterix", broken + GOOD)
    assert batch.target.strings() == [f"asterix:190c/{i}" for i in (1, 1, 2, 3)]
    assert decoder.faults.counts == {"CAT062 record is malformed": 1}


def test_a_false_length_does_not_swallow_the_file(decode_all: Any) -> None:
    batch, decoder = decode_all("asterix", b"\x3e\xff\xff" + GOOD * 3)
    assert len(batch) == 9
    assert decoder.faults.total == 1


def test_captures_damaged_in_every_way() -> None:
    def read(data: bytes) -> tuple[int, dict[str, int]]:
        faults = Faults()
        reader = CaptureReader(faults)
        found = list(reader.feed(data))
        reader.finish()
        return len(found), faults.counts

    good = capture(b"a", b"b")
    assert read(good) == (2, {})
    assert read(good[:-1]) == (1, {"capture: cut in the middle of a packet": 1})
    length = struct.pack("<II", 2**31, 2**31)
    assert read(good[:32] + length + good[40:]) == (
        0,
        {"capture: packet length is impossible, the rest is not read": 1},
    )
    fragment = bytearray(capture(b"a"))
    fragment[24 + 16 + 14 + 6] = 0x20
    assert read(bytes(fragment)) == (0, {"capture: fragmented datagram": 1})
    with pytest.raises(InputError, match="link type 101"):
        read(good[:20] + struct.pack("<I", 101) + good[24:])


def test_pcapng_is_refused_with_the_way_out(decode_all: Any) -> None:
    with pytest.raises(InputError, match="editcap"):
        decode_all("asterix", b"\x0a\x0d\x0d\x0a" + bytes(100))


def test_recognised_by_its_head() -> None:
    assert looks_like_asterix(GOOD)
    assert looks_like_asterix(capture(GOOD))
    assert not looks_like_asterix(b'{"now": 1}')
    assert not looks_like_asterix(b"")
    assert not looks_like_asterix(b"\x1a3" + bytes(60))


def test_memory_stays_bounded() -> None:
    decoder = AsterixDecoder(DecoderOptions())
    for _ in range(100):
        decoder.decode(bytes(range(256)) * 40, 1e9)
        assert len(decoder._buffer) < 70_000
