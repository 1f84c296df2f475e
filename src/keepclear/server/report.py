"""A finding as one HTML file: it opens from disk, asks no other host for anything, and says what it rests on."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

from keepclear.errors import MissingExtra
from keepclear.quantities import FOOT_M, format_instant, limits_text
from keepclear.space.geometry import Circle, EdgeType
from keepclear.zones.model import Zone

if TYPE_CHECKING:
    import pyarrow as pa

    from keepclear.tracks.table import TrackTable

__all__ = ["InputFile", "ReportMeta", "write_report", "zone_assumptions"]

ROWS_MAX = 5_000
"""Rows in the table, the worst first. A browser sorts so many at once; ``--format`` writes all."""
TEXT_MAX = 20_000
"""Characters of one zone's published words."""
ZONES_MAX = 300
"""Zones told in full: those concerned first."""

_FIRST = (
    "verdict", "callsign", "target", "other_callsign", "other_target", "zone_id", "zone_version", "entry_time",
    "exit_time", "cpa_time", "lowest_altitude_m", "highest_altitude_m", "altitude_datum", "depth_m",
    "cpa_horizontal_m", "cpa_vertical_m", "coverage", "doubt", "exemption",
)  # fmt: skip
_WORSE = {"ACTUAL": 0, "INDETERMINATE": 1, "PREDICTED": 2}


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file that was read."""

    name: str
    sha256: str
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ReportMeta:
    """What the rows do not say."""

    title: str
    summary: str
    """the finding in one sentence, with its denominators"""
    counts: Sequence[tuple[str, str]] = ()
    """violations, tracks and aircraft counted separately; over what coverage"""
    assumptions: Sequence[str] = ()
    warnings: Sequence[str] = ()
    """what was refused or left out"""
    command: str = ""
    inputs: Sequence[InputFile] = ()
    version: str = ""
    made_s: float = math.nan
    """when; the caller has the clock"""
    simulated: bool = False
    notes: Sequence[str] = field(default_factory=tuple)
    """further findings, such as vertical gaps between neighbouring zones"""


def write_report(rows: pa.Table, zones: Sequence[Zone], tracks: TrackTable | None, meta: ReportMeta) -> bytes:
    """The whole file. Every text from outside is escaped; the policy in it allows nothing but its own style and its
    own few lines of script. Without matplotlib (the extra ``report``) it says that the picture is missing."""
    concerned = _concerned(rows)
    ordered = sorted(zones, key=lambda zone: zone.id not in concerned)
    script_hash = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{script_hash}'; "
        "base-uri 'none'; form-action 'none'"
    )
    simulated = '<p class="simulated">Simulated traffic</p>' if meta.simulated else ""
    made = f" · {_time(meta.made_s)}" if math.isfinite(meta.made_s) else ""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(meta.title)}</title><style>{_STYLE}</style></head><body><main>",
        f'<header><p class="by">Keepclear {escape(meta.version)}{made}</p>{simulated}<h1>{escape(meta.title)}</h1>',
        f'<p class="summary">{escape(meta.summary)}</p></header>',
        _counts(meta.counts),
        _picture(zones, tracks, rows, meta),
        _table(rows),
        _list("Further findings", meta.notes),
        _list("What this rests on", meta.assumptions),
        _list("Refused or left out", meta.warnings),
        _zones(ordered, concerned),
        _provenance(meta),
        f"</main><script>{_SCRIPT}</script></body></html>",
    ]
    return "\n".join(part for part in parts if part).encode()


def zone_assumptions(zones: Iterable[Zone], *, assume_active: bool = False) -> tuple[str, ...]:
    """What the zones' own data made necessary to assume, one sentence each, for :attr:`ReportMeta.assumptions`."""
    edges: dict[str, int] = {}
    estimated = buffered = inaccurate = 0
    for zone in zones:
        for volume in zone.volumes:
            kind = "CIRCLE" if isinstance(volume.shape, Circle) else str(volume.shape.edge_type)
            edges[kind] = edges.get(kind, 0) + 1
        estimated += any(period.end_estimated for period in zone.applicability)
        buffered += zone.buffer_lateral_m > 0 or zone.buffer_vertical_m > 0
        inaccurate += zone.accuracy_m > 0
    said = [f"{_EDGES[kind]}: {_counted(count, 'volume')}." for kind, count in sorted(edges.items())]
    if assume_active:
        said.insert(0, "All zones were taken to be in force, whatever their published times say (--assume-active).")
    if estimated:
        said.append(f"The end of {_counted(estimated, 'zone')} is an estimate (EST): held in force past it.")
    if buffered:
        said.append(f"Widened by their own buffers: {_counted(buffered, 'zone')}.")
    if inaccurate:
        said.append(f"The outline's stated accuracy was taken into the verdicts: {_counted(inaccurate, 'zone')}.")
    return tuple(said)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun if number == 1 else noun + 's'}"


