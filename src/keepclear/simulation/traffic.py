"""Simulated traffic: a seeded generator of flights and ships with realistic routes, heights, speeds and errors.

Everything it makes says that it is simulated: addresses from the block that no state is given (F00000–FFFFFF), call
signs beginning with SIM. The scheduled flights keep out of the closed airspace, as real ones do; a handful of
incidents do what a watch must notice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from keepclear.feeds.reports import Floats, ReportBatch, TargetCategory, TargetDomain, concatenate
from keepclear.quantities import EARTH_RADIUS_M, FOOT_M, KNOT_MPS
from keepclear.space.geometry import LonLat

__all__ = ["SIMULATED", "START_S", "Leg", "simulate_traffic"]

SIMULATED = "simulated"
"""The source label of every report made here."""
START_S = 1_767_268_800.0
"""2026-01-01T12:00:00Z: a fixed instant, so that the same seed gives the same bytes."""
REPORT_INTERVAL_S = 4.0
"""Between positions of one target; ADS-B receivers deliver about this over a region."""

_AIRPORTS: dict[str, LonLat] = {
    "EPWA": (20.97, 52.17), "EPKK": (19.79, 50.08), "EPRZ": (22.02, 50.11), "LROP": (26.08, 44.57),
    "LRCL": (23.69, 46.79), "LHBP": (19.26, 47.44),
    "LKPR": (14.26, 50.10), "LOWW": (16.57, 48.11), "EYVI": (25.28, 54.63), "LBSF": (23.41, 42.70),
    "LTFM": (28.75, 41.26), "LZKZ": (21.24, 48.66), "EDDB": (13.50, 52.36), "LBWN": (27.83, 43.23),
}  # fmt: skip
_CLEAR_OF_CLOSURE: tuple[tuple[str, ...], ...] = (
    ("EPWA", "EPKK", "LHBP", "LBSF", "LTFM"), ("EPRZ", "LZKZ", "LRCL", "LROP"), ("EYVI", "EPWA", "EPKK", "LOWW"),
    ("EDDB", "EPWA"), ("LKPR", "LHBP", "LROP"), ("LROP", "LBWN", "LTFM"), ("EPKK", "LZKZ", "LRCL", "LBSF"),
    ("LOWW", "LHBP", "LRCL"), ("EDDB", "LKPR", "LOWW"), ("EPRZ", "EPWA"), ("LBSF", "LROP"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    cruise_kt: float
    levels: tuple[int, ...]
    climb_fpm: float
    category: TargetCategory
    accuracy_m: float


_KINDS = (
    _Kind("A320", 450.0, (320, 330, 340, 350, 360, 370, 380), 2000.0, TargetCategory.FIXED, 93.0),
    _Kind("B789", 485.0, (370, 380, 390, 400, 410), 1800.0, TargetCategory.FIXED, 30.0),
    _Kind("AT76", 270.0, (170, 180, 190, 210), 1200.0, TargetCategory.FIXED, 93.0),
    _Kind("C56X", 420.0, (390, 400, 410, 430), 3000.0, TargetCategory.FIXED, 185.0),
)


@dataclass(frozen=True, slots=True)
class Leg:
    """One scripted track: way points, speed and height; times are seconds after the start of the recording."""

    target: str
    callsign: str
    points: tuple[LonLat, ...]
    speed_kt: float
    level: float
    """flight level (hundreds of feet)"""
    begins_s: float = 0.0
    accuracy_m: float = 93.0
    category: TargetCategory = TargetCategory.FIXED
    domain: TargetDomain = TargetDomain.AIR
    silent_s: tuple[float, float] | None = None
    """nothing is received between these instants"""


INCIDENTS: tuple[Leg, ...] = (
    # Straight through the closed airspace, and out again.
    Leg("f00001", "SIM101", ((21.5, 50.3), (24.9, 49.7), (27.1, 47.2)), 440, 350),
    # Touches the border, leaves for a minute, comes back: one violation.
    Leg(
        "f00002",
        "SIM102",
        ((22.4, 51.0), (23.65, 50.25), (23.05, 50.15), (23.6, 50.05), (21.4, 49.75)),
        430,
        340,
        200.0,
    ),
    # Along the border with a poor position: nobody can say on which side.
    Leg("f00003", "SIM103", ((23.632, 51.4), (23.944, 50.7), (23.2, 50.45), (21.0, 50.3)), 300, 200, 100.0, 1850.0),
    # Named in the exemption: shown, no alert.
    Leg("f00004", "SIM900", ((22.0, 50.1), (24.0, 49.8), (25.5, 49.6)), 300, 180, 60.0, 93.0),
    # Two that come too close.
    Leg("f00005", "SIM201", ((19.6, 51.6), (22.2, 50.9)), 450, 360, 120.0),
    Leg("f00006", "SIM202", ((21.9, 51.9), (20.0, 50.55)), 450, 361, 130.0),
    # Towards a third party's territory.
    Leg("f00007", "SIM301", ((26.1, 46.2), (28.6, 47.0), (28.9, 46.9)), 260, 140, 0.0),
    # Falls silent on its way to the border, and is heard again inside.
    Leg("f00008", "SIM401", ((20.4, 49.9), (26.3, 49.2)), 430, 370, 0.0, 93.0, silent_s=(820.0, 1180.0)),
    # A helicopter, slow and low.
    Leg("f00009", "SIM501", ((22.6, 50.3), (23.35, 50.2), (23.8, 50.25)), 120, 25, 0.0, 30.0, TargetCategory.ROTARY),
)
SHIPS: tuple[Leg, ...] = (
    Leg("200000001", "SIM SHIP ONE", ((30.75, 45.24), (30.95, 45.35), (31.4, 45.7)), 16, 0, 0.0, 10.0,
        TargetCategory.UNKNOWN, TargetDomain.SEA),
    Leg("200000002", "SIM SHIP TWO", ((29.0, 43.6), (28.95, 44.1)), 11, 0, 0.0, 10.0,
        TargetCategory.UNKNOWN, TargetDomain.SEA),
    Leg("200000003", "SIM SHIP THREE", ((31.05, 45.9), (30.95, 46.0), (31.1, 46.05)), 8, 0, 0.0, 10.0,
        TargetCategory.UNKNOWN, TargetDomain.SEA),
)  # fmt: skip
SPOOFED_TARGET = "f00001"
"""This one's position jumps away and back once, as no aircraft can."""


