"""The structured fields of messages and read-backs as options, read in one place so that both are typed alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from keepclear.errors import InputError, UsageError

if TYPE_CHECKING:
    from keepclear.messages.fields import Position

__all__ = ["ACTIONS", "critical_fields", "critical_options", "duration_ms", "instant_ms", "position_of", "shown"]

F = TypeVar("F", bound=Callable[..., Any])

ACTIONS = (
    "NONE", "KEEP_CLEAR", "LEAVE_AREA", "HOLD_POSITION", "CEASE_ACTIVITY", "DELAY_ACTIVITY", "CONTACT_ON_FREQUENCY",
    "CONFIRM_POSITION", "CONFIRM_IDENTITY", "INFORM_UNITS", "PROVIDE_INFORMATION", "INVESTIGATE_AND_REPORT",
)  # fmt: skip
_SECONDS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}


def critical_options(function: F) -> F:
    """What a read-back repeats: places, times, limits, action."""
    for option in reversed(
        (
            click.option("--position", "positions", multiple=True, metavar="PLACE",
                         help="'50.45,30.52' or '502700N0303124E', then ';' and the place's name; repeatable."),
            click.option("--area", "area", multiple=True, metavar="PLACE",
                         help="A corner of the area, or its centre with --radius; repeatable, in order."),
            click.option("--radius", "radius_m", type=click.IntRange(min=1), metavar="METRES", help="A circle."),
            click.option("--from", "from_", metavar="INSTANT", help="When it begins, e.g. 2026-05-01T06:00:00Z."),
            click.option("--until", "until", metavar="INSTANT", help="When it ends."),
            click.option("--lower", metavar="LEVEL", help="Lower limit: 'GND', 'FL195', '3000 ft AMSL', '500 m AGL'."),
            click.option("--upper", metavar="LEVEL", help="Upper limit; 'UNL' for none."),
            click.option("--zone", default="", help="Id of the published zone that it is about."),
            click.option("--zone-version", default="", help="Which version of it."),
            click.option("--action", type=click.Choice(ACTIONS, case_sensitive=False), default="NONE",
                         show_default=True, help="What is asked for."),
        )
    ):  # fmt: skip
        function = option(function)
    return function


def critical_fields(given: dict[str, Any]) -> dict[str, Any]:
    """The options of :func:`critical_options` as a message's fields; takes them out of ``given``."""
    from keepclear.messages.fields import AltitudeLimit, Area
    from keepclear.messages.vocabulary import Action
    from keepclear.quantities import Datum
    from keepclear.zones.level_text import level_of

    def limit(text: str | None, *, upper: bool) -> AltitudeLimit | None:
        if text is None:
            return None
        if not upper and text.strip().upper() in ("GND", "SFC", "SURFACE"):
            return AltitudeLimit(datum=Datum.AGL)  # people are told «the ground», not «no limit»
        level = level_of(text, upper=upper)
        if level.value != round(level.value):
            raise InputError(f"a limit is a whole number of its unit: {text!r}")
        return AltitudeLimit(datum=level.datum, value=round(level.value), unit=level.unit)

    corners = tuple(position_of(text) for text in given.pop("area"))
    radius_m = given.pop("radius_m")
    if radius_m is not None and not corners:
        raise UsageError("--radius needs the centre as --area")
    return {
        "positions": tuple(position_of(text) for text in given.pop("positions")),
        "area": Area(positions=corners, radius_m=radius_m) if corners else None,
        "from_ms": instant_ms(given.pop("from_")), "to_ms": instant_ms(given.pop("until")),
        "lower": limit(given.pop("lower"), upper=False), "upper": limit(given.pop("upper"), upper=True),
        "zone": given.pop("zone"), "zone_version": given.pop("zone_version"),
        "action": Action(given.pop("action").upper()),
    }  # fmt: skip


def shown(value: Any) -> str:
    """A critical field in one line, as a person compares it."""
    if isinstance(value, tuple):
        return ", ".join(shown(one) for one in value if one not in (None, "")) or "nothing"
    if hasattr(value, "lat_deg"):
        return f"{value.lat_deg:.5f},{value.lon_deg:.5f}"
    if hasattr(value, "datum"):
        return (
            f"{value.datum.value}"
            if value.datum == "UNBOUNDED"
            else f"{value.value} {value.unit.value} {value.datum.value}"
        )
    if isinstance(value, int) and value > 10**11:
        from keepclear.quantities import format_instant

        return format_instant(value / 1000.0)
    if hasattr(value, "__struct_fields__"):
        return ", ".join(f"{n} {shown(getattr(value, n))}" for n in value.__struct_fields__ if getattr(value, n))
    return "nothing" if value in (None, "") else str(getattr(value, "value", value))


def position_of(text: str) -> Position:
    """«50.45,30.52;Kyiv» or any form of coordinates that charts use; raises :class:`InputError` where it is none."""
    from keepclear.messages.fields import Position
    from keepclear.zones.coordinates import read_position

    place, _, name = text.partition(";")
    try:
        lat, lon = (float(part) for part in place.split(","))
        return Position.of(lat, lon, place_name=name.strip())
    except ValueError:
        lon, lat = read_position(place)
        return Position.of(lat, lon, place_name=name.strip(), as_given=place.strip())


def instant_ms(text: str | None) -> int | None:
    from keepclear.quantities import parse_instant

    return None if text is None else round(parse_instant(text) * 1000.0)


def duration_ms(text: str) -> int:
    """«90s», «15min», «6h», «2d»."""
    number = text.rstrip("smind h")
    seconds = _SECONDS.get(text[len(number) :].strip())
    if seconds is None or not number.isdigit():
        raise UsageError(f"a duration reads 90s, 15min, 6h or 2d: {text!r}")
    return int(number) * seconds * 1000
