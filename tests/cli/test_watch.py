"""``watch`` end to end: a feed over a socket becomes predictions, alerts and heartbeats, as lines of JSON."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 90.0


def zone(west: float) -> str:
    ring = [[west, 49], [32, 49], [32, 51], [west, 51], [west, 49]]
    return json.dumps(
        {
            "type": "Feature",
            "id": "Z1",
            "properties": {"id": "Z1"},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
    )


def position(lon: float) -> bytes:
    stamp = time.strftime("%Y/%m/%d,%H:%M:%S.000", time.gmtime())
    message = f"MSG,3,1,1,ABC123,1,{stamp},{stamp},,35000,,,50.0,{lon:.5f},,,0,0,0,0\r\n"
    velocity = f"MSG,4,1,1,ABC123,1,{stamp},{stamp},,,450,90,,,0,,0,0,0,0\r\n"
    return (velocity + message).encode()


class Watching:
    """A watch in a process of its own, its lines as they come."""

    def __init__(self, *arguments: str, cwd: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "keepclear.cli.main", "watch", *arguments, "--format", "json"],
            cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )  # fmt: skip
        self.lines: list[dict[str, Any]] = []
        self.said: list[str] = []
        self._readers = [threading.Thread(target=self._read), threading.Thread(target=self._read_said)]
        for reader in self._readers:
            reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(json.loads(line))

    def _read_said(self) -> None:
        assert self.process.stderr is not None
        self.said.extend(self.process.stderr)

    def wait_for(self, *wanted: tuple[str, str]) -> dict[str, Any]:
        """The first alert line of one of these (event, verdict) pairs."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            for line in list(self.lines):
                if "event" in line and (line["event"], line["alert"]["verdict"]) in wanted:
                    return line
            time.sleep(0.1)
        raise AssertionError(f"{wanted} never came: {self.lines[-5:]} {self.said[-5:]}")

    def wait_for_words(self, words: str) -> None:
        deadline = time.monotonic() + WAIT_S
        while not any(words in line for line in list(self.said)):
            assert time.monotonic() < deadline, f"{words!r} was never said: {self.said[-5:]}"
            time.sleep(0.1)

    def wait_for_beat(self, reason: str) -> None:
        """A heartbeat that is DEGRADED for this reason."""
        deadline = time.monotonic() + WAIT_S
        while not any(
            reason in " ".join(line["reasons"]) for line in list(self.lines) if line.get("state") == "DEGRADED"
        ):
            assert time.monotonic() < deadline, f"never degraded: {self.lines[-3:]}"
            time.sleep(0.1)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(WAIT_S)
        for reader in self._readers:
            reader.join(10)
        for stream in (self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code


def alerts_command(folder: Path, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "keepclear.cli.main", "alerts", verb, *arguments, "--store", "alerts.sqlite"],
        cwd=folder, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )  # fmt: skip


def test_an_aircraft_is_predicted_found_inside_and_kept(tmp_path: Path) -> None:
    (tmp_path / "zone.geojson").write_text(zone(30.0))
    stop = threading.Event()
    lon = [29.80]

    def fly(connection: socket.socket) -> None:
        while not stop.wait(0.25):
            try:
                connection.sendall(position(lon[0]))
            except OSError:
                return
            lon[0] += 0.25 * 231.5 / 71_700.0

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        watching = Watching(
            f"tcp://127.0.0.1:{port}#sbs", "-z", "zone.geojson", "--store", "alerts.sqlite", cwd=tmp_path
        )
        try:
            connection, _ = server.accept()
            flight = threading.Thread(target=fly, args=(connection,))
            flight.start()
            predicted = watching.wait_for(("RAISED", "PREDICTED"))
            assert predicted["alert"]["zone_id"] == "Z1"
            assert 0.0 < predicted["alert"]["time_to_conflict_s"] < 120.0
            # A broken edit is said, and the zones stay; a good one makes a new version (practice R2.11).
            (tmp_path / "zone.geojson").write_text("{ broken")
            watching.wait_for_words("the zones stay as they were")
            watching.wait_for_beat("the zones stay as they were")
            (tmp_path / "zone.geojson").write_text(zone(28.0))
            found = watching.wait_for(("RAISED", "ACTUAL"), ("CHANGED", "ACTUAL"))
            assert found["alert"]["zone_version"] != predicted["alert"]["zone_version"]
            # Somebody acknowledges in another process: the running watch takes it over and says so.
            seen = alerts_command(tmp_path, "ack", found["alert"]["id"], "--by", "supervisor")
            assert seen.returncode == 0, seen.stderr
            acknowledged = watching.wait_for(("ACKNOWLEDGED", "ACTUAL"))
            assert acknowledged["alert"]["id"] == found["alert"]["id"]
            assert acknowledged["alert"]["acknowledgements"][0]["by_role"] == "supervisor"
            assert any("heartbeat" in line for line in watching.lines)
        finally:
            stop.set()
            code = watching.stop()
        flight.join()
        connection.close()
    assert code in (0, 1), watching.said
    assert not any("Traceback" in line for line in watching.said)
    kept = alerts_command(tmp_path, "list", "--format", "json")
    assert kept.returncode == 1, kept.stderr
    assert len(kept.stdout.splitlines()) >= 2, "the alert of each version is kept"
    assert found["alert"]["id"] in kept.stdout
    assert alerts_command(tmp_path, "list", "--open").returncode == 0, "what was open has ended with the watch"
    judged = alerts_command(tmp_path, "review", found["alert"]["id"], "justified", "--by", "supervisor")
    assert judged.returncode == 0, judged.stderr


