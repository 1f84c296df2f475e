"""Zones as the page draws and tells them: /api/zones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keepclear.quantities import format_instant, limits_text
from keepclear.server.drawing import drawn_rings
from keepclear.server.hub import Hub
from keepclear.server.messages import ZonesMessage
from keepclear.zones.model import Period, Zone

__all__ = ["routes", "zones_message"]

TEXT_MAX = 8_000
"""Characters of the published words that travel to the page; a NOTAM has far fewer."""
DRAWING_ONLY = (
    "For drawing only: circles and curved edges are drawn with added vertices. "
    "Verdicts are computed on the zones as published."
)


def zones_message(
    zones: Iterable[Zone], *, in_force: Sequence[bool] | None = None, assumed: bool = False
) -> ZonesMessage:
    """The zones for :meth:`Hub.set_zones`, one feature a volume.

    ``in_force[i]`` says whether zone i is in force now (all, where not given); ``assumed`` that they were taken to
    be in force whatever their times say (``--assume-active``).
    """
    features: list[dict[str, Any]] = []
    for row, zone in enumerate(zones):
        active = in_force is None or bool(in_force[row])
        words = _words(zone)
        for volume in zone.volumes:
            features.append(
                {
                    "type": "Feature",
                    "id": len(features),
                    "geometry": {"type": "Polygon", "coordinates": drawn_rings(volume.shape)},
                    "properties": {
                        **words,
                        "limits": limits_text(volume.lower, volume.upper),
                        "edges": getattr(volume.shape, "edge_type", "CIRCLE"),
                        "in_force": active,
                        "assumed": assumed,
                    },
                }
            )
    return {"type": "FeatureCollection", "features": features, "drawing_only": DRAWING_ONLY}


def routes(hub: Hub) -> list[Route]:
    async def zones(request: Request) -> Response:
        version, data = hub.zones()
        tag = f'"{hub.run}-{version}"'
        headers = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(data, media_type="application/geo+json", headers=headers)

    return [Route("/api/zones", zones, methods=["GET"])]


def _words(zone: Zone) -> dict[str, Any]:
    return {
        "zone_id": zone.id,
        "version": zone.version,
        "name": zone.name,
        "type": str(zone.type),
        "restriction": str(zone.restriction),
        "country": zone.country,
        "authority": "; ".join(a.name for a in zone.authorities if a.name),
        "status": str(zone.status),
        "decision_ref": zone.decision_ref,
        "recognition": "; ".join(f"{party}: {word}" for party, word in zone.recognition),
        "valid": "; ".join(_period(p) for p in zone.applicability),
        "exemptions": "; ".join(e.clause or e.callsign or e.target or e.party or e.notice_id for e in zone.exemptions),
        "buffer_m": zone.buffer_lateral_m,
        "text": zone.text[:TEXT_MAX],
        "origin": " ".join(part for part in (zone.origin.source, zone.origin.where) if part),
    }


def _period(period: Period) -> str:
    start = format_instant(period.from_s) if math.isfinite(period.from_s) else "always"
    end = format_instant(period.to_s) if math.isfinite(period.to_s) else "permanent"
    return f"{start} – {end}{' (estimated)' if period.end_estimated else ''}{', on schedule' * bool(period.schedule)}"
