"""``keepclear dss publish|withdraw``: zones as constraints, declared volumes as operational intents."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepclear.cli.dss.options import connected, dss_options, every_option, store_option
from keepclear.cli.options import altitude_assumptions, altitude_options, output_options
from keepclear.cli.zone_decisions import ZoneDecisions, decisions_option, flag_of
from keepclear.errors import KeepclearError, UsageError

if TYPE_CHECKING:
    from keepclear.edge.uss.publisher import Done, Publisher
    from keepclear.tracks.altitude import AltitudeAssumptions

__all__ = ["publish", "withdraw"]


@click.command()
@dss_options
@store_option
@click.option("--base-url", required=True, metavar="URL", help="Where peers reach our «keepclear dss uss».")
@click.option("--zones", "-z", "zone_files", multiple=True, type=click.Path(path_type=Path),
              help="Zones of ours, to become constraints.")  # fmt: skip
@click.option("--volumes", "volume_files", multiple=True, type=click.Path(path_type=Path),
              help="Declared volumes, to become operational intents.")  # fmt: skip
@click.option("--hours", type=click.FloatRange(0, 1320, min_open=True), default=24.0, show_default=True,
              help="How far ahead zones are published.")  # fmt: skip
@decisions_option
@click.option("--follow", is_flag=True, help="Go on: publish what is edited, and each day what comes into reach.")
@every_option(60.0)
@altitude_options
@output_options
@click.pass_context
def publish(
    ctx: click.Context, /, store: Path, base_url: str, zone_files: tuple[Path, ...], volume_files: tuple[Path, ...],
    hours: float, decisions: Path | None, follow: bool, every: float, qnh: float | None,
    ground_elevation: str | None, format: str | None, out: Path | None, **given: Any,
) -> None:  # fmt: skip
    """Publish zones as constraints and declared volumes as operational intents.

    The same again changes nothing; what was edited is updated; constraints of zones no longer in the files are
    withdrawn, unless something in the files could not be read. An intent that truly intersects another is refused.
    With --decisions a zone whose decision is not in force is published all the same, and its name says so: in doubt the
    more restrictive state stands. With --follow it does so again and again until interrupted, and what is published
    stays. Exit code 1: something was refused, or a zone is flagged.

    \b
    Example:
      keepclear dss publish --dss https://dss.example.org --token-file tokens --store uss.sqlite \\
        --base-url https://uss.example.org --zones closure.geojson
    """
    from keepclear.edge.dss.client import check_base_url
    from keepclear.edge.uss.publisher import Act, Publisher
    from keepclear.edge.uss.store import UssStore

    if not zone_files and not volume_files:
        raise UsageError("name what is to be published: --zones FILE or --volumes FILE")
    flags = None if decisions is None else ZoneDecisions(decisions)
    wanted = _Wanted(zone_files, volume_files, hours * 3600.0, altitude_assumptions(qnh, ground_elevation), flags)
    said: set[str] = set()
    with connected(**given) as (client, manager), UssStore(store) as kept:
        publisher = Publisher(client, kept, check_base_url(base_url, given["development_key"] is not None), manager)
        while True:
            try:
                done, troubles = _publish(publisher, wanted)
            except KeepclearError as error:
                if not follow:
                    raise
                done, troubles = [], [f"warning: nothing was published now: {error}"]
            # While following, the same trouble is told once, and not every minute.
            for line in dict.fromkeys(troubles):
                if line not in said:
                    click.echo(f"keepclear: {' '.join(line.split())}", err=True)
            said = set(troubles)
            if not follow:
                break
            if news := [one for one in done if one.act is not Act.UNCHANGED]:
                _write_done(news, format, out)
            time.sleep(every)
        waiting = kept.waiting()
    _write_done(done, format, out)
    if waiting:
        click.echo(f"keepclear: {waiting} notices wait for peers; «keepclear dss uss» goes on trying", err=True)
    ctx.exit(1 if wanted.troubled or wanted.flagged or any(one.act is Act.REFUSED for one in done) else 0)


@dataclass(slots=True)
class _Wanted:
    zone_files: tuple[Path, ...]
    volume_files: tuple[Path, ...]
    ahead_s: float
    assumptions: AltitudeAssumptions
    decisions: ZoneDecisions | None = None
    flagged: bool = False
    """the decision of a zone is not in force"""
    troubled: bool = False
    """something in the files, as they were last read, is broken or cannot be published"""


def _publish(publisher: Publisher, wanted: _Wanted) -> tuple[list[Done], list[str]]:
    """What became of each, and what there is to say about the files."""
    from keepclear.node import read_volumes, read_zones
    from keepclear.uss.declared_intents import plan_intents
    from keepclear.uss.entities import EntityKind
    from keepclear.uss.zone_constraints import plan_constraints

    publisher.forget_ended()
    manager, now_s = publisher.manager, time.time()
    done: list[Done] = []
    said: list[str] = []
    wanted.troubled = False
    if wanted.zone_files:
        reading = read_zones(*wanted.zone_files)
        zones = reading.zones if wanted.decisions is None else wanted.decisions.flag(reading.zones, now_s)
        wanted.flagged = wanted.decisions is not None and any(flag_of(zone.name) for zone in zones)
        plan = plan_constraints(zones, manager, now_s, wanted.ahead_s, wanted.assumptions)
        wanted.troubled = _tell((*reading.problems, *plan.refused), plan.losses, said)
        planned = {one.id for one in plan.planned}
        done += [publisher.publish(one) for one in plan.planned]
        if not wanted.troubled:
            gone = [one for one in publisher.store.all(EntityKind.CONSTRAINT) if one.id not in planned]
            done += [publisher.withdraw(one) for one in gone]
    if wanted.volume_files:
        load = read_volumes(*wanted.volume_files)
        intents = plan_intents(load.volumes, load.declaration, load.source, manager, now_s, wanted.assumptions)
        wanted.troubled |= _tell((*load.problems, *intents.refused), intents.losses, said)
        done += [publisher.publish(one) for one in intents.planned]
    publisher.deliver()
    return done, said


@click.command()
@dss_options
@store_option
@click.argument("names", nargs=-1, metavar="[ID|LABEL]…")
@click.option("--all", "everything", is_flag=True, help="Whatever the store holds.")
@output_options
@click.pass_context
def withdraw(
    ctx: click.Context, /, store: Path, names: tuple[str, ...], everything: bool, format: str | None, out: Path | None,
    **given: Any,
) -> None:  # fmt: skip
    """Withdraw what was published: by id, or by the id of its zone or declaration."""
    from keepclear.edge.uss.publisher import Act, Publisher
    from keepclear.edge.uss.store import UssStore

    if bool(names) == everything:
        raise UsageError("name what is to be withdrawn, or say --all")
    with connected(**given) as (client, manager), UssStore(store, create=False) as kept:
        chosen = [one for one in kept.all() if everything or one.id in names or one.label in names]
        unknown = set(names) - {one.id for one in chosen} - {one.label for one in chosen}
        if unknown:
            raise UsageError(f"nothing called {', '.join(sorted(unknown))} is published")
        publisher = Publisher(client, kept, "", manager)
        done = [publisher.withdraw(one) for one in chosen]
        publisher.deliver()
    _write_done(done, format, out)
    ctx.exit(1 if any(one.act is Act.REFUSED for one in done) else 0)


def _tell(problems: Any, losses: Any, said: list[str]) -> bool:
    """True where a problem is an error."""
    said += [f"{loss.zone_id}, {loss.field}: {loss.detail}" for loss in losses]
    said += [f"{problem.severity.lower()}: {problem}" for problem in problems]
    return any(problem.severity == "ERROR" for problem in problems)


def _write_done(done: list[Done], format: str | None, out: Path | None) -> None:
    import pyarrow as pa

    from keepclear.cli.output import write_rows

    rows = [{"act": d.act.value, "kind": d.kind.value, "label": d.label, "id": d.id, "said": d.said} for d in done]
    schema = pa.schema([(name, pa.string()) for name in ("act", "kind", "label", "id", "said")])
    write_rows(pa.Table.from_pylist(rows, schema), format, out)
