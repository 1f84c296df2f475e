"""``keepclear node``: one party's node: made, served, looked at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from keepclear.cli.node_options import folder_of, node_option, passphrase_of, passphrase_option
from keepclear.errors import UsageError

if TYPE_CHECKING:
    from keepclear.channel.charter import Desk

__all__ = ["command"]


@click.group(name="node")
def command() -> None:
    """One party's node: make it, serve it, see how it is."""


@command.command()
@node_option
@passphrase_option
@click.option("--party", required=True, metavar="ID", help="Short and lower-case, e.g. 'alfa' or 'cell.alfa.example'.")
@click.option("--name", required=True, help="As people call it.")
@click.option("--url", required=True, help="Where the others reach this node, e.g. https://line.alfa.example:8443.")
@click.option("--language", "languages", multiple=True, default=("en",), show_default=True,
              help="What its duty officers read, the first preferred: en, fr, uk, ru, ar.")  # fmt: skip
@click.option("--desk", "desks", multiple=True, metavar="NAME=ROLE[@SECONDS[:TRANSPORT/…]],…",
              help="A desk's duty ladder, e.g. 'AIR=duty officer,watch supervisor@60:console/telephone'.")  # fmt: skip
def init(
    node: Path, passphrase_file: Path | None, party: str, name: str, url: str, languages: tuple[str, ...],
    desks: tuple[str, ...],
) -> None:  # fmt: skip
    """Make a node: new keys, sealed with a passphrase, and the card that goes into the charter."""
    folder = folder_of(node)
    read = [_desk(text) for text in desks]
    folder.create(
        party=party, name=name, url=url, languages=languages, desks=read,
        passphrase=passphrase_of(passphrase_file, confirm=True),
    )  # fmt: skip
    click.echo(f"{folder.card_file}: the card of {party}; give it to whoever writes the charter (it holds no secret)")
    click.echo(f"Keep {node} on one machine, and {folder.lock.name} out of backups: it is what tells an old backup.")


def _desk(text: str) -> Desk:
    from keepclear.channel.charter import Desk, DutyStep

    name, _, ladder = text.partition("=")
    steps = []
    for rung in ladder.split(","):
        role, _, rest = rung.strip().partition("@")
        seconds, _, transports = rest.partition(":")
        if not role or (seconds and not seconds.isdigit()):
            raise UsageError(f"--desk reads NAME=ROLE[@SECONDS[:TRANSPORT/…]],…: {text!r}")
        steps.append(DutyStep(role, int(seconds or 0), tuple((transports or "console").split("/"))))
    return Desk(name, tuple(steps))
