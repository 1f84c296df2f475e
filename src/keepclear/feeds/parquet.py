"""Parquet files of reports, by the documented column map (docs/reference/columns.md)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from keepclear.errors import InputError, LimitExceeded
from keepclear.feeds.decoder import Faults, first_line
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.reports import ReportBatch, concatenate
from keepclear.feeds.table_columns import LABEL_COLUMNS, resolve_columns
from keepclear.feeds.zone_shift import shift_of

__all__ = ["ParquetDecoder", "looks_like_parquet", "parquet_batches"]

PARQUET_BYTES_MAX = 2 * 1024**3
"""A Parquet file that comes in chunks must be kept whole (its index is at its end); a larger one is read by path."""
PARQUET_BATCH_ROWS_MAX = 4_000_000
"""Row groups are read together up to so many rows: enough for all cores, little enough to hold."""
PARQUET_ROWS_A_BYTE_MAX = 64
"""A file's index may promise so many rows for each of its bytes, beyond one batch: no table of places packs them
closer, and memory is taken for what is promised."""


def looks_like_parquet(head: bytes) -> bool:
    return head.startswith(b"PAR1")


def parquet_batches(source: Any, options: DecoderOptions, faults: Faults) -> Iterator[ReportBatch]:
    """The reports of a Parquet file, row groups at a time: only the mapped columns are read, on all cores.

    ``source`` is what :class:`pyarrow.parquet.ParquetFile` takes: a path, an open file, a buffer, a memory map.
    The columns are the file's own memory where type and unit are ours. Raises :class:`InputError`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from keepclear.feeds.table_rows import TableRows

    try:
        names = pq.read_schema(source).names
        columns = resolve_columns(names, options.columns)
        labels = [c.name for c in columns if c.ours in (*LABEL_COLUMNS, "domain", "category")]
        if hasattr(source, "seek"):
            source.seek(0)
        file = pq.ParquetFile(source, read_dictionary=labels, pre_buffer=True)
        rows = TableRows(columns, faults, options.source, shift_of(options.columns))
        wanted = list(dict.fromkeys(c.name for c in columns))
        _check_promises(file.metadata, _size(source))
        first = 0
        for groups in _row_groups(file.metadata):
            table = file.read_row_groups(groups, columns=wanted, use_threads=True)
            for piece in _aligned(table):
                arrays = [piece[c.name] for c in columns]
                start = first
                yield rows.batch(arrays, lambda row, start=start: f"row {start + row + 1}")  # type: ignore[misc]
                first += len(arrays[0])
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InputError(f"not a readable Parquet file: {first_line(error)}") from None


def _size(source: Any) -> int:
    if not hasattr(source, "seek"):
        return os.path.getsize(source)
    at = source.tell()
    size: int = source.seek(0, os.SEEK_END)
    source.seek(at)
    return size


def _check_promises(metadata: Any, file_bytes: int) -> None:
    """Refuse an index whose row counts the file's size belies: 1,319 bytes took all of the memory.

    The columns' own metadata is not looked at: Arrow ends the whole process on some damaged ones. Columns of another
    length than their group's are refused while they are read.
    """
    for i in range(metadata.num_row_groups):
        rows = metadata.row_group(i).num_rows
        if not 0 <= rows <= PARQUET_BATCH_ROWS_MAX + PARQUET_ROWS_A_BYTE_MAX * file_bytes:
            raise InputError(f"row group {i} promises {rows:,} rows in a file of {file_bytes:,} bytes")


def _row_groups(metadata: Any) -> Iterator[list[int]]:
    group: list[int] = []
    rows = 0
    for i in range(metadata.num_row_groups):
        more = metadata.row_group(i).num_rows
        if group and rows + more > PARQUET_BATCH_ROWS_MAX:
            yield group
            group, rows = [], 0
        group.append(i)
        rows += more
    if group:
        yield group


def _aligned(table: Any) -> Iterator[dict[str, Any]]:
    """Pieces of a table in which every column is one array. Reading makes one chunk a row group."""
    for batch in table.to_batches():
        if batch.num_rows:
            yield {name: batch.column(i) for i, name in enumerate(table.column_names)}


class ParquetDecoder:
    """Keeps the chunks until the end, because a Parquet file's index stands there; see :func:`parquet_batches`."""

    def __init__(self, options: DecoderOptions) -> None:
        self.faults = Faults()
        self._options = options
        self._parts: list[bytes] = []
        self._bytes = 0

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        self._bytes += len(data)
        if self._bytes > PARQUET_BYTES_MAX:
            self._parts.clear()
            raise LimitExceeded(f"Parquet larger than {PARQUET_BYTES_MAX} bytes cannot come in chunks: give the file")
        self._parts.append(data)
        return ReportBatch.empty()

    def finish(self) -> ReportBatch:
        import pyarrow as pa

        if not self._bytes:
            return ReportBatch.empty()
        whole = pa.py_buffer(b"".join(self._parts))
        self._parts.clear()
        self._bytes = 0
        return concatenate(list(parquet_batches(pa.BufferReader(whole), self._options, self.faults)))
