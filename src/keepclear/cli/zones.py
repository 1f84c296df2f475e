"""``keepclear zones``: what is in a zone file, whether it is right, and the same in another format."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from keepclear.cli.zone_decisions import ZoneDecisions, decisions_option
from keepclear.errors import InputError, UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from keepclear.edge.zone_files import ZoneLoad
    from keepclear.zones.model import Period, Zone
    from keepclear.zones.reading import Problem

__all__ = ["command", "zone_rows"]

_READABLE = ("ed318", "ed269", "geojson", "kml", "aixm", "gis", "notam", "openair")
_WRITABLE = ("ed318", "ed269", "geojson", "kml", "openair")
# The same names as in keepclear.zones.formats, which is not imported for a help text; a test holds the two equal.

_files = click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
_firs = click.option(
    "--firs", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="Outlines of flight information regions, any zone format, for NOTAMs that close whole regions. Repeatable.",
)  # fmt: skip
_from = click.option(
    "--from", "from_format", type=click.Choice(_READABLE), help="Format of the files (else told from their content)."
)
_out = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write here, whole or not at all."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Validate, convert and show zone files.

    Reads GeoJSON, ED-269, ED-318, KML/KMZ, OpenAir, NOTAM, AIXM, shapefiles and GeoPackage; files may be gzipped,
    a directory stands for every zone file in it. A broken block is reported with its place, the rest is used.

    \b
    Example:
      keepclear zones show closure.txt --firs firs.geojson.gz
    """


@command.command()
@_files
@_firs
@_from
@click.option("--format", type=click.Choice(["json", "csv", "parquet", "arrow"]), help="Problems for a machine.")
@_out
@click.pass_context
def validate(
    ctx: click.Context,
    files: tuple[Path, ...],
    firs: tuple[Path, ...],
    from_format: str | None,
    format: str | None,
    out: Path | None,
) -> None:
    """Say what is wrong in zone files, and where.

    Exit code 0: nothing; 1: something was found; 2: a file could not be read at all.

    \b
    Example:
      keepclear zones validate *.json closure.txt --firs firs.geojson.gz
    """
    from keepclear.zones.reading import Problem

    problems: list[Problem] = []
    zones, unreadable = 0, False
    for file in files:
        try:
            load = _load((file,), firs, from_format)
        except InputError as error:
            unreadable = True
            problems.append(Problem(error.source or str(file), error.where, error.message))
            continue
        zones += len(load.zones)
        problems.extend(load.problems)
    if format or out:
        from keepclear.cli.output import write_rows

        write_rows(_problem_rows(problems), format, out)
    else:
        for problem in problems:
            click.echo(f"{problem.severity.lower()}: {_one_line(str(problem))}")
    errors = sum(problem.severity == "ERROR" for problem in problems)
    click.echo(
        f"{_count(zones, 'zone')} read, {_count(errors, 'error')}, {_count(len(problems) - errors, 'warning')}",
        err=True,
    )
    ctx.exit(2 if unreadable else 1 if problems else 0)


@command.command()
@_files
@click.option("--to", type=click.Choice(_WRITABLE), help="Format to write (else told from the suffix of --out).")
@_out
@_firs
@_from
@click.pass_context
def convert(
    ctx: click.Context,
    files: tuple[Path, ...],
    to: str | None,
    out: Path | None,
    firs: tuple[Path, ...],
    from_format: str | None,
) -> None:
    """Write zones in another format.

    What the format cannot hold is listed on stderr, one line each. Exit code 1: a block of the input was refused.

    \b
    Example:
      keepclear zones convert closure.txt --firs firs.geojson.gz --to geojson --out closure.geojson
    """
    from keepclear.cli.output import write_data
    from keepclear.zones.formats import write_zones

    to = to or _format_of(out)
    load = _load(files, firs, from_format)
    _tell(load.problems)
    if not load.zones.zones:
        raise InputError("no zone could be read, so nothing is written")
    writing = write_zones(load.zones, to)
    for loss in writing.losses:
        click.echo(_one_line(f"lost: zone {loss.zone_id}, {loss.field}: {loss.detail}"), err=True)
    data = writing.data
    if to == "kml" and out is not None and out.suffix.lower() == ".kmz":
        from keepclear.zones.kmz import pack

        data = pack(data)
    write_data(lambda file: _write(file.write, data), out)
    ctx.exit(1 if load.errors else 0)


