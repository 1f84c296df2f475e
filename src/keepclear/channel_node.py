"""READ FIRST for the channel: one party's node, wired on one page.

    append ──► own log ──► link to each peer ──► the peer's mirror ──► its cosignature: *held*
                              ▲        │
                          check, catch up (channel.protocol), witness

The own log is written whether anybody answers or not; it is the outbox. A link is a thread for each peer: it checks the
line (channel.communications), pushes what is new and fetches what is missing. Every rule is pure and elsewhere; here
are only threads, clocks and the order of things.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import httpx

from keepclear.channel.charter import Charter, Party, SignedCharter, Witness, verify_charter
from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.communications import (
    Answered,
    Cause,
    CheckSettings,
    Line,
    LineChange,
    LineStatus,
    Missed,
    Stated,
    step,
)
from keepclear.channel.entry import CHARTER_KIND, Draft
from keepclear.channel.protocol import exchange
from keepclear.channel.protocol.gate import Gate
from keepclear.channel.protocol.own_log import Node, NotReady, Written, make_lock, make_ready
from keepclear.channel.protocol.wire import NONCE_BYTES, Ask, Keys
from keepclear.channel.protocol.witness import compose_submission, take_witness_answer
from keepclear.channel.store import Kept, Store
from keepclear.channel.tiles import Tile, encode_bundle
from keepclear.edge.channel.client import PeerClient, Unreachable, submit_to_witness
from keepclear.edge.channel.keys import NodeKeys
from keepclear.edge.channel.node_folder import NodeFolder
from keepclear.edge.channel.store import ChannelLock
from keepclear.edge.channel.tls import party_of_certificate
from keepclear.edge.channel.writer import ChannelWriter
from keepclear.edge.whole_file import write_bytes
from keepclear.errors import InputError, KeepclearError

__all__ = ["ChannelNode", "Link", "Notice", "now_ms"]

WAKE_EVERY_S = 0.02
"""How soon a link notices what another process (the command line) has written; with more than PEERS_WOKEN peers, later
by as much as there are more: 193 that look every 20 ms would keep a core busy with nothing to do."""
PEERS_WOKEN = 16
ROUNDS_MAX = 64
"""Catching up is bounded a round; after so many the next check goes on."""
WITNESS_S = 10.0
WITNESS_EVERY_S, WITNESS_AGAIN_S = 0.25, 5.0
"""A witness sees every head that stands for so long; after a failure it is left alone for a while."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that happened to a line, for whoever serves the node."""

    peer: str
    change: LineChange | None = None
    received: int = 0
    """entries that came"""
    trouble: str = ""
    """what failed here"""