_EDGES = {
    "CIRCLE": "Circles are true circles on the WGS84 ellipsoid",
    str(EdgeType.GEODESIC): "Polygon edges taken as geodesics",
    str(EdgeType.RHUMB): "Polygon edges taken as rhumb lines",
    str(EdgeType.STRAIGHT): "Polygon edges taken as straight in longitude and latitude",
}


def _concerned(rows: pa.Table) -> set[str]:
    return set(rows["zone_id"].to_pylist()) - {None} if "zone_id" in rows.column_names else set()


def _counts(counts: Sequence[tuple[str, str]]) -> str:
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in counts)
    return f'<dl class="counts">{cells}</dl>' if cells else ""


def _picture(zones: Sequence[Zone], tracks: TrackTable | None, rows: pa.Table, meta: ReportMeta) -> str:
    from keepclear.server.map_picture import draw_map

    try:
        png = draw_map(zones, tracks, rows, note="Simulated traffic." if meta.simulated else "")
    except MissingExtra as missing:
        return f'<p class="quiet">No picture: {escape(str(missing))}</p>'
    data = base64.b64encode(png).decode()
    alt = "Map of the zones, the tracks and the places of entry or closest approach"
    return f'<figure><img alt="{alt}" src="data:image/png;base64,{data}"></figure>'


