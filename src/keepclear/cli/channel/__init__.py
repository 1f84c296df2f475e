"""``keepclear channel``: the channel between parties: charter, join, and what is said on it."""

from __future__ import annotations

from pathlib import Path

import click

from keepclear.cli.channel.acts import COMMANDS as ACT_COMMANDS
from keepclear.cli.channel.charter import charter
from keepclear.cli.channel.line import COMMANDS as LINE_COMMANDS
from keepclear.cli.channel.messages import COMMANDS as MESSAGE_COMMANDS
from keepclear.cli.channel.replies import COMMANDS as REPLY_COMMANDS
from keepclear.cli.channel.send import send
from keepclear.cli.node.options import folder_of, node_option
from keepclear.errors import UsageError

__all__ = ["command"]


@click.group(name="channel")
def command() -> None:
    """The channel between parties: always open, acknowledged, read back, provable."""


command.add_command(charter)


@command.command()
@node_option
@click.option("--digits", metavar="DIGITS", help="The thirty digits as another party read them out to you.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="CHARTER…")
def join(node: Path, digits: str | None, files: tuple[Path, ...]) -> None:
    """Join a channel under a charter that all have signed.

    A party that a later version adds gives all versions, the first first. Compare the newest charter's digits with
    every other party over another medium first, by telephone or in person: whoever handed the files round may have put
    a key of their own into them.
    """
    from keepclear.channel.charter import Charter, charter_digits, charter_hash, verify_charter
    from keepclear.edge.channel.node_folder import read_charter

    folder = folder_of(node)
    signed = [read_charter(file) for file in files]
    charter: Charter | None = None
    for one in signed:
        charter = verify_charter(one, charter)
    assert charter is not None
    if digits is None:
        raise UsageError("ask another party for its thirty digits («channel charter show») and give them as --digits")
    if "".join(digits.split()) != charter_digits(charter).replace(" ", ""):
        raise UsageError(
            "these digits are not this charter's: you and the other party hold different charters. Do not join; find "
            "out over that other medium whose file is the right one"
        )
    folder.join(*signed)
    channel = charter_hash(signed[0].charter).hex()
    click.echo(f"{folder.card().id} is on the channel {channel[:16]}… («{charter.name}»)")


for one in (send, *MESSAGE_COMMANDS, *REPLY_COMMANDS, *ACT_COMMANDS, *LINE_COMMANDS):
    command.add_command(one)
