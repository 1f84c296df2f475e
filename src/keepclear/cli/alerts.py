"""``keepclear alerts``: what was kept: list it, acknowledge it, judge it afterwards, and see what it was worth."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from keepclear.cli.options import output_options

if TYPE_CHECKING:
    import pyarrow as pa

    from keepclear.alerts.model import Alert

__all__ = ["command"]

STATUSES = ("PREDICTED", "ACTUAL", "ACKNOWLEDGED", "ENDED", "REVIEWED")
TYPES = ("APW", "STCA", "SPILL_OVER", "WELL_CLEAR")

store_option = click.option(
    "--store",
    default="keepclear-alerts.sqlite",
    show_default=True,
    envvar="KEEPCLEAR_STORE",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="The SQLite file that «watch --store» keeps.",
)
by_option = click.option(
    "--by", "by_role", required=True, metavar="ROLE", help="Which role says so, e.g. 'duty officer'."
)
party_option = click.option("--judged-by", metavar="PARTY", help="Whose alert, where several parties' share an id.")


@click.group(name="alerts")
def command() -> None:
    """List, acknowledge and review the alerts that were kept."""


@command.command(name="list")
@store_option
@click.option("--open", "open_only", is_flag=True, help="Only those that go on.")
@click.option(
    "--status", multiple=True, type=click.Choice(STATUSES, case_sensitive=False), help="Only these; repeatable."
)
@click.option("--type", "type_", type=click.Choice(TYPES, case_sensitive=False), help="Only this type.")
@click.option("--track", "track_id", metavar="LABEL", help="Only of this target.")
@click.option("--zone", "zone_id", metavar="ID", help="Only of this zone.")
@click.option("--since", metavar="TIME", help="Only those raised from then on, e.g. 2024-05-01T00:00:00Z.")
@click.option("--exempt", is_flag=True, help="Also exempt tracks that were inside without an alert.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many, the newest.")
@output_options
@click.pass_context
def list_(
    ctx: click.Context, /, store: Path, open_only: bool, format: str | None, out: Path | None, **given: Any
) -> None:
    """List alerts, the newest first. Exit code 1 says that some are listed."""
    from keepclear.alerts.model import AlertStatus
    from keepclear.cli.output import format_of, write_rows
    from keepclear.cli.readable_rows import readable_alerts
    from keepclear.edge.alert_store import AlertStore
    from keepclear.quantities import parse_instant

    status = [AlertStatus(name) for name in given["status"]]
    if open_only:
        status += [AlertStatus.PREDICTED, AlertStatus.ACTUAL, AlertStatus.ACKNOWLEDGED]
    with AlertStore.open(store, create=False) as kept:
        alerts = list(
            kept.alerts(
                status=status,
                type=given["type_"],
                track_id=given["track_id"],
                zone_id=given["zone_id"],
                since_s=parse_instant(given["since"]) if given["since"] else None,
                exempt=given["exempt"],
                limit=given["limit"],
            )
        )
    chosen, table = format_of(format, out), alert_table(alerts)
    write_rows(readable_alerts(table) if chosen == "table" else table, chosen, out)
    if alerts:
        ctx.exit(1)


@command.command()
@store_option
@click.argument("alert_id")
@by_option
@party_option
def ack(store: Path, alert_id: str, by_role: str, judged_by: str | None) -> None:
    """Say that a role has seen an alert. It stays open and shown."""
    from keepclear.edge.alert_store import AlertStore

    with AlertStore.open(store, create=False) as kept:
        alert = kept.acknowledge(alert_id, by_role, time.time(), judged_by)
    click.echo(f"{alert.id} acknowledged by {alert.acknowledgements[-1].by_role}; it stays open")


@command.command()
@store_option
@click.argument("alert_id")
@click.argument("verdict", type=click.Choice(("justified", "nuisance", "false"), case_sensitive=False))
@by_option
@click.option("--note", default="", help="Why.")
@party_option
def review(store: Path, alert_id: str, verdict: str, by_role: str, note: str, judged_by: str | None) -> None:
    """Judge an alert that has ended: justified, nuisance or false."""
    from keepclear.alerts.model import ReviewVerdict
    from keepclear.edge.alert_store import AlertStore

    with AlertStore.open(store, create=False) as kept:
        alert = kept.review(alert_id, ReviewVerdict(verdict.upper()), by_role, time.time(), note, judged_by)
    click.echo(f"{alert.id} reviewed as {verdict.lower()} by {by_role}")


@command.command()
@store_option
@click.option("--since", metavar="TIME", help="Only alerts raised from then on.")
@output_options
def stats(store: Path, since: str | None, format: str | None, out: Path | None) -> None:
    """Say what the alerts were worth: reviews by type, and how long things took."""
    import pyarrow as pa

    from keepclear.cli.output import write_rows
    from keepclear.edge.alert_store import AlertStore
    from keepclear.quantities import parse_instant

    with AlertStore.open(store, create=False) as kept:
        rows = [asdict(row) for row in kept.statistics(parse_instant(since) if since else None)]
    schema = pa.schema(
        [("type", pa.string())]
        + [(n, pa.int64()) for n in ("alerts", "ended", "reviewed", "justified", "nuisance", "false", "acknowledged")]
        + [
            (n, pa.float64())
            for n in ("justified_share", "acknowledge_median_s", "warning_median_s", "duration_median_s")
        ]
    )
    write_rows(pa.Table.from_pylist([row | {"type": str(row["type"])} for row in rows], schema), format, out)


def alert_table(alerts: list[Alert]) -> pa.Table:
    """One row an alert; times are UTC, what is not known is null."""
    import math

    import pyarrow as pa

    def number(value: float) -> float | None:
        return value if math.isfinite(value) else None

    def instant(time_s: float) -> int | None:
        return round(time_s * 1000.0) if math.isfinite(time_s) else None

    when = pa.timestamp("ms", tz="UTC")
    columns: list[tuple[str, Any, list[Any]]] = [
        ("id", pa.string(), [a.id for a in alerts]),
        ("judged_by", pa.string(), [a.judged_by or None for a in alerts]),
        ("type", pa.string(), [a.type.value for a in alerts]),
        ("status", pa.string(), [a.status.value for a in alerts]),
        ("worst_verdict", pa.string(), [a.worst_verdict.name for a in alerts]),
        ("severity", pa.string(), [a.severity.value for a in alerts]),
        ("track_id", pa.string(), [a.track.track_id for a in alerts]),
        ("callsign", pa.string(), [a.track.callsign or None for a in alerts]),
        ("source", pa.string(), [a.track.source or None for a in alerts]),
        ("other_track_id", pa.string(), [a.other.track_id if a.other else None for a in alerts]),
        ("zone_id", pa.string(), [a.zone_id or None for a in alerts]),
        ("zone_version", pa.string(), [a.zone_version or None for a in alerts]),
        ("raised_time", when, [instant(a.raised_s) for a in alerts]),
        ("entry_time", when, [instant(a.entered_s) for a in alerts]),
        ("end_time", when, [instant(a.ended_s) for a in alerts]),
        ("end_reason", pa.string(), [a.end_reason.value or None for a in alerts]),
        ("violations", pa.int64(), [a.violations for a in alerts]),
        ("depth_max_m", pa.float64(), [number(a.depth_max_m) for a in alerts]),
        ("horizontal_min_m", pa.float64(), [number(a.horizontal_min_m) for a in alerts]),
        ("vertical_min_m", pa.float64(), [number(a.vertical_min_m) for a in alerts]),
        ("probability_pct", pa.float64(), [number(a.probability_pct) for a in alerts]),
        ("disputed", pa.bool_(), [a.disputed for a in alerts]),
        ("stale", pa.bool_(), [a.stale for a in alerts]),
        ("exempt", pa.bool_(), [a.exempt for a in alerts]),
        ("lon_deg", pa.float64(), [number(a.track.last.lon_deg) for a in alerts]),
        ("lat_deg", pa.float64(), [number(a.track.last.lat_deg) for a in alerts]),
        (
            "acknowledged_by",
            pa.string(),
            [a.acknowledgements[-1].by_role if a.acknowledgements else None for a in alerts],
        ),
        ("review", pa.string(), [a.review.verdict.value if a.review else None for a in alerts]),
    ]
    return pa.table([pa.array(values, type) for _, type, values in columns], names=[name for name, _, _ in columns])
