"""A port that only known certificates reach: uvicorn with mutual TLS, and the caller's certificate told to the routes.

ASGI servers may offer the TLS extension; uvicorn does not yet, so its protocol class is told here what it knows anyway.
"""

from __future__ import annotations

import asyncio
import asyncio.constants
import socket
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any, ClassVar

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from keepclear.errors import UsageError

__all__ = ["CERTIFICATE", "TlsServer", "serve_tls"]

CERTIFICATE = "peer_certificate"
"""Key of a request's state: the DER of the caller's certificate, absent over plain HTTP."""
START_MAX_S, STOP_MAX_S = 10.0, 5.0
CONNECTIONS_MAX = 512
"""At once, over all callers; beyond it the newest is closed."""
CONNECTIONS_MAX_PER_CALLER = 16
"""A peer's node holds three or four."""
REQUEST_HEAD_BYTES_MAX = 16 * 1024
HANDSHAKE_MAX_S = 5.0
GOODBYE_MAX_S = 1.0
"""Who has been told that the connection closes and does not answer is not waited for: asyncio would, for 30 s, and at
the end of the loop leave the socket open to whoever collects it."""

ROUNDS_MAX = 10
"""Rounds of the event loop in which a connection that is cut is taken out: it needs two."""


class _KnownCaller(H11Protocol):
    """Notes whose connection it is, and closes what a caller opens beyond its share."""

    open: ClassVar[Counter[Any]] = Counter()
    caller: Any = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        session = transport.get_extra_info("ssl_object")
        certificate = session.getpeercert(binary_form=True) if session else None
        self.caller = certificate or transport.get_extra_info("peername")[0]
        counts = type(self).open
        counts[self.caller] += 1
        super().connection_made(transport)
        if counts[self.caller] > CONNECTIONS_MAX_PER_CALLER or counts.total() > CONNECTIONS_MAX:
            transport.close()
        self.app_state = {**self.app_state, **({CERTIFICATE: certificate} if certificate else {})}

    def connection_lost(self, exc: Exception | None) -> None:
        counts = type(self).open
        counts[self.caller] -= 1
        if counts[self.caller] <= 0:
            del counts[self.caller]
        super().connection_lost(exc)


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """No connection is left to the garbage collector: who did not say goodbye in time is cut off."""
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for _ in range(ROUNDS_MAX):
            if not self.server_state.connections:
                break
            await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class TlsServer:
    """A running server; a context manager that stops it."""

    port: int
    _server: uvicorn.Server
    _thread: threading.Thread

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(STOP_MAX_S)

    def __enter__(self) -> TlsServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve_tls(app: ASGIApp, host: str, port: int, context: ssl.SSLContext | None) -> TlsServer:
    """Serves in a thread of its own; returns once the port answers. Without a context: plain HTTP (a witness behind a
    proxy). ``port`` 0 takes a free one. Raises :class:`UsageError` where the address cannot be bound."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot listen on {host}:{port}: {reason}") from None
    # asyncio turns Nagle's delay off only where the socket names its protocol, which create_server leaves open.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # A class of its own a server: two nodes in one process do not share their callers' counts.
    protocol = type("KnownCaller", (_KnownCaller,), {"open": Counter()})
    config = uvicorn.Config(
        app, http=protocol, loop="asyncio", ws="none", lifespan="off", log_config=None, log_level="critical",
        access_log=False, server_header=False, date_header=False, proxy_headers=False, timeout_keep_alive=30,
        timeout_graceful_shutdown=2, h11_max_incomplete_event_size=REQUEST_HEAD_BYTES_MAX,
        limit_concurrency=CONNECTIONS_MAX,
    )  # fmt: skip
    config.load()
    config.ssl = context
    # uvicorn does not pass these time limits on; a minute each would let strangers hold a thousand sockets.
    setattr(asyncio.constants, "SSL_HANDSHAKE_TIMEOUT", HANDSHAKE_MAX_S)  # noqa: B010 (declared Final)
    setattr(asyncio.constants, "SSL_SHUTDOWN_TIMEOUT", GOODBYE_MAX_S)  # noqa: B010
    server = _Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="channel", daemon=True)
    thread.start()
    deadline = time.monotonic() + START_MAX_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise UsageError(f"the server on {host}:{port} did not start")
        time.sleep(0.01)
    return TlsServer(listening.getsockname()[1], server, thread)
