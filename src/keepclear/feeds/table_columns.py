"""The documented column map: which column of a table is which of ours, in which unit. See docs/reference/columns.md.

A name that leaves the unit or the datum open (``altitude``, ``speed``) is refused unless the table is of a kind that
is known to fix it (OpenSky history, traffic), or the user states it: ``altitude_baro_m=alt:ft``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keepclear.errors import InputError, UsageError
from keepclear.quantities import FOOT_M, FT_PER_MIN_MPS, KNOT_MPS, NAUTICAL_MILE_M

__all__ = ["COLUMNS_MAX", "LABEL_COLUMNS", "SCHEMAS", "Column", "looks_mappable", "resolve_columns"]

COLUMNS_MAX = 1000
"""A table of reports has a few dozen columns; thousands are another kind of table."""

_LENGTH = {"m": 1.0, "ft": FOOT_M, "FL": 100.0 * FOOT_M, "km": 1000.0}
_SPEED = {"mps": 1.0, "kt": KNOT_MPS, "kmh": 1.0 / 3.6}
_CLIMB = {"mps": 1.0, "fpm": FT_PER_MIN_MPS}
_ANGLE = {"deg": 1.0, "degE7": 1e-7}
UNITS: dict[str, dict[str, float]] = {
    "time_s": {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9},
    "received_s": {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9},
    "lat_deg": _ANGLE,
    "lon_deg": _ANGLE,
    "altitude_baro_m": _LENGTH,
    "altitude_geo_m": _LENGTH,
    "ground_speed_mps": _SPEED,
    "track_deg": {"deg": 1.0},
    "vertical_rate_mps": _CLIMB,
    "accuracy_m": {"m": 1.0, "ft": FOOT_M, "NM": NAUTICAL_MILE_M, "km": 1000.0},
}
"""Units that may be stated for a numeric column, with their factor to ours."""
LABEL_COLUMNS = ("target", "callsign", "source")
_OTHERS = ("on_ground", "squawk", "domain", "category")
_ALL = (*UNITS, *LABEL_COLUMNS, *_OTHERS)
_REQUIRED = ("time_s", "lat_deg", "lon_deg", "target")


@dataclass(frozen=True, slots=True)
class Column:
    """Our column ``ours`` is read from the file's column ``name``; ``unit`` "" means: as found (times: by size)."""

    ours: str
    name: str
    unit: str = ""

    @property
    def factor(self) -> float:
        return UNITS[self.ours][self.unit] if self.unit else 1.0

    @property
    def is_address(self) -> bool:
        """A 24-bit address, which we write in lower-case hex."""
        return self.ours == "target" and self.name.lower() in ("icao24", "icao", "hex", "icao_address")


@dataclass(frozen=True, slots=True)
class Schema:
    """A known kind of table: it is meant where all ``needs`` and one of ``shows`` are there."""

    title: str
    needs: frozenset[str]
    shows: frozenset[str]
    columns: Mapping[str, tuple[str, str]]
    """the file's name → ours and its unit"""


_OPENSKY = Schema(
    "OpenSky history",
    frozenset({"time", "icao24", "lat", "lon"}),
    frozenset({"velocity", "vertrate", "baroaltitude", "geoaltitude", "onground", "lastposupdate", "heading"}),
    {
        # The row's time is that of the snapshot; a held-over position has the older time of its last update.
        "lastposupdate": ("time_s", "s"), "time": ("time_s", "s"), "icao24": ("target", ""), "lat": ("lat_deg", "deg"),
        "lon": ("lon_deg", "deg"), "velocity": ("ground_speed_mps", "mps"), "heading": ("track_deg", "deg"),
        "vertrate": ("vertical_rate_mps", "mps"), "callsign": ("callsign", ""), "onground": ("on_ground", ""),
        "squawk": ("squawk", ""), "baroaltitude": ("altitude_baro_m", "m"), "geoaltitude": ("altitude_geo_m", "m"),
    },
)  # fmt: skip
_TRAFFIC = Schema(
    "traffic",
    frozenset({"timestamp", "icao24", "latitude", "longitude"}),
    frozenset({"altitude", "groundspeed", "vertical_rate", "geoaltitude", "track"}),
    {
        "timestamp": ("time_s", ""), "icao24": ("target", ""), "latitude": ("lat_deg", "deg"),
        "longitude": ("lon_deg", "deg"), "altitude": ("altitude_baro_m", "ft"), "geoaltitude": ("altitude_geo_m", "ft"),
        "groundspeed": ("ground_speed_mps", "kt"), "track": ("track_deg", "deg"),
        "vertical_rate": ("vertical_rate_mps", "fpm"), "callsign": ("callsign", ""), "onground": ("on_ground", ""),
        "squawk": ("squawk", ""),
    },
)  # fmt: skip
SCHEMAS = (_OPENSKY, _TRAFFIC)

