"""``keepclear witness``: a neutral third party's witness, which sees how logs grow and never an entry."""

from __future__ import annotations

import signal
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from keepclear.cli.node.options import passphrase_of, passphrase_option
from keepclear.errors import UsageError

__all__ = ["command"]

folder_option = click.option(
    "--folder", default="keepclear-witness", show_default=True, type=click.Path(path_type=Path),
    help="Where the witness keeps its key and what it has seen.",
)  # fmt: skip


@click.group(name="witness")
def command() -> None:
    """A neutral witness: cosigns the heads of logs that only grow (c2sp.org/tlog-witness)."""


@command.command()
@folder_option
@passphrase_option
@click.option("--name", required=True, help="As it stands in charters and signatures, e.g. witness.example/w1.")
def init(folder: Path, passphrase_file: Path | None, name: str) -> None:
    """Make the witness's key and print its verifier key, which goes into charters."""
    from keepclear.channel.cosignature import cosigner_key
    from keepclear.edge.channel.keys import create_keys
    from keepclear.edge.whole_file import write_bytes

    if not name or "+" in name or len(name.split()) != 1 or len(name) > 200:
        raise UsageError("a witness's name has no spaces and no plus sign, and at most 200 characters")
    keys = create_keys(folder, "witness", "https://witness.invalid", passphrase_of(passphrase_file, confirm=True))
    vkey = cosigner_key(name, keys.mirror.public).vkey
    write_bytes(folder / "vkey", f"{vkey}\n".encode())
    click.echo(vkey)
    click.echo(f"Put the charters that it is to witness into {folder} (any name ending in .json).", err=True)


@command.command()
@folder_option
@passphrase_option
@click.option("--listen", default="127.0.0.1:8645", show_default=True, metavar="HOST:PORT")
def serve(folder: Path, passphrase_file: Path | None, listen: str) -> None:
    """Witness the logs of every charter in the folder until interrupted. Put TLS in front where it is not local."""
    from keepclear.channel.signed_note import NoteKey
    from keepclear.cli.node.serving import listen_address
    from keepclear.edge.channel.keys import open_keys
    from keepclear.edge.channel.node_folder import read_bounded
    from keepclear.edge.channel.witness_memory import WitnessFile
    from keepclear.server.mutual_tls import serve_tls
    from keepclear.server.witness import witness_app

    key = open_keys(folder, passphrase_of(passphrase_file)).mirror
    name = NoteKey.parse(read_bounded(folder / "vkey", 4096).decode()).name
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    memory = WitnessFile(folder / "witness.sqlite")
    app = witness_app(name, key, memory, lambda: known_logs(folder))
    with serve_tls(app, *listen_address(listen, ""), None) as server:
        click.echo(f"{name} listens on port {server.port}; logs known: {', '.join(known_logs(folder)) or 'none yet'}")
        stopping.wait()
    memory.close()


def known_logs(folder: Path) -> Mapping[str, Sequence[bytes]]:
    """By origin the log keys of every charter in the folder, later versions after those that they follow.

    Files that are no charter in force are left alone.
    """
    from keepclear.channel.charter import Charter, charter_hash, origin_of, verify_charter
    from keepclear.edge.channel.node_folder import read_charter
    from keepclear.errors import InputError

    found = []
    for path in folder.glob("*.json"):
        try:
            found.append(read_charter(path))
        except InputError:
            continue
    logs: dict[str, list[bytes]] = {}
    versions: dict[str, tuple[str, Charter]] = {}
    for signed in sorted(found, key=lambda one: one.charter.serial):
        before = versions.get(signed.charter.previous or "")
        try:
            charter = verify_charter(signed, before[1] if before else None)
        except InputError:
            continue
        own = charter_hash(charter).hex()
        channel = before[0] if before else own
        versions[own] = (channel, charter)
        for party in charter.parties:
            logs.setdefault(origin_of(party.id, channel), []).append(bytes.fromhex(party.log_key))
    return logs
