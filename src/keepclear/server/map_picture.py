"""A map as a picture: zones, tracks and what was found, over land. For people; nothing is computed on it."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from keepclear.errors import MissingExtra
from keepclear.server.coastline import land_rings
from keepclear.server.drawing import drawn_rings
from keepclear.zones.model import Zone, ZoneType

if TYPE_CHECKING:
    import pyarrow as pa

    from keepclear.tracks.table import ReportFlag, TrackTable

__all__ = ["draw_map"]

POINTS_MAX = 400_000
"""Track points drawn; beyond it every second, third … point is left out, evenly. A picture has fewer pixels."""
MARKS_MAX = 2_000
NAMES_MAX = 12
"""Zones and tracks named in the picture: more would cover it."""
LAT_MAX_DEG = 84.0
VIEW_MIN_DEG = 0.5

_INK, _QUIET, _SEA, _LAND, _COAST, _TRACK = "#14212b", "#51626f", "#e4ecf1", "#f7f6f2", "#a9b4bc", "#7c8c99"
_VERDICT = {"ACTUAL": "#c43c00", "INDETERMINATE": "#a03c7c", "PREDICTED": "#a86a00", "EXEMPT": "#00755a"}
_MARK = {"ACTUAL": "o", "INDETERMINATE": "D", "PREDICTED": "^", "EXEMPT": "s"}
_ZONE = {
    ZoneType.RESTRICTED: "#b86e00", ZoneType.DANGER: "#8a7a00", ZoneType.ADIZ: "#0062a8",
    ZoneType.SPECIAL_CAUTION: "#a03c7c", ZoneType.HUMANITARIAN: "#00755a",
    ZoneType.THIRD_PARTY_TERRITORY: "#2a7fb0", ZoneType.AIRSPACE: "#6f7c87",
}  # fmt: skip
_ZONE_OTHER = "#c43c00"

Points = npt.NDArray[np.float64]


def draw_map(
    zones: Sequence[Zone], tracks: TrackTable | None, rows: pa.Table | None, *,
    title: str = "", note: str = "", format: Literal["png", "svg"] = "png", width_in: float = 11.0, dpi: int = 130,
) -> bytes:  # fmt: skip
    """The picture's bytes. ``rows`` are those of a scan (``track_id``, ``verdict``, ``entry_lon_deg`` …) or of
    encounters (``cpa_lon_deg`` … or any pair of columns ending so); the zones and tracks concerned stand out.

    Raises :class:`MissingExtra` without matplotlib.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("a map picture", "report") from None

    worst, marks, concerned = _findings(rows)
    shapes = [(zone, drawn_rings(volume.shape)) for zone in zones for volume in zone.volumes]
    view = _view([rings for zone, rings in shapes if zone.id in concerned or not concerned], marks, tracks)
    west, south, east, north = view
    centre = (west + east) / 2.0
    height = min(1.25, max(0.45, (_mercator(north) - _mercator(south)) / (east - west)))
    figure = Figure(figsize=(width_in, width_in * height + 0.5), dpi=dpi, facecolor="white", layout="constrained")
    axes = figure.add_subplot(facecolor=_SEA)
    _draw_land(axes, view)
    _draw_zones(axes, shapes, concerned, centre)
    if tracks is not None:
        _draw_tracks(axes, tracks, worst, centre)
    _draw_marks(axes, marks, centre)
    _frame(axes, view, title, note)
    out = io.BytesIO()
    canvas: Any
    if format == "svg":
        import matplotlib

        with matplotlib.rc_context({"svg.hashsalt": "keepclear", "svg.fonttype": "none"}):
            canvas = FigureCanvasSVG(figure)
            canvas.print_svg(out, metadata={"Date": None, "Creator": "Keepclear"})
    else:
        canvas = FigureCanvasAgg(figure)
        canvas.print_png(out, metadata={"Software": "Keepclear"})
    return out.getvalue()


def _findings(rows: pa.Table | None) -> tuple[dict[str, str], list[tuple[float, float, str, str]], set[str]]:
    """The worst word of each track, the marks (lon, lat, word, label), and the zones concerned."""
    if rows is None or rows.num_rows == 0:
        return {}, [], set()
    names = set(rows.column_names)

    def column(name: str) -> list[Any]:
        return rows[name].to_pylist() if name in names else [None] * rows.num_rows

    lon_name = next((n for n in ("entry_lon_deg", "cpa_lon_deg", "at_lon_deg", "lon_deg") if n in names), "")
    words = [
        "EXEMPT" if exempt else str(verdict or "ACTUAL") for exempt, verdict in zip(column("exempt"), column("verdict"))
    ]
    order = ("EXEMPT", "PREDICTED", "INDETERMINATE", "ACTUAL")
    worst: dict[str, str] = {}
    for ids in (column("track_id"), column("other_track_id"), column("other_id")):
        for track, word in zip(ids, words):
            if track is not None and (track not in worst or order.index(word) > order.index(worst[track])):
                worst[track] = word
    callsigns = (c or t or "" for c, t in zip(column("callsign"), column("track_id")))
    places = zip(column(lon_name), column(lon_name.replace("lon", "lat")), words, callsigns)
    marks = [(lon, lat, word, name) for lon, lat, word, name in places if lon is not None and lat is not None]
    marks.sort(key=lambda mark: order.index(mark[2]))
    return worst, marks[-MARKS_MAX:], {zone for zone in column("zone_id") if zone is not None}


