"""What other USSs call of ours (F3548-21, ``/uss/v1``): details of what we publish, and their notices.

The store is asked anew for every answer, beside the event loop: a disk that is slow holds up nobody else's request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keepclear.dss.refusal import Refusal, RefusalKind
from keepclear.dss.request import Caller, check_id
from keepclear.dss.scopes import (
    AVAILABILITY_ARBITRATION,
    CONFORMANCE_MONITORING,
    CONSTRAINT_MANAGEMENT,
    CONSTRAINT_PROCESSING,
    STRATEGIC_COORDINATION,
)
from keepclear.edge.dss.signatures import ACCEPT_SIGNATURE, BadSignature, SignatureCheck
from keepclear.edge.uss.store import UssStore, UssStoreError
from keepclear.errors import InputError
from keepclear.server.dss.operations import STATUS, read_body, sent_fields, sent_url
from keepclear.server.dss.tokens import BadToken, TokenCheck
from keepclear.uss.entities import EntityKind, read_notice

__all__ = ["make_uss_app"]

T = TypeVar("T")
Handler = Callable[[Request, Caller, bytes], Awaitable[Response]]


def make_uss_app(
    store: UssStore, tokens: TokenCheck, signatures: SignatureCheck | None = None, *,
    clock: Callable[[], float] = time.time,
) -> Starlette:  # fmt: skip
    """The application over a store."""
    one_at_a_time = asyncio.Lock()

    async def stored(ask: Callable[[], T]) -> T:
        async with one_at_a_time:
            return await asyncio.to_thread(ask)

    def details(kind: EntityKind) -> Handler:
        async def answer(request: Request, caller: Caller, body: bytes) -> Response:
            name = check_id(request.path_params["entityid"])
            found = await stored(lambda: store.get(name))
            if found is None or found.kind is not kind or found.reference is None:
                raise Refusal(RefusalKind.NOT_FOUND, f"no {kind.value} of this id is published here")
            return _json({kind.value: {"reference": found.reference, "details": found.details}})

        return answer

    async def telemetry(request: Request, caller: Caller, body: bytes) -> Response:
        name = check_id(request.path_params["entityid"])
        found = await stored(lambda: store.get(name))
        if found is None or found.kind is not EntityKind.INTENT:
            raise Refusal(RefusalKind.NOT_FOUND, "no operational intent of this id is published here")
        raise Refusal(RefusalKind.CONFLICT, "it is Accepted: telemetry is given of intents that are off nominal")

    def heed(kind: EntityKind) -> Handler:
        async def answer(request: Request, caller: Caller, body: bytes) -> Response:
            notice = read_notice(body, kind)
            if notice.entity is not None and notice.entity.reference.manager != caller.subject:
                raise Refusal(RefusalKind.NOT_ALLOWED, f"it is managed by {notice.entity.reference.manager[:200]}")
            await stored(lambda: store.hear(clock(), caller.subject, kind, notice.entity_id, body))
            return Response(status_code=204)

        return answer

    async def report(request: Request, caller: Caller, body: bytes) -> Response:
        raise NotImplementedError("reports of peers are not taken here")

    def route(method: str, path: str, handler: Handler, *scopes: str) -> Route:
        async def endpoint(request: Request) -> Response:
            try:
                caller = await tokens.caller(request.headers.get("authorization"))
                if not caller.scopes & set(scopes):
                    raise Refusal(
                        RefusalKind.NOT_ALLOWED, f"the token's scopes do not allow this: {' or '.join(scopes)}"
                    )
                body = await read_body(request)
                if signatures is not None:
                    signatures.check(caller.subject, request.method, sent_url(request), sent_fields(request), body)
                return await handler(request, caller, body)
            except BadToken as error:
                refused = _json({"message": str(error)}, 401)
                refused.headers["www-authenticate"] = "Bearer"
                return refused
            except BadSignature as error:
                refused = _json({"message": str(error)}, 401)
                refused.headers["accept-signature"] = ACCEPT_SIGNATURE
                return refused
            except Refusal as refusal:
                return _json({"message": refusal.message}, STATUS[refusal.kind])
            except InputError as error:
                return _json({"message": str(error)}, 400)
            except UssStoreError as error:
                return _json({"message": str(error)}, 503)
            except NotImplementedError as error:
                return _json({"message": str(error)}, 501)

        return Route(path, endpoint, methods=[method])

    intents, constraints = "/uss/v1/operational_intents", "/uss/v1/constraints"
    all_scopes = (
        STRATEGIC_COORDINATION, CONSTRAINT_PROCESSING, CONSTRAINT_MANAGEMENT, CONFORMANCE_MONITORING,
        AVAILABILITY_ARBITRATION,
    )  # fmt: skip

    async def healthy(request: Request) -> Response:
        return _json({"status": "ok"})

    return Starlette(routes=[
        route("GET", f"{intents}/{{entityid}}/telemetry", telemetry, CONFORMANCE_MONITORING),
        route("GET", f"{intents}/{{entityid}}", details(EntityKind.INTENT), STRATEGIC_COORDINATION),
        route("POST", intents, heed(EntityKind.INTENT), STRATEGIC_COORDINATION),
        route("GET", f"{constraints}/{{entityid}}", details(EntityKind.CONSTRAINT), CONSTRAINT_PROCESSING),
        route("POST", constraints, heed(EntityKind.CONSTRAINT), CONSTRAINT_MANAGEMENT),
        route("POST", "/uss/v1/reports", report, *all_scopes),
        Route("/healthy", healthy, methods=["GET"]),
    ])  # fmt: skip


def _json(document: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(document), status, media_type="application/json")
