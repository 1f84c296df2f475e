"""``keepclear demo --channel``: two parties and a neutral witness, each a process of its own, and a line that is cut.

Everything is done with the commands that duty officers use; nothing is simulated but the parties themselves.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click

from keepclear.edge.channel.cuttable_line import CuttableLine
from keepclear.errors import KeepclearError

__all__ = ["channel_demo"]

START_S, PATIENCE_S = 20.0, 30.0


class DemoFailed(KeepclearError):
    """A step of the demonstration did not come out as it must."""


@dataclass
class Stage:
    """The folder, the passphrase of both demonstration nodes, and what runs."""

    folder: Path
    environment: dict[str, str]
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def keepclear(self, *arguments: str, expect: int = 0, quiet: bool = False) -> str:
        """One command as a person types it; returns what it printed."""
        shown = " ".join(a if a.replace("-", "").replace("_", "").isalnum() else repr(a) for a in arguments)
        if not quiet:
            click.secho(f"$ keepclear {shown}", dim=True)
        done = subprocess.run(  # noqa: S603 (our own command)
            [sys.executable, "-m", "keepclear.cli.main", *arguments],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        said = done.stdout + done.stderr
        if not quiet and said.strip():
            click.echo("\n".join(f"  {line}" for line in said.rstrip().splitlines()))
        if done.returncode != expect:
            raise DemoFailed(f"«keepclear {shown}» ended with {done.returncode}, not {expect}: {said.strip()[-400:]}")
        return done.stdout

    def start(self, *arguments: str) -> Path:
        """A process of its own; what it says goes into a file."""
        said = self.folder / f"{arguments[-1].strip('.')}-{len(self.running)}.log"
        with said.open("wb") as file:
            self.running.append(
                subprocess.Popen(  # noqa: S603 (our own command)
                    [sys.executable, "-m", "keepclear.cli.main", *arguments],
                    cwd=self.folder,
                    env=self.environment,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                )
            )
        return said

    def stop(self) -> None:
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def events(file: Path) -> Iterator[dict[str, object]]:
    for line in file.read_text(errors="replace").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def await_event(file: Path, **wanted: object) -> dict[str, object]:
    """The first event that has these values; raises :class:`DemoFailed` if none comes."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        for event in events(file):
            if all(event.get(k) == v for k, v in wanted.items()):
                return event
        time.sleep(0.05)
    raise DemoFailed(f"no {wanted} in {file.name}: {file.read_text()[-600:]}")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


@contextmanager
def stage(folder: Path | None) -> Iterator[Stage]:
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keepclear-demo-")))
        environment = {**os.environ, "KEEPCLEAR_PASSPHRASE": secrets.token_hex(16), "PYTHONUNBUFFERED": "1"}
        made = Stage(place, environment)
        stack.callback(made.stop)
        yield made


def say(text: str) -> None:
    click.echo()
    click.secho(text, bold=True)


