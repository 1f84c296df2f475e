"""Live feeds: one thread a feed reads bytes, decodes them and puts batches into one bounded queue.

A feed that fails is tried again with growing pauses, for ever; it never ends the watch. A queue that is full drops
the newest batch and counts it: the health then says DEGRADED, and the watch OVERLOAD, never nothing.
"""

from __future__ import annotations

import http.client
import os
import queue
import random
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

from keepclear.edge.feed_address import FeedAddress, FeedKind
from keepclear.errors import InputError, KeepclearError, UsageError
from keepclear.feeds.decoder import Decoder
from keepclear.feeds.formats import SNIFF_BYTES, DecoderOptions, make_decoder, recognise
from keepclear.feeds.health import FeedCounts
from keepclear.feeds.reports import ReportBatch

__all__ = ["Listeners"]

QUEUE_BATCHES_MAX = 4096
"""Batches waiting for a cycle. At one cycle a second and one datagram a batch: 4,096 datagrams a second."""
RECEIVE_BYTES = 1 << 18
RECEIVE_BUFFER_BYTES = 1 << 22
"""Asked of the kernel for UDP, so that a busy cycle does not lose datagrams."""
DOCUMENT_BYTES_MAX = 1 << 28
"""A polled document larger than this is refused: 256 MiB is about half a million aircraft."""
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 0.5
"""How long a read waits before it looks whether it should stop."""
BACKOFF_FIRST_S, BACKOFF_MAX_S = 1.0, 60.0
POLL_S = 1.0


