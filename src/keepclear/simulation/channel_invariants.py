"""What must hold on a channel whatever goes wrong: as the run goes, and once the network has healed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from keepclear.channel.protocol.fsck import fsck
from keepclear.simulation.channel_machines import Host, Machines, Met
from keepclear.simulation.memory_store import MemoryStore

__all__ = ["Breach", "check_fork_proved", "check_healed", "check_safety", "note_acknowledged", "parted"]


class Breach(AssertionError):
    """Something that must never happen has happened."""


def parted(one: MemoryStore, other: MemoryStore, log: str) -> bool:
    """Whether neither's log is the beginning of the other's."""
    size = min(one.state(log).size, other.state(log).size)
    return size > 0 and one.tree(log).root(size) != other.tree(log).root(size)


def note_acknowledged(world: Machines, host: Host) -> None:
    """What an honest mirror has vouched for is held against everybody from then on."""
    if host.party == world.liar:
        return
    mirrors = {f"{p}/mirror" for p in world.honest}
    size = max((h.size for h in host.store.newest_held(host.party) if h.cosigner in mirrors), default=0)
    tree = host.store.tree(host.party)
    for seq in range(min(size, len(tree)) - 1, -1, -1):
        if (host.party, seq) in world.acknowledged:
            break
        world.acknowledged[host.party, seq] = tree.leaf(seq)


def check_fork_proved(world: Machines, one: Host, other: Host, met: Met) -> None:
    """Two honest holders of two histories have met: the proof is there now (unless one was restored meanwhile)."""
    if met and met[0] is one.store and met[1] is other.store and not one.store.forks(world.liar):
        raise Breach(f"{one.party} and {other.party} met and {world.liar}'s fork is not proved")


def check_safety(world: Machines) -> None:
    """At any time: nobody honest is accused, and no two honest nodes hold two histories of an honest party."""
    for host in _honest(world):
        accused = {p.party for p in host.store.forks()} - {world.liar}
        if accused:
            raise Breach(f"{host.party} accuses {accused}, who did nothing")
    for one, other in combinations(_honest(world), 2):
        for log in world.honest:
            if parted(one.store, other.store, log):
                raise Breach(f"{one.party} and {other.party} hold two histories of {log}, who is honest")


def check_healed(world: Machines) -> None:
    """Two exchanges after healing: all logs are equal, what was acknowledged is everywhere, all can prove a fork."""
    stores = {p: world.hosts[p].store for p in world.honest}
    for log in world.honest:
        heads = {p: store.state(log).head for p, store in stores.items()}
        if len(set(heads.values())) != 1:
            raise Breach(f"two exchanges after healing the log of {log} is not equal: {heads}")
        missing = {p: store.wanted(log) for p, store in stores.items() if p != log and store.wanted(log)}
        if missing and not world.run.restores:
            raise Breach(f"bodies of {log} that are still to come: {missing}")
    for (log, seq), leaf in world.acknowledged.items():
        for party, store in stores.items():
            if seq >= store.state(log).size or store.tree(log).leaf(seq) != leaf:
                raise Breach(f"entry {seq} of {log} was acknowledged and {party} does not have it")
    if world.liar and any(parted(a, b, world.liar) for a, b in combinations(stores.values(), 2)):
        world.run.forks = 1
        silent = [p for p, store in stores.items() if not store.forks(world.liar)]
        if silent:
            raise Breach(f"{world.liar} told two histories and {silent} cannot prove it")
    auditor = world.rng.choice(world.honest)
    findings = list(fsck(stores[auditor], auditor))
    if findings:
        raise Breach(f"the store of {auditor}: {findings[0]}")
    world.run.acknowledged = len(world.acknowledged)
    world.run.unwritable = sum(not world.hosts[p].writable for p in world.honest)


def _honest(world: Machines) -> Iterator[Host]:
    return (host for host in world.hosts.values() if host.party != world.liar)
