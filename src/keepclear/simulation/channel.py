"""A channel under everything that can go wrong, from one seed: the same seed, the same run.

Two to five nodes run the real protocol over a network that drops, repeats, delays, reorders and splits
(:mod:`~keepclear.simulation.channel_network`), on machines that crash in the middle of writing, come back and are
restored from old backups (:mod:`~keepclear.simulation.channel_machines`); clocks are an hour wrong; one party may be
dishonest. What must hold (:mod:`~keepclear.simulation.channel_invariants`) is checked as the run goes and once the
network has healed; :class:`Breach` says what did not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count, permutations

from keepclear.channel.checkpoint import Checkpoint
from keepclear.channel.entry import ERASURE_KIND, Draft, Reference
from keepclear.channel.protocol import exchange
from keepclear.channel.protocol.own_log import NotReady, append_own
from keepclear.channel.protocol.wire import Ask
from keepclear.channel.protocol.witness import compose_submission, take_witness_answer, witness_head
from keepclear.channel.store import StoreConflict
from keepclear.errors import InputError
from keepclear.simulation.channel_invariants import (
    Breach,
    check_fork_proved,
    check_healed,
    check_safety,
    note_acknowledged,
    parted,
)
from keepclear.simulation.channel_machines import WITNESS, Crash, Host, Machines, Met, Run, Talk
from keepclear.simulation.channel_network import START_MS, TIMEOUT_MS
from keepclear.simulation.parties import exercise_key

__all__ = ["DURATION_MS", "START_MS", "Breach", "Crash", "Host", "Run", "World", "run_through", "simulate"]

DURATION_MS = 30_000
HOUR_MS = 3_600_000


class World(Machines):
    """What the nodes do and say to each other; :func:`simulate` lets time run."""

    def __init__(self, seed: int, dishonest: bool) -> None:
        super().__init__(seed, dishonest)
        self.calm = False
        self.witness_heads: dict[str, Checkpoint] = {}
        self.overheard: list[tuple[str, str, Ask]] = []
        self._salts = count()
        self._talk_ids = count()

    @property
    def now_ms(self) -> int:
        return self.network.now_ms

    @now_ms.setter
    def now_ms(self, now_ms: int) -> None:
        self.network.now_ms = now_ms

    def at(self, delay_ms: float, act: Callable[[], None]) -> None:
        self.network.at(delay_ms, act)

    def play(self, until_ms: int) -> None:
        self.network.play(until_ms)

    # Exchanges under way.

    def begin(self, host: Host, peer: str, talk: Talk, met: Met = None) -> None:
        number = next(self._talk_ids)
        host.talks[number] = (peer, talk, met)
        self._step(host, number, None)

    def _step(self, host: Host, number: int, answer: bytes | None, just_met: Met = None) -> None:
        """Feeds one answer to an exchange under way; late and repeated ones find it gone or further on."""
        if not host.alive or number not in host.talks:
            return
        peer, talk, met = host.talks.pop(number)
        met = met or just_met
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
        self.network.carry(host.party, peer, partial(self._answer, host.party, peer, ask, host, again))

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
            met = (host.store, other.store) if told and parted(host.store, other.store, self.liar) else None
            self.network.carry(asker, peer, lambda: self._step(host, number, reply, met))

    def _finish(self, host: Host, peer: str, value: object, met: Met) -> None:
        if isinstance(value, exchange.Checked):
            host.shown[peer] = value.own_head
            self.begin(host, peer, exchange.catch_up(host.node, peer, value, lambda: self.clock(host)), met)
            return
        self.run.exchanges += 1
        note_acknowledged(self, host)
        if isinstance(value, exchange.CaughtUp) and len(value.cursors) == len(self.keys):
            check_fork_proved(self, host, self.host_for(peer, host.party), met)

    # What parties do.

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

    # What goes wrong.

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
            self.network.split(pair, self.rng.uniform(500, 15_000))
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

    def heal(self) -> None:
        """Everybody is up, the network works, the clocks are right; two rounds of exchanges follow."""
        self.network.mend()
        self.calm = True
        for host in self.hosts.values():
            self._make_well(host)
        for _ in range(2):
            for one, other in permutations(self.honest, 2):
                self.meet(self.hosts[one], other)
                self.play(self.now_ms + 1_000)
            for host in (self.hosts[p] for p in self.honest):
                self._make_lock(host)

    def check_safety(self) -> None:
        check_safety(self)

    def check_healed(self) -> None:
        self.check_safety()
        check_healed(self)


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
