"""The picture shows what was found, wherever on Earth, and never chokes on names or emptiness."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from defusedxml.ElementTree import fromstring

from keepclear.errors import MissingExtra
from keepclear.feeds.reports import ReportBatch
from keepclear.quantities import UNBOUNDED
from keepclear.server import coastline
from keepclear.server.map_picture import _view, draw_map
from keepclear.space.geometry import Circle, Polygon
from keepclear.tracks.assemble import assemble
from keepclear.tracks.table import TrackTable
from keepclear.zones.model import Volume, Zone

PNG, RED = b"\x89PNG\r\n\x1a\n", (196, 60, 0)


def zone(shape: Circle | Polygon, name: str = "Closed") -> Zone:
    return Zone(id="Z", name=name, volumes=(Volume(shape, UNBOUNDED, UNBOUNDED),))


def tracks(lon: float, lat: float) -> TrackTable:
    n = 30
    return assemble(
        ReportBatch.build(
            time_s=np.arange(n) * 10.0, lat_deg=np.full(n, lat), target=["abc123"] * n,
            lon_deg=(np.linspace(lon - 1, lon + 1, n) + 180) % 360 - 180,
        ),
        gap_s=60.0,
    )  # fmt: skip


def rows(lon: float, lat: float, verdict: str = "ACTUAL", **more: Any) -> pa.Table:
    return pa.table({
        "track_id": ["abc123"], "callsign": ["$x_1^2$ <b>"], "zone_id": ["Z"], "verdict": [verdict], "exempt": [False],
        "entry_lon_deg": [lon], "entry_lat_deg": [lat], **more,
    })  # fmt: skip


def colours(png: bytes) -> set[tuple[int, int, int]]:
    import io

    from matplotlib.image import imread

    pixels = (imread(io.BytesIO(png), format="png")[:, :, :3] * 255).round().astype(int)
    return {tuple(p) for p in np.unique(pixels.reshape(-1, 3), axis=0).tolist()}


@pytest.mark.parametrize(("lon", "lat"), [(30.0, 50.0), (179.9, -17.0), (-180.0, 65.0), (10.0, 83.0)])
def test_what_was_found_is_in_the_picture_wherever_it_is(lon: float, lat: float) -> None:
    found = rows(lon, lat)
    with_finding = draw_map([zone(Circle(lon, lat, 40_000.0))], tracks(lon, lat), found, dpi=100)
    assert with_finding.startswith(PNG)
    assert RED in colours(with_finding)


def test_a_track_without_a_finding_is_not_drawn_as_one() -> None:
    quiet = draw_map([], tracks(30.0, 50.0), None, dpi=40)
    assert RED not in colours(quiet)


def test_the_view_goes_the_short_way_across_the_antimeridian() -> None:
    west, _, east, _ = _view([], [(179.5, 0.0, "ACTUAL", ""), (-179.5, 1.0, "ACTUAL", "")], None)
    assert east - west < 5.0
    assert west < 179.5 < 180.5 < east


def test_the_same_input_gives_the_same_svg_and_hostile_names_stay_text() -> None:
    def draw() -> bytes:
        return draw_map([zone(Circle(30.0, 50.0, 40_000.0), "<script>alert(1)</script>\n$")], tracks(30.0, 50.0),
                        rows(30.0, 50.0), format="svg")  # fmt: skip

    svg = draw()
    assert svg == draw()
    elements = [element.tag.rpartition("}")[2] for element in fromstring(svg).iter()]
    assert "path" in elements
    assert "script" not in elements


def test_nothing_at_all_is_still_a_map() -> None:
    assert draw_map([], None, None, dpi=40).startswith(PNG)
    assert draw_map([], no_tracks(), rows(0.0, 0.0).slice(0, 0), dpi=40).startswith(PNG)


def no_tracks() -> TrackTable:
    return assemble(ReportBatch.empty(), gap_s=60.0)


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *given: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *given)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(MissingExtra, match=r"keepclear\[report\]"):
        draw_map([], None, None)


def test_an_installation_without_the_basemap_draws_without_land(tmp_path: Path) -> None:
    assert coastline.land_rings(tmp_path / "absent.json") == ()


@pytest.mark.skipif(not coastline.BASEMAP.is_file(), reason="the console page is not built: pip install . builds it")
def test_the_coastline_is_closed_and_where_it_should_be() -> None:
    rings = coastline.land_rings()
    assert len(rings) > 1_000
    assert all(np.array_equal(ring[0], ring[-1]) for part in rings for ring in part)
    from matplotlib.path import Path as Outline

    def on_land(lon: float, lat: float) -> bool:
        return any(Outline(part[0]).contains_point((lon, lat)) for part in rings)

    assert on_land(30.5, 50.4)  # Kyiv
    assert on_land(-58.4, -34.7)  # Buenos Aires
    assert not on_land(-30.0, 40.0)  # the Atlantic
