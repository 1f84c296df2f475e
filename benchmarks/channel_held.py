"""From written to *held*, beside the floor and a NATS JetStream stream: ``python -m benchmarks.channel_held``.

Two nodes, each a process of its own with its own files, over HTTPS with mutual TLS on this machine. One message at a
time, then bursts. The floor: two flushes to the disk, two signatures and one round trip to the other node over the
node's own client, one after another and nothing else. JetStream (one server, file storage, sync always) flushes once,
on one machine; it gives no signature, no second party's disk and no proof.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from io import RawIOBase
from pathlib import Path

import httpx

from keepclear.channel.charter import Charter, SignedCharter, Timers, charter_digits, sign_charter
from keepclear.channel.entry import Draft
from keepclear.channel.protocol.wire import Ask
from keepclear.channel.signature import SigningKey
from keepclear.channel_node import ChannelNode, Notice
from keepclear.cli.node.serving import SWITCH_S
from keepclear.edge.channel.client import PREFIX, PeerClient, Unreachable
from keepclear.edge.channel.node_folder import NodeFolder
from keepclear.edge.channel.tls import caller_context, server_context
from keepclear.server.channel import channel_app
from keepclear.server.mutual_tls import serve_tls

BODY = b'{"a message of usual size":"' + b"x" * 400 + b'"}'


def times_ms(act: Callable[[], object], count: int) -> list[float]:
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        act()
        taken.append((time.perf_counter() - began) * 1e3)
    return sorted(taken)


def shown(name: str, taken: list[float]) -> float:
    middle = statistics.median(taken)
    print(f"{name:<58} median {middle:8.3f} ms   p99 {taken[int(len(taken) * 0.99)]:8.3f} ms")
    return middle


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def measure_floor(folder: Path, client: PeerClient, count: int) -> tuple[float, float]:
    """All of it in one go; two flushes and two signatures alone. Milliseconds."""
    key = SigningKey(secrets.token_bytes(32))
    with (folder / "one").open("wb", buffering=0) as one, (folder / "other").open("wb", buffering=0) as other:

        def flush(file: RawIOBase) -> None:
            file.write(b"x" * 1000)
            os.fdatasync(file.fileno())

        def trip() -> None:
            with suppress(Unreachable):  # the other node knows no such request, and says so
                client.ask(Ask("nothing", 3 * BODY))

        def act() -> None:
            key.sign(BODY)
            flush(one)
            trip()
            flush(other)
            key.sign(BODY)

        flushes = shown("one flush to the disk (1,000 bytes appended)", times_ms(lambda: flush(one), count))
        signatures = shown("one Ed25519 signature", times_ms(lambda: key.sign(BODY), count))
        shown("one round trip over HTTPS, nothing done", times_ms(trip, count))
        floor = shown("floor: 2 flushes, 2 signatures, 1 round trip", times_ms(act, count))
        return floor, 2 * flushes + 2 * signatures


def make_nodes(folder: Path, ports: dict[str, int]) -> dict[str, NodeFolder]:
    nodes = {party: NodeFolder(folder / party) for party in ports}
    cards = tuple(
        node.create(party=party, name=party, url=f"https://127.0.0.1:{ports[party]}", languages=("en",), desks=(),
                    passphrase="benchmark", scrypt_n=2**10)
        for party, node in nodes.items()
    )  # fmt: skip
    signed = SignedCharter(Charter("Benchmark", 1, cards, timers=Timers(check_every_ms=1000)))
    for party, node in nodes.items():
        signed = sign_charter(signed, party, node.keys("benchmark").entry)
    for node in nodes.values():
        node.join(signed)
    assert charter_digits(signed.charter)
    return nodes


def measure_held(folder: Path, count: int) -> None:
    ports = {"alfa": free_port(), "bravo": free_port()}
    nodes = make_nodes(folder, ports)
    heard = threading.Condition()

    def notice(_: Notice) -> None:
        with heard:
            heard.notify_all()

    with ExitStack() as stack:
        bravo = subprocess.Popen(
            [sys.executable, "-m", "keepclear.cli.main", "node", "serve", "--node", str(nodes["bravo"].path), "--json"],
            env={**os.environ, "KEEPCLEAR_PASSPHRASE": "benchmark"}, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        stack.callback(bravo.terminate)
        alfa = ChannelNode.open(nodes["alfa"], "benchmark", notice)
        peer = alfa.charter.party("bravo")
        stack.enter_context(serve_tls(channel_app(alfa), "127.0.0.1", ports["alfa"], server_context(alfa.tls, [peer])))
        alfa.start()
        stack.callback(alfa.stop)

        def send(number: int) -> None:
            kept = alfa.append([Draft("message", BODY, to=("bravo",)) for _ in range(number)])
            last = kept[-1].seq
            with heard:
                while not heard.wait_for(lambda: bool(alfa.store.held("alfa", last)), 0.05):
                    pass

        send(1)
        with PeerClient(peer, alfa.tls) as client:
            floor, parts = measure_floor(folder, client, count)
        with httpx.Client(verify=caller_context(alfa.tls, peer), base_url=peer.urls[0] + PREFIX) as other:
            trip = shown("one round trip by httpx", times_ms(lambda: other.get("/logs/x/tile/x"), count))
        held = shown("held: written, sent, verified, stored, cosigned", times_ms(lambda: send(1), count))
        print(f"held is {held / floor:.2f}× the floor; {held / (parts + trip):.2f}× the sum of its parts by httpx\n")
        batch, rounds = 500, max(4, count // 50)
        began = time.perf_counter()
        for _ in range(rounds):
            send(batch)
        rate = rounds * batch / (time.perf_counter() - began)
        print(f"{rounds} bursts of {batch}, each waited for: {rate:,.0f} entries held a second")


async def answering(port: int, tries: int = 100) -> None:
    for _ in range(tries):
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    raise SystemExit(f"nothing answers on port {port}: has nats-server started?")


async def measure_jetstream(folder: Path, count: int) -> None:
    import nats

    port = free_port()
    settings = folder / "nats.conf"
    settings.write_text(
        f'listen: 127.0.0.1:{port}\njetstream {{ store_dir: "{folder / "jetstream"}", sync_interval: always }}\n'
    )
    binary = shutil.which("nats-server", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}") or "nats-server"
    server = subprocess.Popen([binary, "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await answering(port)  # the client would print a traceback for each try that comes too early
        client = await nats.connect(f"nats://127.0.0.1:{port}")
        stream = client.jetstream()
        await stream.add_stream(name="line", subjects=["line"])
        taken = []
        for _ in range(count):
            began = time.perf_counter()
            await stream.publish("line", BODY)
            taken.append((time.perf_counter() - began) * 1e3)
        shown("NATS JetStream publish, acknowledged (sync always)", sorted(taken))
        began, number = time.perf_counter(), 2_000
        for _ in range(number // 100):
            await asyncio.gather(*(stream.publish("line", BODY) for _ in range(100)))
        print(f"JetStream, 100 at once: {number / (time.perf_counter() - began):,.0f} messages acknowledged a second")
        await client.close()
    finally:
        server.terminate()
        server.wait(5)


def main() -> None:
    sys.setswitchinterval(SWITCH_S)
    gc.freeze()  # both as a served node does
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--folder", type=Path, help="On the disk that is to be measured; the system's if not given.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        measure_held(Path(name), given.count)
        asyncio.run(measure_jetstream(Path(name), given.count))


if __name__ == "__main__":
    main()
