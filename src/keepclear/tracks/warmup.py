"""Compile the kernels of the live picture before they are needed."""

from __future__ import annotations

__all__ = ["warm_up"]


def warm_up() -> None:
    """Compile, or load from the cache, every kernel that folds reports into the live picture."""
    from keepclear.feeds.reports import ReportBatch
    from keepclear.tracks.live import TrackState, step

    state = TrackState.empty(1)  # so small that it must grow, which is a kernel of its own
    for now_s in (0.0, 1.0):
        reports = ReportBatch.build(
            time_s=[now_s] * 3, lat_deg=[50.0, 51.0, 52.0], lon_deg=[30.0] * 3, target=["a", "b", "c"]
        )
        state, _ = step(state, reports, now_s)
