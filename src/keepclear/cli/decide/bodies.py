"""``keepclear decide bodies|rules|body``: who may decide, by which rules; and putting a body on the channel."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepclear.cli.decide.reading import deciding, declare, now_ms, on_channel
from keepclear.cli.node.options import node_option, passphrase_option
from keepclear.cli.options import output_options
from keepclear.errors import InputError, UsageError

if TYPE_CHECKING:
    from keepclear.decisions.rules.body import Body
    from keepclear.decisions.rules.rule import Rule

__all__ = ["COMMANDS"]


def _day(text: str | None) -> date:
    if text is None:
        return datetime.fromtimestamp(now_ms() / 1000.0, UTC).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"a day reads 2026-05-01: {text!r}") from None


day_option = click.option("--on", "on", metavar="DAY", help="Members of this day, e.g. 2003-02-06; today if not given.")


@click.command()
@node_option
@day_option
@output_options
def bodies(node: Path, on: str | None, format: str | None, out: Path | None) -> None:
    """List the bodies that come with Keepclear, and those that the channel has constituted."""
    import pyarrow as pa

    from keepclear.cli.output import format_of, write_rows
    from keepclear.decisions.rules.shipped import shipped_bodies, shipped_body

    day = _day(on)
    rows = [_body_row(shipped_body(name), day, "SHIPPED", "") for name in shipped_bodies()]
    if on_channel(node):
        read = deciding(node)
        for digest, body in read.bodies().items():
            accepted = read.accepted(digest)
            missing = sorted(read.voices(body) - accepted)
            state = "CHANNEL" if not missing else f"CHANNEL, not accepted by {', '.join(missing)}"
            rows.append(_body_row(body, day, state, digest))
    text = pa.string()
    schema = pa.schema(
        [("body", text), ("name", text), ("members", pa.int64()), ("secretary", text), ("where", text),
         ("confirmed", pa.bool_()), ("rules", text), ("source", text), ("hash", text)]
    )  # fmt: skip
    table = pa.Table.from_pylist(rows, schema)
    if format_of(format, out) == "table":
        table = table.drop_columns(["rules", "source", "hash"])  # too wide for people; «decide rules BODY» has them
    write_rows(table, format, out)


def _body_row(body: Body, on: date, where: str, digest: str) -> dict[str, Any]:
    return {
        "body": body.id, "name": body.name, "members": sum(member.holds(on) for member in body.members),
        "rules": ", ".join(rule.id for rule in body.rules), "secretary": body.secretary, "where": where,
        "confirmed": body.confirmed, "source": body.source or None, "hash": digest[:16] or None,
    }  # fmt: skip


@click.command()
@node_option
@click.argument("body", required=False)
@output_options
def rules(node: Path, body: str | None, format: str | None, out: Path | None) -> None:
    """List the rules that come with Keepclear, or those of a BODY: when a text is adopted, and where that stands."""
    import pyarrow as pa

    from keepclear.cli.output import write_rows
    from keepclear.decisions.rules.rulebook import rulebook

    found = tuple(rulebook().values()) if body is None else _find(node, body).rules
    text = pa.string()
    schema = pa.schema(
        [(name, text) for name in ("rule", "name", "kind", "needs")] + [("confirmed", pa.bool_()), ("source", text)]
    )
    rows = [
        {"rule": rule.id, "name": rule.name, "kind": rule.kind.value, "needs": _needs(rule),
         "confirmed": rule.confirmed, "source": rule.source or None}
        for rule in found
    ]  # fmt: skip
    write_rows(pa.Table.from_pylist(rows, schema), format, out)


def _needs(rule: Rule) -> str:
    """The conditions in one line."""
    parts = ["no objection"] if rule.kind.counts_objections else []
    for threshold in rule.thresholds:
        share = f"{threshold.numerator}/{threshold.denominator}"
        over = "more than " if threshold.over else ""
        least = f", at least {threshold.at_least:,}" if threshold.at_least > 1 else ""
        parts.append(f"{over}{share} of {threshold.of.value}{least}" if threshold.numerator else least[2:])
    if rule.kind == "DUAL_KEY":
        parts.append("every body for it")
    if rule.blocking:
        parts.append("population blocks only with the stated minority of members")
    if rule.abstention_limit:
        limits = " and ".join(f"{t.numerator}/{t.denominator} of {t.of.value}" for t in rule.abstention_limit)
        parts.append(f"qualified abstentions below {limits}")
    if rule.veto:
        parts.append("no permanent member against")
    if rule.excluded_max:
        parts.append(f"less {rule.excluded_max} member")
    if rule.silence_min_s:
        parts.append(f"at least {rule.silence_min_s / 3600:g} h of silence")
    return "; ".join(parts)


def _find(node: Path, name: str) -> Body:
    """On the channel by id or the beginning of its hash; else a shipped one."""
    from keepclear.decisions.rules.shipped import shipped_bodies, shipped_body

    if on_channel(node):
        read = deciding(node)
        found = read.find_body(name)
        if found is not None:
            return read.bodies()[found]
    if name in shipped_bodies():
        return shipped_body(name)
    raise UsageError(f"there is no body {name} here; «keepclear decide bodies» lists them")


@click.group()
def body() -> None:
    """One body: look at it, propose it to the channel, accept it."""


@body.command(name="show")
@node_option
@day_option
@click.argument("name", metavar="BODY")
@output_options
def show_body(node: Path, on: str | None, name: str, format: str | None, out: Path | None) -> None:
    """List the members of a body on a day: weights, and which parties speak for them."""
    import pyarrow as pa

    from keepclear.cli.output import write_rows

    day = _day(on)
    rows = [
        {"member": m.id, "name": m.name or None, "votes": m.votes, "population": m.population,
         "permanent": m.permanent, "from": str(m.from_date), "until": str(m.until_date) if m.until_date else None,
         "represented_by": ", ".join(m.represented(day)) or None}
        for m in _find(node, name).members if m.holds(day)
    ]  # fmt: skip
    text, whole = pa.string(), pa.int64()
    schema = pa.schema(
        [("member", text), ("name", text), ("votes", whole), ("population", whole), ("permanent", pa.bool_()),
         ("from", text), ("until", text), ("represented_by", text)]
    )  # fmt: skip
    write_rows(pa.Table.from_pylist(rows, schema), format, out)


@body.command(name="declare")
@node_option
@passphrase_option
@click.option("--file", "file", type=click.Path(path_type=Path), help="A body of your own, as JSON.")
@click.option("--shipped", metavar="BODY", help="One that comes with Keepclear, to be given parties.")
@click.option("--secretary", metavar="PARTY", help="The party whose log says when a position came in.")
@click.option("--member", "represented", multiple=True, metavar="MEMBER=PARTY[@DAY]",
              help="Which party speaks for a member, from that day on (else from today); repeatable.")  # fmt: skip
def declare_body(
    node: Path, passphrase_file: Path | None, file: Path | None, shipped: str | None, secretary: str | None,
    represented: tuple[str, ...],
) -> None:  # fmt: skip
    """Propose a body to the channel. It binds the members whose parties accept it, and nobody else.

    \b
    Example:
      keepclear decide body declare --file council.json --secretary alfa --member north=bravo --member south=charlie
    """
    from keepclear.decisions.acts import Constitute
    from keepclear.decisions.rules.body import body_hash
    from keepclear.decisions.rules.body_file import BODY_FILE_BYTES_MAX, read_body
    from keepclear.decisions.rules.shipped import shipped_body
    from keepclear.edge.channel.node_folder import read_bounded

    if (file is None) == (shipped is None):
        raise UsageError("give either --file with a body of your own, or --shipped with the id of one")
    if file is not None:
        try:
            given = read_body(read_bounded(file, BODY_FILE_BYTES_MAX))
        except InputError as error:
            raise InputError(error.message, where=error.where, source=error.source or str(file)) from None
    else:
        assert shipped is not None
        given = shipped_body(shipped)
    read = deciding(node)
    made = _with_parties(given, secretary, represented)
    declare(node, passphrase_file, Constitute(body=made), read)
    digest = body_hash(made)
    waits = sorted(read.voices(made) - {read.party})
    click.echo(f"{made.id} is proposed to the channel, hash {digest[:16]}…; we accept it by that")
    if waits:
        click.echo(f"to be accepted by {', '.join(waits)}: keepclear decide body accept {made.id}")


def _with_parties(given: Body, secretary: str | None, represented: tuple[str, ...]) -> Body:
    import msgspec

    from keepclear.decisions.rules.body import Representation

    by_member: dict[str, list[Representation]] = {}
    for text in represented:
        member, _, rest = text.partition("=")
        party, _, day = rest.partition("@")
        if not member or not party:
            raise UsageError(f"--member reads MEMBER=PARTY or MEMBER=PARTY@DAY: {text!r}")
        if member not in {one.id for one in given.members}:
            raise UsageError(f"--member {text}: {given.id} has no member {member}")
        by_member.setdefault(member, []).append(
            msgspec.convert({"party": party, "from_date": _day(day or None)}, Representation)
        )
    members = tuple(
        msgspec.structs.replace(one, represented_by=(*one.represented_by, *by_member.get(one.id, ())))
        for one in given.members
    )
    changes = {"members": members, **({"secretary": secretary} if secretary else {})}
    return msgspec.structs.replace(given, **changes)


@body.command(name="accept")
@node_option
@passphrase_option
@click.argument("name", metavar="BODY")
@click.option("--hash", "digest", metavar="HASH", help="Its hash, or how it begins, where two bear the same id.")
def accept_body(node: Path, passphrase_file: Path | None, name: str, digest: str | None) -> None:
    """Accept a body for the members that this party represents: from then on its decisions bind them."""
    from keepclear.decisions.acts import Accept

    read = deciding(node)
    found = read.find_body(digest or name)
    if found is None:
        raise UsageError(f"there is no body {digest or name} on the channel; «keepclear decide bodies» lists them")
    declare(node, passphrase_file, Accept(body=found), read)
    click.echo(f"{read.bodies()[found].id} is accepted, hash {found[:16]}…")


COMMANDS = (bodies, rules, body)
