"""Mode S frames give the positions that two other decoders find, with parity, time and motion respected."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepclear.feeds.formats import DecoderOptions, make_decoder
from keepclear.feeds.kernels.cpr import airborne_pair, local_position, longitude_zones
from keepclear.feeds.mode_s import AvrDecoder, BeastDecoder, HexLinesDecoder
from keepclear.feeds.mode_s_aircraft import ADDRESSES_MAX, PAIR_AGE_MAX_S
from keepclear.feeds.mode_s_fields import callsign_of, parity_remainders, read_fields
from keepclear.feeds.reports import ReportBatch, TargetCategory, concatenate

RECORDING = "kyiv_airshow_2021-08-24_modes.csv"

# Worked examples of J. Sun, «The 1090 Megahertz Riddle» (2nd ed.), chapters 3 to 5.
IDENTIFICATION = "8D4840D6202CC371C32CE0576098"  # KLM1023
EVEN = "8D40621D58C382D690C8AC2863A7"
ODD = "8D40621D58C386435CC412692AD6"
VELOCITY = "8D485020994409940838175B284F"
SURFACE_ODD = "8C4841753A8A35323FAEBDAC702D"
T0 = 1_700_000_000.0


def lines(*stamped: tuple[float, str]) -> bytes:
    return "".join(f"{int(t * 1000)},{frame}\n" for t, frame in stamped).encode()


def decoded(data: bytes, **options: Any) -> tuple[ReportBatch, HexLinesDecoder]:
    decoder = HexLinesDecoder(DecoderOptions(**options))
    first = decoder.decode(data, math.nan)
    return concatenate([first, decoder.finish()]), decoder


def with_parity(head: str) -> str:
    """A squitter's first 11 bytes with the parity they need."""
    frame = np.frombuffer(bytes.fromhex(head + "000000"), dtype=np.uint8)[None, :]
    return f"{head}{int(parity_remainders(frame)[0]):06X}"


def airborne(address: str, lat_deg: float, lon_deg: float, odd: bool, altitude_ft: int = 10000) -> str:
    """An airborne position squitter, encoded by Doc 9871 C.2.6.3: the slow, obvious inverse of the decoder."""
    yz, xz = encoded(lat_deg, lon_deg, odd)
    steps = (altitude_ft + 1000) // 25
    altitude = (steps >> 4) << 5 | 1 << 4 | steps & 0xF
    me = 11 << 51 | altitude << 36 | int(odd) << 34 | yz << 17 | xz
    return with_parity(f"8D{address}{me:014X}")


def encoded(lat_deg: float, lon_deg: float, odd: bool) -> tuple[int, int]:
    height = 360.0 / (59 if odd else 60)
    yz = math.floor(2**17 * (lat_deg % height) / height + 0.5)
    rlat = height * (yz / 2**17 + math.floor(lat_deg / height))
    width = 360.0 / max(longitude_zones(rlat) - odd, 1)
    xz = math.floor(2**17 * (lon_deg % width) / width + 0.5)
    return yz % 2**17, xz % 2**17


def test_the_worked_example_of_a_pair_gives_its_position_and_altitude() -> None:
    batch, decoder = decoded(lines((T0, ODD), (T0 + 1, EVEN)))
    assert decoder.faults.total == 0
    assert batch.time_s.tolist() == [T0 + 1]
    assert batch.lat_deg[0] == pytest.approx(52.2572021484375, abs=1e-12)
    assert batch.lon_deg[0] == pytest.approx(3.91937255859375, abs=1e-12)
    assert batch.altitude_baro_m[0] == pytest.approx(38000 * 0.3048)
    assert np.isnan(batch.altitude_geo_m[0])
    assert batch.target.at(0) == "40621d"
    assert batch.on_ground[0] == 0


