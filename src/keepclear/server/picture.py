"""The live picture and its situations as the columns that the hub takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from keepclear.detection.situation import SituationBatch, SituationKind, Verdict
from keepclear.server.messages import PictureColumns
from keepclear.tracks.picture import Picture
from keepclear.zones.zone_set import ZoneSet

__all__ = ["picture_columns"]

_OF_ZONES = (int(SituationKind.APW), int(SituationKind.SPILL_OVER))


def picture_columns(picture: Picture, situations: SituationBatch, zones: ZoneSet) -> PictureColumns:
    """One cycle for :meth:`Hub.publish_picture`. A track is marked exempt where any situation of it is so marked and
    none is not: who is exempt from one zone and in breach of another is shown as in breach."""
    reports = picture.reports
    baro, geo = reports.altitude_baro_m, reports.altitude_geo_m
    has_baro, has_geo = ~np.isnan(baro), ~np.isnan(geo)
    datum = np.where(has_baro, "STD", np.where(has_geo, "WGS84", "")).astype(object)
    exempt_keys = np.setdiff1d(situations.track[situations.exempt], situations.track[~situations.exempt])
    about_zone = np.isin(situations.kind, _OF_ZONES)
    other: list[str] = [
        zones[row].id if zone else str(row)
        for row, zone in zip(situations.other.tolist(), about_zone.tolist(), strict=True)
    ]
    return {
        "now_s": picture.now_s,
        "key": picture.key,
        "lon_deg": reports.lon_deg,
        "lat_deg": reports.lat_deg,
        "altitude_m": np.where(has_baro, baro, geo),
        "altitude_datum": _list(datum),
        "ground_speed_mps": reports.ground_speed_mps,
        "track_deg": reports.track_deg,
        "vertical_rate_mps": reports.vertical_rate_mps,
        "time_s": reports.time_s,
        "status": picture.status,
        "flags": picture.flags,
        "exempt": np.isin(picture.key, exempt_keys),
        "target": reports.target.strings(),
        "callsign": [callsign.strip() for callsign in reports.callsign.strings()],
        "source": reports.source.strings(),
        "domain": reports.domain,
        "category": reports.category,
        "squawk": reports.squawk,
        "situations": {
            "kind": [SituationKind(kind).name for kind in situations.kind.tolist()],
            "key": situations.track,
            "other": other,
            "verdict": [Verdict(verdict).name for verdict in situations.verdict.tolist()],
            "time_to_s": np.round(situations.time_to_s, 1),
            "at_lon_deg": np.round(situations.at_lon_deg, 5),
            "at_lat_deg": np.round(situations.at_lat_deg, 5),
            "exempt": _list(situations.exempt),
        },
    }


def _list(column: Any) -> list[Any]:
    values: list[Any] = column.tolist()
    return values
