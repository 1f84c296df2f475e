"""Safety under concurrency: clients race in one cell while servers are killed; then the history is judged.

    python -m benchmarks.dss_race [--postgres] [--seconds 600] [--clients 64]

Every few seconds a server is ended with kill -9 and started again. A checker that knows nothing of the implementation
(benchmarks/dss_history.py) looks for two accepted overlapping intents of which neither knew the other, for counts that
repeat or fall, and for acknowledged writes that are gone. Exits with 1 if it finds any.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.dss_history import Write, violations
from benchmarks.dss_load import Connection, Servers, intent_body, new_id, postgres, volume

LEVELS = 24
"""Bands of 10 m; an intent takes one to three of them, so that most overlap several others."""
RETRY_S = 0.1


class Racer:
    """One client with one intent at a time: create, update a few times, delete."""

    def __init__(self, ports: list[int], token: str, history: list[Write], known: dict[str, str]) -> None:
        self.ports, self.token, self.history, self.known = ports, token, history, known
        self.connection = Connection(random.choice(ports), token)

    async def run(self, stop_s: float) -> None:
        while time.monotonic() < stop_s:
            entity, ovn = new_id(), ""
            for step in range(random.randrange(2, 6)):
                ovn = await self.write(entity, ovn, delete=False, stop_s=stop_s)
                if not ovn:
                    break
                await asyncio.sleep(random.random() * 0.05 * step)
            if ovn and random.random() < 0.9:
                await self.write(entity, ovn, delete=True, stop_s=stop_s)
        self.connection.close()

    async def write(self, entity: str, ovn: str, *, delete: bool, stop_s: float) -> str:
        """Returns the entity's OVN afterwards, empty if it is not there."""
        low = random.randrange(LEVELS)
        low_m, high_m = 10.0 * low, 10.0 * (low + random.randrange(1, 4)) - 1.0
        head = intent_body(volume(46.0, 7.0, low_m=low_m, high_m=high_m))
        key = frozenset(self.known.values())
        path = f"/dss/v1/operational_intent_references/{entity}" + (f"/{ovn}" if ovn else "")
        while True:
            body = b"" if delete else head + b',"key":' + json.dumps(sorted(key)).encode() + b"}"
            sent_s = time.monotonic()
            status, said = await self.ask(b"DELETE" if delete else b"PUT", path, body)
            self.history.append(
                Write(entity, sent_s, time.monotonic(), status, delete, low_m, high_m, _ovn(said), key, _counts(said))
            )
            if status in (200, 201):
                self.known.pop(entity, None)
                if delete:
                    return ""
                self.known[entity] = _ovn(said)
                return self.known[entity]
            if status == 409 and "missing_operational_intents" in said and time.monotonic() < stop_s:
                key |= {missing["ovn"] for missing in said["missing_operational_intents"]}
                continue
            return await self.look(entity)

    async def look(self, entity: str) -> str:
        """After an answer that leaves it open: what is there?"""
        while True:
            status, said = await self.ask(b"GET", f"/dss/v1/operational_intent_references/{entity}")
            if status in (200, 404):
                self.known.pop(entity, None)
                if status == 404:
                    return ""
                self.known[entity] = said["operational_intent_reference"]["ovn"]
                return self.known[entity]
            await asyncio.sleep(RETRY_S)

    async def ask(self, method: bytes, path: str, body: bytes = b"") -> tuple[int, Any]:
        try:
            status, said = await asyncio.wait_for(self.connection.request(method, path, body), 10.0)
            return status, json.loads(said)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError):
            self.connection.close()
            self.connection.port = random.choice(self.ports)
            await asyncio.sleep(RETRY_S)
            return 0, {}


def _ovn(said: Any) -> str:
    return str(said.get("operational_intent_reference", {}).get("ovn", ""))


def _counts(said: Any) -> dict[str, int]:
    states = [state for told in said.get("subscribers", ()) for state in told["subscriptions"]]
    return {state["subscription_id"]: state["notification_index"] for state in states}


async def race(ports: list[int], token: str, clients: int, seconds: float) -> tuple[list[Write], dict[str, str | None]]:
    history: list[Write] = []
    known: dict[str, str] = {}
    stop_s = time.monotonic() + seconds
    racers = [Racer(ports, token, history, known) for _ in range(clients)]
    await asyncio.gather(*(racer.run(stop_s) for racer in racers))
    last = Racer(ports, token, history, dict(known))
    left = {entity: await last.look(entity) or None for entity in {write.entity for write in history}}
    last.connection.close()
    return history, left


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL with two server processes")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--kill-every", type=float, default=8.0, metavar="SECONDS")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dss-race-") as name:
        folder = Path(name)
        server: Any = postgres(folder) if given.postgres else None
        database = server.get_uri() if server is not None else str(folder / "dss.sqlite")
        servers = Servers(folder, database, 2 if given.postgres else 1)
        over = threading.Event()
        kills = 0

        def kill_now_and_then() -> None:
            nonlocal kills
            while not over.wait(given.kill_every * random.uniform(0.5, 1.5)):
                number = random.randrange(len(servers.ports))
                servers.kill(number)
                servers.start(number)
                kills += 1

        killer = threading.Thread(target=kill_now_and_then)
        killer.start()

        async def bounded() -> tuple[list[Write], dict[str, str | None]]:
            task = asyncio.create_task(race(servers.ports, servers.token("uss1"), given.clients, given.seconds))
            await asyncio.sleep(given.seconds - 1.0)
            over.set()
            return await task

        try:
            history, left = asyncio.run(bounded())
        finally:
            over.set()
            killer.join()
            servers.stop()
            if server is not None:
                server.cleanup()
    found = violations(history, left)
    by_status = {status: sum(w.status == status for w in history) for status in sorted({w.status for w in history})}
    print(json.dumps({
        "what": "race", "database": "postgres" if given.postgres else "sqlite", "seconds": given.seconds,
        "clients": given.clients, "kills": kills, "writes": len(history), "answers": by_status,
        "entities": len(left), "violations": len(found),
    }))  # fmt: skip
    for violation in found[:20]:
        print(violation)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