def test_a_surface_position_needs_to_know_where_the_receiver_stands() -> None:
    batch, _ = decoded(lines((T0, SURFACE_ODD)), receiver_lat_deg=51.990, receiver_lon_deg=4.375)
    assert (batch.lat_deg[0], batch.lon_deg[0]) == pytest.approx((52.320607, 4.734735), abs=1e-5)
    assert batch.on_ground[0] == 1
    assert np.isnan(batch.altitude_baro_m[0])
    assert len(decoded(lines((T0, SURFACE_ODD)))[0]) == 0


def test_callsign_velocity_and_height_difference_stand_beside_the_position_while_fresh() -> None:
    address = "485020"
    even, odd = airborne(address, 52.0, 4.0, False), airborne(address, 52.0, 4.0, True)
    identification = with_parity(f"8D{address}{bytes.fromhex(IDENTIFICATION)[4:11].hex()}")
    heard = lines((T0, identification), (T0, odd), (T0 + 1, VELOCITY), (T0 + 2, even), (T0 + 30, odd))
    batch, _ = decoded(heard)
    assert batch.callsign.strings() == ["KLM1023", "KLM1023"]
    assert batch.ground_speed_mps[0] == pytest.approx(159.20 * 0.514444, abs=0.01)
    assert batch.track_deg[0] == pytest.approx(182.88, abs=0.01)
    assert batch.vertical_rate_mps[0] == pytest.approx(-832 * 0.3048 / 60, abs=1e-4)
    assert batch.altitude_geo_m[0] == pytest.approx((10000 + 550) * 0.3048)
    assert np.isnan(batch.ground_speed_mps[1])
    assert np.isnan(batch.altitude_geo_m[1])


def test_even_and_odd_too_far_apart_in_time_are_no_pair() -> None:
    assert len(decoded(lines((T0, ODD), (T0 + PAIR_AGE_MAX_S, EVEN)))[0]) == 1
    assert len(decoded(lines((T0, ODD), (T0 + PAIR_AGE_MAX_S + 0.1, EVEN)))[0]) == 0


def test_frames_of_two_addresses_are_no_pair() -> None:
    other = airborne("40621E", 52.2, 3.9, False)
    assert len(decoded(lines((T0, ODD), (T0 + 1, other)))[0]) == 0


def test_a_frame_with_bad_parity_invents_no_aircraft() -> None:
    flipped = EVEN[:3] + "1" + EVEN[4:]
    batch, decoder = decoded(lines((T0, flipped), (T0 + 1, ODD), (T0 + 2, EVEN)))
    assert batch.target.strings() == ["40621d"]
    assert decoder.faults.counts == {"Mode S parity failed": 1}


@given(st.integers(0, 111), st.integers(0, 111))
def test_any_one_or_two_flipped_bits_are_noticed(first: int, second: int) -> None:
    bits = int(EVEN, 16) ^ (1 << first)
    bits ^= (1 << second) if second != first else 0
    frame = np.frombuffer(bits.to_bytes(14, "big"), dtype=np.uint8)[None, :]
    assert parity_remainders(frame)[0] != 0


def test_a_jump_is_refused_until_it_lasts() -> None:
    home = [airborne("508035", 50.0, 30.0, odd) for odd in (False, True)]
    away = [airborne("508035", 55.0, 20.0, odd) for odd in (False, True)]
    frames = [home[i % 2] for i in range(4)] + [away[i % 2] for i in range(8)]
    batch, decoder = decoded(lines(*((T0 + 0.5 * i, frame) for i, frame in enumerate(frames))))
    places = {(round(lat), round(lon)) for lat, lon in zip(batch.lat_deg.tolist(), batch.lon_deg.tolist(), strict=True)}
    assert places == {(50, 30), (55, 20)}  # tracking judges whether it lies; the decoder only waits for proof
    assert decoder.faults.counts == {"position no aircraft can have reached": 3}