class ChannelNode:
    """Open it, :meth:`append` to it, :meth:`start` its links, :meth:`stop` it. Any thread may call."""

    def __init__(self, charter: Charter, node: Node, tls: NodeKeys, on_notice: Callable[[Notice], None]) -> None:
        self.charter = charter
        self.node = node
        self.tls = tls
        self.on_notice = on_notice
        self.stopped = threading.Event()
        self.links = {p.id: Link(self, p) for p in charter.parties if p.id != node.party}
        self.witnesses = {w.id: WitnessLink(self, w) for w in charter.witnesses}
        self._threads: list[threading.Thread] = []
        self._shown: dict[str, Checkpoint | None] = {}
        self._writer = ChannelWriter(node, now_ms, on_written=self._written)
        self._turn = threading.Lock()
        self._troubles: dict[tuple[str, str], str] = {}
        """by peer and what was tried with it: what failed"""

    @classmethod
    def open(
        cls, folder: NodeFolder, passphrase: str, on_notice: Callable[[Notice], None] = lambda _: None
    ) -> ChannelNode:
        """Raises a :class:`KeepclearError` in one line where keys, charter or store are not there or not sound."""
        me = folder.card().id
        store, lock = folder.open_store(), ChannelLock.open(folder.lock)
        tls = folder.keys_of(passphrase, store.state(me).charter.party(me).entry_key)
        node = Node(store, lock, Keys(me, tls.entry, tls.log, tls.mirror), Gate())
        if not folder.begun.exists():  # the first time: nobody can hold anything of a log that was never written
            if lock.read() is None:
                make_lock(node, {}, now_ms=now_ms(), by_operator=True)
            write_bytes(folder.begun, b"")
        with suppress(NotReady):  # what a crash cut short is finished now; a restored backup waits for the others
            make_ready(node)
        return cls(store.charters()[-1], node, tls, on_notice)

    def enact(self, signed: SignedCharter, folder: NodeFolder, passphrase: str) -> Kept:
        """A later charter, signed by all, as an entry of our log: from it on its keys are ours, and this node is to be
        opened anew. Raises :class:`InputError` while it is not in force."""
        state = self.store.state(self.party)
        verify_charter(signed, state.charter)
        tls = folder.keys_of(passphrase, signed.charter.party(self.party).entry_key)
        node = replace(self.node, keys=Keys(self.party, tls.entry, tls.log, tls.mirror))
        return ChannelWriter(node, now_ms).append([Draft(CHARTER_KIND, signed.encode())])[0]

    @property
    def party(self) -> str:
        return self.node.party

    @property
    def store(self) -> Store:
        return self.node.store

    def append(self, drafts: Sequence[Draft]) -> list[Kept]:
        """The drafts as entries of our log, on the disk. Callers that come at once share one flush."""
        return self._writer.append(drafts)

    def _written(self, written: Written) -> None:
        for link in self.links.values():
            link.wake(written)

    def own_size(self) -> int:
        return self.store.state(self.party).size

    def before(self, party: str) -> Party | None:
        """A party as the charter before the newest names it: during a change it may still be known by that."""
        charters = self.store.charters()
        return charters[-2].party(party) if len(charters) > 1 and party in charters[-2].ids else None

    def peers(self) -> list[Party]:
        """All other parties as the newest charter names them, and as the one before did."""
        found = [p for p in self.charter.parties if p.id != self.party]
        return found + [p for p in map(self.before, list(self.links)) if p is not None]

    # What the routes ask (server.channel.ChannelEndpoint).

    def party_of(self, certificate: bytes) -> str | None:
        known = [party_of_certificate(charter, certificate) for charter in self.store.charters()[-2:]]
        return next((party for party in reversed(known) if party in self.links), None)

    def respond(self, peer: str, ask: Ask) -> bytes:
        received_ms = now_ms()
        with self._turn:
            try:
                answer = exchange.respond(self.node, peer, ask, received_ms, now_ms)
            except InputError:
                raise  # the peer's doing: it is told, and what matters of it is noted as an event
            except Exception as error:
                self.say_trouble(peer, ask.path, str(error))
                raise
        self.say_trouble(peer, ask.path, None)
        if ask.path == "push":
            self.on_notice(Notice(peer, received=1))
        return answer

    def say_trouble(self, peer: str, act: str, text: str | None) -> None:
        """Once, and not again with every try, until the act succeeds (no text): a full disk stays full for a while."""
        known = [said for (party, _), said in list(self._troubles.items()) if party == peer]
        if text is None:
            self._troubles.pop((peer, act), None)
            return
        self._troubles[peer, act] = text
        if text not in known:
            self.on_notice(Notice(peer, trouble=text))

    def _has_log(self, log: str) -> bool:
        """Who has left the channel has left its log here."""
        return any(log in charter.ids for charter in self.store.charters())

    def checkpoint(self, log: str) -> bytes | None:
        note = self.store.checkpoint(log) if self._has_log(log) else None
        return note.encode() if note else None

    def tile(self, log: str, path: str) -> bytes | None:
        tile = Tile.parse(path)
        if not self._has_log(log) or tile.end > self.store.state(log).size:
            return None
        if tile.level >= 0:
            return tile.hashes(self.store.tree(log))
        kept: list[Kept] = []
        while len(kept) < tile.width:
            more = self.store.records(log, tile.start + len(kept), count_max=tile.width - len(kept))
            kept += more
        return encode_bundle([k.record.payload for k in kept])

    # Links.

    def start(self) -> None:
        runs = {**{n: link.run for n, link in self.links.items()}, **{n: w.run for n, w in self.witnesses.items()}}
        self._threads = [threading.Thread(target=run, name=f"link {n}", daemon=True) for n, run in runs.items()]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self.stopped.set()
        for link in self.links.values():
            link.wake()
        for thread in self._threads:
            thread.join(5.0)

    def close(self) -> None:
        """Stops, and lets go of the files."""
        self.stop()
        for kept in (self.node.store, self.node.lock):
            close = getattr(kept, "close", None)  # those in memory have nothing to let go of
            if close is not None:
                close()

    def checked(self, peer: str, shown: Checkpoint | None) -> None:
        """A lost lock is made again once every other party has shown what it holds of our log."""
        self._shown[peer] = shown
        if self.node.lock.read() is None:
            with suppress(NotReady):
                make_lock(self.node, self._shown, now_ms=now_ms())


def check_settings(charter: Charter) -> CheckSettings:
    timers = charter.timers
    lost_ms = max(timers.silent_after_ms, timers.check_every_ms)
    return CheckSettings(timers.check_every_ms, timers.degraded_after_misses, lost_ms)


class WitnessLink:
    """The thread that shows our heads to one neutral witness."""

    def __init__(self, node: ChannelNode, witness: Witness) -> None:
        self.node = node
        self.witness = witness
        self.seen = 0
        """entries of our log that it has cosigned; it tells us where we are wrong"""
        self.said = ""

    def run(self) -> None:
        with httpx.Client(timeout=WITNESS_S, trust_env=False) as client:
            while not self.node.stopped.wait(WITNESS_EVERY_S):
                try:
                    self.show(client)
                    self.said = ""
                except KeepclearError as error:
                    self.said = str(error)
                    self.node.stopped.wait(WITNESS_AGAIN_S)

    def show(self, client: httpx.Client) -> None:
        """Our newest head, if the witness has not seen it."""
        sent = compose_submission(self.node.node, self.seen)
        if sent is None:
            return
        status, body = submit_to_witness(client, self.witness.url, sent.encode())
        seen = take_witness_answer(self.node.node, sent, status, body, now_ms())
        if seen is None:
            raise Unreachable(f"what {self.witness.id} answers is no cosignature of the charter's key")
        if seen > self.node.own_size():
            raise Unreachable(f"{self.witness.id} has seen {seen} entries of our log, more than we hold")
        self.seen = seen


