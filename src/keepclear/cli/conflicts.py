"""``keepclear conflicts``: which declared volumes intersect in space and time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from keepclear.cli.options import output_options
from keepclear.cli.progress import say, say_first_run
from keepclear.errors import UsageError

__all__ = ["command"]

SHOWN_COLUMNS = ("id_a", "volume_a", "id_b", "volume_b", "verdict", "from_time", "to_time", "lower_m", "upper_m",
                 "altitude_datum")  # fmt: skip
"""What a person sees; machines get every column."""


@click.command(name="conflicts")
@click.argument("files", nargs=-1, required=True, metavar="FILE…", type=click.Path(path_type=Path))
@click.option(
    "--read-as",
    metavar="FORMAT",
    help="The files' format, where it is not recognised: f3548, csv, parquet, geojson or another zone format.",
)
@output_options
@click.pass_context
def command(ctx: click.Context, /, files: tuple[Path, ...], **given: Any) -> None:
    """Say which declared volumes intersect: flights, areas and movements, before anybody moves.

    A file holds Volume4D or operational intents of ASTM F3548 (JSON or JSON lines), rows of CSV or Parquet, or
    GeoJSON or any other zone format. Two volumes intersect when they share a place on the ellipsoid, an altitude and
    an instant; bands and intervals that only touch do not. Limits of unlike datums are never compared: such a pair
    is INDETERMINATE. Volumes of one declaration (one id in one file) are not compared with each other.

    \b
    Example:
      keepclear conflicts intents.json convoys.csv closures.geojson
    """
    from keepclear.cli.output import format_of, write_rows
    from keepclear.node import conflicts, read_volumes

    chosen = format_of(given["format"], given["out"])
    load = read_volumes(*files, format=given["read_as"])
    for problem in load.problems:
        click.echo(f"keepclear: {problem.severity.lower()}: {problem}", err=True)
    if not len(load):
        raise UsageError(f"no declared volume could be read from {', '.join(str(file) for file in files)}")
    say_first_run("detection/volumes")
    result = conflicts(load)
    if len(result) or given["out"] or given["format"]:
        rows = result.rows.select(SHOWN_COLUMNS) if chosen == "table" else result.rows
        write_rows(rows, given["format"], given["out"])
    doubt = f", {result.indeterminate:,} of them indeterminate" if result.indeterminate else ""
    say(
        f"{len(result):,} pairs of volumes intersect{doubt}, of {result.declarations_in_conflict:,} declarations; over "
        f"{result.volumes:,} volumes in {result.declarations:,} declarations."
    )
    if len(result):
        ctx.exit(1)
