"""The whole state in one answer, for a page that starts and for programs: /api/snapshot."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keepclear.server.hub import Hub

__all__ = ["routes"]


def routes(hub: Hub) -> list[Route]:
    async def snapshot(_: Request) -> Response:
        return Response(hub.snapshot().data, media_type="application/json", headers={"cache-control": "no-store"})

    return [Route("/api/snapshot", snapshot, methods=["GET"])]
