"""Real partitions of two nodes in network namespaces: ``python -m benchmarks.channel_partitions``.

Needs root and iproute2. While the link is down both sides write; after it is up again both must hold the same, in
order, acknowledged, and nobody be accused. Prints how long that took. Zero failures in N are an upper bound of 3/N at
95 %.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from keepclear.channel.charter import Charter, SignedCharter, Timers, sign_charter
from keepclear.channel.entry import Draft
from keepclear.channel_node import ChannelNode
from keepclear.edge.channel.node_folder import NodeFolder

ADDRESSES = {"alfa": "10.213.0.1", "bravo": "10.213.0.2"}
PATIENCE_S = 30.0


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


class VethLine:
    """Two namespaces joined by a veth pair; whoever leaves the stack takes them away."""

    def __init__(self, stack: ExitStack) -> None:
        self.namespaces = {party: f"kc-{party}-{os.getpid()}" for party in ADDRESSES}
        self._ends = {party: f"kc{party[0]}{os.getpid()}"[:15] for party in ADDRESSES}
        for name in self.namespaces.values():
            ip("netns", "add", name)
            stack.callback(ip, "netns", "del", name)
        ip("link", "add", self._ends["alfa"], "type", "veth", "peer", "name", self._ends["bravo"])
        for party, address in ADDRESSES.items():
            ip("link", "set", self._ends[party], "netns", self.namespaces[party])
            self._inside(party, "address", "add", f"{address}/24", "dev", self._ends[party])
            self.switch(party, "up")

    def _inside(self, party: str, *arguments: str) -> None:
        ip("netns", "exec", self.namespaces[party], "ip", *arguments)

    def switch(self, party: str, state: str) -> None:
        self._inside(party, "link", "set", self._ends[party], state)


def make_nodes(folder: Path) -> dict[str, NodeFolder]:
    nodes = {party: NodeFolder(folder / party) for party in ADDRESSES}
    cards = tuple(
        node.create(party=party, name=party, url=f"https://{ADDRESSES[party]}:8443", languages=("en",), desks=(),
                    passphrase="partitions", scrypt_n=2**10)
        for party, node in nodes.items()
    )  # fmt: skip
    timers = Timers(check_every_ms=200, silent_after_ms=1_000)
    signed = SignedCharter(Charter("Partitions", 1, cards, timers=timers))
    for party, node in nodes.items():
        signed = sign_charter(signed, party, node.keys("partitions").entry)
    for node in nodes.values():
        node.join(signed)
    return nodes


def agree(writers: dict[str, ChannelNode]) -> bool:
    """Both stores hold both logs alike, and each has the other's acknowledgement of all of its own."""
    for log in ADDRESSES:
        heads = {w.store.state(log).head for w in writers.values()}
        own = writers[log].store
        held = max((h.size for h in own.newest_held(log)), default=0)
        if len(heads) > 1 or held < own.state(log).size:
            return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partitions", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        line = VethLine(stack)
        nodes = make_nodes(Path(name))
        for party, node in nodes.items():
            serving = subprocess.Popen(
                ["ip", "netns", "exec", line.namespaces[party], sys.executable, "-m", "keepclear.cli.main",
                 "node", "serve", "--node", str(node.path), "--json", "--test-every", "0s"],
                env={**os.environ, "KEEPCLEAR_PASSPHRASE": "partitions"}, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            stack.callback(serving.wait, 10)
            stack.callback(serving.terminate)
        writers = {party: ChannelNode.open(node, "partitions") for party, node in nodes.items()}
        healed, written = [], 0
        for number in range(given.partitions):
            line.switch(chance.choice(list(ADDRESSES)), "down")
            end = time.monotonic() + chance.uniform(0.1, 2.5)
            while time.monotonic() < end:
                party = chance.choice(list(ADDRESSES))
                count = chance.randint(1, 20)
                writers[party].append(
                    [Draft("message", chance.randbytes(chance.randint(0, 2_000))) for _ in range(count)]
                )
                written += count
                time.sleep(chance.uniform(0.0, 0.2))
            for party in ADDRESSES:
                line.switch(party, "up")
            began = time.monotonic()
            while not agree(writers):
                if time.monotonic() - began > PATIENCE_S:
                    sys.exit(
                        f"partition {number} (seed {given.seed}): the logs are not equal {PATIENCE_S} s after healing"
                    )
                time.sleep(0.01)
            healed.append(time.monotonic() - began)
            if any(w.store.forks() for w in writers.values()):
                sys.exit(f"partition {number} (seed {given.seed}): an honest party is accused")
    healed.sort()
    print(
        f"{given.partitions} partitions, {written:,} entries written meanwhile: all logs equal and acknowledged, "
        f"nobody accused; failures 0, upper bound {3 / given.partitions:.1%}"
    )
    print(f"after healing: median {statistics.median(healed):.2f} s, longest {healed[-1]:.2f} s (a check every 0.2 s)")


if __name__ == "__main__":
    main()
