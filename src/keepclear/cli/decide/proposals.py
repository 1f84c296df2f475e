"""``keepclear decide propose|amend|circulate|extend|close|withdraw|move``: a text's way before a body."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keepclear.cli.channel.message_fields import duration_ms, instant_ms
from keepclear.cli.decide.reading import deciding, declare, now_ms
from keepclear.cli.node.options import node_option, passphrase_option
from keepclear.errors import InputError, UsageError

if TYPE_CHECKING:
    from keepclear.cli.decide.reading import Deciding

__all__ = ["COMMANDS", "deadline_ms", "read_text"]

TEXT_BYTES_MAX = 200_000
"""Of a text's file; what an entry can hold is less, and is said where it is too long."""

text_option = click.option("--text", "text_file", required=True, type=click.Path(path_type=Path, allow_dash=True),
                           help="File with the text, UTF-8 («-»: standard input).")  # fmt: skip
language_option = click.option("--language", default="en", show_default=True, metavar="TAG", help="Of title and text.")
closes_options = (
    click.option("--closes", metavar="INSTANT", help="The deadline, e.g. 2026-05-01T12:00:00Z."),
    click.option("--within", metavar="DURATION", help="The deadline, counted from now: 90min, 72h, 3d."),
)


def read_text(file: Path) -> str:
    from keepclear.edge.channel.node_folder import read_bounded

    if str(file) == "-":
        data = sys.stdin.buffer.read(TEXT_BYTES_MAX + 1)
    else:
        data = read_bounded(file, TEXT_BYTES_MAX)
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").strip()
    except UnicodeDecodeError as error:
        raise InputError("this is not UTF-8 text", where=f"byte {error.start}", source=str(file)) from None


def deadline_ms(closes: str | None, within: str | None) -> int:
    if (closes is None) == (within is None):
        raise UsageError("give the deadline either as --closes INSTANT or as --within DURATION")
    found = instant_ms(closes) if closes is not None else now_ms() + duration_ms(str(within))
    assert found is not None
    return found


@click.command()
@node_option
@passphrase_option
@click.option("--body", required=True, metavar="BODY", help="Which body of the channel is to decide.")
@click.option("--rule", required=True, metavar="RULE", help="By which of its rules («keepclear decide rules BODY»).")
@click.option("--title", required=True)
@text_option
@language_option
@click.option("--advisory", is_flag=True, help="An opinion: it binds nobody and changes no status.")
@click.option("--authorises", multiple=True, metavar="ID", help="Zone or order that will rest on it; repeatable.")
@click.option("--revokes", multiple=True, metavar="PROPOSAL", help="Decision that ends with it; repeatable.")
@click.option("--key-of", metavar="PROPOSAL", help="Dual key: the proposal of the other body, with the same text.")
@click.option(
    "--without", "excluded", multiple=True, metavar="MEMBER", help="Who takes no part, where the rule says so."
)
@click.option("--expires", metavar="INSTANT", help="What is adopted ends then; what is not by then lapses.")
def propose(
    node: Path, passphrase_file: Path | None, body: str, rule: str, title: str, text_file: Path, language: str,
    advisory: bool, authorises: tuple[str, ...], revokes: tuple[str, ...], key_of: str | None,
    excluded: tuple[str, ...], expires: str | None,
) -> None:  # fmt: skip
    """Table a text before a body. Nobody is bound by that: its secretary circulates it.

    \b
    Example:
      keepclear decide propose --body council --rule silence --title 'Corridor North' --text corridor.txt \\
        --authorises CORRIDOR-NORTH
    """
    from keepclear.decisions.acts import Table, text_hash
    from keepclear.decisions.vocabulary import Effect

    read = deciding(node)
    digest = read.find_body(body)
    if digest is None:
        raise UsageError(f"there is no body {body} on the channel; «keepclear decide bodies» lists them")
    table = Table(
        proposal=read.number("P"), body=digest, rule=rule, title=title, text=read_text(text_file), language=language,
        effect=Effect.ADVISORY if advisory else Effect.BINDING, expires_ms=instant_ms(expires), authorises=authorises,
        revokes=revokes, key_of=key_of, excluded=excluded,
    )  # fmt: skip
    declare(node, passphrase_file, table, read)
    click.echo(f"{table.proposal} is tabled, version 1, text {text_hash(title, table.text, language)[:16]}…")
    secretary = read.bodies()[digest].secretary
    if secretary == read.party:
        click.echo(f"we are the secretary: keepclear decide circulate {table.proposal} --under …")
    else:
        click.echo(f"{secretary or 'nobody'} is the secretary and circulates it")


@click.command()
@node_option
@passphrase_option
@click.argument("proposal")
@click.option("--title", help="As before if not given.")
@text_option
@click.option("--language", metavar="TAG", help="As before if not given.")
def amend(
    node: Path, passphrase_file: Path | None, proposal: str, title: str | None, text_file: Path, language: str | None
) -> None:
    """Table another text as the next version. Positions on the old one no longer count; the clock starts anew."""
    from keepclear.decisions.acts import Amend, text_hash

    read = deciding(node)
    found = read.status(proposal)
    before = found.texts[-1]
    act = Amend(
        proposal=proposal, version=before.version + 1, title=title or before.title, text=read_text(text_file),
        language=language or before.language,
    )  # fmt: skip
    declare(node, passphrase_file, act, read)
    click.echo(f"{proposal} is version {act.version} now, text {text_hash(act.title, act.text, act.language)[:16]}…")
    click.echo("positions on earlier versions stay on the record and no longer count; it has to be circulated again")