@settings(deadline=None)  # the first call loads the compiled code
@given(st.floats(-89.9, 89.9), st.floats(-180.0, 179.999), st.booleans())
def test_a_pair_gives_back_the_position_it_was_made_from(lat_deg: float, lon_deg: float, newest_is_odd: bool) -> None:
    even, odd = encoded(lat_deg, lon_deg, False), encoded(lat_deg, lon_deg, True)
    fits, *place = airborne_pair(even[0] / 2**17, even[1] / 2**17, odd[0] / 2**17, odd[1] / 2**17, newest_is_odd)
    if not fits:  # the two latitudes fell on both sides of a zone's edge
        edges = {longitude_zones(lat_deg + d) for d in (-1e-4, 0.0, 1e-4)}
        assert len(edges) > 1
        return
    assert_near(place, lat_deg, lon_deg)


@settings(deadline=None)
@given(st.floats(-89.0, 89.0), st.floats(-180.0, 179.999), st.booleans(), st.floats(-0.3, 0.3), st.floats(-0.3, 0.3),
       st.booleans())  # fmt: skip
def test_one_frame_and_a_near_point_give_back_the_position(
    lat_deg: float, lon_deg: float, odd: bool, dlat: float, dlon: float, surface: bool
) -> None:
    scale = 4 if surface else 1
    yz, xz = encoded(lat_deg, lon_deg, odd)
    fractions = (yz / 2**17 * scale % 1.0, xz / 2**17 * scale % 1.0)
    near_lon = (lon_deg + dlon + 180.0) % 360.0 - 180.0
    fits, *place = local_position(*fractions, odd, max(-90.0, min(90.0, lat_deg + dlat)), near_lon, surface)
    assert fits
    assert_near(place, lat_deg, lon_deg)


def test_a_known_point_on_the_edge_of_a_zone_gives_the_position_beside_it() -> None:
    yz, xz = encoded(22.0, 90.0, False)
    _, *place = local_position(yz / 2**17 * 4 % 1.0, xz / 2**17 * 4 % 1.0, False, 22.0, 90.0, True)
    assert_near(place, 22.0, 90.0)


def assert_near(place: list[float], lat_deg: float, lon_deg: float) -> None:
    """Within 10 m: half a step of CPR is 2.5 m in latitude, and twice that in longitude near the equator."""
    east_deg = (place[1] - lon_deg + 180.0) % 360.0 - 180.0
    assert -180.0 <= place[1] < 180.0
    assert abs(place[0] - lat_deg) * 111_000 < 10.0
    assert abs(east_deg) * 111_000 * math.cos(math.radians(lat_deg)) < 10.0


def test_addresses_are_forgotten_so_that_memory_is_bounded() -> None:
    decoder = HexLinesDecoder(DecoderOptions())
    me = bytes.fromhex(IDENTIFICATION)[4:11].hex()
    frames = np.frombuffer(
        b"".join(bytes.fromhex(f"8D{a:06X}{me}000000") for a in range(ADDRESSES_MAX + 500)), dtype=np.uint8
    ).reshape(-1, 14).copy()  # fmt: skip
    remainders = parity_remainders(frames)
    data = lines(*((T0, f"{f[:11].tobytes().hex()}{r:06x}") for f, r in zip(frames, remainders.tolist(), strict=True)))
    decoder.decode(data, math.nan)
    assert len(decoder._aircraft) == ADDRESSES_MAX
    assert decoder.faults.total == 0


def test_altitude_and_identity_codes_agree_with_a_second_decoder_on_every_code() -> None:
    from pyModeS._altcode import altcode_to_altitude
    from pyModeS._idcode import idcode_to_squawk

    from keepclear.feeds.mode_s_fields import _ALTITUDE_FT, _SQUAWK

    for code in range(8192):
        if not code & 0x0040:  # the metric bit: reserved, and we read nothing into it
            theirs = altcode_to_altitude(code)
            ours = _ALTITUDE_FT[code]
            assert (theirs is None and np.isnan(ours)) or theirs == ours, code
        assert int(idcode_to_squawk(code)) == _SQUAWK[code]


# The recording over Kyiv: 39,499 frames, 14,704 of them positions.


