"""Mutual TLS between nodes: each trusts exactly the certificates that the charter pins, and no authority.

TLS says who is calling, so that strangers cost nothing and bodies are not read on the way. Evidence rests on the
entries' signatures alone.
"""

from __future__ import annotations

import ssl
from base64 import b64decode
from collections.abc import Iterable

from keepclear.channel.charter import Charter, Party
from keepclear.edge.channel.keys import NodeKeys
from keepclear.errors import InputError

__all__ = ["caller_context", "party_of_certificate", "server_context"]


def caller_context(keys: NodeKeys, *peer: Party) -> ssl.SSLContext:
    """For calls to one peer: its pinned certificate is the only one believed, whatever name or address it is under.
    While a charter is being changed, the peer is given as both charters name it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # the certificate itself is pinned; addresses change
    return _pinned(context, keys, peer)


def server_context(keys: NodeKeys, peers: Iterable[Party]) -> ssl.SSLContext:
    """For a node's port: only the peers' certificates get past the handshake."""
    return _pinned(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), keys, peers)


def _pinned(context: ssl.SSLContext, keys: NodeKeys, peers: Iterable[Party]) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(keys.tls_certificate, keys.tls_key, keys.tls_password)
    for peer in peers:
        try:
            context.load_verify_locations(cadata=b64decode(peer.tls_certificate))
        except (ssl.SSLError, ValueError):
            raise InputError(f"the charter's certificate of {peer.id} is none") from None
    return context


def party_of_certificate(charter: Charter, der: bytes) -> str | None:
    """Whose certificate it is, byte for byte."""
    return next((p.id for p in charter.parties if b64decode(p.tls_certificate) == der), None)