def test_r2_10_a_feed_that_falls_silent_is_a_degraded_heartbeat(tmp_path: Path) -> None:
    (tmp_path / "zone.geojson").write_text(zone(30.0))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        watching = Watching(f"tcp://127.0.0.1:{port}#sbs", "-z", "zone.geojson", cwd=tmp_path)
        try:
            connection, _ = server.accept()
            connection.sendall(position(20.0))
            watching.wait_for_beat("no new report for")
        finally:
            watching.stop()
        connection.close()


def test_r2_6_a_step_that_an_edit_of_the_zones_makes_is_said_then(tmp_path: Path) -> None:
    (tmp_path / "zones.geojson").write_text(zone(30.0))
    with socket.create_server(("127.0.0.1", 0)) as server:
        watching = Watching(
            f"tcp://127.0.0.1:{server.getsockname()[1]}#sbs", "-z", "zones.geojson", "--cycle", "0.2", cwd=tmp_path
        )
        try:
            connection, _ = server.accept()
            neighbour = json.loads(zone(32.0))
            neighbour["properties"] = {"id": "Z2", "upper": {"value": 320, "unit": "FL", "datum": "STD"}}
            neighbour["geometry"]["coordinates"] = [[[32, 49], [33, 49], [33, 51], [32, 51], [32, 49]]]
            both = {"type": "FeatureCollection", "features": [json.loads(zone(30.0)), neighbour | {"id": "Z2"}]}
            (tmp_path / "zones.geojson").write_text(json.dumps(both))
            watching.wait_for_words("keepclear: gap: Z1 ")
        finally:
            watching.stop()
        assert watching.said[-1].startswith("Alerts: none."), "whoever ends it is told what it saw"
        connection.close()


def test_r2_6_a_step_between_neighbours_is_said_by_a_watch_as_by_a_scan(tmp_path: Path) -> None:
    west, east = ("37.0,47.0 38.0,47.0 38.0,49.0 37.0,49.0", "38.0,47.0 39.0,47.0 39.0,49.0 38.0,49.0")
    text = ""
    for name, level, ring in (("WEST", "FL320", west), ("EAST", "FL530", east)):
        points = [f"DP {p.split(',')[1][:2]}:00:00 N 0{p.split(',')[0][:2]}:00:00 E" for p in ring.split()]
        text += "\n".join(["AC P", f"AN {name}", "AL GND", f"AH {level}", *points]) + "\n\n"
    (tmp_path / "zones.txt").write_text(text)
    (tmp_path / "one.csv").write_text("time_s,lat_deg,lon_deg,target\n1700000000,10,10,abc123\n")
    for command in ("watch", "scan"):
        done = subprocess.run(
            [sys.executable, "-m", "keepclear.cli.main", command, "one.csv", "-z", "zones.txt"],
            cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )  # fmt: skip
        assert "keepclear: gap: " in done.stderr, done.stderr
        assert "between FL320 and FL530 only one side is restricted" in done.stderr
