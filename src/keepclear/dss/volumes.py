"""Volumes as F3548-21 and F3411-22a write them, and the extents they stand for (rules 3 to 6)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Literal

import msgspec

from keepclear.dss.cells import Cells, ShapeTooLarge, ShapeUnusable, cover_circle, cover_polygon
from keepclear.dss.extent import HIGHEST_M, LOWEST_M, Extent, Volume, union
from keepclear.dss.instants import FOREVER_US, NEVER_US, Instant, microseconds, rfc3339
from keepclear.dss.refusal import Refusal, RefusalKind, bad
from keepclear.dss.request import Rules
from keepclear.errors import InputError
from keepclear.space.geometry import Circle, LonLat

__all__ = ["Time", "Volume4D", "extent_of", "make_extent", "time_of", "union_of"]

VERTICES_MAX = 10_000
"""F3548-21 lets an operational intent have as many, over all its volumes."""
VOLUMES_MAX = 2_000
"""More volumes than this are better sent as fewer: the DSS unites them anyway."""
TIMES_KEPT = 65_536
"""Times written out lately: a reference is read far more often than it is written."""
CELLS_MAX = 400_000
"""About 400,000 km²: what one entity may occupy in memory (100 kB)."""


class Time(msgspec.Struct, frozen=True):
    value: Instant
    format: Literal["RFC3339"]


class Radius(msgspec.Struct, frozen=True):
    value: float
    units: Literal["M"]


class Altitude(msgspec.Struct, frozen=True):
    value: Annotated[float, msgspec.Meta(ge=-8_000, le=100_000)]
    reference: Literal["W84"]
    units: Literal["M"]


class LatLngPoint(msgspec.Struct, frozen=True):
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    lng: Annotated[float, msgspec.Meta(ge=-180, le=180)]


Vertices = Annotated[list[LatLngPoint], msgspec.Meta(min_length=3, max_length=VERTICES_MAX)]


class OutlinePolygon(msgspec.Struct, frozen=True):
    vertices: Vertices


class OutlineCircle(msgspec.Struct, frozen=True):
    center: LatLngPoint
    radius: Radius


class Volume3D(msgspec.Struct, frozen=True):
    outline_circle: OutlineCircle | None = None
    outline_polygon: OutlinePolygon | None = None
    altitude_lower: Altitude | None = None
    altitude_upper: Altitude | None = None


class Volume4D(msgspec.Struct, frozen=True):
    volume: Volume3D
    time_start: Time | None = None
    time_end: Time | None = None


Volumes = Annotated[list[Volume4D], msgspec.Meta(min_length=1, max_length=VOLUMES_MAX)]


class TimeAnswer(msgspec.Struct, frozen=True):
    value: str
    format: Literal["RFC3339"] = "RFC3339"


@lru_cache(maxsize=TIMES_KEPT)
def time_of(time_us: int) -> TimeAnswer:
    """An instant as these standards write it."""
    return TimeAnswer(rfc3339(time_us))


def extent_of(volume: Volume4D, rules: Rules, too_large: RefusalKind = RefusalKind.BAD_REQUEST) -> Extent:
    """One volume's extent. Raises :class:`Refusal`; an area beyond the limit is refused as ``too_large``."""
    space = volume.volume
    circle, polygon = space.outline_circle, space.outline_polygon
    if (circle is None) == (polygon is None):
        raise bad("a volume needs exactly one of outline_circle and outline_polygon")
    shape: Circle | tuple[LonLat, ...]
    if circle is not None:
        if not circle.radius.value > 0.0:
            raise bad("the radius must be above 0")
        try:
            shape = Circle(circle.center.lng, circle.center.lat, circle.radius.value)
        except InputError as error:
            raise Refusal(too_large, str(error)) from None
    else:
        assert polygon is not None
        shape = tuple((v.lng, v.lat) for v in polygon.vertices)
    return make_extent(
        shape, rules, too_large,
        lower_m=LOWEST_M if space.altitude_lower is None else space.altitude_lower.value,
        upper_m=HIGHEST_M if space.altitude_upper is None else space.altitude_upper.value,
        start_us=NEVER_US if volume.time_start is None else microseconds(volume.time_start.value),
        end_us=FOREVER_US if volume.time_end is None else microseconds(volume.time_end.value),
    )  # fmt: skip


def make_extent(
    shape: Circle | tuple[LonLat, ...], rules: Rules, too_large: RefusalKind,
    *, lower_m: float = LOWEST_M, upper_m: float = HIGHEST_M, start_us: int = NEVER_US, end_us: int = FOREVER_US,
) -> Extent:  # fmt: skip
    """An extent of any of the standards' shapes, checked."""
    if lower_m > upper_m:
        raise bad(f"the lower altitude {lower_m:g} m is above the upper {upper_m:g} m")
    if start_us > end_us:
        raise bad("the volume ends before it starts")
    cells = _cells(shape, rules, too_large)
    volumes: tuple[Volume, ...] = ()
    if rules.strict:
        if isinstance(shape, Circle):
            volumes = (Volume((), shape, lower_m, upper_m, start_us, end_us),)
        else:
            volumes = (Volume(shape, None, lower_m, upper_m, start_us, end_us),)
    return Extent(cells, lower_m, upper_m, start_us, end_us, volumes)


def union_of(volumes: Sequence[Volume4D], rules: Rules, too_large: RefusalKind = RefusalKind.BAD_REQUEST) -> Extent:
    """The one extent around an entity's volumes (rule 6)."""
    vertices = sum(len(v.volume.outline_polygon.vertices) for v in volumes if v.volume.outline_polygon)
    if vertices > VERTICES_MAX:
        raise Refusal(too_large, f"the volumes have {vertices:,} vertices; at most {VERTICES_MAX:,}")
    extents: list[Extent] = []
    cells = 0
    for volume in volumes:
        extents.append(extent_of(volume, rules, too_large))
        cells += len(extents[-1].cells)
        if cells > CELLS_MAX:
            raise Refusal(too_large, f"the volumes cover more than {CELLS_MAX:,} cells")
    return union(extents)


def _cells(shape: Circle | tuple[LonLat, ...], rules: Rules, too_large: RefusalKind) -> Cells:
    try:
        if isinstance(shape, Circle):
            return cover_circle(shape, rules.area_max_km2)
        return cover_polygon(shape, rules.area_max_km2)
    except ShapeUnusable as error:
        raise bad(str(error)) from None
    except ShapeTooLarge as error:
        raise Refusal(too_large, str(error)) from None
