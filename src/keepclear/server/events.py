"""The live stream: /events, server-sent events (WHATWG HTML §9.2) with resume, heartbeats and bounds."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from keepclear.server.hub import Event, Hub

__all__ = ["routes"]

HEARTBEAT_S = 2.0
"""The page says that the connection is lost after 5 s without a word: two missed heartbeats."""
STREAMS_MAX = 64
"""Pages connected at once. A duty room has a handful; each costs a socket and a place in the ring."""
TAKE_MAX_S = 20.0
"""A page that takes nothing for so long is cut off; it comes back by itself and resumes."""
RETRY_MS = 1_000


class Streams:
    """The ``/events`` endpoint; counts its open streams."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._open = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._open >= STREAMS_MAX:
            refusal = PlainTextResponse(
                f"{STREAMS_MAX} pages are connected already; close one", status_code=503, headers={"retry-after": "5"}
            )
            await refusal(scope, receive, send)
            return
        self._open += 1
        try:
            await _stream(self._hub, Request(scope), receive, send)
        finally:
            self._open -= 1


def routes(hub: Hub) -> list[Route]:
    return [Route("/events", Streams(hub), methods=["GET"])]


async def _stream(hub: Hub, request: Request, receive: Receive, send: Send) -> None:
    head = [
        (b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ]  # fmt: skip
    await send({"type": "http.response.start", "status": 200, "headers": head})
    if request.method == "HEAD":
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return
    loop = asyncio.get_running_loop()
    news = asyncio.Event()

    def waker() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has just been closed
            loop.call_soon_threadsafe(news.set)

    forget = hub.listen(waker)
    gone = asyncio.create_task(_disconnected(receive))
    try:
        # EventSource sends the header itself; a page that reconnects by hand gives the query parameter.
        said = request.headers.get("last-event-id") or request.query_params.get("last-event-id", "")
        place = hub.place_of(said)
        await _send(send, f"retry: {RETRY_MS}\n\n".encode())
        heartbeat_due = 0.0
        while not hub.closed and not gone.done():
            news.clear()
            events = None if place is None else hub.since(place)
            if events is None:
                events = [hub.snapshot()]
            for event in events:
                await _send(send, _encoded(hub, event))
                place = event.sequence
            if loop.time() >= heartbeat_due:
                await _send(send, b"event: heartbeat\ndata: " + hub.heartbeat() + b"\n\n")
                heartbeat_due = loop.time() + HEARTBEAT_S
            if not events:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), max(0.0, heartbeat_due - loop.time()))
        await _send(send, b"", more=False)
    except (TimeoutError, OSError):
        return  # it takes nothing, or it is gone: nobody to tell
    finally:
        gone.cancel()
        forget()


async def _send(send: Send, body: bytes, *, more: bool = True) -> None:
    await asyncio.wait_for(send({"type": "http.response.body", "body": body, "more_body": more}), TAKE_MAX_S)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _encoded(hub: Hub, event: Event) -> bytes:
    return f"id: {hub.event_id(event.sequence)}\nevent: {event.kind}\ndata: ".encode() + event.data + b"\n\n"