def _view(
    zone_rings: Iterable[list[list[list[float]]]],
    marks: Sequence[tuple[float, float, str, str]],
    tracks: TrackTable | None,
) -> tuple[float, float, float, float]:
    """West, south, east, north of what matters, with a margin; longitudes may run past ±180°."""
    parts = [np.asarray(rings[0], dtype=np.float64) for rings in zone_rings]
    world_wide = any(np.ptp(part[:, 0]) > 180.0 for part in parts)
    if marks:
        parts.append(np.array([mark[:2] for mark in marks], dtype=np.float64))
    if not parts and tracks is not None and len(tracks.reports):
        parts.append(np.column_stack([tracks.reports.lon_deg, tracks.reports.lat_deg]))
    if not parts:
        return -180.0, -60.0, 180.0, 75.0
    lon, lat = np.concatenate(parts).T
    # The shortest arc of longitudes that holds them all: from after the widest empty stretch to before it.
    turned = np.sort((lon + 180.0) % 360.0 - 180.0)
    widths = np.diff(turned, append=turned[0] + 360.0)
    widest = int(widths.argmax())
    if world_wide:
        west, east = -180.0, 180.0
    else:
        west = float(turned[(widest + 1) % len(turned)])
        east = west + 360.0 - float(widths[widest])
    # A long edge's own inside is not an empty stretch: a zone wider than the gap still fits, being under 180°.
    margin = max(VIEW_MIN_DEG, 0.15 * (east - west), 0.15 * float(np.ptp(lat)))
    south, north = max(-LAT_MAX_DEG, float(lat.min()) - margin), min(LAT_MAX_DEG, float(lat.max()) + margin)
    west, east = west - margin, east + margin
    if east - west > 360.0:
        west, east = (west + east) / 2.0 - 180.0, (west + east) / 2.0 + 180.0
    return west, south, east, north


def _mercator(lat_deg: Any) -> Any:
    """Mercator's ordinate in degrees of longitude."""
    return np.degrees(np.arcsinh(np.tan(np.radians(np.clip(lat_deg, -LAT_MAX_DEG - 1.0, LAT_MAX_DEG + 1.0)))))


def _near(lon_deg: Any, centre: float) -> Any:
    return (np.asarray(lon_deg) - centre + 180.0) % 360.0 - 180.0 + centre


def _draw_land(axes: Any, view: tuple[float, float, float, float]) -> None:
    from matplotlib.collections import PolyCollection

    west, south, east, north = view
    shown = []
    for rings in land_rings():
        outer = rings[0]
        if outer[:, 1].max() < south or outer[:, 1].min() > north:
            continue
        for turn in (-360.0, 0.0, 360.0):
            if outer[:, 0].max() + turn >= west and outer[:, 0].min() + turn <= east:
                shown.append(np.column_stack([outer[:, 0] + turn, _mercator(outer[:, 1])]))
    axes.add_collection(PolyCollection(shown, facecolor=_LAND, edgecolor=_COAST, linewidth=0.6, zorder=1))


def _draw_zones(axes: Any, shapes: Sequence[tuple[Zone, Any]], concerned: set[str], centre: float) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    named: set[str] = set()
    largest_first = sorted(shapes, key=lambda shape: -float(np.ptp(np.asarray(shape[1][0]), axis=0).prod()))
    for zone, rings in largest_first:
        colour = _ZONE.get(zone.type, _ZONE_OTHER)
        at_issue = zone.id in concerned or not concerned
        outer = np.asarray(rings[0], dtype=np.float64)
        turn = float(_near(outer[:, 0].mean(), centre) - outer[:, 0].mean())
        paths = [np.column_stack([r[:, 0] + turn, _mercator(r[:, 1])]) for r in (np.asarray(ring) for ring in rings)]
        path = Path.make_compound_path(*(Path(points, closed=True) for points in paths))
        face = (colour, 0.14 if at_issue else 0.04)
        patch = PathPatch(path, facecolor=face, edgecolor=colour, linewidth=1.6 if at_issue else 0.7, zorder=2)
        axes.add_patch(patch)
        if at_issue and zone.id not in named and len(named) < NAMES_MAX:
            named.add(zone.id)
            top = paths[0][paths[0][:, 1].argmax()]
            _label(axes, float(paths[0][:, 0].mean()), float(top[1]), _zone_name(zone), colour, above=True)


def _zone_name(zone: Zone) -> str:
    """A NOTAM's zone is named by its number and what it closes; the number is enough on a map."""
    return zone.id if not zone.name or zone.name.startswith(zone.id) else zone.name


