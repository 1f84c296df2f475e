"""A channel whose charter changes while everything goes wrong, from one seed: the same seed, the same run.

The network, the crashes, the restored backups and the liar are those of :mod:`keepclear.simulation.channel`. On it keys
are replaced by a later charter that all have signed and that each enacts when it comes to it; some were revoked before;
whoever stole an old key goes on with it; and peers ask far more often than the charter allows. What must hold: nothing
signed with a replaced key is taken, a flood holds up nobody else, and all the rest as without.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from random import Random

import msgspec

from keepclear.channel.canonical import encode
from keepclear.channel.charter import Limits, SignedCharter, charter_hash
from keepclear.channel.entry import CHARTER_KIND, REVOCATION_KIND, Draft
from keepclear.channel.log import BrokenLog, write
from keepclear.channel.protocol import exchange
from keepclear.channel.protocol.gate import TooMuch
from keepclear.channel.protocol.own_log import Node, NotReady, append_own
from keepclear.channel.protocol.wire import Ask, Keys, Pull, Push, WireRecord
from keepclear.channel.store import EventKind, StoreConflict
from keepclear.errors import InputError, UsageError
from keepclear.simulation.channel import DURATION_MS, Breach, Crash, Host, Run, World, run_through
from keepclear.simulation.parties import exercise_key, exercise_party, signed_by_all

__all__ = ["Changed", "simulate_changes"]

CHANGES_MAX = 3
AGAIN_MS = 1_000
PER_MINUTE = 2_000
"""What the charter allows: an honest party here does not come near it in a run."""


@dataclass(slots=True)
class Changed:
    """What came of a run's changes."""

    run: Run
    charters: int = 0
    """later versions that all had signed"""
    enacted: int = 0
    """entries with one of them, over all parties"""
    revoked: int = 0
    stolen: int = 0
    """entries under a replaced or revoked key that were brought, and refused"""
    floods: int = 0