@dataclass(slots=True)
class Listeners:
    """Starts on ``start()``; ``take()`` empties the queue; ``counts`` is what the health is judged from."""

    addresses: list[FeedAddress]
    options: DecoderOptions = field(default_factory=DecoderOptions)
    backoff_first_s: float = BACKOFF_FIRST_S
    poll_s: float = POLL_S
    counts: list[FeedCounts] = field(default_factory=list)
    waiting: queue.Queue[ReportBatch] = field(default_factory=lambda: queue.Queue(QUEUE_BATCHES_MAX))
    arrived: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        for address in self.addresses:
            counts = FeedCounts(address.text, time.time())
            self.counts.append(counts)
            thread = threading.Thread(
                target=self._run, args=(address, counts), name=f"feed {address.text}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def stop(self, timeout_s: float = 2.0) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout_s)

    def take(self) -> list[ReportBatch]:
        """Everything that has come since the last call."""
        self.arrived.clear()
        batches = []
        for _ in range(QUEUE_BATCHES_MAX):
            try:
                batches.append(self.waiting.get_nowait())
            except queue.Empty:
                break
        return batches

    @property
    def ended(self) -> bool:
        return all(counts.ended for counts in self.counts)

    def _run(self, address: FeedAddress, counts: FeedCounts) -> None:
        pause_s = self.backoff_first_s
        jitter = random.Random(address.text)  # noqa: S311 – spreads reconnections, keeps no secret
        while not self._stop.is_set():
            before = counts.reports
            try:
                self._read(address, counts)
                if address.kind is FeedKind.STDIN:
                    counts.ended = True
                    self.arrived.set()
                    return
                counts.error = "the other side closed the connection"
            except KeepclearError as error:
                counts.error = error.message if isinstance(error, InputError) else str(error)
            except (OSError, urllib.error.URLError, http.client.HTTPException) as error:
                reason = getattr(error, "reason", None) or error
                counts.error = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
            except Exception as error:  # a defect of ours must not end the feed in silence
                counts.error = f"a defect in Keepclear, please report it: {type(error).__name__}: {error}"
            if address.kind is FeedKind.STDIN:  # what was read of it is gone; it cannot be tried again
                counts.ended, counts.connected = True, False
                self.arrived.set()
                return
            counts.connected = False
            counts.reconnects += 1
            if counts.reports > before:
                pause_s = self.backoff_first_s
            self.arrived.set()
            self._stop.wait(pause_s * (0.75 + 0.5 * jitter.random()))
            pause_s = min(pause_s * 2.0, BACKOFF_MAX_S)

    def _read(self, address: FeedAddress, counts: FeedCounts) -> None:
        decoder: Decoder | None = None
        head = b""
        base_faults = counts.faults
        for chunk in self._chunks(address, counts):
            now_s = time.time()
            counts.last_bytes_s = now_s
            if decoder is None:
                head += chunk
                name = address.format or recognise(head, _suffix(address))
                if name is None and address.kind is FeedKind.UDP and (name := recognise(chunk)) is not None:
                    head = chunk  # what came before was no part of it
                if name is None:
                    # Each answer to a poll stands alone: a log-in page must not spoil the documents after it.
                    if len(head) < SNIFF_BYTES and address.kind not in (FeedKind.HTTP, FeedKind.POLL):
                        continue
                    raise InputError(f"no feed format recognises what comes: name it, {address.text}#FORMAT")
                decoder = make_decoder(name, replace(self.options, source=self.options.source or address.text))
                chunk, head = head, b""
            batch = decoder.decode(chunk, now_s)
            counts.observe(batch, base_faults + decoder.faults.total, now_s)
            self._hand_over(batch, address, counts, now_s)
        if decoder is None and head:
            raise InputError(f"no feed format recognises what came: name it, {address.text}#FORMAT")
        if decoder is None and address.kind is FeedKind.STDIN:
            raise InputError("nothing came before the end")
        if decoder is not None:
            batch = decoder.finish()
            now_s = time.time()
            counts.observe(batch, base_faults + decoder.faults.total, now_s)
            self._hand_over(batch, address, counts, now_s)

    def _hand_over(self, batch: ReportBatch, address: FeedAddress, counts: FeedCounts, now_s: float) -> None:
        """Into the queue. Where it is full, standard input waits, because a pipe can; of other feeds it is dropped."""
        if not len(batch):
            return
        waits = address.kind is FeedKind.STDIN
        while not self._stop.is_set():
            try:
                self.waiting.put(batch, block=waits, timeout=READ_TIMEOUT_S if waits else None)
                self.arrived.set()
                return
            except queue.Full:
                if not waits:
                    counts.dropped += len(batch)
                    counts.dropped_at_s = now_s
                    return

    def _chunks(self, address: FeedAddress, counts: FeedCounts) -> Iterator[bytes]:
        match address.kind:
            case FeedKind.TCP:
                yield from self._tcp(address, counts)
            case FeedKind.UDP:
                yield from self._udp(address, counts)
            case FeedKind.HTTP | FeedKind.POLL:
                yield from self._poll(address, counts)
            case FeedKind.STDIN:
                yield from self._stdin(counts)
            case FeedKind.FILE:
                raise UsageError(f"{address.text} is a recording; it is replayed, not listened to")

    def _tcp(self, address: FeedAddress, counts: FeedCounts) -> Iterator[bytes]:
        with closing(socket.create_connection(address.host_port, timeout=CONNECT_TIMEOUT_S)) as connection:
            connection.settimeout(READ_TIMEOUT_S)
            _connected(counts)
            while not self._stop.is_set():
                try:
                    chunk = connection.recv(RECEIVE_BYTES)
                except TimeoutError:
                    continue
                if not chunk:
                    return
                yield chunk

    def _udp(self, address: FeedAddress, counts: FeedCounts) -> Iterator[bytes]:
        host, port = address.host_port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as receiver:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            receiver.bind((host, port))
            receiver.settimeout(READ_TIMEOUT_S)
            _connected(counts)
            while not self._stop.is_set():
                try:
                    yield receiver.recv(65_535)
                except TimeoutError:
                    continue

    def _poll(self, address: FeedAddress, counts: FeedCounts) -> Iterator[bytes]:
        last = b""
        while not self._stop.is_set():
            began_s = time.monotonic()
            document = _fetch(address)
            _connected(counts)
            if document != last:  # the same bytes again say nothing new; the stall shows in the health
                last = document
                yield document if document.endswith(b"\n") else document + b"\n"
            self._stop.wait(max(0.0, self.poll_s - (time.monotonic() - began_s)))

    def _stdin(self, counts: FeedCounts) -> Iterator[bytes]:
        _connected(counts)
        descriptor = sys.stdin.fileno()
        while not self._stop.is_set():
            chunk = os.read(descriptor, RECEIVE_BYTES)
            if not chunk:
                return
            yield chunk


def _connected(counts: FeedCounts) -> None:
    counts.connected = True
    counts.error = ""


def _suffix(address: FeedAddress) -> str:
    return Path(address.location.split("?")[0]).suffix


def _fetch(address: FeedAddress) -> bytes:
    if address.kind is FeedKind.POLL:
        with Path(address.location).open("rb") as stream:
            document = stream.read(DOCUMENT_BYTES_MAX + 1)
    else:
        request = urllib.request.Request(  # noqa: S310 – parse_feed lets http and https through, nothing else
            address.location, headers={"User-Agent": "keepclear", "Accept-Encoding": "gzip"}
        )
        with urllib.request.urlopen(request, timeout=CONNECT_TIMEOUT_S) as response:  # noqa: S310
            document = response.read(DOCUMENT_BYTES_MAX + 1)
            if response.length and len(document) <= DOCUMENT_BYTES_MAX:
                raise InputError("the answer broke off before its end")  # a bounded read does not say so by itself
            if response.headers.get("Content-Encoding") == "gzip":
                document = _gunzip(document)
    if len(document) > DOCUMENT_BYTES_MAX:
        raise InputError(f"the document is larger than {DOCUMENT_BYTES_MAX >> 20} MiB")
    return bytes(document)


def _gunzip(data: bytes) -> bytes:
    import zlib

    inflater = zlib.decompressobj(31)
    try:
        plain = inflater.decompress(data, DOCUMENT_BYTES_MAX + 1)
    except zlib.error as error:
        raise InputError(f"the gzip body is damaged ({error})") from None
    if not inflater.eof and len(plain) <= DOCUMENT_BYTES_MAX:
        raise InputError("the gzip body broke off before its end")
    return plain