@command.command()
@_files
@_firs
@_from
@decisions_option
@click.option(
    "--format",
    type=click.Choice(["table", "json", "csv", "geojson", "parquet", "arrow"]),
    help="Rows for a machine, with more columns than the table has.",
)
@_out
@click.pass_context
def show(
    ctx: click.Context,
    files: tuple[Path, ...],
    firs: tuple[Path, ...],
    from_format: str | None,
    decisions: Path | None,
    format: str | None,
    out: Path | None,
) -> None:
    """List zones: type, limits, validity, area, whom they bind, and how their edges run.

    With --decisions, exit code 1 says that a zone's decision is not in force: its name carries the flag.

    \b
    Example:
      keepclear zones show airspace.openair --format csv --out airspace.csv
    """
    from keepclear.cli.output import format_of, write_data, write_rows

    load = _load(files, firs, from_format)
    _tell(load.problems)
    chosen = format_of(format, out)
    zones = load.zones if decisions is None else ZoneDecisions(decisions).flag(load.zones, time.time_ns() / 1e9)
    if chosen == "geojson":
        from keepclear.zones.formats import write_zones

        writing = write_zones(zones, "geojson")
        write_data(lambda file: _write(file.write, writing.data), out)
    elif chosen == "table":
        write_rows(_people_rows(zones.zones), chosen, out)
    else:
        write_rows(zone_rows(zones.zones), chosen, out)
    ctx.exit(1 if load.errors or zones != load.zones else 0)


def _load(files: tuple[Path, ...], firs: tuple[Path, ...], from_format: str | None) -> ZoneLoad:
    from keepclear.edge.zone_files import load_zones

    return load_zones(files, format=from_format, firs=firs or None)


def _write(write: object, data: bytes) -> None:
    assert callable(write)
    write(data)


