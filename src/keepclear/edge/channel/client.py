"""Calls to one peer's node over HTTPS with mutual TLS: one connection kept open, several addresses tried in turn."""

from __future__ import annotations

import ssl
from collections.abc import Generator
from http.client import HTTPException, HTTPSConnection, RemoteDisconnected
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from keepclear.channel.charter import Party
from keepclear.channel.protocol.wire import MESSAGE_BYTES_MAX, Ask
from keepclear.edge.channel.keys import NodeKeys
from keepclear.edge.channel.tls import caller_context
from keepclear.errors import KeepclearError

__all__ = ["PREFIX", "PeerClient", "Unreachable", "submit_to_witness"]

PREFIX = "/channel/v1"
CONNECT_S, ANSWER_S = 3.0, 15.0
"""A batch of 1,000 entries takes a peer some 0.2 s to verify; a check is answered at once."""

WITNESS_ANSWER_BYTES_MAX = 65_536

T = TypeVar("T")


class Unreachable(KeepclearError):
    """The peer did not answer, or not as a node does. Says nothing of its intent."""


class PeerClient:
    """For one thread. A context manager."""

    def __init__(self, peer: Party, keys: NodeKeys, before: Party | None = None, *, answer_s: float = ANSWER_S) -> None:
        """``before``: the peer as the charter before the newest names it; it may not have enacted the newest yet."""
        self.peer = peer
        self._context = caller_context(keys, peer, *([before] if before else []))
        self._answer_s = answer_s
        self._connection: HTTPSConnection | None = None
        self._url = 0

    @property
    def on_backup(self) -> bool:
        """Whether the next call goes to another address than the first that the charter names."""
        return self._url % len(self.peer.urls) != 0

    def ask(self, ask: Ask) -> bytes:
        """The answer's bytes; raises :class:`Unreachable` after one try. The next try takes the next address."""
        url = self.peer.urls[self._url % len(self.peer.urls)].rstrip("/") + f"{PREFIX}/{ask.path}"
        try:
            status, data = self._exchanged(url, ask.body)
        except (HTTPException, ssl.SSLError, OSError, ValueError) as error:
            self.close()
            self._url += 1
            raise Unreachable(f"{self.peer.id} cannot be reached at {url}: {_reason(error)}") from None
        if len(data) > MESSAGE_BYTES_MAX:
            self.close()
            raise Unreachable(f"{self.peer.id} answers with more than {MESSAGE_BYTES_MAX:,} bytes")
        if status != 200:
            said = data[:200].decode(errors="replace").strip()
            raise Unreachable(f"{self.peer.id} answers {status}: {said}")
        return data

    def _exchanged(self, url: str, body: bytes) -> tuple[int, bytes]:
        if self._connection is not None:
            try:
                return _sent(self._connection, url, body)
            except (RemoteDisconnected, ConnectionError):  # closed while it was idle; asking twice does no harm
                self.close()
        parts = urlsplit(url)
        self._connection = HTTPSConnection(parts.hostname or "", parts.port, timeout=CONNECT_S, context=self._context)
        self._connection.connect()
        self._connection.sock.settimeout(self._answer_s)
        return _sent(self._connection, url, body)

    def drive(self, dialogue: Generator[Ask, bytes, T]) -> T:
        """Carries a dialogue of :mod:`keepclear.channel.protocol.exchange` to its end."""
        try:
            ask = next(dialogue)
            while True:
                ask = dialogue.send(self.ask(ask))
        except StopIteration as end:
            result: T = end.value
            return result

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> PeerClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _sent(connection: HTTPSConnection, url: str, body: bytes) -> tuple[int, bytes]:
    """Headers and body leave in one write, so that the peer wakes once."""
    connection.request("POST", urlsplit(url).path, body)
    response = connection.getresponse()
    return response.status, response.read(MESSAGE_BYTES_MAX + 1)


def submit_to_witness(client: httpx.Client, url: str, body: bytes) -> tuple[int, bytes]:
    """Status and answer of a witness's ``add-checkpoint``; raises :class:`Unreachable`."""
    try:
        with client.stream("POST", url.rstrip("/") + "/add-checkpoint", content=body) as response:
            data = b""
            for chunk in response.iter_raw():
                data += chunk
                if len(data) > WITNESS_ANSWER_BYTES_MAX:
                    raise Unreachable(f"the witness at {url} answers with more than {WITNESS_ANSWER_BYTES_MAX:,} bytes")
            return response.status_code, data
    except (httpx.HTTPError, OSError) as error:
        raise Unreachable(f"the witness at {url} cannot be reached: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return "its certificate is not the one in the charter" if "CERTIFICATE_VERIFY_FAILED" in text else text
