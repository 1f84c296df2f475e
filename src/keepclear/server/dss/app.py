"""The DSS's application: its operations as routes."""

from __future__ import annotations

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keepclear.server.dss import auxiliary, remote_id, utm
from keepclear.server.dss.openapi import openapi
from keepclear.server.dss.operations import Dss, route_of

__all__ = ["OPERATIONS", "make_dss_app"]

OPERATIONS = (*utm.OPERATIONS, *remote_id.OPERATIONS, *auxiliary.OPERATIONS)


def make_dss_app(dss: Dss, *, metrics: bool = False) -> Starlette:
    """The application over a DSS whose engine is started and stopped elsewhere."""
    operations = (*OPERATIONS, auxiliary.METRICS) if metrics else OPERATIONS
    described = msgspec.json.encode(openapi(operations, dss.identity.version))

    async def describe(request: Request) -> Response:
        return Response(described, media_type="application/json")

    routes = [route_of(operation, dss) for operation in operations]
    routes.append(Route("/openapi.json", describe, methods=["GET"]))
    app = Starlette(routes=routes, exception_handlers={HTTPException: _not_served})  # type: ignore[dict-item]
    app.router.redirect_slashes = False  # an empty OVN behind a slash is judged by the rules
    return app


async def _not_served(request: Request, error: HTTPException) -> Response:
    said = msgspec.json.encode({"message": error.detail})
    return Response(said, error.status_code, headers=error.headers, media_type="application/json")
