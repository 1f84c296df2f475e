"""The node's HTTP interface: what the other parties' nodes ask (docs/reference/channel-http.md).

TLS has said which party is calling before a byte is read. The routes hand bytes to
:func:`keepclear.channel.protocol.exchange.respond` and serve the logs as tiles (c2sp.org/tlog-tiles).
"""

from __future__ import annotations

from typing import Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from keepclear import __version__
from keepclear.channel.protocol.wire import MESSAGE_BYTES_MAX, PATHS, Ask
from keepclear.errors import InputError, KeepclearError, LimitExceeded
from keepclear.server.channel_api import openapi
from keepclear.server.mutual_tls import CERTIFICATE

__all__ = ["ChannelEndpoint", "channel_app"]

PREFIX = "/channel/v1"
TEXT_MAX = 300
LENGTH_DIGITS_MAX = 12
AT_ONCE_BYTES_MAX = 16_384
"""A check, or a push of a few entries: some milliseconds."""
FOREVER, BRIEFLY = "public, max-age=31536000, immutable", "no-cache"


class ChannelEndpoint(Protocol):
    """The node behind the routes. Called from several threads."""

    def party_of(self, certificate: bytes) -> str | None:
        """The other party whose certificate this is."""

    def respond(self, peer: str, ask: Ask) -> bytes:
        """Raises :class:`InputError` for bytes that are no such request."""

    def checkpoint(self, log: str) -> bytes | None:
        """The newest head kept of a log, with its cosignatures."""

    def tile(self, log: str, path: str) -> bytes | None:
        """A tile of hashes or a bundle of entries; nothing where the log does not reach."""


def channel_app(node: ChannelEndpoint) -> Starlette:
    async def respond(request: Request) -> Response:
        peer = _caller(node, request)
        body = await _bounded(request)
        ask = Ask(request.url.path.removeprefix(f"{PREFIX}/"), body)
        # A node judges one request at a time. A small one is done sooner than it would be handed to another thread.
        small = len(body) <= AT_ONCE_BYTES_MAX
        answer = node.respond(peer, ask) if small else await run_in_threadpool(node.respond, peer, ask)
        return Response(answer, media_type="application/json")

    async def checkpoint(request: Request) -> Response:
        _caller(node, request)
        note = await run_in_threadpool(node.checkpoint, request.path_params["log"])
        if note is None:
            raise HTTPException(404, "no head of this log is held here")
        return Response(note, media_type="text/plain; charset=utf-8", headers={"cache-control": BRIEFLY})

    async def tile(request: Request) -> Response:
        _caller(node, request)
        path = f"tile/{request.path_params['path']}"
        data = await run_in_threadpool(node.tile, request.path_params["log"], path)
        if data is None:
            raise HTTPException(404, "the log does not reach so far")
        return Response(data, media_type="application/octet-stream", headers={"cache-control": FOREVER})

    async def description(request: Request) -> Response:
        _caller(node, request)
        return JSONResponse(openapi(__version__))

    return Starlette(
        routes=[
            *(Route(f"{PREFIX}/{path}", respond, methods=["POST"]) for path in PATHS),
            Route(f"{PREFIX}/logs/{{log}}/checkpoint", checkpoint),
            Route(f"{PREFIX}/logs/{{log}}/tile/{{path:path}}", tile),
            Route(f"{PREFIX}/openapi.json", description),
        ],
        exception_handlers={KeepclearError: _refused, HTTPException: _http, Exception: _defect},
    )


def _caller(node: ChannelEndpoint, request: Request) -> str:
    certificate = getattr(request.state, CERTIFICATE, None)
    peer = node.party_of(certificate) if certificate else None
    if peer is None:
        raise HTTPException(403, "this certificate is of no other party to the charter")
    return peer


async def _bounded(request: Request) -> bytes:
    said = request.headers.get("content-length", "0")
    if not (said.isascii() and said.isdigit() and len(said) <= LENGTH_DIGITS_MAX) or int(said) > MESSAGE_BYTES_MAX:
        raise HTTPException(413, f"at most {MESSAGE_BYTES_MAX:,} bytes")
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MESSAGE_BYTES_MAX:
            raise HTTPException(413, f"at most {MESSAGE_BYTES_MAX:,} bytes")
    return bytes(data)


async def _refused(_: Request, error: Exception) -> Response:
    status = 413 if isinstance(error, LimitExceeded) else 400 if isinstance(error, InputError) else 409
    return PlainTextResponse(f"{error}"[:TEXT_MAX], status)


async def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(error.detail, error.status_code, error.headers)


async def _defect(_: Request, error: Exception) -> Response:
    return PlainTextResponse("a defect in this node; its owner sees it", 500)