class _Changing(World):
    def __init__(self, seed: int, dishonest: bool) -> None:
        self.chance = Random(f"changes {seed}")  # noqa: S311  the other's dice fall as they did without changes
        self.generations: dict[str, int] = {}
        self.agreed: list[SignedCharter] = []
        self._rings: dict[str, Keys] = {}
        super().__init__(seed, dishonest)
        self.changed = Changed(self.run)
        for _ in range(self.chance.randint(1, CHANGES_MAX)):
            self.at(self.chance.uniform(0, DURATION_MS * 0.7), self.agree)
        for _ in range(self.chance.randint(0, 4)):
            self.at(self.chance.uniform(0, DURATION_MS), self.steal)
        for _ in range(self.chance.randint(0, 2)):
            self.at(self.chance.uniform(0, DURATION_MS), self.flood)

    # Keys follow the charter that the own log is under, as a node that is opened anew takes them.

    def _wire(self, host: Host) -> None:
        super()._wire(host)
        self.rekey(host)

    def rekey(self, host: Host) -> None:
        named = host.store.state(host.party).charter.party(host.party).entry_key
        keys = self._rings.get(named)
        if keys is not None and host.node.keys is not keys:
            host.node = Node(host.store, host.lock, keys, host.node.gate)

    def log_keys(self, party: str) -> list[bytes]:
        return [exercise_key(party, "log", k).public for k in range(self.generations.get(party, 0) + 1)]

    def meet(self, host: Host, peer: str) -> None:
        self.rekey(host)
        super().meet(host, peer)

    def write(self, host: Host) -> None:
        self.rekey(host)
        before = host.store.state(host.party)
        if before.revoked:
            return
        try:
            super().write(host)
        except UsageError:  # mending the log put a charter with new keys in force: the old ones wrote nothing
            after = host.store.state(host.party)
            if after.charter.serial == before.charter.serial:
                raise
            self.rekey(host)

    def _answer(self, asker: str, peer: str, ask: Ask, host: Host | None, number: int) -> None:
        self.rekey(self.host_for(peer, asker))
        super()._answer(asker, peer, ask, host, number)

    # What changes.

    def agree(self) -> None:
        """A later charter with new keys for one party; it may have revoked the old one before."""
        before = self.agreed[-1].charter if self.agreed else self.charter
        party = self.chance.choice(list(self.keys))
        if self.chance.random() < 0.5:
            for host in self._hosts_of(party):
                self._revoke(host)
        number = self.generations[party] = self.generations.get(party, 0) + 1
        keys = Keys(party, *(exercise_key(party, k, number) for k in ("entry", "log", "mirror")))
        if not self._rings:
            self._rings = {k.entry.public.hex(): k for k in self.keys.values()}
        self._rings[keys.entry.public.hex()] = keys
        parties = tuple(exercise_party(party, number) if p.id == party else p for p in before.parties)
        charter = msgspec.structs.replace(
            before, parties=parties, serial=before.serial + 1, previous=charter_hash(before).hex(),
            limits=Limits(entries_per_minute_max=PER_MINUTE),
        )  # fmt: skip
        self.agreed.append(signed_by_all(charter, before, CHANGES_MAX + 1))
        self.changed.charters += 1
        for host in self.hosts.values():
            self.at(self.chance.uniform(0, 8_000), partial(self.enact, host))

    def _hosts_of(self, party: str) -> list[Host]:
        return [host for host in self.hosts.values() if host.party == party]

    def _append(self, host: Host, node: Node, draft: Draft) -> bool:
        """Whether it is written; who cannot write now will try again."""
        try:
            append_own(node, [draft], clock=lambda: self.clock(host), salts=[next(self._salts).to_bytes(32, "big")])
        except (NotReady, StoreConflict):
            return False
        except Crash:
            self._crash(host)
            return False
        return True

    def _revoke(self, host: Host) -> None:
        self.rekey(host)
        if host.alive and not host.store.state(host.party).revoked:
            self.changed.revoked += self._append(host, host.node, Draft(REVOCATION_KIND, b"{}"))

    def enact(self, host: Host) -> None:
        """The next charter that all have signed, as an entry of the own log, under the keys that it names."""
        serial = host.store.state(host.party).charter.serial
        if serial >= len(self.agreed) or self.calm:
            return
        signed = self.agreed[serial]
        keys = self._rings[signed.charter.party(host.party).entry_key]
        node = Node(host.store, host.lock, keys, host.node.gate)
        try:
            written = host.alive and self._append(host, node, Draft(CHARTER_KIND, signed.encode()))
        except BrokenLog:  # written before a crash, which left it in the lock only: mending the log put it in force
            written = host.store.state(host.party).charter.serial > serial
            if not written:
                raise
        if written:
            self.changed.enacted += 1
            self.rekey(host)
        self.at(AGAIN_MS, partial(self.enact, host))

    # Who attacks.

    def steal(self) -> None:
        """Somebody brings an entry that continues a log, signed with the key that its party has replaced or revoked."""
        party = self.chance.choice(self.honest)
        holders = [self.hosts[p] for p in self.honest if p != party and self.hosts[p].alive]
        if not holders or len(self.honest) < 3:
            return
        holder = self.chance.choice(holders)
        state = holder.store.state(party)
        named = state.charter.party(party).entry_key
        old = [exercise_key(party, "entry", k) for k in range(self.generations.get(party, 0) + 1)]
        worthless = [key for key in old if key.public.hex() != named or state.revoked]
        if not worthless:
            return
        key = self.chance.choice(worthless)
        draft, salt = Draft("message", b"stolen"), next(self._salts).to_bytes(32, "big")
        ignored = replace(state, revoked=False)  # the thief does not care
        forged = write(ignored, [draft], key=key, seen={}, at_ms=self.now_ms, salts=[salt])[1]
        bringer = self.chance.choice([p for p in self.honest if p not in (party, holder.party)])
        ask = Ask("push", encode(Push(party, state.size, tuple(WireRecord.of(record) for record in forged))))
        try:
            exchange.respond(holder.node, bringer, ask, self.clock(holder), lambda: self.clock(holder))
        except (InputError, StoreConflict):
            return
        except Crash:
            self._crash(holder)
            return
        if holder.store.state(party).size != state.size:
            raise Breach(f"{holder.party} took an entry of {party} that is signed with a key that counts for nothing")
        self.changed.stolen += 1

    def flood(self) -> None:
        """A peer asks for more than the charter allows at once: it is told to come later, and the others are not."""
        host = self.chance.choice([self.hosts[p] for p in self.honest])
        others = [p for p in self.keys if p != host.party]
        if not host.alive or host.fuse >= 0 or len(others) < 2 or not self.agreed:
            return
        loud, quiet = self.chance.sample(others, 2)
        if host.store.charters()[-1].limits.entries_per_minute_max != PER_MINUTE:
            return
        ask, clock = Ask("pull", encode(Pull(host.party, 0, 1))), partial(self.clock, host)
        refused = 0
        for _ in range(PER_MINUTE + 10):
            try:
                exchange.respond(host.node, loud, ask, clock(), clock)
            except TooMuch:
                refused += 1
        exchange.respond(host.node, quiet, ask, clock(), clock)
        noted = [e for e in host.store.events() if e.kind is EventKind.FLOODED and e.peer == loud]
        if not refused or len(noted) != 1:
            raise Breach(f"{loud} flooded {host.party}: {refused} requests refused, {len(noted)} events")
        self._wire(host)  # a minute's wait is not what this run is about: the node was started anew
        self.changed.floods += 1

    def check_healed(self) -> None:
        super().check_healed()
        known = {p: self.hosts[p].store.charters() for p in self.honest}
        if len({len(charters) for charters in known.values()}) != 1:
            raise Breach(
                f"after healing the parties know different charters: { {p: len(c) for p, c in known.items()} }"
            )


def simulate_changes(seed: int, *, dishonest: bool = False) -> Changed:
    """One run; raises :class:`Breach`."""
    world = _Changing(seed, dishonest)
    run_through(world)
    return world.changed