def simulate_traffic(seed: int = 1, *, flights: int = 80, duration_s: float = 2400.0) -> ReportBatch:
    """Reports sorted by time. The same seed gives the same bytes on any machine with the same NumPy generator.

    Measurement errors are circular normal with the stated 95 % accuracy; barometric altitude comes in 25 ft steps;
    geometric altitude differs from it by a weather offset common to the region.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    weather_m = float(rng.normal(0.0, 120.0))
    parts = [_report(leg, rng, weather_m, duration_s) for leg in (*INCIDENTS, *SHIPS)]
    parts += [_report(_scheduled(k, rng, duration_s), rng, weather_m, duration_s) for k in range(flights)]
    whole = concatenate([p for p in parts if len(p)])
    return whole.take(np.argsort(whole.time_s, kind="stable"))


def _scheduled(number: int, rng: np.random.Generator, duration_s: float) -> Leg:
    number_of_route = int(rng.integers(len(_CLEAR_OF_CLOSURE)))
    names = _CLEAR_OF_CLOSURE[number_of_route]
    route = [_AIRPORTS[name] for name in names]
    back = rng.random() < 0.5
    if back:
        route.reverse()
    kind = _KINDS[int(rng.choice(len(_KINDS), p=(0.55, 0.15, 0.2, 0.1)))]
    # A level for each route and direction: somebody has planned this traffic, so few come close.
    level = kind.levels[(2 * number_of_route + back) % len(kind.levels)]
    # Parallel routes a few miles apart: nobody flies the very same line.
    shift = rng.normal(0.0, 0.12, size=2)
    points = tuple((lon + float(shift[0]), lat + float(shift[1])) for lon, lat in route)
    return Leg(
        f"f1{number:04x}", f"SIM{kind.name[:2]}{number:03d}", points,
        kind.cruise_kt * float(rng.uniform(0.95, 1.05)), float(level),
        float(number * 3600.0 / 37.0 % (3600.0 + 0.8 * duration_s) - 3600.0), kind.accuracy_m, kind.category,
    )  # fmt: skip


def _report(leg: Leg, rng: np.random.Generator, weather_m: float, duration_s: float) -> ReportBatch:
    place, length_m = _polyline(leg.points)
    speed = leg.speed_kt * KNOT_MPS
    phase = float(rng.uniform(0.0, REPORT_INTERVAL_S))
    seconds = np.arange(
        max(leg.begins_s, 0.0) + phase, min(duration_s, leg.begins_s + length_m / speed), REPORT_INTERVAL_S
    )
    seconds = seconds + rng.uniform(-0.3, 0.3, size=len(seconds))
    heard = rng.random(len(seconds)) > 0.04  # a receiver misses some
    if leg.silent_s is not None:
        heard &= (seconds < leg.silent_s[0]) | (seconds > leg.silent_s[1])
    seconds = seconds[heard]
    if not len(seconds):
        return ReportBatch.empty()
    along = (seconds - leg.begins_s) * speed
    lon, lat, track = place(along)
    sigma = leg.accuracy_m / 2.4477  # the stated accuracy is a 95 % radius of a circular normal error
    lat_noise, lon_noise = (
        rng.normal(0.0, sigma, (2, len(seconds))) if leg.accuracy_m < 1000 else np.zeros((2, len(seconds)))
    )
    metres_a_degree = np.pi / 180.0 * EARTH_RADIUS_M
    lat = lat + lat_noise / metres_a_degree
    lon = lon + lon_noise / (metres_a_degree * np.cos(np.radians(lat)))
    if leg.target == SPOOFED_TARGET and len(lon) > 120:
        lat[100:103] += 2.5
    columns: dict[str, object] = {}
    rate = np.zeros(len(seconds))
    if leg.domain is TargetDomain.AIR:
        baro, rate = _profile(along, length_m, speed, leg)
        columns = {
            "altitude_baro_m": np.round(baro / (25 * FOOT_M)) * 25 * FOOT_M,
            "altitude_geo_m": baro * 1.01 + weather_m + 35.0 + rng.normal(0.0, 8.0, len(seconds)),
            "on_ground": np.zeros(len(seconds), dtype=np.int8),
        }
    return ReportBatch.build(
        time_s=START_S + seconds,
        lat_deg=lat,
        lon_deg=lon,
        target=[leg.target] * len(seconds),
        callsign=[leg.callsign] * len(seconds),
        ground_speed_mps=speed + rng.normal(0.0, 0.5, len(seconds)),
        track_deg=track,
        vertical_rate_mps=rate,
        accuracy_m=leg.accuracy_m,
        domain=leg.domain,
        category=leg.category,
        source=SIMULATED,
        **columns,  # type: ignore[arg-type]
    )


def _profile(along_m: Floats, length_m: float, speed_mps: float, leg: Leg) -> tuple[Floats, Floats]:
    """Climb and descent at the kind's rate; the scripted tracks stay level. Metres and metres a second."""
    cruise_m = leg.level * 100.0 * FOOT_M
    if leg.target.startswith("f0"):
        return np.full(len(along_m), cruise_m), np.zeros(len(along_m))
    climb = 2000.0 * FOOT_M / 60.0
    gradient = climb / speed_mps
    height = np.minimum(cruise_m, 300.0 + np.minimum(along_m, length_m - along_m) * gradient)
    level_off = (cruise_m - 300.0) / gradient
    rate = np.where(along_m < level_off, climb, np.where(length_m - along_m < level_off, -climb, 0.0))
    return np.maximum(height, 300.0), rate


