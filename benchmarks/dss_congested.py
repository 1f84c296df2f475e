"""Intent writes in one congested cell, uncongested writes, and queries over many live intents.

    python -m benchmarks.dss_congested [--postgres] [--live 200] [--seconds 10] [--queries]

The load comes from a second process; every acknowledged write is durable. What users of the InterUSS DSS report for
writes in one cell, geo-replicated: fewer than 2 a second (v0.20), 6 to 8 (v0.21.1); a local single instance 1.1 to 2.6
(interuss/dss issues 1512, 1592). It is not run here: it needs Docker and CockroachDB.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.dss_load import Servers, fsync_ms, in_load_process, postgres


def show(said: dict[str, Any]) -> None:
    print(json.dumps(said))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL with two server processes")
    parser.add_argument("--live", type=int, default=200)
    parser.add_argument("--clients", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--queries", type=int, metavar="LIVE", help="queries over so many live intents instead")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dss-bench-") as name:
        folder = Path(name)
        show({"machine": platform.processor() or platform.machine(), "cores": os.cpu_count(),
              "fdatasync_ms": round(fsync_ms(folder), 2)})  # fmt: skip
        database, count = str(folder / "dss.sqlite"), 1
        server: Any = None
        if given.postgres:
            server, count = postgres(folder), 2
            database = server.get_uri()
        servers = Servers(folder, database, count)
        token = servers.token("uss1")
        try:
            if given.queries:
                measure_queries(servers, token, given.queries, given)
            else:
                measure_writes(servers, token, given)
        finally:
            servers.stop()
            if server is not None:
                server.cleanup()


def measure_writes(servers: Servers, token: str, given: argparse.Namespace) -> None:
    show(in_load_process("uncongested", servers.ports, token, given.clients, given.seconds))
    filled = in_load_process("fill", servers.ports, token, given.live, 0.0, True)
    for what in ("congested", "racing"):
        before = [servers.metric(f"keepclear_dss_batch_requests_{part}") for part in ("sum", "count")]
        said = in_load_process(what, servers.ports, token, filled["ids"], given.clients, given.seconds)
        after = [servers.metric(f"keepclear_dss_batch_requests_{part}") for part in ("sum", "count")]
        batches = after[1] - before[1]
        said["live"] = given.live
        said["requests_a_batch"] = round((after[0] - before[0]) / batches, 1) if batches else 0
        show(said)


def measure_queries(servers: Servers, token: str, live: int, given: argparse.Namespace) -> None:
    before_mb = servers.memory_mb()
    in_load_process("fill_fast", servers.ports, token, live, 2.0)
    show({"what": "memory", "live": live, "mb": round(servers.memory_mb()),
          "bytes_an_intent": round((servers.memory_mb() - before_mb) * 1e6 / live)})  # fmt: skip
    for radius_m in (300.0, 2_000.0):
        before_s = servers.cpu_s()
        said = in_load_process("queries", servers.ports, token, given.clients, given.seconds, 2.0, radius_m)
        cpu_us = (servers.cpu_s() - before_s) / max(1, said["done"]) * 1e6
        show({**said, "live": live, "radius_m": radius_m, "server_cpu_us": round(cpu_us)})


if __name__ == "__main__":
    main()