@pytest.fixture(scope="module")
def frames(shared_data: Path) -> list[tuple[float, str]]:
    with (shared_data / "adsb" / RECORDING).open(encoding="ascii") as file:
        return [(int(row[0]) / 1000, row[1].lower()) for row in csv.reader(file)]


@pytest.fixture(scope="module")
def recorded(shared_data: Path) -> ReportBatch:
    decoder = make_decoder("mode-s", DecoderOptions())
    batch = concatenate([decoder.decode((shared_data / "adsb" / RECORDING).read_bytes(), math.nan), decoder.finish()])
    assert decoder.faults.total == 0
    return batch


def positions(batch: ReportBatch) -> dict[tuple[float, str], tuple[float, float]]:
    keys = zip((round(t, 3) for t in batch.time_s.tolist()), batch.target.strings(), strict=True)
    return dict(zip(keys, zip(batch.lat_deg.tolist(), batch.lon_deg.tolist(), strict=True), strict=True))


@pytest.mark.shared
def test_every_position_pymodes_finds_at_once_is_found_and_is_the_same(
    frames: list[tuple[float, str]], recorded: ReportBatch
) -> None:
    from pyModeS import PipeDecoder

    pipe = PipeDecoder()
    theirs = {}
    for time_s, frame in frames:
        found = pipe.decode(frame, timestamp=time_s)
        if found.get("latitude") is not None:
            theirs[round(time_s, 3), found["icao"].lower()] = (found["latitude"], found["longitude"])
    ours = positions(recorded)
    assert (len(ours), len(theirs)) == (14_536, 14_133)
    assert theirs.keys() <= ours.keys()
    assert max(math.dist(ours[key], theirs[key]) for key in theirs) < 1e-9
    # The 403 more: pyModeS holds each aircraft's first three positions back (115), looks 30 s back where we look
    # 180 s, refuses 15 altitudes, and gives no surface position without a reference.


@pytest.mark.shared
def test_the_positions_rs1090_finds_are_the_same_but_for_those_it_fills_in_later(
    frames: list[tuple[float, str]], recorded: ReportBatch
) -> None:
    import rs1090

    found: Any = rs1090.decode([f for _, f in frames], [t for t, _ in frames], batch=len(frames))
    theirs = {
        (round(m["timestamp"], 3), m["icao24"]): (m["latitude"], m["longitude"])
        for m in found
        if m.get("latitude") is not None
    }
    ours = positions(recorded)
    assert len(theirs) == 14_491
    assert len(theirs.keys() - ours.keys()) == 26  # 21 without any earlier position, 5 more than 180 s after one
    assert len(ours.keys() - theirs.keys()) == 71
    assert max(math.dist(ours[key], theirs[key]) for key in theirs.keys() & ours.keys()) < 1e-9


@pytest.mark.shared
def test_all_fields_agree_with_rs1090_frame_by_frame(frames: list[tuple[float, str]]) -> None:
    import rs1090

    theirs: Any = rs1090.decode([f for _, f in frames])
    raw = np.frombuffer(bytes.fromhex("".join(f for _, f in frames)), dtype=np.uint8).reshape(-1, 14)
    ours = read_fields(raw, np.ones(len(raw), dtype=np.bool_))
    assert not len(ours.parity_failed)

    def column(name: str, bds: str) -> tuple[np.ndarray[Any, Any], list[Any]]:
        rows = [i for i, m in enumerate(theirs) if m["bds"] == bds and m.get(name) is not None]
        return np.array(rows), [theirs[i][name] for i in rows]

    for name, bds, mine, factor in (
        ("altitude", "05", ours.altitude_ft, 1.0),
        ("groundspeed", "09", ours.speed_mps, 1852 / 3600),
        ("track", "09", ours.track_deg, 1.0),
        ("vertical_rate", "09", ours.climb_mps, 0.3048 / 60),
        ("geo_minus_baro", "09", ours.geo_minus_baro_ft, 1.0),
        ("groundspeed", "06", ours.speed_mps, 1852 / 3600),
        ("track", "06", ours.track_deg, 1.0),
    ):
        rows, values = column(name, bds)
        assert len(rows) > 30
        assert np.allclose(mine[rows], np.array(values, dtype=float) * factor, rtol=1e-6, atol=1e-9), (name, bds)
    rows, values = column("squawk", "61")
    assert ours.squawk[rows].tolist() == [int(v) for v in values]
    rows, values = column("NACp", "65")
    assert ours.nac_p[rows].tolist() == values
    rows, names = column("callsign", "08")
    assert [callsign_of(int(me)) for me in ours.me[rows]] == names


