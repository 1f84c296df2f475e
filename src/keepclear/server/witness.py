"""The witness's HTTP interface (c2sp.org/tlog-witness): one call, open to whoever has a signed head of a known log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from keepclear.channel.protocol.witness import REQUEST_BYTES_MAX, WitnessMemory, witness_head
from keepclear.channel.signature import SigningKey

__all__ = ["witness_app"]


def witness_app(
    name: str, key: SigningKey, memory: WitnessMemory, logs: Callable[[], Mapping[str, Sequence[bytes]]]
) -> Starlette:
    """``logs`` is asked at every call, so that a charter can be added while it runs."""
    turn = threading.Lock()

    def judge(data: bytes) -> Response:
        with turn:
            answer = witness_head(data, logs(), memory, name, key, int(time.time()))
        return Response(answer.body, answer.status, media_type=answer.media_type)

    async def add_checkpoint(request: Request) -> Response:
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > REQUEST_BYTES_MAX:
                return PlainTextResponse(f"at most {REQUEST_BYTES_MAX:,} bytes\n", 413)
        return await run_in_threadpool(judge, bytes(data))

    return Starlette(routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"])])
