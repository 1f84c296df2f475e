"""100 identification service areas created, searched, read and deleted at once, with a subscription present.

    python -m benchmarks.dss_rid_areas [--live 10000] [--postgres]

What InterUSS's test suite calls HeavyTrafficConcurrent. Users report 3 to 4 s a request for 100 concurrent areas on
seven by three nodes (interuss/monitoring issue 1481).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.dss_load import Connection, Servers, fsync_ms, in_load_process, new_id, postgres, summary, volume

__all__ = ["main"]


def body(lat: float = 46.0, lng: float = 7.0) -> bytes:
    return json.dumps({"extents": volume(lat, lng), "uss_base_url": "https://uss.example.org"}).encode()


async def areas(ports: list[int], token: str, live: int, at_once: int) -> list[dict[str, Any]]:
    """Fills up to ``live``, then does each step ``at_once`` at the same time."""
    base = "/rid/v2/dss"
    connections = [Connection(ports[k % len(ports)], token) for k in range(at_once)]
    left = iter(range(live))

    async def fill(connection: Connection) -> None:
        for _ in left:
            place = body(46.0 + random.random() * 5, 7.0 + random.random() * 5)
            status, said = await connection.request(b"PUT", f"{base}/identification_service_areas/{new_id()}", place)
            assert status == 200, said

    await asyncio.gather(*(fill(connection) for connection in connections))
    status, said = await connections[0].request(b"PUT", f"{base}/subscriptions/{new_id()}", body())
    assert status == 200, said
    ids = [new_id() for _ in range(at_once)]
    versions: dict[str, str] = {}
    area = "45.99,6.99,45.99,7.01,46.01,7.01,46.01,6.99"
    results = []
    for step in ("create", "search", "read", "delete"):
        latencies: list[float] = []
        failed = 0

        async def one(connection: Connection, name: str, step: str = step, took: list[float] = latencies) -> None:
            nonlocal failed
            path = f"{base}/identification_service_areas/{name}"
            began_s = time.perf_counter()
            if step == "create":
                status, said = await connection.request(b"PUT", path, body())
                versions[name] = json.loads(said)["service_area"]["version"]
            elif step == "search":
                status, said = await connection.request(b"GET", f"{base}/identification_service_areas?area={area}")
            elif step == "read":
                status, said = await connection.request(b"GET", path)
            else:
                status, said = await connection.request(b"DELETE", f"{path}/{versions[name]}")
            took.append(time.perf_counter() - began_s)
            failed += status != 200

        began_s = time.perf_counter()
        await asyncio.gather(*(one(connection, name) for connection, name in zip(connections, ids)))
        results.append(summary(step, latencies, time.perf_counter() - began_s, failed, live=live))
    for connection in connections:
        connection.close()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--live", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=100)
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL with two server processes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dss-rid-") as name:
        folder = Path(name)
        print(json.dumps({"fdatasync_ms": round(fsync_ms(folder), 2)}))
        server: Any = postgres(folder) if given.postgres else None
        database = server.get_uri() if server is not None else str(folder / "dss.sqlite")
        servers = Servers(folder, database, 2 if given.postgres else 1)
        try:
            call = "areas", servers.ports, servers.token("uss1"), given.live, given.at_once
            for said in in_load_process(*call, module="benchmarks.dss_rid_areas"):
                print(json.dumps(said))
        finally:
            servers.stop()
            if server is not None:
                server.cleanup()


if __name__ == "__main__":
    main()
