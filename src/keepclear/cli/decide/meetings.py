"""``keepclear decide meeting|minutes``: a meeting with its notice and agenda, and what was recorded of it."""

from __future__ import annotations

from pathlib import Path

import click

from keepclear.cli.channel.message_fields import instant_ms
from keepclear.cli.decide.proposals import read_text
from keepclear.cli.decide.reading import deciding, declare
from keepclear.cli.node.options import node_option, passphrase_option
from keepclear.errors import UsageError

__all__ = ["COMMANDS"]


@click.command()
@node_option
@passphrase_option
@click.option("--body", required=True, metavar="BODY")
@click.option("--starts", required=True, metavar="INSTANT", help="When it begins, e.g. 2026-05-01T12:00:00Z.")
@click.option("--place", required=True)
@click.option("--extraordinary", is_flag=True)
@click.option("--agenda", "items", multiple=True, required=True, metavar="TITLE[;PROPOSAL]",
              help="One item, in order, with the proposal that it is about; repeatable.")  # fmt: skip
@click.option("--language", default="en", show_default=True, metavar="TAG")
def meeting(
    node: Path, passphrase_file: Path | None, body: str, starts: str, place: str, extraordinary: bool,
    items: tuple[str, ...], language: str,
) -> None:  # fmt: skip
    """Convene a meeting of a body, with notice and agenda (for the secretary).

    \b
    Example:
      keepclear decide meeting --body council --starts 2026-05-01T12:00:00Z --place 'Room 3' --extraordinary \\
        --agenda 'Corridor North;P-ALFA-2026-0001'
    """
    from keepclear.decisions.acts import AgendaItem, Convene

    read = deciding(node)
    digest = read.find_body(body)
    if digest is None:
        raise UsageError(f"there is no body {body} on the channel; «keepclear decide bodies» lists them")
    agenda = []
    for item in items:
        title, _, proposal = item.partition(";")
        agenda.append(AgendaItem(title=title.strip(), proposal=proposal.strip() or None))
    starts_ms = instant_ms(starts)
    assert starts_ms is not None
    act = Convene(
        meeting=read.number("M"), body=digest, starts_ms=starts_ms, place=place, language=language,
        extraordinary=extraordinary, agenda=tuple(agenda),
    )  # fmt: skip
    declare(node, passphrase_file, act, read)
    click.echo(f"{act.meeting} is convened; «keepclear decide document {act.meeting}» writes the notice")


@click.command()
@node_option
@passphrase_option
@click.argument("number", metavar="MEETING")
@click.option("--present", multiple=True, metavar="MEMBER", help="Member that was there; repeatable.")
@click.option("--text", "text_file", required=True, type=click.Path(path_type=Path, allow_dash=True))
@click.option("--language", default="en", show_default=True, metavar="TAG")
def minutes(
    node: Path, passphrase_file: Path | None, number: str, present: tuple[str, ...], text_file: Path, language: str
) -> None:
    """Record a meeting's minutes (for the secretary). What was decided is in the positions, not in them."""
    from keepclear.decisions.acts import Minutes

    read = deciding(node)
    act = Minutes(meeting=number, present=present, text=read_text(text_file), language=language)
    declare(node, passphrase_file, act, read)
    click.echo(f"the minutes of {number} are in our log; «keepclear decide document {number}» writes them")


COMMANDS = (meeting, minutes)