@pytest.mark.shared
def test_the_recordings_reports_are_filled(recorded: ReportBatch) -> None:
    assert len(set(recorded.target.strings())) >= 38
    assert np.isnan(recorded.altitude_baro_m).mean() < 0.01
    assert np.isnan(recorded.ground_speed_mps).mean() < 0.05
    assert np.isnan(recorded.accuracy_m).mean() < 0.01
    assert (recorded.callsign.codes >= 0).mean() > 0.9
    assert set(recorded.category.tolist()) >= {TargetCategory.FIXED, TargetCategory.ROTARY}
    assert (np.abs(recorded.altitude_geo_m - recorded.altitude_baro_m)[~np.isnan(recorded.altitude_geo_m)] < 1000).all()


@pytest.mark.shared
def test_the_same_frames_in_every_framing_give_the_same_positions(
    frames: list[tuple[float, str]], recorded: ReportBatch
) -> None:
    start_s = frames[0][0]
    ticks = [round((t - start_s) * 12e6) + 12_000_000 for t, _ in frames[:6000]]
    until_s = frames[5999][0]
    expected = recorded.take(recorded.time_s <= until_s)
    beast = b"".join(
        b"\x1a3" + (tick.to_bytes(6, "big") + b"\x40" + bytes.fromhex(frame)).replace(b"\x1a", b"\x1a\x1a")
        for tick, (_, frame) in zip(ticks, frames, strict=False)
    )
    avr = "".join(f"@{tick:012X}{frame.upper()};\n" for tick, (_, frame) in zip(ticks, frames, strict=False)).encode()
    jsonl = "".join(json.dumps({"frame": f, "timestamp": t}) + "\n" for t, f in frames[:6000]).encode()
    iso = "".join(
        f"{np.datetime64(round(t * 1000), 'ms')}Z;{f}\n" for t, f in frames[:6000]
    ).encode()  # fmt: skip
    for name, data in (("beast", beast), ("avr", avr), ("mode-s", jsonl), ("mode-s", b"time;frame\n" + iso)):
        decoder = make_decoder(name, DecoderOptions(start_s=start_s))
        batch = concatenate([decoder.decode(data, start_s), decoder.finish()])
        assert decoder.faults.total == 0, name
        assert batch.target.strings() == expected.target.strings(), name
        assert np.allclose(batch.time_s, expected.time_s, rtol=0, atol=1e-5), name
        assert np.array_equal(batch.lat_deg, expected.lat_deg), name


@pytest.mark.shared
def test_the_beast_sample_decodes_without_a_fault(shared_data: Path) -> None:
    decoder = BeastDecoder(DecoderOptions(start_s=T0))
    batch = decoder.decode((shared_data / "adsb" / "beast_sample.bin").read_bytes(), T0)
    decoder.finish()
    assert decoder.faults.total <= 1  # the file ends in the middle of a frame
    assert set(batch.target.strings()) == {"48520a"}
    assert len(batch) >= 3
    assert (np.diff(batch.time_s) > 0).all()
    assert (batch.time_s - T0 < 60).all()


def beast(ticks: int, frame: str) -> bytes:
    return b"\x1a3" + (ticks.to_bytes(6, "big") + b"\x40" + bytes.fromhex(frame)).replace(b"\x1a", b"\x1a\x1a")


