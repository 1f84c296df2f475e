"""The console's application: a list of routes and the headers that every answer carries. It only tells; it takes
nothing from a page, so every method but GET and HEAD is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keepclear.server import alerts, console, events, health, snapshot, zones
from keepclear.server.hub import Hub

__all__ = ["LOCAL_HOSTS", "make_app"]

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""Names under which a page on this machine asks. Any other is another site's name made to point here."""

# MapLibre starts its worker from a blob and draws images from blobs and data; nothing else comes from anywhere else.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "worker-src 'self' blob:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "geolocation=(), camera=(), microphone=(), payment=(), usb=()",
}


def make_app(hub: Hub, *, static_dir: Path | None = None, allowed_hosts: Sequence[str] = LOCAL_HOSTS) -> Starlette:
    """The application over a hub. ``allowed_hosts`` are the names a request may ask for (``["*"]``: any)."""
    middleware = [
        Middleware(_SecurityHeaders),
        Middleware(TrustedHostMiddleware, allowed_hosts=list(allowed_hosts), www_redirect=False),
        Middleware(_ReadOnly),
    ]
    nouns = [snapshot.routes(hub), zones.routes(hub), alerts.routes(hub), events.routes(hub), health.routes(hub)]
    return Starlette(
        routes=[*(route for noun in nouns for route in noun), *console.routes(static_dir)], middleware=middleware
    )


class _SecurityHeaders:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, with_headers)


class _ReadOnly:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in ("GET", "HEAD"):
            refusal = PlainTextResponse("only GET and HEAD here\n", status_code=405, headers={"allow": "GET, HEAD"})
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)