_PLAIN: dict[str, tuple[str, str]] = {
    **{ours: (ours, next(iter(units))) for ours, units in UNITS.items()},
    **{ours: (ours, "") for ours in (*LABEL_COLUMNS, *_OTHERS)},
    **dict.fromkeys(("time", "timestamp", "datetime", "time_utc", "timestamp_utc", "ts"), ("time_s", "")),
    **{f"{stem}_{unit}": ("time_s", unit) for stem in ("time", "timestamp") for unit in ("s", "ms", "us", "ns")},
    **dict.fromkeys(("lat", "latitude"), ("lat_deg", "deg")),
    **dict.fromkeys(("lon", "lng", "long", "longitude"), ("lon_deg", "deg")),
    **dict.fromkeys(("icao24", "icao", "hex", "mmsi", "track_id", "target_id", "aircraft_id", "uid"), ("target", "")),
    "flight": ("callsign", ""),
    "onground": ("on_ground", ""),
    **dict.fromkeys(("baro_altitude_m", "alt_baro_m", "pressure_altitude_m"), ("altitude_baro_m", "m")),
    **dict.fromkeys(("altitude_baro_ft", "baro_altitude_ft", "alt_baro_ft"), ("altitude_baro_m", "ft")),
    **dict.fromkeys(("flight_level", "fl"), ("altitude_baro_m", "FL")),
    **dict.fromkeys(("geo_altitude_m", "alt_geo_m", "height_wgs84_m", "altitude_wgs84_m"), ("altitude_geo_m", "m")),
    **dict.fromkeys(("altitude_geo_ft", "geo_altitude_ft", "alt_geom_ft"), ("altitude_geo_m", "ft")),
    **{f"{stem}_{u}": ("ground_speed_mps", u) for stem in ("ground_speed", "groundspeed", "gs") for u in _SPEED},
    **{f"{stem}_{u}": ("vertical_rate_mps", u) for stem in ("vertical_rate", "climb_rate") for u in _CLIMB},
    **dict.fromkeys(("track", "course_deg", "cog_deg"), ("track_deg", "deg")),
}
"""Names that say all that must be known, or leave nothing open."""

_OPEN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("altitude", "alt", "elevation", "height", "altitude_m", "altitude_ft", "alt_m", "alt_ft", "height_m", "ele"),
        ("altitude_baro_m", "altitude_geo_m"),
    ),
    **dict.fromkeys(("baroaltitude", "baro_altitude", "alt_baro", "altitude_baro"), ("altitude_baro_m",)),
    **dict.fromkeys(("geoaltitude", "geo_altitude", "alt_geom", "altitude_geo"), ("altitude_geo_m",)),
    **dict.fromkeys(("velocity", "speed", "groundspeed", "ground_speed", "gs", "sog"), ("ground_speed_mps",)),
    **dict.fromkeys(("vertrate", "vertical_rate", "vrate", "climb_rate", "baro_rate"), ("vertical_rate_mps",)),
}  # fmt: skip
"""Names that leave the unit or the datum open, with what they could be."""


def looks_mappable(names: Sequence[str]) -> bool:
    """Whether a header names a time, a place and a target by names of the map."""
    found = {_PLAIN[n.lower()][0] for n in names if n.lower() in _PLAIN}
    return found.issuperset(_REQUIRED)


def resolve_columns(names: Sequence[str], stated: Mapping[str, str]) -> tuple[Column, ...]:
    """The columns to read of a table whose header is ``names``, ``stated`` (ours → «name» or «name:unit») first.

    ``ours=`` with nothing after it reads no such column. Raises :class:`UsageError` for a stated column that is
    not there or a unit that is not one, :class:`InputError` for a required column missing or one left open.
    """
    if len(names) > COLUMNS_MAX:
        raise InputError(f"table has {len(names)} columns, at most {COLUMNS_MAX} are read")
    found: dict[str, Column] = {}
    dropped: set[str] = set()
    for ours, text in stated.items():
        if ours == "time_zone":
            continue
        if ours not in _ALL:
            raise UsageError(f"--column {ours}={text}: no such column; known: {', '.join(_ALL)}")
        if not text:
            dropped.add(ours)
            continue
        found[ours] = _stated(ours, text, names)
    taken = {column.name for column in found.values()}
    lower = {name.lower(): name for name in reversed(names)}
    schema = next((s for s in SCHEMAS if s.needs <= lower.keys() and s.shows & lower.keys()), None)
    known = {**_PLAIN, **schema.columns} if schema is not None else _PLAIN
    order = [*schema.columns, *_PLAIN] if schema is not None else list(_PLAIN)
    for alias in order:
        name = lower.get(alias)
        ours, unit = known[alias]
        if name is not None and name not in taken and ours not in found and ours not in dropped:
            found[ours] = Column(ours, name, unit)
    for alias, candidates in _OPEN.items():
        name = lower.get(alias)
        if name is None or name in taken or (schema is not None and alias in schema.columns):
            continue
        if not any(ours in found or ours in dropped for ours in candidates):
            said = " or ".join(f"--column {ours}={name}:{_example_unit(ours)}" for ours in candidates)
            what = "unit or datum" if len(candidates) > 1 else "unit"
            raise InputError(
                f"column {name!r} does not say its {what}: state it with {said}, or leave it out with "
                f"--column {candidates[0]}="
            )
    for ours in _REQUIRED:
        if ours not in found:
            raise InputError(f"no column is known to be {ours}: state it with --column {ours}=NAME; the table has: "
                             f"{', '.join(names)[:300]}")  # fmt: skip
    return tuple(found.values())


def _stated(ours: str, text: str, names: Sequence[str]) -> Column:
    if text in names:
        own = _PLAIN.get(text.lower())
        return Column(ours, text, own[1] if own is not None and own[0] == ours else _unit_in_name(ours))
    name, _, unit = text.rpartition(":")
    if name not in names:
        raise UsageError(
            f"--column {ours}={text}: the table has no column {name or text!r}; it has: {', '.join(names)[:300]}"
        )
    units = UNITS.get(ours, {})
    if unit not in units:
        known = f"units: {', '.join(units)}" if units else "it takes no unit"
        raise UsageError(f"--column {ours}={text}: {unit!r} is not a unit of {ours}; {known}")
    return Column(ours, name, unit)


def _unit_in_name(ours: str) -> str:
    """The unit that our own name states; times without a stated unit are told by their size."""
    return "" if ours in ("time_s", "received_s") or ours not in UNITS else next(iter(UNITS[ours]))


def _example_unit(ours: str) -> str:
    return {"ground_speed_mps": "kt", "vertical_rate_mps": "fpm"}.get(ours, "ft")
