"""A channel under everything that can go wrong, from one seed: the same seed, the same run.

Two to five nodes over a network that drops, repeats, delays, reorders and splits; nodes crash in the middle of writing,
come back, are restored from old backups, lose their lock files; clocks are an hour wrong; one party may be dishonest.
What must hold is checked as the run goes and once the network has healed; :class:`Breach` says what did not.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush
from itertools import combinations, count, permutations
from random import Random
from typing import Any

from keepclear.channel.charter import Charter
from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.entry import ERASURE_KIND, Draft, Reference
from keepclear.channel.protocol import exchange
from keepclear.channel.protocol.fsck import fsck
from keepclear.channel.protocol.gate import Gate
from keepclear.channel.protocol.own_log import Node, NotReady, append_own, make_lock, make_ready
from keepclear.channel.protocol.wire import Ask, Keys
from keepclear.channel.protocol.witness import compose_submission, take_witness_answer, witness_head
from keepclear.channel.store import StoreConflict
from keepclear.errors import InputError
from keepclear.simulation.memory_store import MemoryLock, MemoryStore
from keepclear.simulation.parties import exercise_charter, exercise_key

__all__ = ["DURATION_MS", "START_MS", "Breach", "Crash", "Host", "Run", "World", "run_through", "simulate"]

START_MS = 1_700_000_000_000
DURATION_MS = 30_000
HOUR_MS = 3_600_000
NAMES = ("alfa", "bravo", "charlie", "delta", "echo")
WITNESS = "witness.example"
TIMEOUT_MS = 1_500
"""After it, an exchange that got no answer is dropped."""

Talk = Generator[Ask, bytes, Any]
_Met = tuple[MemoryStore, MemoryStore] | None
"""Two honest parties' stores which held two histories of one log when one of them told the other its heads."""


class Breach(AssertionError):
    """Something that must never happen has happened."""


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
    talks: dict[int, tuple[str, Talk, _Met]] = field(default_factory=dict)


