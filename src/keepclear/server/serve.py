"""Runs the application with uvicorn in a thread of its own, so that the watch loop keeps the main one."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from keepclear.errors import UsageError
from keepclear.server.app import LOCAL_HOSTS, make_app
from keepclear.server.hub import Hub

__all__ = ["ServerHandle", "is_local", "serve"]

START_MAX_S = 10.0
STOP_MAX_S = 5.0
CONNECTIONS_MAX = 256
"""Sockets at once, streams among them; beyond it uvicorn answers 503 at once."""


@dataclass(frozen=True, slots=True)
class ServerHandle:
    """A running server. Stop it, or use it as a context manager."""

    url: str
    port: int
    _server: uvicorn.Server
    _thread: threading.Thread
    _hub: Hub

    def stop(self) -> None:
        """Ends every stream and waits for the thread, five seconds at most."""
        self._hub.close()
        self._server.should_exit = True
        self._thread.join(STOP_MAX_S)

    def __enter__(self) -> ServerHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def is_local(host: str) -> bool:
    """Whether this address is reached from this machine only. The page has no log-in, so say so where it is not."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serve(hub: Hub, host: str = "127.0.0.1", port: int = 8642, *, static_dir: Path | None = None) -> ServerHandle:
    """Serve until stopped; returns once the port answers. ``port`` 0 takes a free one.

    Raises :class:`UsageError` where the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot serve on {host}:{port}: {reason}; choose another with --port or --host") from None
    # asyncio turns Nagle's delay off only where the socket names its protocol, which create_server leaves open.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    port = listening.getsockname()[1]
    # Beyond this machine the names are not ours to know; there the network's own guard must stand before it.
    hosts = LOCAL_HOSTS if is_local(host) else ("*",)
    config = uvicorn.Config(
        make_app(hub, static_dir=static_dir, allowed_hosts=hosts),
        loop="asyncio", http="h11", ws="none", lifespan="off", log_config=None, log_level="critical", access_log=False,
        server_header=False, proxy_headers=False, limit_concurrency=CONNECTIONS_MAX, timeout_keep_alive=15,
        timeout_graceful_shutdown=2, h11_max_incomplete_event_size=16 * 1024,
    )  # fmt: skip
    hub.open()
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="keepclear-server", daemon=True)
    thread.start()
    deadline = time.monotonic() + START_MAX_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            server.should_exit = True
            listening.close()
            raise UsageError(f"the server on {host}:{port} did not start")
        time.sleep(0.01)
    shown = f"[{host}]" if family == socket.AF_INET6 else host
    return ServerHandle(f"http://{shown}:{port}/", port, server, thread, hub)
