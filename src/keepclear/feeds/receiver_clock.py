"""Absolute time from a Mode S receiver's 48-bit counter."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from keepclear.feeds.reports import Floats

__all__ = ["ReceiverClock"]


class ReceiverClock:
    """12 MHz ticks, or GPS seconds of the day and nanoseconds, to POSIX seconds.

    The counter says only how much time passed. It is counted from ``start_s`` (a recording) or from the time of
    receipt of the first frame (live; then set again whenever it runs away from the times of receipt). A Radarcape's
    GPS time is taken for such when its second of the day agrees with that first instant within 5 s.
    """

    def __init__(self, start_s: float | None) -> None:
        self._is_live = start_s is None
        self._start_s = math.nan if start_s is None else float(start_s)
        self._whole = np.zeros(4, dtype=np.int64)
        self._real = np.full(3, math.nan)

    def instants(self, ticks: npt.NDArray[np.int64], received_s: float) -> Floats:
        """The instant of each counter value, in the order of the stream; 0 is a frame without one."""
        from keepclear.feeds.kernels.beast import instants  # compiled code is loaded on first use only

        instant_s = np.empty(len(ticks))
        instants(ticks, float(received_s), self._start_s, self._is_live, self._whole, self._real, instant_s)
        return instant_s