def _polyline(points: tuple[LonLat, ...]) -> tuple[Callable[[Floats], tuple[Floats, Floats, Floats]], float]:
    """A function from metres along the great circles through ``points`` to longitude, latitude, direction."""
    lon, lat = np.radians(np.array(points)).T
    vectors = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    angles = np.arccos(np.clip(np.sum(vectors[:-1] * vectors[1:], axis=1), -1.0, 1.0))
    ends = np.concatenate(([0.0], np.cumsum(angles))) * EARTH_RADIUS_M

    def at(along_m: Floats) -> tuple[Floats, Floats, Floats]:
        here, there = _position(along_m), _position(along_m + 50.0)
        north = there[1] - here[1]
        east = (there[0] - here[0]) * np.cos(np.radians(here[1]))
        return here[0], here[1], np.degrees(np.arctan2(east, north)) % 360.0

    def _position(along_m: Floats) -> tuple[Floats, Floats]:
        leg = np.clip(np.searchsorted(ends, along_m, side="right") - 1, 0, len(angles) - 1)
        part = (along_m - ends[leg]) / EARTH_RADIUS_M
        angle = angles[leg]
        a, b = np.sin(angle - part) / np.sin(angle), np.sin(part) / np.sin(angle)
        x, y, z = (a[:, None] * vectors[leg] + b[:, None] * vectors[leg + 1]).T
        return np.degrees(np.arctan2(y, x)), np.degrees(np.arctan2(z, np.hypot(x, y)))

    return at, float(ends[-1])
