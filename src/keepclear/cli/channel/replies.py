"""``keepclear channel read-back|answer``: what is said back to a message; written to this party's own log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from keepclear.cli.channel.message_fields import critical_fields, critical_options
from keepclear.cli.channel.messages import append, both, by_option, reading, writing
from keepclear.cli.node.options import node_option, passphrase_option
from keepclear.errors import UsageError

__all__ = ["COMMANDS"]

ANSWERS = ("WILL_COMPLY", "UNABLE", "STAND_BY", "ACCEPT", "OBJECT", "CANNOT_COMPLY", "NO_COMMENT")


@click.command(name="read-back")
@node_option
@passphrase_option
@click.argument("message_id", metavar="ID")
@by_option
@critical_options
@click.pass_context
def read_back(ctx: click.Context, /, node: Path, passphrase_file: Path | None, message_id: str, **given: Any) -> None:
    """Repeat the critical fields of a message, as you have understood them; do not copy them.

    They are compared one by one, here and by the sender. Exit code 1: they differ, and both sides are told.
    """
    from keepclear.messages.message import Message
    from keepclear.messages.read_back import ReadBack, compare_read_back

    channel, read = writing(node, passphrase_file), reading(node)
    message = read.correspondence.message(message_id)
    body = message.body
    assert isinstance(body, Message)
    fields = critical_fields(given)
    said = ReadBack(
        message=body.id, kind=body.kind, by_role=given["by_role"], addressee=body.addressee,
        **{**fields, "positions": tuple(map(_bare, fields["positions"]))},
    )  # fmt: skip
    append(channel, said, to=(message.party,), re=(read.correspondence.reference(message_id),))
    mismatches = compare_read_back(body, said)
    for mismatch in mismatches:
        apart = f", {mismatch.apart_m / 1000.0:.1f} km apart" if mismatch.apart_m else ""
        click.echo(f"{body.id}: MISMATCH in {mismatch.field.value}{apart}: {both(mismatch)}", err=True)
    if mismatches:
        click.echo(f"{body.id}: read back with differences; {message.party} is told", err=True)
        ctx.exit(1)
    click.echo(f"{body.id}: read back as it was sent")


def _bare(position: Any) -> Any:
    from keepclear.messages.fields import Position

    return Position(lat_deg_e7=position.lat_deg_e7, lon_deg_e7=position.lon_deg_e7)


@click.command()
@node_option
@passphrase_option
@click.argument("message_id", metavar="ID")
@click.argument("said", metavar="ANSWER", type=click.Choice(ANSWERS, case_sensitive=False))
@by_option
@click.option("--reason", default="", help="UNABLE, OBJECT and CANNOT_COMPLY need one.")
@click.option("--reason-language", metavar="TAG", help="Language of the reason; the node's first if not given.")
def answer(
    node: Path, passphrase_file: Path | None, message_id: str, said: str, by_role: str, reason: str,
    reason_language: str | None,
) -> None:  # fmt: skip
    """Answer a message: will comply, unable, stand by … No answer is never taken for one."""
    from keepclear.messages.receipt import Answer
    from keepclear.messages.vocabulary import Answering

    channel, read = writing(node, passphrase_file), reading(node)
    message = read.correspondence.message(message_id)
    if message.party == channel.party:
        raise UsageError(f"{message_id} is this party's own message; the others answer it")
    language = (reason_language or read.language) if reason else None
    body = Answer(answer=Answering(said.upper()), by_role=by_role, reason=reason, language=language)
    append(channel, body, to=(message.party,), re=(read.correspondence.reference(message_id),))
    click.echo(f"{message_id}: answered {said.upper()}")


COMMANDS = (read_back, answer)
