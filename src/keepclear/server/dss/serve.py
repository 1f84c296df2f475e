"""Runs the DSS until told to stop: the database, the engine, the keys, HTTP or HTTPS."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import secrets
import signal
import socket
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keepclear import __version__
from keepclear.dss.airspace import Airspace
from keepclear.dss.cells import AREA_MAX_KM2
from keepclear.dss.exact import strict_airspace
from keepclear.dss.expiry import KEEP_US
from keepclear.dss.request import Moment, Rules
from keepclear.edge.dss.signatures import SignatureCheck, read_signature_keys
from keepclear.edge.dss.store import open_store
from keepclear.errors import UsageError
from keepclear.server.dss.app import make_dss_app
from keepclear.server.dss.engine import Engine
from keepclear.server.dss.journal import Journal
from keepclear.server.dss.metrics import Metrics
from keepclear.server.dss.operations import Dss, Identity
from keepclear.server.dss.rates import Rates
from keepclear.server.dss.tokens import FileKeys, JwksKeys, TokenCheck

if TYPE_CHECKING:
    import uvicorn

__all__ = ["DssSettings", "bind", "check_settings", "now_moment", "open_dss", "serve_dss", "signature_check"]

KEEP_ALIVE_S = 75.0
"""Longer than usual clients and proxies keep an idle connection, so that it is they who close it."""
GRACE_S = 15
"""Requests under way get this long at a stop; none takes longer."""
CONNECTIONS_MAX = 2_000
BACKLOG = 1_024
COLLECT_AFTER = (50_000, 20, 1_000)
"""Python's cycle collector walks all live records each time; hardly anything here is cyclic, so it may be rare."""


@dataclass(frozen=True, slots=True)
class DssSettings:
    """How one server runs."""

    database: str
    audiences: Sequence[str]
    host: str = "127.0.0.1"
    port: int = 8082
    key_files: Sequence[Path] = ()
    jwks: str | None = None
    issuer: str | None = None
    development: bool = False
    strict: bool = False
    area_max_km2: float = AREA_MAX_KM2
    keep_us: int = KEEP_US
    per_client_s: float | None = None
    identity: Identity = field(default_factory=lambda: Identity(version=__version__))
    metrics: bool = False
    journal: bool = True
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    signatures: str = "off"
    """off, optional or required (RFC 9421)"""
    signature_keys: Path | None = None


def now_moment() -> Moment:
    """Now, with ids and OVNs from the system's randomness."""
    return Moment(time.time_ns() // 1_000, lambda: str(uuid.uuid4()), lambda: secrets.token_urlsafe(24))


async def open_dss(settings: DssSettings) -> Dss:
    """The DSS with its engine started. Raises :class:`~keepclear.errors.KeepclearError`."""
    check_settings(settings)
    keys = JwksKeys(settings.jwks) if settings.jwks else FileKeys(settings.key_files)
    tokens = TokenCheck(keys, settings.audiences, issuer=settings.issuer, development=settings.development)
    signatures = signature_check(settings)
    metrics = Metrics()
    store = await open_store(settings.database)
    engine = Engine(
        store, now_moment, keep_us=settings.keep_us, watcher=metrics,
        make_airspace=strict_airspace if settings.strict else Airspace,
    )  # fmt: skip
    try:
        await engine.start()
        gc.freeze()
    except BaseException:
        await store.close()
        raise
    return Dss(
        engine, tokens,
        Rules(strict=settings.strict, allow_http=settings.development, area_max_km2=settings.area_max_km2),
        settings.identity, Rates(settings.per_client_s), metrics, Journal(sys.stderr if settings.journal else None),
        signatures,
    )  # fmt: skip


def serve_dss(settings: DssSettings, *, on_ready: Callable[[str], None] = lambda url: None) -> None:
    """Serve until interrupted or terminated; requests under way are answered first."""
    _warm_up()
    gc.set_threshold(*COLLECT_AFTER)
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn stops at these and then raises them again; by then nothing is left to be done but to let go.
        signal.signal(number, lambda signum, frame: None)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, on_ready))


async def _serve(settings: DssSettings, on_ready: Callable[[str], None]) -> None:
    dss = await open_dss(settings)
    try:
        listener = bind(settings)
        server = _server(settings, dss)
        scheme = "https" if settings.tls_certificate else "http"
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        on_ready(f"{scheme}://{host}:{listener.getsockname()[1]}")
        await server.serve(sockets=[listener])
    finally:
        await dss.engine.stop()


def _server(settings: DssSettings, dss: Dss) -> uvicorn.Server:
    import uvicorn

    config = uvicorn.Config(
        make_dss_app(dss, metrics=settings.metrics), log_level="warning", access_log=False, server_header=False,
        date_header=True, timeout_keep_alive=int(KEEP_ALIVE_S), timeout_graceful_shutdown=GRACE_S, lifespan="off",
        limit_concurrency=CONNECTIONS_MAX, backlog=BACKLOG, proxy_headers=False,
        ssl_certfile=settings.tls_certificate, ssl_keyfile=settings.tls_key,
    )  # fmt: skip
    return uvicorn.Server(config)


def check_settings(settings: DssSettings) -> None:
    """Raises :class:`UsageError` for what does not go together."""
    if bool(settings.jwks) == bool(settings.key_files):
        raise UsageError("name the issuer's keys: either --jwt-public-key FILE (may be repeated) or --jwks URL")
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise UsageError("TLS needs both --tls-certificate and --tls-key")
    if settings.development and not _is_loopback(settings.host):
        raise UsageError(f"--development serves this machine only; {settings.host} is open to others")


def signature_check(settings: DssSettings) -> SignatureCheck | None:
    """Raises :class:`UsageError` for keys that cannot be read."""
    if settings.signatures == "off":
        if settings.signature_keys is not None:
            raise UsageError("--signature-keys is for --signatures optional or required")
        return None
    if settings.signature_keys is None:
        raise UsageError(f"--signatures {settings.signatures} needs --signature-keys FOLDER")
    return SignatureCheck(read_signature_keys(settings.signature_keys), required=settings.signatures == "required")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(settings: DssSettings) -> socket.socket:
    """Ours, so that a port chosen by the system can be told, and a taken one is said in one line."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise UsageError(f"{settings.host}:{settings.port} cannot be listened on ({error.strerror})") from None
    return listener


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed: a third less time a request."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Any = uvloop.new_event_loop
    return factory  # type: ignore[no-any-return]


def _warm_up() -> None:
    """The first polygon must not wait for a compiler."""
    from keepclear.dss.cells import cover_circle, cover_polygon
    from keepclear.space.geometry import Circle

    cover_polygon(((0.0, 0.0), (0.01, 0.0), (0.01, 0.01)))
    cover_circle(Circle(0.0, 0.0, 10.0))
