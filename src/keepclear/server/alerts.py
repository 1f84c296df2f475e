"""The alerts as they stand: /api/alerts."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keepclear.server.hub import Hub
from keepclear.server.plain_json import encode

__all__ = ["routes"]


def routes(hub: Hub) -> list[Route]:
    async def alerts(_: Request) -> Response:
        body = encode({"run": hub.run, "alerts": hub.alerts()})
        return Response(body, media_type="application/json", headers={"cache-control": "no-store"})

    return [Route("/api/alerts", alerts, methods=["GET"])]
