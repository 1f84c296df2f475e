"""Land from the basemap that the build put beside the page: Natural Earth 1:50 million, as TopoJSON.

TopoJSON (Bostock and Metcalf, specification 1.0): rings are chains of shared arcs, an arc is delta-encoded integers.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from keepclear.server.console import STATIC_DIR

__all__ = ["BASEMAP", "land_rings"]

BASEMAP = STATIC_DIR / "basemap" / "countries-50m.json"


@lru_cache(maxsize=2)
def land_rings(path: Path = BASEMAP) -> tuple[tuple[npt.NDArray[np.float64], ...], ...]:
    """The land's polygons, each an outer ring and its holes, (n, 2) longitudes and latitudes; empty where the
    installation has no basemap. Coastlines only: a picture that goes into a dispute takes no side by its borders."""
    if not path.is_file():
        return ()
    world: dict[str, Any] = json.loads(path.read_bytes())
    scale, translate = (np.array(world["transform"][name], dtype=np.float64) for name in ("scale", "translate"))
    arcs = [np.cumsum(np.array(arc, dtype=np.float64), axis=0) * scale + translate for arc in world["arcs"]]
    polygons: list[tuple[npt.NDArray[np.float64], ...]] = []
    for land in world["objects"]["land"]["geometries"]:
        parts = [land["arcs"]] if land["type"] == "Polygon" else land["arcs"]
        polygons += [tuple(_ring(arcs, ring) for ring in part) for part in parts]
    return tuple(polygons)


def _ring(arcs: list[npt.NDArray[np.float64]], chain: list[int]) -> npt.NDArray[np.float64]:
    """Arc ~i is arc i backwards; neighbours share a vertex, which is kept once."""
    pieces = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in chain]
    return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])
