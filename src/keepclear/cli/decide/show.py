"""``keepclear decide show|list|tally``: where a text stands, what is next, who is bound and why, who is late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepclear.cli.decide.objects import next_step, status_object
from keepclear.cli.decide.reading import deciding, now_ms
from keepclear.cli.decide.tables import check_lines, check_rows, positions_text
from keepclear.cli.node.options import node_option
from keepclear.cli.options import output_options
from keepclear.errors import UsageError

if TYPE_CHECKING:
    from keepclear.cli.decide.reading import Deciding
    from keepclear.decisions.procedure.status import Counted, Round, Status

__all__ = ["COMMANDS"]


@click.command()
@node_option
@click.argument("number", metavar="PROPOSAL|APPLICATION|MEETING")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for machines.")
@click.pass_context
def show(ctx: click.Context, node: Path, number: str, as_json: bool) -> None:
    """Show where it stands, what is next, who is bound and why, and who is late.

    Exit code 1: something waits for this party, or something is wrong with what was written.
    """
    from keepclear.cli.decide.shown import application_lines, application_object, meeting_lines, meeting_object

    read = deciding(node)
    lines: Iterable[str]
    owed = _owed_by_us(read, number)
    if number.startswith("A-"):
        lines = chain(application_lines(read, number), _waiting(owed))
        found, waits = application_object(read, number), bool(owed)
    elif number.startswith("M-"):
        lines = chain(meeting_lines(read, number), _waiting(owed))
        found, waits = meeting_object(read, number), bool(owed)
    else:
        status = read.status(number)
        lines, found = _lines(read, status, owed), status_object(status)
        waits = bool(owed or status.faults or status.contradictions)
    if as_json:
        import json

        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        for line in lines:
            click.echo(_printable(line))
    for unread in read.docket.unread:
        click.echo(f"note: {_printable(unread)}", err=True)
    ctx.exit(1 if waits else 0)


def _lines(read: Deciding, found: Status, owed: list[str]) -> Iterator[str]:
    from keepclear.quantities import format_instant

    def instant(at_ms: int) -> str:
        return format_instant(at_ms / 1000.0)

    text = f"version {found.version}, text {found.text_hash[:16]}…"
    yield f"{found.proposal} «{found.title}»: {found.state.value}, {text}"
    body = f"{found.body.id} ({found.body.name}), secretary {found.body.secretary}" if found.body else "not here"
    rule = (
        f"{found.rule.name}{'' if found.rule.confirmed else ' (not checked against its source)'}" if found.rule else "?"
    )
    yield f"body: {body}; rule: {rule}; {found.effect.value}"
    yield f"tabled by {found.tabled.party}, {instant(found.tabled.at_ms)}"
    table = read.table(found.proposal)
    for words, names in (("authorises", table.authorises), ("revokes", table.revokes)):
        if names:
            yield f"{words}: {', '.join(names)}"
    if table.expires_ms is not None:
        yield f"expires: {instant(table.expires_ms)}"
    for one in found.rounds:
        finished = f", ended {instant(one.finished_ms)}" if one.finished_ms is not None else ""
        moved = f" (first {instant(one.first_closes_ms)})" if one.first_closes_ms != one.closes_ms else ""
        yield (
            f"version {one.version} under {one.under.value}: opened {instant(one.opened_ms)}, "
            f"closes {instant(one.closes_ms)}{moved}: {_round_state(one)}{finished}"
        )
        if one.broken_by:
            yield f"  broken by {', '.join(one.broken_by)}"
        if one.reserved_by:
            yield f"  reserved by {', '.join(one.reserved_by)}"
        if one.sealed:
            yield f"  sealed votes are in of {', '.join(one.sealed)}"
    current = found.round
    if current is not None:
        for counted in current.counted:
            yield f"  {counted.member}: {counted.stance.value}, {_whence(counted, instant(counted.received_ms))}"
        if current.tally is not None:
            yield from check_lines(current.tally)
        if current.closed is not None:
            yield f"closed by the secretary as {current.closed.outcome.value}"
    for contradiction in found.contradictions:
        stances = " and ".join(stance.value for stance in contradiction.stances)
        proof = ", ".join(f"entry {ref.seq} of {ref.party}" for ref in contradiction.references)
        yield f"CONTRADICTORY: {contradiction.member} said {stances or 'two things in one place'} ({proof})"
    for void in found.void:
        who = void.member or void.filed.party
        detail = f": {void.detail}" if void.detail else ""
        yield f"void: {who}, entry {void.filed.seq} of {void.filed.party}: {void.reason.value}{detail}"
    for statement in found.statements:
        yield f"statement of {statement.member} [{statement.language}], changes no count: {statement.text}"
    for missing in found.missing:
        yield f"MISSING: {missing.what}: {missing.why}"
    for fault in found.faults:
        yield f"FAULT: {fault}"
    for bound in found.bound:
        yield f"{'bound    ' if bound.bound else 'NOT bound'}  {bound.member}: {bound.why}"
    yield f"next: {next_step(found)}"
    yield from _waiting(owed)


def _waiting(owed: list[str]) -> Iterator[str]:
    return (f"waits for us: {line}" for line in owed)


def _round_state(one: Round) -> str:
    """A silence that is broken stays broken, whatever time is left of it."""
    return one.state.value if one.finished else "BROKEN" if one.broken_by else "open"


def _whence(counted: Counted, received: str) -> str:
    if counted.reference is None:
        return "by silence"
    by = (
        "in the room, by the secretary's word"
        if counted.by_sheet
        else f"entry {counted.reference.seq} of {counted.reference.party}"
    )
    return f"{by}, received {received}"


def _owed_by_us(read: Deciding, number: str) -> list[str]:
    from keepclear.decisions.procedure.duties import duties
    from keepclear.quantities import format_instant

    return [
        f"{one.what.value} for {', '.join(one.members) or read.party}"
        + (f", until {format_instant(one.due_ms / 1000.0)}" if one.due_ms else "")
        + (", LATE" if one.late else "")
        for one in duties(read.docket, read.party, now_ms())
        if one.about == number
    ]


@click.command()
@node_option
@click.argument("proposal")
@output_options
@click.pass_context
def tally(ctx: click.Context, node: Path, proposal: str, format: str | None, out: Path | None) -> None:
    """Every condition of the rule with what it has, of how many, and what it needs.

    While a text is open this is how it stands, not what came of it. Exit code 1: it is not adopted as it stands.
    """
    import pyarrow as pa

    from keepclear.cli.output import format_of, write_rows

    found = deciding(node).status(proposal)
    counted = found.tally
    if counted is None:
        raise UsageError(f"{proposal} has no tally: it was not put to the members, or not all that decides is here")
    if format_of(format, out) == "table" and out is None:
        state = "" if found.outcome else ", as it stands: it is open"
        click.echo(f"{proposal} version {found.version}: {counted.outcome.value}{state}")
        for line in check_lines(counted):
            click.echo(line)
    else:
        whole, flag = pa.int64(), pa.bool_()
        schema = pa.schema(
            [("condition", pa.string()), ("have", whole), ("of", whole), ("needed", whole), ("at_most", flag),
             ("deemed", flag), ("met", flag)]
        )  # fmt: skip
        write_rows(pa.Table.from_pylist(check_rows(counted), schema), format, out)
    ctx.exit(0 if counted.adopted else 1)


@click.command(name="list")
@node_option
@click.option("--open", "only_open", is_flag=True, help="Only what is not decided yet.")
@output_options
def list_(node: Path, only_open: bool, format: str | None, out: Path | None) -> None:
    """List proposals, applications and meetings, and where each stands."""
    import pyarrow as pa

    from keepclear.cli.decide.shown import application_row, meeting_row
    from keepclear.cli.output import write_rows
    from keepclear.decisions.procedure.proposal import tabled

    read = deciding(node)
    rows: list[dict[str, Any]] = []
    for number in read.docket.proposals():
        try:
            tabled(read.docket, number)
        except UsageError as error:
            click.echo(f"note: {error}", err=True)
            continue
        found = read.status(number)
        current = found.round
        if only_open and found.outcome is not None:
            continue
        rows.append({
            "number": number, "what": "PROPOSAL", "body": found.body.id if found.body else None, "title": found.title,
            "state": found.state.value, "due": _due_ms(found),
            "positions": positions_text(current.tally) if current and current.tally else None,
            "next": next_step(found),
        })  # fmt: skip
    rows += [application_row(read, number, only_open=only_open) for number in read.docket.applications()]
    rows += [meeting_row(read, number) for number in read.docket.meetings()]
    text = pa.string()
    schema = pa.schema(
        [("number", text), ("what", text), ("body", text), ("title", text), ("state", text),
         ("due", pa.timestamp("ms", tz="UTC")), ("positions", text), ("next", text)]
    )  # fmt: skip
    write_rows(pa.Table.from_pylist([row for row in rows if row], schema), format, out)


def _due_ms(found: Status) -> int | None:
    """Until when something can be said or opened."""
    from keepclear.decisions.vocabulary import State

    current = found.round
    if current is None or not (found.state.open or found.state is State.OPENING):
        return None
    return current.open_by_ms if found.state is State.OPENING else current.closes_ms


def _printable(text: str) -> str:
    """Foreign text must not steer the reader's terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


COMMANDS = (show, list_, tally)
