"""Whether the watch is alive, for monitors: /healthz."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keepclear.server.hub import Hub
from keepclear.server.plain_json import encode

__all__ = ["routes"]

PICTURE_AGE_MAX_S = 15.0
"""A watch that has published nothing for so long is not watching, whatever it last said of itself."""


def routes(hub: Hub) -> list[Route]:
    async def healthz(_: Request) -> Response:
        health, age_s = hub.health(), hub.picture_age_s()
        state: str = "STARTING" if age_s is None or health is None else health["state"]
        if age_s is not None and age_s > PICTURE_AGE_MAX_S and state != "ENDED":
            state = "STALLED"
        body = encode({"state": state, "picture_age_s": None if age_s is None else round(age_s, 1), "health": health})
        return Response(
            body,
            status_code=200 if state in ("OK", "ENDED") else 503,
            media_type="application/json",
            headers={"cache-control": "no-store"},
        )

    return [Route("/healthz", healthz, methods=["GET"])]
