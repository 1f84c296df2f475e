"""Compile the pair and volume kernels before they are needed, telling how far it is."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["warm_up"]


def warm_up(progress: Callable[[str], None] = lambda _: None, *, live_only: bool = False) -> None:
    """Compile, or load from the cache, every kernel of encounters and conflicts by using it on a few rows; or only
    those that a live cycle uses.

    ``progress`` is told each step before it begins. Seconds to a minute the first time, well under one later.
    """
    import numpy as np

    from keepclear.detection.conflict import SMALL as FEW
    from keepclear.detection.conflict import DeclaredVolume, ResidentVolumes, VolumeArrays, conflicts
    from keepclear.detection.encounter import encounters
    from keepclear.detection.kernels.pairs import SMALL, find_pairs
    from keepclear.detection.recorded import encounters_recorded
    from keepclear.feeds.reports import ReportBatch
    from keepclear.quantities import UNBOUNDED, Datum
    from keepclear.space.geometry import Circle, EdgeType, Polygon
    from keepclear.tracks.picture import Picture
    from keepclear.tracks.table import TrackTable

    progress("encounters of the live picture")
    reports = ReportBatch.build(
        time_s=[0.0, 1.0, 0.0, 1.0], lat_deg=np.zeros(4), lon_deg=[0.0, 0.001, 0.0, 0.001],
        target=["a", "a", "b", "b"], altitude_baro_m=np.zeros(4), altitude_geo_m=np.full(4, np.nan),
        ground_speed_mps=np.zeros(4), track_deg=np.zeros(4), vertical_rate_mps=np.zeros(4),
    )  # fmt: skip
    everybody = np.ones(4, np.uint8)
    encounters(Picture(1.0, np.arange(4), reports, everybody, everybody * 0, np.zeros(4)))
    progress("encounters among many")
    n = SMALL + 1
    zeros = np.zeros(n)
    find_pairs(zeros, np.linspace(0.0, 90.0, n), zeros, zeros, zeros, zeros, 9260.0, 304.8, 120.0)
    if live_only:
        return
    progress("encounters in an archive")
    encounters_recorded(TrackTable(reports, np.array([0, 2, 4]), ("a", "b"), np.zeros(4, np.uint8), 60.0))
    progress("conflicts between declared volumes")
    square = Polygon(((0.0, 0.0), (0.0, 0.1), (0.1, 0.1), (0.1, 0.0)), edge_type=EdgeType.STRAIGHT)
    volumes = [
        DeclaredVolume("a", square, UNBOUNDED, UNBOUNDED, 0.0, 1.0),
        DeclaredVolume("b", Circle(0.0, 0.0, 1000.0), UNBOUNDED, UNBOUNDED),
    ]
    conflicts(volumes)
    conflicts([volumes[1]] * (FEW + 1))
    resident = ResidentVolumes(volumes[:1])
    resident.insert_and_check(volumes[1])
    holed = Polygon(square.exterior, (((0.01, 0.01), (0.01, 0.02), (0.02, 0.02)),), EdgeType.STRAIGHT)
    resident.insert_and_check(DeclaredVolume("c", holed, UNBOUNDED, UNBOUNDED, 0.0, 1.0))
    resident.remove("a")
    one = np.zeros(1)
    VolumeArrays.of_columns(
        circle=np.full((1, 3), np.nan), vertex_start=np.array([0, 3]), vertex_lon_deg=np.array([0.0, 0.1, 0.1]),
        vertex_lat_deg=np.array([0.0, 0.0, 0.1]), lower_m=one, upper_m=one, datum=Datum.AMSL, from_s=one, to_s=one,
    )  # fmt: skip
