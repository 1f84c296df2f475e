"""``keepclear decide history``: decisions of the past, replayed by the shipped rules, with sources."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from keepclear.cli.decide.tables import check_lines, positions_text
from keepclear.cli.options import output_options

if TYPE_CHECKING:
    from keepclear.decisions.rules.history import Case, Chain

__all__ = ["COMMANDS"]


@click.command()
@click.argument("name", metavar="CASE", required=False)
@output_options
@click.pass_context
def history(ctx: click.Context, name: str | None, format: str | None, out: Path | None) -> None:
    """Replay decisions of the past: what was published, and what the rules make of the same figures.

    Exit code 1: a rule gives another outcome than history has.
    """
    from keepclear.decisions.rules.history import case, cases, chains, replay

    if name is None:
        _list(format, out)
    elif chain := next((one for one in chains() if one.id == name), None):
        _show_chain(chain)
    else:
        _show_case(case(name))
    wanted = cases() if name is None else [one for one in cases() if one.id == name]
    if any(replay(one)[2].outcome is not one.outcome for one in wanted):
        ctx.exit(1)


def _list(format: str | None, out: Path | None) -> None:
    import pyarrow as pa

    from keepclear.cli.output import write_rows
    from keepclear.decisions.rules.history import cases, chains, replay

    rows = []
    for one in cases():
        found = replay(one)[2]
        rows.append({
            "case": one.id, "on": str(one.on), "body": one.body, "rule": one.rule, "effect": one.effect.value,
            "positions": positions_text(found),
            "published": None if one.constructed else one.outcome.value, "recomputed": found.outcome.value,
            "confirmed": one.confirmed, "constructed": one.constructed, "title": one.title,
        })  # fmt: skip
    for chain in chains():
        rows.append({
            "case": chain.id, "on": str(chain.steps[-1].on), "body": None, "rule": None, "effect": None,
            "positions": f"{len(chain.steps)} stages", "published": chain.steps[-1].stage.value, "recomputed": None,
            "confirmed": chain.confirmed, "constructed": False, "title": chain.title,
        })  # fmt: skip
    text, flag = pa.string(), pa.bool_()
    names = ("case", "on", "body", "rule", "effect", "positions", "published", "recomputed")
    schema = pa.schema([*((n, text) for n in names), ("confirmed", flag), ("constructed", flag), ("title", text)])
    write_rows(pa.Table.from_pylist(rows, schema), format, out)


def _show_case(one: Case) -> None:
    from keepclear.decisions.rules.history import replay

    rule, electorate, found = replay(one)
    click.echo(f"{one.title} ({one.on})")
    if one.constructed:
        click.echo("CONSTRUCTED: it shows a threshold; nobody ever voted like that")
    if not one.confirmed and not one.constructed:
        click.echo("NOT CONFIRMED: the figures were not checked against a source that is named")
    click.echo(f"body: {one.body}, {len(electorate)} members on that day; rule: {rule.name} ({rule.source})")
    if one.excluded:
        click.echo(f"left out: {', '.join(one.excluded)}")
    for line in check_lines(found):
        click.echo(line)
    agrees = "as published" if found.outcome is one.outcome else f"BUT PUBLISHED AS {one.outcome.value}"
    click.echo(f"outcome: {found.outcome.value}, {one.effect.value}{'' if one.constructed else f', {agrees}'}")
    if one.follows:
        click.echo(f"the matter was taken up after {one.follows} had failed; that record stays")
    for line in (one.note, *(f"source: {source}" for source in one.sources)):
        if line:
            click.echo(line)


def _show_chain(chain: Chain) -> None:
    click.echo(f"{chain.title}: {chain.request.value} of {chain.applicant}, by {chain.basis}")
    for step in chain.steps:
        rests = "".join(
            f"; {name} {case_id}"
            for name, case_id in (("decided by", step.case), ("advised by", step.advice))
            if case_id
        )
        click.echo(f"{step.on}  {step.stage.value}  {step.by}{rests}")
    for line in (chain.note, *(f"source: {source}" for source in chain.sources)):
        if line:
            click.echo(line)


COMMANDS = (history,)
