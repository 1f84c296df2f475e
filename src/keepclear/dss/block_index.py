"""Which extents meet an extent: one small table a block of cells, tested in columns.

A question costs the blocks it spans and the extents resident in them, whatever else there is.
"""

from __future__ import annotations

import numpy as np

from keepclear.dss.extent import Extent

__all__ = ["BlockIndex"]

FIRST_ROWS = 8
"""A table begins this small and doubles: most blocks hold few extents."""


class _Table:
    """The extents in one block: time (µs), altitude (m), cells, and whose they are."""

    __slots__ = ("bounds", "ids", "masks", "row", "times")

    def __init__(self) -> None:
        self.times = np.empty((2, FIRST_ROWS), np.int64)
        self.bounds = np.empty((2, FIRST_ROWS), np.float64)
        self.masks = np.empty(FIRST_ROWS, np.uint64)
        self.ids: list[str] = []
        self.row: dict[str, int] = {}

    def put(self, entity_id: str, extent: Extent, mask: int) -> None:
        row = self.row.get(entity_id)
        if row is None:
            row = self.row[entity_id] = len(self.ids)
            self.ids.append(entity_id)
            if row == len(self.masks):
                self.times = np.concatenate((self.times, self.times), axis=1)
                self.bounds = np.concatenate((self.bounds, self.bounds), axis=1)
                self.masks = np.concatenate((self.masks, self.masks))
        self.times[0, row], self.times[1, row] = extent.start_us, extent.end_us
        self.bounds[0, row], self.bounds[1, row] = extent.lower_m, extent.upper_m
        self.masks[row] = mask

    def drop(self, entity_id: str) -> None:
        row, last = self.row.pop(entity_id), len(self.ids) - 1
        if row != last:
            moved = self.ids[row] = self.ids[last]
            self.row[moved] = row
            self.times[:, row], self.bounds[:, row] = self.times[:, last], self.bounds[:, last]
            self.masks[row] = self.masks[last]
        self.ids.pop()

    def meeting(self, extent: Extent, mask: int) -> list[str]:
        n = len(self.ids)
        times, bounds = self.times, self.bounds
        found = (self.masks[:n] & np.uint64(mask)) != 0
        found &= times[0, :n] <= extent.end_us
        found &= times[1, :n] >= extent.start_us
        found &= bounds[0, :n] <= extent.upper_m
        found &= bounds[1, :n] >= extent.lower_m
        rows = found.nonzero()[0]
        ids = self.ids
        return ids.copy() if len(rows) == n else [ids[row] for row in rows.tolist()]


class BlockIndex:
    """Extents by id. Later ones replace earlier ones of the same id."""

    def __init__(self) -> None:
        self._tables: dict[int, _Table] = {}
        self._extents: dict[str, Extent] = {}

    def __len__(self) -> int:
        return len(self._extents)

    def put(self, entity_id: str, extent: Extent) -> None:
        old = self._extents.get(entity_id)
        if old is not None:
            for block in old.cells.masks.keys() - extent.cells.masks.keys():
                self._drop(block, entity_id)
        for block, mask in extent.cells.masks.items():
            table = self._tables.get(block)
            if table is None:
                table = self._tables[block] = _Table()
            table.put(entity_id, extent, mask)
        self._extents[entity_id] = extent

    def drop(self, entity_id: str) -> None:
        for block in self._extents.pop(entity_id).cells.masks:
            self._drop(block, entity_id)

    def meeting(self, extent: Extent) -> list[str]:
        """Ids of the extents that share a cell, an instant and an altitude with this one."""
        tables = self._tables
        parts = [t.meeting(extent, m) for block, m in extent.cells.masks.items() if (t := tables.get(block))]
        if len(parts) == 1:
            return parts[0]
        return list(dict.fromkeys(found for part in parts for found in part))

    def densest_cell(self, extent: Extent, among: frozenset[str]) -> int:
        """Of the extents in ``among`` that meet this one, the most that share one of its cells."""
        most = 0
        for block, mask in extent.cells.masks.items():
            table = self._tables.get(block)
            if table is None:
                continue
            masks = [int(table.masks[table.row[i]]) & mask for i in table.meeting(extent, mask) if i in among]
            for bit in range(64):
                most = max(most, sum(m >> bit & 1 for m in masks))
        return most

    def _drop(self, block: int, entity_id: str) -> None:
        table = self._tables[block]
        table.drop(entity_id)
        if not table.ids:
            del self._tables[block]
