"""Order by track and time: a look first (sorted input is the rule), a stable counting sort if need be."""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["counting_order", "counting_places", "mend_times", "scatter", "sorted_starts"]


@njit(cache=True, nogil=True, error_model="numpy")
def sorted_starts(source: np.ndarray, target: np.ndarray, targets: int, time_s: np.ndarray, start: np.ndarray) -> int:
    """How many tracks there are if every (source, target) is one run in time order, -1 if not.

    ``start`` (room for every possible pair and one more) receives the first row of each. Codes from -1 up.
    """
    n = len(time_s)
    seen = np.zeros(len(start), dtype=np.uint8)
    count = 0
    previous = np.int64(-1)
    for i in range(n):
        key = (np.int64(source[i]) + 1) * (targets + 1) + np.int64(target[i]) + 1
        if time_s[i] - time_s[i] != 0.0:  # nan or infinite
            return -1
        if key != previous:
            if seen[key]:
                return -1
            seen[key] = 1
            start[count] = i
            count += 1
            previous = key
        elif time_s[i] < time_s[i - 1]:
            return -1
    start[count] = n
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def counting_order(key: np.ndarray, keys: int) -> tuple[np.ndarray, np.ndarray]:
    """The stable order of rows by key in [0, keys), and the first place of each key, shape (keys + 1,)."""
    first = np.zeros(keys + 1, dtype=np.int64)
    for k in key:
        first[k + 1] += 1
    for k in range(keys):
        first[k + 1] += first[k]
    place = first.copy()
    order = np.empty(len(key), dtype=np.int64)
    for i in range(len(key)):
        k = key[i]
        order[place[k]] = i
        place[k] += 1
    return order, first


@njit(cache=True, nogil=True, error_model="numpy")
def counting_places(
    source: np.ndarray, target: np.ndarray, targets: int, time_s: np.ndarray, place: np.ndarray, first: np.ndarray
) -> int:
    """Where each row goes if rows are ordered by (source, target) and otherwise stay as they are, for input that is in
    time order within each; returns how many rows are not (then ``place`` is of no use), -1 where a time is unknown.

    ``first`` (zeros; room for every possible pair and one more) receives the first place of each. Unlike an order to
    gather by, places are written to near each other while rows of one instant stand together.
    """
    for i in range(len(time_s)):
        first[(np.int64(source[i]) + 1) * (targets + 1) + np.int64(target[i]) + 2] += 1
    for j in range(len(first) - 1):
        first[j + 1] += first[j]
    following = first[:-1].copy()
    newest = np.full(len(first) - 1, -np.inf)
    late = 0
    for i in range(len(time_s)):
        k = (np.int64(source[i]) + 1) * (targets + 1) + np.int64(target[i]) + 1
        if time_s[i] - time_s[i] != 0.0:  # nan or infinite
            return -1
        if time_s[i] < newest[k]:
            late += 1
        else:
            newest[k] = time_s[i]
        place[i] = following[k]
        following[k] += 1
    return late


@njit(cache=True, nogil=True, error_model="numpy")
def scatter(column: np.ndarray, place: np.ndarray, out: np.ndarray) -> None:
    """``out[place[i]] = column[i]``."""
    for i in range(len(column)):
        out[place[i]] = column[i]


@njit(cache=True, nogil=True, error_model="numpy")
def mend_times(order: np.ndarray, first: np.ndarray, time_s: np.ndarray) -> int:
    """Puts each track's rows of ``order`` into time order (stable), in place; returns how many rows came
    after a later one."""
    mended = 0
    for k in range(len(first) - 1):
        a = first[k]
        b = first[k + 1]
        late = 0
        newest = -np.inf
        for i in range(a, b):
            t = time_s[order[i]]
            if t < newest:
                late += 1
            else:
                newest = t
        if late == 0:
            continue
        mended += late
        rows = order[a:b].copy()
        by_time = np.argsort(time_s[rows], kind="mergesort")
        for i in range(b - a):
            order[a + i] = rows[by_time[i]]
    return mended
