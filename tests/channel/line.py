"""Nodes of an exercise in one process, and a line between two of them, for the tests of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from itertools import count
from typing import TypeVar

from keepclear.channel.charter import Charter
from keepclear.channel.entry import Draft
from keepclear.channel.protocol import exchange
from keepclear.channel.protocol.gate import Gate
from keepclear.channel.protocol.own_log import Node, append_own, make_lock
from keepclear.channel.protocol.wire import Ask, Keys
from keepclear.channel.store import Kept, Lock, Store
from keepclear.simulation.memory_store import MemoryLock, MemoryStore
from keepclear.simulation.parties import exercise_key

T = TypeVar("T")
NOW_MS = 1_700_000_100_000
_salts = count()


def clock() -> int:
    return NOW_MS


def keys_of(party: str) -> Keys:
    return Keys(party, *(exercise_key(party, purpose) for purpose in ("entry", "log", "mirror")))


def new_node(party: str, charter: Charter, store: Store | None = None, lock: Lock | None = None) -> Node:
    node = Node(store or MemoryStore(charter), lock or MemoryLock(), keys_of(party), Gate())
    make_lock(node, {}, now_ms=NOW_MS, by_operator=True)
    return node


def say(
    node: Node, *bodies: bytes, to: tuple[str, ...] = (), kind: str = "message", at: Callable[[], int] = clock
) -> list[Kept]:
    return append_own(node, [Draft(kind, b, to) for b in bodies], clock=at, salts=[salt() for _ in bodies])


def salt() -> bytes:
    return next(_salts).to_bytes(32, "big")


def drive(talk: Generator[Ask, bytes, T], other: Node, me: str, at: Callable[[], int] = clock) -> T:
    """Runs one side's generator against the other's answers."""
    try:
        ask = next(talk)
        while True:
            ask = talk.send(exchange.respond(other, me, ask, at(), at))
    except StopIteration as stop:
        result: T = stop.value
        return result


def meet(one: Node, other: Node, at: Callable[[], int] = clock) -> exchange.CaughtUp:
    """One full exchange, asked by ``one``."""
    checked = drive(exchange.check(one, other.party, salt(), at), other, one.party, at)
    return drive(exchange.catch_up(one, other.party, checked, at), other, one.party, at)


def held_by(node: Node, cosigner: str) -> int:
    """How much of the node's own log the cosigner is known to hold."""
    return max((h.size for h in node.store.newest_held(node.party) if h.cosigner == cosigner), default=0)


def heads(nodes: Iterable[Node], log: str) -> set[str]:
    return {f"{n.store.state(log).size} {n.store.state(log).root.hex()}" for n in nodes}