class Link:
    """The thread that keeps the line to one peer up."""

    def __init__(self, node: ChannelNode, peer: Party) -> None:
        self.node = node
        self.peer = peer
        self.line = Line()
        self.said = ""
        """why the last try failed"""
        self.stated_by = ""
        """the role that stated why it does not answer"""
        self.cursor = 0
        """entries of our log that the peer holds"""
        self._settings = check_settings(node.charter)
        self._wake_every_s = WAKE_EVERY_S * max(1.0, len(node.charter.parties) / PEERS_WOKEN)
        self._wake = threading.Event()
        self._fresh: Written | None = None

    def wake(self, written: Written | None = None) -> None:
        """``written``: entries that the peer does not have yet, at hand. Only the newest are kept so."""
        self._fresh = written
        self._wake.set()

    def run(self) -> None:
        due = time.monotonic()
        with PeerClient(self.peer, self.node.tls, self.node.before(self.peer.id)) as client:
            while not self.node.stopped.is_set():
                try:
                    if time.monotonic() >= due:
                        due = time.monotonic() + self._settings.period_ms / 1000.0
                        self.check(client)
                    elif not self.said and self._is_behind():
                        self.push(client)
                except Exception as error:
                    # A defect, or a disk that fails: said, and tried again. The line must not die of it in silence.
                    self.said = f"{type(error).__name__}: {error}"
                    self.node.on_notice(Notice(self.peer.id, trouble=self.said))
                if self._wake.wait(min(max(due - time.monotonic(), 0.0), self._wake_every_s)):
                    self._wake.clear()

    def check(self, client: PeerClient) -> None:
        """One communications check, and everything that either side then turns out to lack."""
        node, peer = self.node, self.peer.id
        backup = client.on_backup
        try:
            checked = client.drive(exchange.check(node.node, peer, secrets.token_bytes(NONCE_BYTES), now_ms))
        except KeepclearError as error:
            self.said = str(error)
            self._moved(*step(self.line, Missed(backup), monotonic_ms(), self._settings))
            return
        said = checked.statement
        self.said = ""
        answered = Answered(checked.asked_ms, said.received_ms, said.answered_ms, checked.received_ms, backup)
        self._moved(*step(self.line, answered, monotonic_ms(), self._settings))
        try:
            node.checked(peer, checked.own_head)
            for _ in range(ROUNDS_MAX):
                caught = client.drive(exchange.catch_up(node.node, peer, checked, now_ms))
                before, self.cursor = self.cursor, caught.cursors.get(node.party, checked.holds(node.party))
                if caught.received or self.cursor > before:
                    node.on_notice(Notice(peer, received=caught.received))
                if caught.later_ms is not None or not caught.received:
                    break
                checked = client.drive(exchange.check(node.node, peer, secrets.token_bytes(NONCE_BYTES), now_ms))
        except KeepclearError as error:
            self.said = str(error)
            node.say_trouble(peer, "catch up", self.said)  # it answers, and yet what is to be exchanged is not
        else:
            node.say_trouble(peer, "catch up", None)

    def _is_behind(self) -> bool:
        """Whether our log has gone on since; the store is asked only where nothing newer is at hand."""
        fresh = self._fresh
        return (fresh is not None and fresh.kept[-1].seq >= self.cursor) or self.node.own_size() > self.cursor

    def push(self, client: PeerClient) -> None:
        """What we have just written, without a check before."""
        node, before = self.node, self.cursor
        fresh, self._fresh = self._fresh, None
        try:
            pushed = client.drive(exchange.push_log(node.node, self.peer.id, node.party, before, now_ms, fresh))
        except KeepclearError as error:
            self.said = str(error)
            return
        self.cursor = pushed.cursors.get(node.party, before)
        node.on_notice(Notice(self.peer.id))
        if self.cursor <= before:
            self.said = "nothing of what was sent was taken; the next check shows why"

    def state_cause(self, cause: Cause, by_role: str) -> None:
        """Somebody on duty knows why it does not answer. It is on the record already; the line is shown so from now."""
        if self.line.status in (LineStatus.TEST_MISSED, LineStatus.DEGRADED, LineStatus.SILENT):
            self.line, _ = step(self.line, Stated(cause), monotonic_ms(), self._settings)
            self.stated_by = by_role

    def _moved(self, line: Line, change: LineChange | None) -> None:
        self.line = line
        if change is not None:
            self.node.on_notice(Notice(self.peer.id, change))