def _tell(problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        click.echo(f"{problem.severity.lower()}: {_one_line(str(problem))}", err=True)


def _format_of(out: Path | None) -> str:
    from keepclear.zones.formats import FORMATS

    suffix = out.suffix.lower() if out else ""
    found = [name for name in _WRITABLE if suffix and suffix in FORMATS[name].suffixes]
    if suffix == ".geojson":
        return "geojson"
    if len(found) == 1:
        return found[0]
    raise UsageError(
        f"say which format to write, with --to {'|'.join(_WRITABLE)} or by the suffix of --out FILE; "
        "every file named without --out is read"
    )


def _problem_rows(problems: list[Problem]) -> pa.Table:
    import pyarrow as pa

    return pa.table(
        {
            name: pa.array([str(getattr(problem, name)) for problem in problems], pa.string())
            for name in ("severity", "source", "where", "reason")
        }
    )


def zone_rows(zones: tuple[Zone, ...]) -> pa.Table:
    """One row a zone, every column plain: what ``zones show --format`` writes."""
    import pyarrow as pa

    from keepclear.space.geometry import Circle

    columns: dict[str, tuple[pa.DataType, list[object]]] = {
        "zone_id": (pa.string(), [zone.id for zone in zones]),
        "version": (pa.string(), [zone.version for zone in zones]),
        "name": (pa.string(), [zone.name for zone in zones]),
        "type": (pa.string(), [zone.type.value for zone in zones]),
        "restriction": (pa.string(), [zone.restriction.value for zone in zones]),
        "status": (pa.string(), [zone.status.value for zone in zones]),
        "lower": (pa.string(), [_distinct(str(volume.lower) for volume in zone.volumes) for zone in zones]),
        "upper": (pa.string(), [_distinct(str(volume.upper) for volume in zone.volumes) for zone in zones]),
        "valid_from": (_instant_type(), [_instant(min(p.from_s for p in z.applicability)) for z in zones]),
        "valid_to": (_instant_type(), [_instant(max(p.to_s for p in z.applicability)) for z in zones]),
        "end_estimated": (pa.bool_(), [any(p.end_estimated for p in zone.applicability) for zone in zones]),
        "scheduled": (pa.bool_(), [any(p.schedule for p in zone.applicability) for zone in zones]),
        "area_km2": (pa.float64(), [_area_km2(zone) for zone in zones]),
        "binds": (pa.string(), [_binds(zone) for zone in zones]),
        "exemptions": (pa.list_(pa.string()), [[_exemption(e) for e in zone.exemptions] for zone in zones]),
        "edges": (pa.string(), [_edges(zone) for zone in zones]),
        "shapes": (pa.int64(), [len(zone.volumes) for zone in zones]),
        "vertices": (
            pa.int64(),
            [
                sum(
                    0 if isinstance(v.shape, Circle) else len(v.shape.exterior) + sum(map(len, v.shape.holes))
                    for v in zone.volumes
                )
                for zone in zones
            ],
        ),
        "supersedes": (pa.string(), [zone.supersedes for zone in zones]),
        "text": (pa.string(), [zone.text for zone in zones]),
        "source": (pa.string(), [zone.origin.source for zone in zones]),
        "where": (pa.string(), [zone.origin.where for zone in zones]),
    }
    return pa.table({name: pa.array(values, type) for name, (type, values) in columns.items()})


def _people_rows(zones: tuple[Zone, ...]) -> pa.Table:
    import pyarrow as pa

    from keepclear.quantities import limits_text

    return pa.table(
        {
            "id": pa.array([zone.id for zone in zones], pa.string()),
            "name": pa.array([zone.name for zone in zones], pa.string()),
            "type": pa.array([_kind(zone) for zone in zones], pa.string()),
            "limits": pa.array(
                [_distinct(limits_text(v.lower, v.upper) for v in z.volumes) for z in zones], pa.string()
            ),
            "valid (UTC)": pa.array([_validity(zone) for zone in zones], pa.string()),
            "area km²": pa.array([_area_km2(zone) for zone in zones], pa.float64()),
            "binds": pa.array([_binds(zone) for zone in zones], pa.string()),
            "edges": pa.array([_edges(zone) for zone in zones], pa.string()),
        }
    )


def _instant_type() -> pa.DataType:
    import pyarrow as pa

    return pa.timestamp("ms", tz="UTC")


def _instant(time_s: float) -> int | None:
    return round(time_s * 1000.0) if math.isfinite(time_s) else None


def _distinct(words: object) -> str:
    assert hasattr(words, "__iter__")
    return ", ".join(dict.fromkeys(words))


def _kind(zone: Zone) -> str:
    status = "" if zone.status in ("PUBLISHED", "ACTIVE") else f" ({zone.status.lower()})"
    return f"{zone.type}, {zone.restriction.replace('_', ' ').lower()}{status}"


def _validity(zone: Zone) -> str:
    from keepclear.quantities import format_instant

    def short(time_s: float) -> str:
        return format_instant(time_s)[:16].replace("T", " ")

    def said(period: Period) -> str:
        begin = short(period.from_s) if math.isfinite(period.from_s) else "always"
        end = short(period.to_s) if math.isfinite(period.to_s) else "permanent"
        times = ", scheduled" if period.schedule else ""
        if begin == "always" and end == "permanent":
            return f"always{times}"
        return f"{begin} – {end}{' EST' if period.end_estimated else ''}{times}"

    periods = zone.applicability
    more = f" and {len(periods) - 1} more" if len(periods) > 1 else ""
    return said(periods[0]) + more


def _area_km2(zone: Zone) -> float:
    from keepclear.zones.area import area_m2

    return sum(area_m2(shape) for shape in dict.fromkeys(volume.shape for volume in zone.volumes)) / 1e6


def _binds(zone: Zone) -> str:
    subject = zone.subject
    parts = [", ".join(sorted(group)) for group in (subject.parties, subject.categories) if group]
    domains = ", ".join(sorted(subject.domains)).lower() or "every domain"
    who = " / ".join(parts) or "everybody"
    exempt = f", {_count(len(zone.exemptions), 'exemption')}" if zone.exemptions else ""
    return f"{who} ({domains}){exempt}"


def _exemption(exemption: object) -> str:
    values = [getattr(exemption, name) for name in ("callsign", "party", "notice_id", "target", "clause")]
    return " | ".join(value for value in values if value)


def _edges(zone: Zone) -> str:
    from keepclear.space.geometry import Circle

    kinds = ["circle" if isinstance(v.shape, Circle) else v.shape.edge_type.lower() for v in zone.volumes]
    return ", ".join(dict.fromkeys(kinds))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


if __name__ == "__main__":
    sys.exit(command())