def _draw_tracks(axes: Any, tracks: TrackTable, worst: dict[str, str], centre: float) -> None:
    from matplotlib.collections import LineCollection

    from keepclear.tracks.table import ReportFlag

    every = max(1, math.ceil(len(tracks.reports) / POINTS_MAX))
    groups: dict[str, list[Points]] = {}
    for row, track_id in enumerate(tracks.track_id):
        own = slice(int(tracks.start[row]), int(tracks.start[row + 1]))
        lines = _lines(tracks, own, 1 if track_id in worst else every, centre, ReportFlag)
        groups.setdefault(worst.get(track_id, ""), []).extend(lines)
    for word, width, order in (
        ("", 0.6, 3),
        ("EXEMPT", 1.2, 4),
        ("PREDICTED", 1.4, 5),
        ("INDETERMINATE", 1.4, 5),
        ("ACTUAL", 1.6, 6),
    ):
        if groups.get(word):
            colour = _VERDICT.get(word, _TRACK)
            axes.add_collection(
                LineCollection(
                    groups[word], colors=colour, linewidths=width, alpha=0.55 if not word else 0.9, zorder=order
                )
            )


def _lines(tracks: TrackTable, own: slice, every: int, centre: float, flag: type[ReportFlag]) -> list[Points]:
    """A track's lines, broken where nothing is known between two reports, and where the map's edge is."""
    lon, lat = _near(tracks.reports.lon_deg[own], centre), tracks.reports.lat_deg[own]
    broken = (tracks.flags[own] & (flag.GAP_BEFORE | flag.IMPOSSIBLE_JUMP)) != 0
    broken[1:] |= np.abs(np.diff(lon)) > 180.0
    points = np.column_stack([lon, _mercator(lat)])
    return [
        line[::every] if len(line) > 2 * every else line
        for line in np.split(points, np.flatnonzero(broken)) if len(line) > 1
    ]  # fmt: skip


def _draw_marks(axes: Any, marks: Sequence[tuple[float, float, str, str]], centre: float) -> None:
    for word in ("EXEMPT", "PREDICTED", "INDETERMINATE", "ACTUAL"):
        own = [mark for mark in marks if mark[2] == word]
        if not own:
            continue
        lon, lat = _near([m[0] for m in own], centre), _mercator(np.array([m[1] for m in own]))
        label = f"{word.lower()}: place of entry or closest approach"
        axes.scatter(
            lon, lat, s=28, marker=_MARK[word], facecolor="white", edgecolor=_VERDICT[word], linewidth=1.4, zorder=8,
            label=label,
        )  # fmt: skip
    named: set[str] = set()
    for lon, lat, word, name in reversed(marks):
        if name and name not in named and len(named) < NAMES_MAX:
            named.add(name)
            _label(axes, float(_near(lon, centre)), float(_mercator(lat)), name, _VERDICT[word], above=False)


def _label(axes: Any, x: float, y: float, text: str, colour: str, *, above: bool) -> None:
    from matplotlib import patheffects

    axes.annotate(
        _plain(text), (x, y), xytext=(0, 4) if above else (6, 3), textcoords="offset points", color=colour,
        fontsize=9 if above else 7.5, fontweight="bold" if above else "normal", ha="center" if above else "left",
        zorder=9, clip_on=True, annotation_clip=True, parse_math=False,
        path_effects=[patheffects.withStroke(linewidth=2.2, foreground="white")],
    )  # fmt: skip


def _plain(text: str) -> str:
    """One short printable line, whatever a feed called itself."""
    line = "".join(c if c.isprintable() else " " for c in text)
    return line if len(line) <= 40 else line[:39] + "…"


def _frame(axes: Any, view: tuple[float, float, float, float], title: str, note: str) -> None:
    west, south, east, north = view
    axes.set_xlim(west, east)
    axes.set_ylim(_mercator(south), _mercator(north))
    axes.set_aspect("equal", adjustable="box")
    lons, lats = _ticks(west, east), _ticks(south, north)
    axes.set_xticks(lons, [_degrees((lon + 180.0) % 360.0 - 180.0, "E", "W") for lon in lons])
    axes.set_yticks(_mercator(np.array(lats)), [_degrees(lat, "N", "S") for lat in lats])
    axes.tick_params(labelsize=8, colors=_QUIET, length=3)
    axes.grid(color="#c9d4db", linewidth=0.5, zorder=1.5)
    for spine in axes.spines.values():
        spine.set_color(_COAST)
    if title:
        axes.set_title(
            _plain(title) if len(title) <= 40 else title, loc="left", fontsize=11, color=_INK, parse_math=False
        )
    handles, _ = axes.get_legend_handles_labels()
    if handles:
        axes.legend(loc="lower left", fontsize=8, framealpha=0.92, edgecolor=_COAST)
    source = "Coastlines: Natural Earth, for orientation only."
    axes.set_xlabel(f"{note}  {source}" if note else source, fontsize=7.5, color=_QUIET, loc="left", parse_math=False)


def _ticks(low: float, high: float) -> list[float]:
    step = next((s for s in (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0) if (high - low) / s <= 9), 60.0)
    return [round(i * step, 6) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _degrees(value: float, plus: str, minus: str) -> str:
    return f"{abs(value):g}°{plus if value > 0 else minus if value < 0 else ''}"