def channel_demo(out: Path | None) -> None:
    """Plays the whole story; raises :class:`DemoFailed` at the first step that does not come out as it must."""
    if out is not None and out.exists():
        raise DemoFailed(f"{out}: is there already; name another place for the record")
    record = out.absolute() if out else None
    with stage(None) as it, ExitStack() as lines:
        ports = {party: free_port() for party in ("alfa", "bravo", "witness")}
        line = {p: lines.enter_context(CuttableLine(("127.0.0.1", ports[p]))) for p in ("alfa", "bravo")}

        say("Two parties make their nodes, a neutral third its witness. All of it is simulated, on this machine.")
        ladder = "AIR=duty officer,watch supervisor@2:console/telephone"
        for party, language in (("alfa", "en"), ("bravo", "fr")):
            it.keepclear(
                "node", "init", "--node", party, "--party", party, "--name", f"{party.title()} (simulated)",
                "--url", f"https://127.0.0.1:{line[party].port}", "--language", language, "--desk", ladder,
            )  # fmt: skip
        witness = it.keepclear("witness", "init", "--folder", "witness", "--name", "witness.example").split()[0]
        it.start("witness", "serve", "--folder", "witness", "--listen", f"127.0.0.1:{ports['witness']}")

        say(
            "The charter: who, with which keys, under which rules. All sign it; people compare its digits by telephone."
        )
        it.keepclear(
            "channel", "charter", "new", "--name", "Demonstration line", "--card", "alfa/card.json", "--card",
            "bravo/card.json", "--witness", f"{witness}@http://127.0.0.1:{ports['witness']}",
            "--timer", "check_every_ms=500", "--timer", "silent_after_ms=2500", "--out", "charter.json",
        )  # fmt: skip
        for party in ("alfa", "bravo"):
            it.keepclear("channel", "charter", "sign", "--node", party, "charter.json")
        shown = it.keepclear("channel", "charter", "show", "charter.json", quiet=True)
        digits = next(row.rpartition(": ")[2] for row in shown.splitlines() if row.startswith("digits"))
        for party in ("alfa", "bravo"):
            it.keepclear("channel", "join", "--node", party, "--digits", digits, "charter.json")
        (it.folder / "witness" / "charter.json").write_bytes((it.folder / "charter.json").read_bytes())

        say("Each serves its node.")
        served = {
            party: it.start("node", "serve", "--node", party, "--json", "--listen", f"127.0.0.1:{ports[party]}")
            for party in ("alfa", "bravo")
        }
        for party, peer in (("alfa", "bravo"), ("bravo", "alfa")):
            await_event(served[party], event="line", peer=peer, after="UP")
            click.echo(f"  {party}: the line to {peer} is UP")
        it.keepclear("channel", "check", "--node", "alfa")

        say("Alfa warns. Bravo's node acknowledges by its signature: HELD.")
        area = ("--area", "50.4500,30.5200", "--radius", "5000", "--lower", "GND", "--upper", "FL195")
        times = ("--from", "2030-05-01T06:00:00Z", "--until", "2030-05-01T09:00:00Z", "--action", "KEEP_CLEAR")
        it.keepclear(
            "channel", "send", "--node", "alfa", "--kind", "WARNING", "--precedence", "FLASH", "--by", "duty officer",
            "--none-else-affected", *area, *times, "--wait", "DELIVERED",
        )  # fmt: skip
        first = next(e["id"] for e in events(served["alfa"]) if e.get("event") == "delivery")
        message = str(first)

        say("Bravo's duty officer reads it, in French, from the same bytes; then reads it back, first with a slip.")
        it.keepclear("channel", "show", message, "--node", "bravo", "--by", "officier de permanence")
        slip = ("--area", "50.5300,30.5200", *area[2:])
        it.keepclear(
            "channel",
            "read-back",
            message,
            "--node",
            "bravo",
            "--by",
            "officier de permanence",
            *slip,
            *times,
            expect=1,
        )
        found = await_event(served["alfa"], event="mismatch", id=message)
        click.secho(f"  alfa is told: MISMATCH in {found['field']}, {found.get('apart_m', '?')} m apart", fg="red")
        it.keepclear(
            "channel", "read-back", message, "--node", "bravo", "--by", "officier de permanence", *area, *times
        )
        it.keepclear("channel", "answer", message, "WILL_COMPLY", "--node", "bravo", "--by", "officier de permanence")
        await_event(served["alfa"], event="delivery", id=message, state="ANSWERED")
        it.keepclear("channel", "inbox", "--all", "--node", "alfa")

        say("The line is cut. Writing goes on; silence is shown, and its cause is UNKNOWN until somebody knows.")
        for one in line.values():
            one.cut()
        it.keepclear(
            "channel", "send", "--node", "alfa", "--kind", "NOTIFICATION", "--precedence", "IMMEDIATE", "--by",
            "duty officer", "--none-else-affected", "--area", "50.9,31.1", "--radius", "2000", *times[:4],
        )  # fmt: skip
        lost = await_event(served["alfa"], event="line", after="SILENT")
        click.secho(f"  alfa: the line to bravo is SILENT, cause {lost['cause']}", fg="red")

        say("The line heals. What was written meanwhile arrives, once and in order.")
        for one in line.values():
            one.heal()
        restored = await_event(served["alfa"], event="line", after="RESTORED")
        click.echo(f"  alfa: the line to bravo is {restored['after']}")
        second = message[:-4] + f"{int(message[-4:]) + 1:04d}"
        await_event(served["alfa"], event="delivery", id=second, state="DELIVERED")
        it.keepclear("channel", "inbox", "--all", "--node", "alfa", expect=0)
        time.sleep(1.0)  # one more check, so that the last acknowledgements are in both records

        say("Bravo exports the record; anybody verifies it, offline, without either party.")
        place = record or it.folder / "record"
        it.keepclear(
            "channel", "export", "--node", "bravo", "--out", str(place), "--language", "en", "--language", "fr"
        )
        it.keepclear("verify", str(place), "--charter", "charter.json")
        if record is not None:
            click.echo(f"\nThe record is in {record}.")
