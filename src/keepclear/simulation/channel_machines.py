"""The machines of a channel's parties, and what goes wrong with them: they crash in the middle of writing and come
back, are restored from old backups, lose their lock files. One party may be dishonest and have two, with two histories.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from keepclear.channel.charter import Charter
from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.protocol.gate import Gate
from keepclear.channel.protocol.own_log import Node, NotReady, make_lock, make_ready
from keepclear.channel.protocol.wire import Ask, Keys
from keepclear.simulation.channel_network import START_MS, Network
from keepclear.simulation.memory_store import MemoryLock, MemoryStore
from keepclear.simulation.parties import exercise_charter, exercise_key

__all__ = ["WITNESS", "Crash", "Host", "Machines", "Met", "Run", "Talk"]

NAMES = ("alfa", "bravo", "charlie", "delta", "echo")
WITNESS = "witness.example"

Talk = Generator[Ask, bytes, Any]
Met = tuple[MemoryStore, MemoryStore] | None
"""Two honest parties' stores which held two histories of one log when one of them told the other its heads."""


class Crash(Exception):
    """A process dies here."""


@dataclass(slots=True)
class Run:
    """What a run amounted to."""

    seed: int
    parties: int = 0
    entries: int = 0
    exchanges: int = 0
    crashes: int = 0
    restores: int = 0
    acknowledged: int = 0
    forks: int = 0
    """logs that were forked, all of them proved"""
    lost_by_all: int = 0
    """acknowledged entries whose every holder was restored from an older backup"""
    unwritable: int = 0
    """nodes that stayed closed at the end, because what they had lost nobody else had"""


@dataclass(slots=True)
class Host:
    """A machine with a node; of a dishonest party there are two, each with a history of its own."""

    name: str
    party: str
    store: MemoryStore
    lock: MemoryLock
    node: Node
    offset_ms: int = 0
    alive: bool = True
    fuse: int = -1
    """writes until it crashes; negative: never"""
    backups: list[MemoryStore] = field(default_factory=list)
    shown: dict[str, Checkpoint | None] = field(default_factory=dict)
    talks: dict[int, tuple[str, Talk, Met]] = field(default_factory=dict)

    @property
    def writable(self) -> bool:
        locked = self.lock.read()
        return locked is not None and locked.head.size <= self.store.state(self.party).size


class Machines:
    """All hosts, and the network between them. Who uses it draws from the same dice."""

    def __init__(self, seed: int, dishonest: bool) -> None:
        self.rng = Random(seed)  # noqa: S311  a run is to be repeated
        self.run = Run(seed)
        parties = NAMES[: self.rng.choices((2, 3, 4, 5), (40, 35, 15, 10))[0]]
        if dishonest and len(parties) == 2:
            parties = NAMES[:3]  # a second history needs two to be told to
        self.run.parties = len(parties)
        self.charter: Charter = exercise_charter(*parties, witnesses=(WITNESS,))
        self.keys = {p: Keys(p, *(exercise_key(p, k) for k in ("entry", "log", "mirror"))) for p in parties}
        self.liar = self.rng.choice(parties) if dishonest else ""
        self.honest = [p for p in parties if p != self.liar]
        self.hosts: dict[str, Host] = {}
        for party in parties:
            for name in (party, f"{party}'") if party == self.liar else (party,):
                self.hosts[name] = self._new_host(name, party)
        told = self.honest[:]
        self.rng.shuffle(told)
        self._told_the_other = set(told[: self.rng.randint(1, len(told) - 1)]) if self.liar else set()
        self.network = Network(self.rng)
        self.acknowledged: dict[tuple[str, int], bytes] = {}
        """leaves that a mirror of an honest party has vouched for"""

    def _new_host(self, name: str, party: str) -> Host:
        store, lock = MemoryStore(self.charter), MemoryLock()
        host = Host(name, party, store, lock, Node(store, lock, self.keys[party], Gate()))
        make_lock(host.node, {}, now_ms=START_MS, by_operator=True)
        self._wire(host)
        return host

    def _wire(self, host: Host) -> None:
        """Every write of the host burns its fuse."""

        def burn(moment: str) -> None:
            if host.fuse == 0:
                raise Crash
            host.fuse -= host.fuse > 0

        host.store._on_write = host.lock._on_write = burn
        host.node = Node(host.store, host.lock, self.keys[host.party], Gate())

    def host_for(self, party: str, peer: str) -> Host:
        """The dishonest party shows one face to some and another to the others."""
        other = party == self.liar and peer in self._told_the_other
        return self.hosts[f"{party}'" if other else party]

    def clock(self, host: Host) -> int:
        return self.network.now_ms + host.offset_ms

    def _make_lock(self, host: Host) -> None:
        if host.lock.read() is None:
            try:
                make_lock(host.node, host.shown, now_ms=self.clock(host))
            except NotReady:
                pass
            except Crash:
                self._crash(host)

    def _crash(self, host: Host) -> None:
        if host.alive:
            self.run.crashes += 1
            host.alive, host.fuse = False, -1
            host.talks.clear()
            self.network.at(self.rng.uniform(10, 3_000), lambda: self._restart(host))

    def _restart(self, host: Host) -> None:
        host.alive = True
        host.shown.clear()
        self._wire(host)
        try:
            make_ready(host.node)  # what a crash left in the lock is written first
        except NotReady:
            pass
        except Crash:  # a store restored under a lit fuse
            self._crash(host)

    def _restore(self, host: Host) -> None:
        """Yesterday's backup comes back; the lock file stays, unless it is lost too."""
        if host.backups and host.party != self.liar:
            self.run.restores += 1
            host.store = self.rng.choice(host.backups).copy()
            if self.rng.random() < 0.3:
                host.lock = MemoryLock()
            host.talks.clear()
            self._restart(host)
            self._forgive_what_all_have_lost()

    def _forgive_what_all_have_lost(self) -> None:
        """Where every holder of an entry was restored to before it, no protocol brings it back; it is counted."""
        stores = [self.hosts[p].store for p in self.honest]
        for (log, seq), leaf in list(self.acknowledged.items()):
            if not any(seq < s.state(log).size and s.tree(log).leaf(seq) == leaf for s in stores):
                del self.acknowledged[log, seq]
                self.run.lost_by_all += 1

    def _make_well(self, host: Host) -> None:
        host.fuse = -1
        host.talks.clear()
        if not host.alive:
            self._restart(host)
        host.offset_ms = 0