def test_beast_ticks_count_from_the_first_frames_instant() -> None:
    decoder = BeastDecoder(DecoderOptions())
    stream = beast(5_000, ODD) + beast(12_005_000, EVEN)
    assert decoder.decode(stream, T0).time_s.tolist() == [T0 + 1.0]


def test_a_restarted_live_receiver_is_set_again_by_the_time_of_receipt() -> None:
    decoder = BeastDecoder(DecoderOptions())
    decoder.decode(beast(10**12, ODD), T0)
    batch = decoder.decode(beast(1_000, ODD) + beast(1_000 + 12_000_000, EVEN), T0 + 500.0)
    assert batch.time_s.tolist() == [T0 + 501.0]


def test_a_clock_that_runs_away_from_the_times_of_receipt_is_set_again() -> None:
    decoder = BeastDecoder(DecoderOptions())
    decoder.decode(beast(12_000_000, ODD), T0)
    batch = decoder.decode(beast(12_000_000 + 12_000_000 * 3590, ODD) + beast(12_000_000 * 3592, EVEN), T0 + 3600.0)
    assert batch.time_s[0] == pytest.approx(T0 + 3601.0, abs=0.01)


def test_gps_time_of_a_radarcape_is_recognised() -> None:
    second = int(T0 % 86400)
    decoder = BeastDecoder(DecoderOptions())
    batch = decoder.decode(
        beast(second << 30 | 250_000_000, ODD) + beast((second + 1) << 30 | 500_000_000, EVEN), T0 + 1.0
    )
    assert batch.time_s.tolist() == [T0 + 1.5]


def test_beast_finds_its_way_back_after_garbage() -> None:
    decoder = BeastDecoder(DecoderOptions())
    cut = beast(24_000_000, EVEN)[:9]
    stream = b"noise" + beast(12_000_000, ODD) + cut + beast(24_000_000, EVEN) + b"\x1a1" + bytes(9) + b"\x1a"
    assert len(decoder.decode(stream, T0)) == 1
    decoder.finish()
    assert decoder.faults.counts == {"bytes that belong to no Beast frame": 2, "Beast frame cut off at the end": 1}


def test_avr_lines_of_every_kind_are_read_and_others_are_faults() -> None:
    decoder = AvrDecoder(DecoderOptions())
    text = f"*{ODD};\r\n*7700;\n<00000000000040{IDENTIFICATION};@000000000000{VELOCITY};{EVEN}\nhello;\n*8D4;\n"
    batch = decoder.decode(text.encode(), T0)
    assert len(batch) == 1
    assert batch.time_s.tolist() == [T0]
    assert decoder.faults.counts == {"not an AVR frame": 2}


def test_hex_lines_find_their_columns_and_refuse_what_has_no_zone() -> None:
    data = b"id,frame,when\nx," + ODD.encode() + b",1700000000.5\ny," + EVEN.encode() + b",1700000001.25\n"
    batch, decoder = decoded(data)
    assert batch.time_s.tolist() == [1700000001.25]
    assert decoder.faults.total == 0
    batch, decoder = decoded(f"2023-11-14T22:13:20,{ODD}\n2023-11-14T22:13:21Z,{EVEN}\nnonsense\n".encode())
    assert len(batch) == 0
    assert decoder.faults.examples[0].where.startswith("line 1")
    assert decoder.faults.total == 2


def test_a_squawk_reply_counts_only_for_an_address_that_came_clean() -> None:
    # DF5 with the address laid over the parity: identity code 1000 octal.
    def reply(address: int) -> str:
        short = np.frombuffer(bytes.fromhex("28000800000000"), dtype=np.uint8)[None, :]
        return f"28000800{int(parity_remainders(short)[0]) ^ address:06X}"

    known = lines((T0, ODD), (T0 + 0.5, reply(0x40621D)), (T0 + 1, EVEN))
    unknown = lines((T0, reply(0x40621D)), (T0 + 0.5, ODD), (T0 + 1, EVEN))
    assert decoded(known)[0].squawk.tolist() == [1000]
    assert decoded(unknown)[0].squawk.tolist() == [-1]