def _table(rows: pa.Table) -> str:
    if rows.num_rows == 0:
        return '<h2>Findings</h2><p class="quiet">None.</p>'
    names = [name for name in _FIRST if name in rows.column_names]
    names += [name for name in rows.column_names if name not in names]
    first = sum(name in _FIRST for name in names) or len(names)
    order = range(rows.num_rows)
    if "verdict" in names:
        verdicts = rows["verdict"].to_pylist()
        order = sorted(order, key=lambda i: _WORSE.get(str(verdicts[i]), 3))  # type: ignore[assignment]
    kept = list(order)[:ROWS_MAX]
    columns = {name: rows[name].take(kept).to_pylist() for name in names}
    head = "".join(
        f'<th scope="col"{_more(i, first)} aria-sort="none">'
        f'<button type="button">{escape(_heading(name))}</button></th>'
        for i, name in enumerate(names)
    )
    lines = []
    for row in range(len(kept)):
        cells = "".join(
            _cell(columns[name][row], name, _more(i, first), _unseen(columns, name, row))
            for i, name in enumerate(names)
        )
        lines.append(f"<tr>{cells}</tr>")
    left_out = rows.num_rows - len(kept)
    note = f'<p class="quiet">{left_out:,} more rows are left out here; --format writes all.</p>' if left_out else ""
    toggle = '<label><input type="checkbox" id="all"> all columns</label>' if first < len(names) else ""
    return (
        f'<h2>Findings <span class="quiet">{rows.num_rows:,} rows; press a heading to sort</span>{toggle}</h2>{note}'
        f'<div class="scroll" tabindex="0"><table id="rows"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _more(index: int, first: int) -> str:
    return ' class="more"' if index >= first else ""


def _heading(name: str) -> str:
    words = name.split("_")
    if name.endswith("_altitude_m"):
        return f"{' '.join(words[:-1])} [ft]"
    unit = {"m": "m", "s": "s", "deg": "°", "mps": "m/s"}.get(words[-1]) if len(words) > 1 else None
    return f"{' '.join(words[:-1])} [{unit}]" if unit else " ".join(words)


def _unseen(columns: dict[str, list[Any]], name: str, row: int) -> str:
    """«before» an entry and «after» an exit that no report was on the other side of."""
    seen = columns.get(f"{name.removesuffix('_time')}_seen")
    if not name.endswith("_time") or seen is None or seen[row]:
        return ""
    return "before " if name == "entry_time" else "after "


def _cell(value: Any, name: str, more: str, before: str = "") -> str:
    """A cell with its sorting key where the text would sort wrongly. Heights in feet, as on a terminal."""
    if value is None:
        return f"<td{more}></td>"
    if isinstance(value, bool):
        return f"<td{more}>{'yes' if value else 'no'}</td>"
    if isinstance(value, datetime):
        return f'<td{more} data-key="{value.timestamp()}">{before}{_time(value.timestamp())}</td>'
    if isinstance(value, int | float):
        text = f"{100 * value:.0f} %" if name == "coverage" else f"{value:,.6g}" if "deg" in name else f"{value:,.4g}"
        if name.endswith("_m"):
            text = f"{value / FOOT_M:,.0f}" if name.endswith("_altitude_m") else f"{value:,.0f}"
        return f'<td{more} data-key="{value}">{text}</td>'
    text = escape(str(value))
    mark = f'<b class="{text.lower()}">{text}</b>' if name == "verdict" and text in _WORSE else text
    return f"<td{more}>{mark}</td>"


def _time(time_s: float) -> str:
    return escape(format_instant(round(time_s)).replace("T", " "))


def _list(title: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<h2>{escape(title)}</h2><ul>{items}</ul>" if items else ""


def _zones(zones: Sequence[Zone], concerned: set[str]) -> str:
    shown = zones[:ZONES_MAX]
    parts = [_zone(zone, zone.id in concerned) for zone in shown]
    if len(zones) > len(shown):
        parts.append(
            f'<p class="quiet">{len(zones) - len(shown):,} more zones were read; none of them is told here.</p>'
        )
    return f"<h2>Zones</h2>{''.join(parts)}" if parts else ""


def _zone(zone: Zone, concerned: bool) -> str:
    limits = dict.fromkeys(limits_text(volume.lower, volume.upper) for volume in zone.volumes)
    facts = [
        ("Version", zone.version),
        ("Type", f"{zone.type} · {zone.restriction}"),
        ("Limits", "; ".join(limits)),
        ("Valid", "; ".join(_period(p.from_s, p.to_s, p.end_estimated, bool(p.schedule)) for p in zone.applicability)),
        ("Authority", "; ".join(a.name for a in zone.authorities if a.name)),
        ("Decision", zone.decision_ref),
        ("Recognition", "; ".join(f"{party}: {word}" for party, word in zone.recognition)),
        ("Exempt", "; ".join(e.clause or e.callsign or e.target or e.party or e.notice_id for e in zone.exemptions)),
        ("Read from", " ".join(part for part in (zone.origin.source, zone.origin.where) if part)),
    ]
    rows = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in facts if value)
    text = f"<pre>{escape(zone.text[:TEXT_MAX])}</pre>" if zone.text else ""
    name = f"{zone.name} ({zone.id})" if zone.name and zone.name != zone.id else zone.id
    opened = " open" if concerned else ""
    return f"<details{opened}><summary>{escape(name)}</summary><dl>{rows}</dl>{text}</details>"


def _period(from_s: float, to_s: float, estimated: bool, scheduled: bool) -> str:
    start, end = format_instant(from_s) or "always", format_instant(to_s) or "permanent"
    return f"{start} – {end}{' (estimated)' if estimated else ''}{', on schedule' if scheduled else ''}"


def _provenance(meta: ReportMeta) -> str:
    command = f"<pre>{escape(meta.command)}</pre>" if meta.command else ""
    files = "".join(
        f"<tr><td>{escape(i.name)}</td><td>{i.size_bytes:,}</td><td><code>{escape(i.sha256)}</code></td></tr>"
        for i in meta.inputs
    )
    table = f"<table><thead><tr><th>Input</th><th>Bytes</th><th>SHA-256</th></tr></thead><tbody>{files}</tbody></table>"
    return f"<h2>Where this comes from</h2>{command}{f'<div class=scroll>{table}</div>' if files else ''}"


_STYLE = """
:root{color-scheme:light;--ink:#14212b;--quiet:#51626f;--line:#cdd6dd;--back:#fff;--soft:#f2f5f7}
*{box-sizing:border-box}
body{margin:0;background:var(--soft);color:var(--ink);font:15px/1.5 system-ui,"Segoe UI","DejaVu Sans",sans-serif;
font-variant-numeric:tabular-nums}
main{max-width:1180px;margin:0 auto;padding:32px 36px 48px;background:var(--back);min-height:100vh}
h1{font-size:26px;line-height:1.25;margin:4px 0 8px}h2{font-size:17px;margin:32px 0 8px;display:flex;gap:14px;
align-items:baseline}h2 label{margin-left:auto;font-size:13px;font-weight:400}
.by,.quiet{color:var(--quiet);font-size:13px;font-weight:400;margin:0}.summary{font-size:18px;margin:0}
.simulated{display:inline-block;border:2px dashed #a03c7c;color:#a03c7c;font-weight:700;letter-spacing:.1em;
text-transform:uppercase;padding:3px 12px;margin:8px 0 0;border-radius:4px}
.counts{display:flex;flex-wrap:wrap;gap:8px 36px;margin:20px 0;padding:14px 18px;border:1px solid var(--line);
border-radius:8px}.counts div{display:flex;flex-direction:column-reverse}.counts dt{color:var(--quiet);font-size:12.5px}
.counts dd{margin:0;font-size:21px;font-weight:600;line-height:1.2}
figure{margin:20px 0}img{max-width:100%;border:1px solid var(--line);border-radius:8px}
.scroll{overflow:auto;max-height:75vh;border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:5px 10px;text-align:left;white-space:nowrap;
border-bottom:1px solid var(--line)}td:not([data-key]){max-width:340px;overflow:hidden;text-overflow:ellipsis}
td[data-key]{text-align:right}thead th{position:sticky;top:0;background:var(--soft)}
th button{all:unset;cursor:pointer;font-weight:600}th button:focus-visible{outline:2px solid #0062a8}
th[aria-sort=ascending] button::after{content:" ▲"}th[aria-sort=descending] button::after{content:" ▼"}
main:not(:has(#all:checked)) .more{display:none}code{font-size:12px}
.actual{color:#c43c00}.indeterminate{color:#a03c7c}.predicted{color:#8a5600}
details{border:1px solid var(--line);border-radius:8px;padding:8px 14px;margin:8px 0}summary{font-weight:600;
cursor:pointer}details dl{display:grid;grid-template-columns:auto 1fr;gap:2px 16px;margin:8px 0;font-size:14px}
details dt{color:var(--quiet)}details dd{margin:0;overflow-wrap:anywhere}
pre{background:var(--soft);padding:10px 12px;border-radius:6px;white-space:pre-wrap;overflow-wrap:anywhere;
font-size:12.5px;margin:8px 0}
@media print{main{max-width:none;padding:0}.scroll{max-height:none;overflow:visible}table{font-size:10px}}
"""

_SCRIPT = """
const table = document.getElementById("rows");
const number = new Intl.Collator("en", { numeric: true });
if (table) table.tHead.addEventListener("click", (event) => {
  const head = event.target.closest("th");
  if (!head) return;
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of head.parentNode.children) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const at = head.cellIndex, body = table.tBodies[0];
  const key = (row) => row.cells[at].dataset.key ?? row.cells[at].textContent;
  const keyed = [...body.rows].map((row) => [key(row), row]);
  keyed.sort(([a], [b]) => (a === "" ? 1 : b === "" ? -1 : number_order(a, b) * (up ? 1 : -1)));
  body.replaceChildren(...keyed.map(([, row]) => row));
});
function number_order(a, b) {
  const x = Number(a), y = Number(b);
  return Number.isNaN(x) || Number.isNaN(y) ? number.compare(a, b) : x - y;
}
"""
