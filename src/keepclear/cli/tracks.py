"""``keepclear tracks``: what recorded tracks say of the sensor that they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from keepclear.cli.options import decoder_options, feed_options, output_options, require_above_zero
from keepclear.cli.progress import counted, say, say_first_run
from keepclear.cli.track_reading import read_with_progress, require_positions, say_faults
from keepclear.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from keepclear.feeds.formats import DecoderOptions
    from keepclear.feeds.reports import ReportBatch
    from keepclear.tracks.bearing_bias import BearingBias

__all__ = ["command"]

GAP_S = 30.0
"""A known track is not interpolated over more than this: an aircraft may turn meanwhile."""


@click.group(name="tracks")
def command() -> None:
    """Check the sensors that recorded tracks come from."""


@command.command()
@click.argument("sensor", nargs=-1, required=True, metavar="SENSOR…")
@click.option(
    "--known",
    multiple=True,
    required=True,
    metavar="TRACKS",
    help="The same sky from elsewhere, ADS-B say; repeatable.",
)
@click.option(
    "--tolerance",
    "tolerance_deg",
    default=2.0,
    show_default=True,
    metavar="DEGREES",
    help="Turned by less than this is OK.",
)
@feed_options
@output_options
@click.pass_context
def bias(ctx: click.Context, /, sensor: tuple[str, ...], known: tuple[str, ...], **given: Any) -> None:
    """Say whether a sensor's bearings are turned, against traffic that is known otherwise.

    A radar that was moved and not realigned shows every target at the right range and a wrong bearing, all by one
    angle. SENSOR are its recordings, --receiver is where it stands; --start and --column hold for --known too. Exit
    code 0 is OK only: MISALIGNED and UNDETERMINED are 1.

    \b
    Example:
      keepclear tracks bias radar.csv --known adsb.csv --receiver 50.1,22.0
    """
    from keepclear.cli.output import write_rows
    from keepclear.tracks.bearing_bias import BearingVerdict, estimate_bearing_bias

    require_above_zero("--tolerance", given["tolerance_deg"])
    options = decoder_options(given["start"], given["receiver"], given["columns"], given["source"])
    if options.receiver_lat_deg is None or options.receiver_lon_deg is None:
        raise UsageError("--receiver LAT,LON is needed: bearings are from where the sensor stands")
    say_first_run("tracks/order")
    sensed = _read(sensor, options)
    truth = _read(known, decoder_options(given["start"], None, given["columns"]))
    found = estimate_bearing_bias(
        sensed, truth, options.receiver_lat_deg, options.receiver_lon_deg, tolerance_deg=given["tolerance_deg"],
        gap_max_s=GAP_S,
    )  # fmt: skip
    said = _sentence(found, given["tolerance_deg"])
    if given["format"] or given["out"]:
        write_rows(_row(found, given["tolerance_deg"]), given["format"], given["out"])
        say(said)
    else:
        click.echo(said)
    ctx.exit(0 if found.verdict is BearingVerdict.OK else 1)


def _read(files: tuple[str, ...], options: DecoderOptions) -> ReportBatch:
    reading = read_with_progress(files, options, GAP_S)
    say_faults(reading)
    require_positions(reading, files)
    return reading.reports


def _sentence(found: BearingBias, tolerance_deg: float) -> str:
    from keepclear.tracks.bearing_bias import BearingVerdict

    over = f"{counted(found.pairs, 'report')} of {counted(found.targets, 'target')} that agree"
    if found.verdict is BearingVerdict.UNDETERMINED and found.bias_deg != found.bias_deg:
        return f"UNDETERMINED: too few reports agree on one angle; over {over}. This is not OK."
    way = "clockwise" if found.bias_deg >= 0.0 else "anticlockwise"
    low, high = found.interval_deg
    text = (
        f"{found.verdict}: bearings are {abs(found.bias_deg):.1f}° {way} of the true ones "
        f"(95 %: {low:.1f}° to {high:.1f}°), tolerance {tolerance_deg:g}°; over {over}."
    )
    if found.verdict is BearingVerdict.UNDETERMINED:
        return f"{text} The interval reaches over the tolerance: this is not OK."
    return text


def _row(found: BearingBias, tolerance_deg: float) -> pa.Table:
    import pyarrow as pa

    def number(value: float) -> float | None:
        return value if value == value else None

    row = {
        "verdict": str(found.verdict),
        "bias_deg": number(found.bias_deg),
        "interval_low_deg": number(found.interval_deg[0]),
        "interval_high_deg": number(found.interval_deg[1]),
        "tolerance_deg": tolerance_deg,
        "reports": found.pairs,
        "targets": found.targets,
    }
    schema = pa.schema(
        [(name, pa.string() if name == "verdict" else pa.int64() if name in ("reports", "targets") else pa.float64())
         for name in row]
    )  # fmt: skip
    return pa.Table.from_pylist([row], schema)