class World:
    """The nodes, the network between them and what goes wrong; :func:`simulate` lets time run."""

    def __init__(self, seed: int, dishonest: bool) -> None:
        self.rng = Random(seed)  # noqa: S311  a run is to be repeated
        self.run = Run(seed)
        self.now_ms = START_MS
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._salts = count()
        self._talk_ids = count()
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
        self.loss, self.repeat = self.rng.choice((0.0, 0.1, 0.4)), self.rng.choice((0.0, 0.1, 0.4))
        self.delay_max_ms = self.rng.choice((20, 200, 3_000))
        self.cut: set[frozenset[str]] = set()
        self.calm = False
        self.witness_heads: dict[str, Checkpoint] = {}
        self.acknowledged: dict[tuple[str, int], bytes] = {}
        self.overheard: list[tuple[str, str, Ask]] = []

    def _new_host(self, name: str, party: str) -> Host:
        store, lock = MemoryStore(self.charter), MemoryLock()
        host = Host(name, party, store, lock, Node(store, lock, self.keys[party], Gate()))
        make_lock(host.node, {}, now_ms=self.now_ms, by_operator=True)
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

    def clock(self, host: Host) -> int:
        return self.now_ms + host.offset_ms

    def at(self, delay_ms: float, act: Callable[[], None]) -> None:
        heappush(self._events, (self.now_ms + int(delay_ms), next(self._order), act))

    def play(self, until_ms: int) -> None:
        while self._events and self._events[0][0] <= until_ms:
            self.now_ms, _, act = heappop(self._events)
            act()
        self.now_ms = until_ms

    # The network.

    def host_for(self, party: str, peer: str) -> Host:
        """The dishonest party shows one face to some and another to the others."""
        other = party == self.liar and peer in self._told_the_other
        return self.hosts[f"{party}'" if other else party]

    def _carry(self, one: str, other: str, act: Callable[[], None]) -> None:
        for _ in range(1 + (self.rng.random() < self.repeat)):
            if frozenset((one, other)) not in self.cut and self.rng.random() >= self.loss:
                self.at(self.rng.uniform(1, self.delay_max_ms), act)

    def begin(self, host: Host, peer: str, talk: Talk, met: _Met = None) -> None:
        number = next(self._talk_ids)
        host.talks[number] = (peer, talk, met)
        self._step(host, number, None)

    def _step(self, host: Host, number: int, answer: bytes | None, parted: _Met = None) -> None:
        """Feeds one answer to an exchange under way; late and repeated ones find it gone or further on."""
        if not host.alive or number not in host.talks:
            return
        peer, talk, met = host.talks.pop(number)
        met = met or parted
        try:
            ask = talk.send(answer) if answer is not None else next(talk)
        except StopIteration as stop:
            self._finish(host, peer, stop.value, met)
            return
        except (InputError, StoreConflict):
            return
        except Crash:
            self._crash(host)
            return
        again = next(self._talk_ids)
        host.talks[again] = (peer, talk, met)
        self.at(TIMEOUT_MS, lambda: host.talks.pop(again, None) and None)
        if self.rng.random() < 0.02:
            self.overheard.append((host.party, peer, ask))
        self._carry(host.party, peer, partial(self._answer, host.party, peer, ask, host, again))

    def _answer(self, asker: str, peer: str, ask: Ask, host: Host | None, number: int) -> None:
        other = self.host_for(peer, asker)
        if not other.alive:
            return
        if other.party == self.liar and ask.path in ("pull", "roots") and self.rng.random() < 0.3:
            return  # withheld
        try:
            reply = exchange.respond(other.node, asker, ask, self.clock(other), lambda: self.clock(other))
        except (InputError, StoreConflict):
            return
        except Crash:
            self._crash(other)
            return
        if host is not None:
            told = ask.path == "check" and self.liar not in ("", asker, peer)
            parted = (host.store, other.store) if told and _parted(host.store, other.store, self.liar) else None
            self._carry(asker, peer, lambda: self._step(host, number, reply, parted))

    def _finish(self, host: Host, peer: str, value: object, met: _Met) -> None:
        if isinstance(value, exchange.Checked):
            host.shown[peer] = value.own_head
            self.begin(host, peer, exchange.catch_up(host.node, peer, value, lambda: self.clock(host)), met)
            return
        self.run.exchanges += 1
        self._note_acknowledged(host)
        if isinstance(value, exchange.CaughtUp) and len(value.cursors) == len(self.keys):
            self._check_fork_proved(host, self.host_for(peer, host.party), met)

    # What happens to nodes.

    def meet(self, host: Host, peer: str) -> None:
        if host.alive:
            nonce = self.rng.randbytes(32)
            self.begin(host, peer, exchange.check(host.node, peer, nonce, lambda: self.clock(host)))

    def drafts(self, host: Host, size: int, others: list[str]) -> list[Draft]:
        """What a party writes next, after the ``size`` entries that it has written."""
        if size and self.rng.random() < 0.1:
            seq = self.rng.randrange(size)
            leaf = host.store.tree(host.party).leaf(seq).hex()
            return [Draft(ERASURE_KIND, b"{}", re=(Reference(host.party, seq, leaf),))]
        drafts = []
        for _ in range(self.rng.randint(1, 3)):
            to = tuple(sorted(self.rng.sample(others, self.rng.randint(0, len(others)))))
            drafts.append(Draft("message", self.rng.randbytes(8), to))
        return drafts

    def write(self, host: Host) -> None:
        if not host.alive:
            return
        others = [p for p in self.keys if p != host.party]
        size = host.store.state(host.party).size
        drafts = self.drafts(host, size, others)
        if not drafts:
            return
        at_ms = self.clock(host) - (24 * HOUR_MS if host.party == self.liar and self.rng.random() < 0.2 else 0)
        salts = [next(self._salts).to_bytes(32, "big") for _ in drafts]
        try:
            append_own(host.node, drafts, clock=lambda: at_ms, salts=salts)
        except NotReady:
            self._make_lock(host)
        except Crash:
            self._crash(host)
        else:
            self.run.entries += len(drafts)
            for peer in others:
                if self.host_for(host.party, peer) is host and self.rng.random() < 0.7:
                    talk = exchange.push_log(host.node, peer, host.party, size, lambda: self.clock(host))
                    self.begin(host, peer, talk)

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
            self.at(self.rng.uniform(10, 3_000), lambda: self._restart(host))

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

    def disturb(self) -> None:
        """One of the things that go wrong."""
        host = self.rng.choice(list(self.hosts.values()))
        choice = self.rng.randrange(7)
        if choice == 0 and host.alive:
            host.fuse = self.rng.randrange(6)
        elif choice == 1:
            host.backups.append(host.store.copy())
        elif choice == 2:
            self._restore(host)
        elif choice == 3:
            host.offset_ms = self.rng.choice((-HOUR_MS, 0, HOUR_MS, self.rng.randint(-5_000, 5_000)))
        elif choice == 4:
            pair = frozenset(self.rng.sample(list(self.keys), 2))
            self.cut.add(pair)
            self.at(self.rng.uniform(500, 15_000), lambda: self.cut.discard(pair))
        elif choice == 5 and self.overheard:
            asker, peer, ask = self.rng.choice(self.overheard)
            self._answer(asker, peer, ask, None, -1)  # an old request replayed
        else:
            self.submit(host)

    def submit(self, host: Host) -> None:
        """The newest head to the witness."""
        origin = host.store.state(host.party).origin
        known = self.witness_heads.get(origin)
        logs = {h.store.state(h.party).origin: self.log_keys(h.party) for h in self.hosts.values()}
        if not host.alive:
            return
        submission = compose_submission(host.node, known.size if known else 0)
        if submission is None:
            return
        key = exercise_key(WITNESS, "witness")
        answer = witness_head(submission.encode(), logs, self, WITNESS, key, self.now_ms // 1000)
        if answer.status != 200 and host.party != self.liar:
            raise Breach(f"the witness refused an honest head: {answer}")
        if answer.status == 200:
            try:
                take_witness_answer(host.node, submission, 200, answer.body.encode(), self.clock(host))
            except Crash:
                self._crash(host)

    def log_keys(self, party: str) -> list[bytes]:
        """Those that the party has had: what a witness is set up with."""
        return [self.keys[party].log.public]

    def newest(self, origin: str) -> Checkpoint | None:
        return self.witness_heads.get(origin)

    def swap(self, before: Checkpoint | None, after: Checkpoint) -> bool:
        self.witness_heads[after.origin] = after
        return True

    # What must hold.

    def _note_acknowledged(self, host: Host) -> None:
        if host.party == self.liar:
            return
        mirrors = {f"{p}/mirror" for p in self.honest}
        size = max((h.size for h in host.store.newest_held(host.party) if h.cosigner in mirrors), default=0)
        tree = host.store.tree(host.party)
        for seq in range(min(size, len(tree)) - 1, -1, -1):
            if (host.party, seq) in self.acknowledged:
                break
            self.acknowledged[host.party, seq] = tree.leaf(seq)

    def _check_fork_proved(self, one: Host, other: Host, met: _Met) -> None:
        """Two honest holders of two histories have met: the proof is there now (unless one was restored meanwhile)."""
        if met and met[0] is one.store and met[1] is other.store and not one.store.forks(self.liar):
            raise Breach(f"{one.party} and {other.party} met and {self.liar}'s fork is not proved")

    def check_safety(self) -> None:
        for host in self.hosts.values():
            if host.party != self.liar:
                accused = {p.party for p in host.store.forks()} - {self.liar}
                if accused:
                    raise Breach(f"{host.party} accuses {accused}, who did nothing")
        for one, other in combinations([h for h in self.hosts.values() if h.party != self.liar], 2):
            for log in self.honest:
                if _parted(one.store, other.store, log):
                    raise Breach(f"{one.party} and {other.party} hold two histories of {log}, who is honest")

    def heal(self) -> None:
        """Everybody is up, the network works, the clocks are right; two rounds of exchanges follow."""
        self.loss = self.repeat = 0.0
        self.delay_max_ms, self.calm = 2, True
        self.cut.clear()
        for host in self.hosts.values():
            host.fuse = -1
            host.talks.clear()
            if not host.alive:
                self._restart(host)
            host.offset_ms = 0
        for _ in range(2):
            for one, other in permutations(self.honest, 2):
                self.meet(self.hosts[one], other)
                self.play(self.now_ms + 1_000)
            for host in (self.hosts[p] for p in self.honest):
                self._make_lock(host)

    def check_healed(self) -> None:
        self.check_safety()
        stores = {p: self.hosts[p].store for p in self.honest}
        for log in self.honest:
            heads = {p: store.state(log).head for p, store in stores.items()}
            if len(set(heads.values())) != 1:
                raise Breach(f"two exchanges after healing the log of {log} is not equal: {heads}")
            missing = {p: store.wanted(log) for p, store in stores.items() if p != log and store.wanted(log)}
            if missing and not self.run.restores:
                raise Breach(f"bodies of {log} that are still to come: {missing}")
        for (log, seq), leaf in self.acknowledged.items():
            for party, store in stores.items():
                if seq >= store.state(log).size or store.tree(log).leaf(seq) != leaf:
                    raise Breach(f"entry {seq} of {log} was acknowledged and {party} does not have it")
        if self.liar and any(_parted(a, b, self.liar) for a, b in combinations(stores.values(), 2)):
            self.run.forks = 1
            silent = [p for p, store in stores.items() if not store.forks(self.liar)]
            if silent:
                raise Breach(f"{self.liar} told two histories and {silent} cannot prove it")
        auditor = self.rng.choice(self.honest)
        findings = list(fsck(stores[auditor], auditor))
        if findings:
            raise Breach(f"the store of {auditor}: {findings[0]}")
        self.run.acknowledged = len(self.acknowledged)
        self.run.unwritable = sum(not _writable(self.hosts[p]) for p in self.honest)


def _writable(host: Host) -> bool:
    locked = host.lock.read()
    return locked is not None and locked.head.size <= host.store.state(host.party).size


def _parted(one: MemoryStore, other: MemoryStore, log: str) -> bool:
    """Whether neither's log is the beginning of the other's."""
    size = min(one.state(log).size, other.state(log).size)
    return size > 0 and one.tree(log).root(size) != other.tree(log).root(size)


def simulate(seed: int, *, dishonest: bool = False) -> Run:
    """One run; raises :class:`Breach`."""
    return run_through(World(seed, dishonest))


def run_through(world: World) -> Run:
    """Time goes on until the network has healed; raises :class:`Breach`."""
    rng = world.rng
    for host in world.hosts.values():
        for _ in range(rng.randint(1, 6)):
            world.at(rng.uniform(0, DURATION_MS), partial(world.write, host))
        for peer in world.keys:
            if peer == host.party or world.host_for(host.party, peer) is not host:
                continue
            for _ in range(rng.randint(1, 5)):
                world.at(rng.uniform(0, DURATION_MS), partial(world.meet, host, peer))
    for _ in range(rng.randint(0, 12)):
        world.at(rng.uniform(0, DURATION_MS), world.disturb)
    for part in range(1, 4):
        world.play(START_MS + DURATION_MS * part // 3)
        world.check_safety()
    world.heal()
    world.check_healed()
    return world.run