@click.command()
@node_option
@passphrase_option
@click.argument("proposal")
@click.option("--under", required=True, type=click.Choice(("SILENCE", "VOTE", "CONSENSUS"), case_sensitive=False))
@closes_options[0]
@closes_options[1]
@click.option("--secret", is_flag=True, help="A vote sealed until the deadline, then opened together.")
@click.option("--open-by", metavar="INSTANT", help="Of a secret vote: until when it is opened.")
def circulate(
    node: Path, passphrase_file: Path | None, proposal: str, under: str, closes: str | None, within: str | None,
    secret: bool, open_by: str | None,
) -> None:  # fmt: skip
    """Put the newest version to the members, with a deadline (for the secretary).

    The receipts that are here are named in it: only members whose party has sent one before count as silent.
    """
    from keepclear.cli.decide.tables import names
    from keepclear.decisions.acts import Circulate
    from keepclear.decisions.procedure.receipts import receipts_of, unreached_members
    from keepclear.decisions.vocabulary import Ballot, Under
    from keepclear.quantities import format_instant

    read = deciding(node)
    found = read.status(proposal)
    receipts = receipts_of(read.docket, proposal, found.version, found.text_hash)
    act = Circulate(
        proposal=proposal, version=found.version, text_hash=found.text_hash, under=Under(under.upper()),
        closes_ms=deadline_ms(closes, within), ballot=Ballot.SECRET if secret else Ballot.OPEN,
        open_by_ms=instant_ms(open_by), delivered=tuple(receipts.values()),
    )  # fmt: skip
    declare(node, passphrase_file, act, read)
    click.echo(
        f"{proposal} version {act.version} is under {act.under.value} until {format_instant(act.closes_ms / 1000)}"
    )
    if act.under is Under.VOTE:  # whoever says nothing in a vote has not voted: no silence is read
        return
    click.echo(f"delivery is proved to {names(sorted(receipts)) or 'nobody'}")
    missing = unreached_members(read.body(proposal), read.table(proposal).excluded, frozenset(receipts), now_ms())
    if missing:
        click.echo(f"note: NOT REACHED, and so never counted as silent: {names(missing)}", err=True)


@click.command()
@node_option
@passphrase_option
@click.argument("proposal")
@closes_options[0]
@closes_options[1]
@click.option("--reason", required=True)
def extend(
    node: Path, passphrase_file: Path | None, proposal: str, closes: str | None, within: str | None, reason: str
) -> None:
    """Move the deadline, either way, as far as the rule allows it (for the secretary). It stays on the record."""
    from keepclear.decisions.acts import Extend
    from keepclear.quantities import format_instant

    read = deciding(node)
    found = read.status(proposal)
    act = Extend(proposal=proposal, version=found.version, closes_ms=deadline_ms(closes, within), reason=reason)
    declare(node, passphrase_file, act, read)
    click.echo(f"{proposal} closes at {format_instant(act.closes_ms / 1000)} now")


@click.command()
@node_option
@passphrase_option
@click.argument("proposal")
@click.pass_context
def close(ctx: click.Context, node: Path, passphrase_file: Path | None, proposal: str) -> None:
    """Write down what came of it, as this node computes it (for the secretary). Exit code 1: it was not adopted.

    What has come and is not received yet is received first: nothing that members have said is passed over.
    """
    from keepclear.cli.decide.tables import check_lines, names
    from keepclear.decisions.acts import Close
    from keepclear.decisions.procedure.registering import register_acts
    from keepclear.decisions.rules.stance import Outcome

    read = deciding(node)
    read.status(proposal)
    for received in register_acts(read.docket, read.party, proposal):
        declare(node, passphrase_file, received, read)
        click.echo(f"received first: {names([one.member or one.party for one in received.positions])}")
        read = deciding(node)
    found = read.status(proposal)
    tally = found.tally
    if tally is None:
        raise UsageError(f"{proposal} has no tally yet: it was not put to the members, or not all is here")
    outcome = found.outcome or tally.outcome
    act = Close(proposal=proposal, version=found.version, outcome=outcome, tally=dict(tally.counts))
    declare(node, passphrase_file, act, read)
    click.echo(f"{proposal} version {act.version}: {outcome.value}")
    for line in check_lines(tally):
        click.echo(line)
    ctx.exit(0 if outcome is Outcome.ADOPTED else 1)


@click.command()
@node_option
@passphrase_option
@click.argument("proposal")
@click.option("--reason", default="")
def withdraw(node: Path, passphrase_file: Path | None, proposal: str, reason: str) -> None:
    """Take a proposal back, as who tabled it. What was said to it stays on the record."""
    from keepclear.decisions.acts import Withdraw

    declare(node, passphrase_file, Withdraw(proposal=proposal, reason=reason), deciding(node))
    click.echo(f"{proposal} is withdrawn; its record stays")


@click.command()
@node_option
@passphrase_option
@click.argument("proposal")
@click.option("--to", "to_body", required=True, metavar="BODY", help="Which body takes it up.")
@click.option(
    "--as", "as_proposal", required=True, metavar="PROPOSAL", help="The number under which it is tabled there."
)
@click.option("--reason", default="")
def move(node: Path, passphrase_file: Path | None, proposal: str, to_body: str, as_proposal: str, reason: str) -> None:
    """Write down that another body takes the matter up. What failed here stays on the record."""
    from keepclear.decisions.acts import Move

    read: Deciding = deciding(node)
    digest = read.find_body(to_body)
    if digest is None:
        raise UsageError(f"there is no body {to_body} on the channel; «keepclear decide bodies» lists them")
    act = Move(proposal=proposal, to_body=digest, as_proposal=as_proposal, reason=reason)
    declare(node, passphrase_file, act, read)
    click.echo(f"{proposal} is moved to {to_body} as {as_proposal}; what happened here stays on the record")


COMMANDS = (propose, amend, circulate, extend, close, withdraw, move)
