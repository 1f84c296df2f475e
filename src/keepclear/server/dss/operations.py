"""One operation of an interface, from request to response: authorization before anything, refusals as codes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from keepclear.dss.refusal import Refusal, RefusalKind
from keepclear.dss.request import Caller, Rules
from keepclear.dss.scopes import SCOPES, allowed
from keepclear.dss.store import DssStoreError
from keepclear.edge.dss.signatures import ACCEPT_SIGNATURE, BadSignature, SignatureCheck
from keepclear.server.dss.engine import Engine
from keepclear.server.dss.journal import Journal
from keepclear.server.dss.metrics import Metrics
from keepclear.server.dss.rates import Rates
from keepclear.server.dss.tokens import BadToken, TokenCheck
from keepclear.server.dss.tracing import span

__all__ = [
    "Call",
    "Dss",
    "Identity",
    "Operation",
    "body_of",
    "prepared",
    "read_body",
    "route_of",
    "sent_fields",
    "sent_url",
]

BODY_BYTES_MAX = 4 * 1024 * 1024
"""A key of 100,000 OVNs; everything else is far smaller."""
BODY_S = 10.0
"""A body that trickles in longer than this is given up."""
ASIDE_BYTES = 32 * 1024
"""Larger bodies are read and checked beside the loop, so that a polygon of 10,000 vertices holds up nobody."""

STATUS: Mapping[RefusalKind, int] = {
    RefusalKind.BAD_REQUEST: 400,
    RefusalKind.NOT_ALLOWED: 403,
    RefusalKind.NOT_FOUND: 404,
    RefusalKind.CONFLICT: 409,
    RefusalKind.USS_DOWN: 412,
    RefusalKind.TOO_LARGE: 413,
    RefusalKind.TOO_MANY: 429,
}


@dataclass(frozen=True, slots=True)
class Identity:
    """What this instance says of itself."""

    instance_id: str = "keepclear"
    public_url: str = ""
    pool_id: str | None = None
    version: str = ""


@dataclass(slots=True)
class Dss:
    """What the operations need."""

    engine: Engine
    tokens: TokenCheck
    rules: Rules = field(default_factory=Rules)
    identity: Identity = field(default_factory=Identity)
    rates: Rates = field(default_factory=Rates)
    metrics: Metrics = field(default_factory=Metrics)
    journal: Journal = field(default_factory=Journal)
    signatures: SignatureCheck | None = None


@dataclass(slots=True)
class Call:
    """One authorized request. ``body``: where it has been read already."""

    dss: Dss
    caller: Caller
    request: Request
    body: bytes | None = None

    def path(self, name: str) -> str:
        return str(self.request.path_params.get(name, ""))

    def query(self, name: str) -> str | None:
        return self.request.query_params.get(name)


T = TypeVar("T")
Handler = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """``scope`` names the entry in :data:`SCOPES`; None: open to anybody. ``codes`` are the refusals beside 401/403."""

    name: str
    method: str
    path: str
    handler: Handler
    scope: str | None
    ok: int = 200
    codes: tuple[int, ...] = (400,)
    body: Any = None
    answer: Any = None
    queries: tuple[str, ...] = ()


def route_of(operation: Operation, dss: Dss) -> Route:
    """The operation as a route of the application."""
    return Route(operation.path, _Endpoint(operation, dss), methods=[operation.method])


@dataclass(slots=True)
class _Endpoint:
    """An ASGI application: Starlette leaves out what it wraps around functions, which costs as much as a decision."""

    operation: Operation
    dss: Dss

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        operation, dss = self.operation, self.dss
        began_s = time.perf_counter()
        caller: Caller | None = None
        with span(operation.name, request.headers) as mark:
            try:
                caller = await _authorize(operation, dss, request)
                call = Call(dss, caller, request)
                if dss.signatures is not None and operation.scope is not None:
                    call.body = await body_of(call)
                    signed = request.method, sent_url(request), sent_fields(request), call.body
                    dss.signatures.check(caller.subject, *signed)
                answer = await operation.handler(call)
                response = _response(operation.ok, answer)
                said = ""
            except BadToken as error:
                said = str(error)
                response = _refused(401, said)
                response.headers["www-authenticate"] = "Bearer"
            except BadSignature as error:
                said = str(error)
                response = _refused(401, said)
                response.headers["accept-signature"] = ACCEPT_SIGNATURE
            except Refusal as refusal:
                said = refusal.message
                response = _refused(STATUS[refusal.kind], said, refusal.body)
            except DssStoreError as error:
                said = str(error)
                response = _refused(503, "the database does not answer; look up what became of the request")
            except NotImplementedError as error:
                said = str(error)
                response = _refused(501, said)
            except ClientDisconnect:
                said = "the client went away"
                response = _refused(400, said)
            except Exception as error:
                said = f"defect: {type(error).__name__}: {error}"
                dss.journal.defect(operation.name, error)
                response = _refused(500, "a defect in the server; look up what became of the request")
            mark(response.status_code)
        took_s = time.perf_counter() - began_s
        dss.metrics.request(operation.name, response.status_code, took_s)
        subject = caller.subject if caller else None
        dss.journal.request(operation.name, operation.method, response.status_code, subject, took_s, said)
        return response


async def body_of(call: Call) -> bytes:
    """The whole body. Raises :class:`Refusal` for one that is too large or too slow."""
    return await read_body(call.request) if call.body is None else call.body


async def read_body(request: Request) -> bytes:
    """Raises :class:`Refusal` for a body that is too large or too slow."""
    given = request.headers.get("content-length", "")
    if given.isdecimal() and int(given[:12]) > BODY_BYTES_MAX:
        raise Refusal(RefusalKind.TOO_LARGE, f"the body has more than {BODY_BYTES_MAX:,} bytes")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                size += len(part)
                if size > BODY_BYTES_MAX:
                    raise Refusal(RefusalKind.TOO_LARGE, f"the body has more than {BODY_BYTES_MAX:,} bytes")
                parts.append(part)
    except TimeoutError:
        raise Refusal(RefusalKind.BAD_REQUEST, f"the body did not arrive within {BODY_S:g} s") from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def prepared(call: Call, prepare: Callable[[bytes], T]) -> T:
    """The body, read and checked."""
    body = await body_of(call)
    return prepare(body) if len(body) < ASIDE_BYTES else await asyncio.to_thread(prepare, body)


def sent_url(request: Request) -> str:
    """As it was sent, before anything in it is decoded: that is what signatures are about."""
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope["raw_path"].decode("latin-1")
    return f"{request.url.scheme}://{request.url.netloc}{path}" + (f"?{query}" if query else "")


def sent_fields(request: Request) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]


async def _authorize(operation: Operation, dss: Dss, request: Request) -> Caller:
    if operation.scope is None:
        return Caller("", frozenset())
    caller = await dss.tokens.caller(request.headers.get("authorization"))
    if not allowed(operation.scope, caller.scopes):
        alternatives = " or ".join("+".join(sorted(needed)) for needed in SCOPES[operation.scope])
        raise Refusal(RefusalKind.NOT_ALLOWED, f"the token's scopes do not allow this; it needs {alternatives}")
    dss.rates.take(caller.subject)
    return caller


def _response(status: int, answer: Any) -> Response:
    if isinstance(answer, Response):
        return answer
    return Response(_ENCODER.encode(answer), status, media_type="application/json")


def _refused(status: int, message: str, body: object | None = None) -> Response:
    return _response(status, {"message": message} if body is None else body)


_ENCODER = msgspec.json.Encoder()
