"""A server that stops closes every connection itself, in whatever state its caller has left it."""

from __future__ import annotations

import gc
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from keepclear.edge.channel.node_folder import NodeFolder
from keepclear.edge.channel.tls import caller_context, server_context
from keepclear.server.mutual_tls import serve_tls


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a caller's, who know each other."""
    sides = []
    for name in ("alfa", "bravo"):
        folder = NodeFolder(tmp_path / name)
        card = folder.create(
            party=name, name=name, url="https://127.0.0.1:1", languages=("en",), desks=(), passphrase="words",
            scrypt_n=2**10,
        )  # fmt: skip
        sides.append((folder.keys("words"), card))
    (alfa, alfa_card), (bravo, bravo_card) = sides
    return server_context(alfa, [bravo_card]), caller_context(bravo, alfa_card)


def silent(raw: socket.socket, context: ssl.SSLContext) -> socket.socket:
    return raw


def half_greeted(raw: socket.socket, context: ssl.SSLContext) -> socket.socket:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing).do_handshake()
    raw.sendall(outgoing.read())
    return raw


def kept_open(raw: socket.socket, context: ssl.SSLContext) -> socket.socket:
    """Asked and was answered, and will not answer the server's goodbye."""
    line = context.wrap_socket(raw)
    line.sendall(b"GET / HTTP/1.1\r\nhost: alfa\r\n\r\n")
    assert b"200" in line.recv(1000)
    return line


@pytest.mark.parametrize("caller", [silent, half_greeted, kept_open])
def test_a_stopped_server_leaves_no_connection_to_the_garbage_collector(
    caller: Callable[[socket.socket, ssl.SSLContext], socket.socket],
    contexts: tuple[ssl.SSLContext, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    left: list[Any] = []
    gc.collect()
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: left.append(unraisable.exc_value))
    server = serve_tls(app, "127.0.0.1", 0, contexts[0])
    lines = [caller(socket.create_connection(("127.0.0.1", server.port)), contexts[1]) for _ in range(3)]
    server.stop()
    gc.collect()
    for line in lines:
        line.close()
    assert left == []
