"""Options that several commands share, each with its words and its reading in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from keepclear.errors import InputError, UsageError

if TYPE_CHECKING:
    from keepclear.feeds.formats import DecoderOptions
    from keepclear.tracks.altitude import AltitudeAssumptions
    from keepclear.zones.zone_set import ZoneSet

__all__ = [
    "altitude_assumptions", "altitude_options", "decoder_options", "feed_options", "output_options", "parties_of",
    "read_zone_options", "require_above_zero", "zone_options",
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])


def _all(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


zone_options = _all(
    click.option("--zones", "-z", "zone_files", multiple=True, required=True, type=click.Path(path_type=Path),
                 help="Zone file or folder, any format; may be given several times."),
    click.option("--firs", multiple=True, type=click.Path(path_type=Path),
                 help="Outlines of flight information regions that NOTAMs refer to."),
    click.option("--assume-active", is_flag=True, help="Judge every zone as if it had been in force throughout."),
    click.option("--parties", type=click.Path(path_type=Path),
                 help="CSV with the columns target,party, for zones that bind named parties."),
)  # fmt: skip

altitude_options = _all(
    click.option("--qnh", type=float, metavar="HPA",
                 help="Pressure at sea level: makes flight levels and heights above the sea comparable."),
    click.option("--ground-elevation", metavar="LOW:HIGH",
                 help="Elevation of the ground in metres above the sea, for limits above ground."),
)  # fmt: skip

feed_options = _all(
    click.option("--start", metavar="INSTANT",
                 help="Instant of the first byte, for formats without absolute time (Beast, AVR)."),
    click.option("--receiver", metavar="LAT,LON", help="Where the receiver or radar stood."),
    click.option("--column", "columns", multiple=True, metavar="NAME=COLUMN[:UNIT]",
                 help="CSV and Parquet: which column holds what, e.g. altitude_baro_m=alt:ft."),
    click.option("--source", metavar="NAME",
                 help="All that is read is of one source, so named: tracks go on from one file to the next."),
)  # fmt: skip

output_options = _all(
    click.option("--format", "format", type=click.Choice(["table", "json", "csv", "geojson", "parquet", "arrow"]),
                 help="What to write; the suffix of --out says it too."),
    click.option("--out", type=click.Path(path_type=Path), help="Write to this file; it is whole or absent."),
)  # fmt: skip


def altitude_assumptions(qnh: float | None, ground_elevation: str | None) -> AltitudeAssumptions:
    from keepclear.tracks.altitude import AltitudeAssumptions

    ground: tuple[float, float] | None = None
    if ground_elevation:
        low, separator, high = ground_elevation.partition(":")
        try:
            ground = (float(low), float(high if separator else low))
        except ValueError:
            raise UsageError(f"--ground-elevation {ground_elevation}: write LOW:HIGH in metres, e.g. 90:210") from None
    return AltitudeAssumptions(qnh_hpa=qnh, ground_elevation_m=ground)


def decoder_options(
    start: str | None, receiver: str | None, columns: tuple[str, ...], source: str | None = None
) -> DecoderOptions:
    from keepclear.feeds.formats import DecoderOptions
    from keepclear.quantities import parse_instant
    from keepclear.space.geometry import check_position

    lat = lon = None
    if receiver:
        try:
            lat_text, lon_text = receiver.split(",")
            lon, lat = check_position(float(lon_text), float(lat_text), where="--receiver")
        except ValueError:
            raise UsageError(f"--receiver {receiver}: write LAT,LON in degrees, e.g. 50.34,30.89") from None
    named: dict[str, str] = {}
    for column in columns:
        name, separator, value = column.partition("=")
        if not separator or not value:
            raise UsageError(f"--column {column}: write NAME=COLUMN, e.g. lat_deg=latitude")
        named[name] = value
    return DecoderOptions(
        source=source or "", start_s=parse_instant(start) if start else None, receiver_lat_deg=lat,
        receiver_lon_deg=lon, columns=named,
    )  # fmt: skip


def require_above_zero(option: str, value: float) -> float:
    """The value, if it is a finite number above 0. Raises :class:`UsageError`."""
    if not 0.0 < value < float("inf"):
        raise UsageError(f"{option} {value:g}: write a number above 0")
    return value


def parties_of(path: Path | None) -> Mapping[str, str]:
    """Target → party of a CSV file with these two columns."""
    import csv

    if path is None:
        return {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            if not {"target", "party"} <= set(reader.fieldnames or ()):
                raise InputError("the first line must name the columns target,party", source=str(path))
            parties: dict[str, str] = {}
            for row in reader:
                if not row["target"] or not row["party"]:
                    raise InputError(
                        "a row needs both target and party", where=f"line {reader.line_num}", source=str(path)
                    )
                parties[row["target"].strip().lower()] = row["party"].strip()
            return parties
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"is no CSV text in UTF-8 ({error})", source=str(path)) from None


def read_zone_options(zone_files: tuple[Path, ...], firs: tuple[Path, ...]) -> ZoneSet:
    """The zones, every problem said on stderr; raises if none is left."""
    from keepclear.node import read_zones

    reading = read_zones(*zone_files, firs=list(firs))
    for problem in reading.problems:
        click.echo(f"keepclear: {problem.severity.lower()}: {problem}", err=True)
    if not len(reading.zones):
        raise UsageError(f"no zone could be read from {', '.join(str(f) for f in zone_files)}")
    return reading.zones
