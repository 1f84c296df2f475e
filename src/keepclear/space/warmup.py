"""Compiles every kernel of this package once, so that the first question does not wait without a word.

The machine code is kept (:mod:`keepclear.kernel_cache`); later starts load it in half a second.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["warm_up"]


def warm_up(progress: Callable[[str], None] = lambda text: None) -> None:
    """Compile, or load from the cache, all kernels; ``progress`` is told what comes next."""
    import numpy as np

    from keepclear.space.geometry import Circle, EdgeType, Polygon

    progress("geodesics")
    from keepclear.space.geodesy import distance_m

    distance_m(0.0, 0.0, 1.0, 1.0)
    progress("outlines")
    from keepclear.space.outlines import build_outlines

    corners = ((0.0, 50.0), (2.0, 50.0), (2.0, 51.0), (0.0, 51.0))
    outlines = build_outlines([Polygon(corners), Polygon(corners, edge_type=EdgeType.STRAIGHT), Circle(1.0, 50.0, 1e4)])
    progress("zone index")
    from keepclear.space.index import OutlineIndex

    index = OutlineIndex(outlines, np.tile([-np.inf, np.inf, -np.inf, np.inf], (3, 1)))
    lon, lat = np.array([-1.0, 1.0, 3.0]), np.array([50.5, 50.5, 50.5])
    zero, time = np.zeros(3), np.array([0.0, 10.0, 20.0])
    progress("positions")
    index.positions(lon, lat, zero, time)
    progress("visits")
    index.visits(lon, lat, zero, zero, time, np.array([0, 3]), np.zeros(3, np.bool_), merge_gap_s=1.0)
    progress("predictions")
    index.ahead(lon, lat, zero, time, zero + 200.0, zero, zero, 60.0)
    index.boundary_distance(lon, lat, np.zeros(3, np.int64))
