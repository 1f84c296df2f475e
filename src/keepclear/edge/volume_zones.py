"""Declared volumes from zone files (GeoJSON and every other zone format): each shape in each of its periods."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from keepclear.edge.volume_reading import VolumeReading
from keepclear.errors import InputError
from keepclear.quantities import parse_instant
from keepclear.zones.fir import FirIndex
from keepclear.zones.formats import read_zones
from keepclear.zones.model import Period, Zone

__all__ = ["read"]

_FROM = ("from", "fromtime", "start", "starttime", "timestart", "begin", "begintime", "validfrom", "startdatetime")
_TO = ("to", "totime", "end", "endtime", "timeend", "validto", "validuntil", "until", "enddatetime")
"""Property names of GeoJSON that say the interval, compared without case and punctuation."""


def read(data: bytes, source: str, format: str | None = None, firs: FirIndex | None = None) -> VolumeReading:
    """The volumes of a zone file. A daily schedule is not unrolled: the whole period counts, and that is said."""
    reading = VolumeReading(source)
    zones = read_zones(data, source, format, firs)
    reading.problems.extend(zones.problems)
    for zone in zones.zones:
        where = zone.origin.where
        try:
            periods = _periods(zone)
            if any(period.schedule for period in periods):
                reading.warn(where, f"zone {zone.id[:60]} has a daily schedule: its whole period is taken as declared")
            for period in periods:
                for volume in zone.volumes:
                    reading.add(
                        zone.id, volume.shape, lower=volume.lower, upper=volume.upper,
                        from_s=period.from_s, to_s=period.to_s, place=where,
                    )  # fmt: skip
        except InputError as error:
            reading.refuse(where, error.message)
    return reading


def _periods(zone: Zone) -> tuple[Period, ...]:
    if zone.applicability != (Period(),):
        return zone.applicability
    properties = zone.extensions.get("geojson", {}).get("properties")
    if not isinstance(properties, Mapping):
        return zone.applicability
    known = {re.sub(r"[^a-z0-9]", "", str(key).lower()): value for key, value in properties.items()}
    return (Period(_instant(known, _FROM, -math.inf), _instant(known, _TO, math.inf)),)


def _instant(known: Mapping[str, object], names: tuple[str, ...], missing: float) -> float:
    for name in names:
        value = known.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, str):
            return parse_instant(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        raise InputError(f"the property {name} is not an instant: write it as 2026-11-28T08:00:00Z")
    return missing
