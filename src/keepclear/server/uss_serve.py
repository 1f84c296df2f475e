"""Runs our USS's endpoints until told to stop, and goes on telling subscribers who did not answer."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import uvicorn

from keepclear.edge.dss.client import DssClient
from keepclear.edge.uss.publisher import Publisher
from keepclear.edge.uss.store import UssStore
from keepclear.errors import KeepclearError, UsageError
from keepclear.server.dss.serve import DssSettings, bind, check_settings, signature_check
from keepclear.server.dss.tokens import FileKeys, JwksKeys, TokenCheck
from keepclear.server.uss import make_uss_app

__all__ = ["serve_uss"]

DELIVER_EVERY_S = 2.0
GRACE_S = 10


def serve_uss(
    client: DssClient, manager: str, path: Path, given: Mapping[str, Any], *, say: Callable[[str], None]
) -> None:
    """``given``: host, port, key_files, jwks, audiences, tls_certificate, tls_key, signatures,
    signature_keys, development_key.

    ``say`` is told where it serves, once it does, and what goes wrong.
    """
    development = given["development_key"] is not None
    names = (
        "host",
        "port",
        "key_files",
        "jwks",
        "audiences",
        "tls_certificate",
        "tls_key",
        "signatures",
        "signature_keys",
    )
    settings = DssSettings("", development=development, **{name: given[name] for name in names})
    check_settings(settings)
    if not development and settings.host not in ("127.0.0.1", "::1") and not settings.tls_certificate:
        raise UsageError("peers call over https: give --tls-certificate and --tls-key, or listen on this machine only")
    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn stops at these and then raises them again; by then nothing is left to be done but to let go.
        signal.signal(number, lambda signum, frame: None)
    keys = JwksKeys(settings.jwks) if settings.jwks else FileKeys(settings.key_files)
    checked = signature_check(settings)
    with UssStore(path) as store, UssStore(path) as waiting:
        app = make_uss_app(store, TokenCheck(keys, settings.audiences, development=development), checked)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, lifespan="off",
            timeout_graceful_shutdown=GRACE_S, ssl_certfile=settings.tls_certificate, ssl_keyfile=settings.tls_key,
        )  # fmt: skip
        listener = bind(settings)
        scheme = "https" if settings.tls_certificate else "http"
        say(f"USS at {scheme}://{settings.host}:{listener.getsockname()[1]}")

        async def run() -> None:
            telling = asyncio.create_task(_tell(Publisher(client, waiting, "", manager), say))
            await uvicorn.Server(config).serve(sockets=[listener])
            telling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await telling

        asyncio.run(run())


async def _tell(publisher: Publisher, say: Callable[[str], None]) -> None:
    while True:
        try:
            await asyncio.to_thread(publisher.deliver)
        except KeepclearError as error:
            say(f"keepclear: warning: notices wait: {error}")
        await asyncio.sleep(DELIVER_EVERY_S)
