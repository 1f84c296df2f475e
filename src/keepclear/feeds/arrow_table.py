"""Tables in memory (pyarrow, polars, pandas, DuckDB) as reports, by the documented column map
(docs/reference/columns.md)."""

from __future__ import annotations

from typing import Any, Protocol

from keepclear.errors import InputError
from keepclear.feeds.decoder import Faults, first_line
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.reports import ReportBatch, concatenate
from keepclear.feeds.table_columns import resolve_columns
from keepclear.feeds.zone_shift import shift_of

__all__ = ["ArrowColumns", "table_reports"]


class ArrowColumns(Protocol):
    """Whatever hands out its columns by the Arrow C stream interface."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


def table_reports(table: ArrowColumns, options: DecoderOptions, faults: Faults) -> ReportBatch:
    """The reports of a table; unreadable rows are counted in ``faults``. Columns are taken without a copy where type
    and unit are ours. Raises :class:`InputError` for a table that holds no reports."""
    import pyarrow as pa

    from keepclear.feeds.table_rows import TableRows

    try:
        whole: Any = pa.table(table)
    except (pa.ArrowException, TypeError, ValueError, OSError) as error:
        raise InputError(f"not a readable table: {first_line(error)}") from None
    columns = resolve_columns(whole.column_names, options.columns)
    rows = TableRows(columns, faults, options.source, shift_of(options.columns))
    batches: list[ReportBatch] = []
    first = 0
    for batch in whole.to_batches():
        if batch.num_rows:
            start = first
            arrays = [batch.column(whole.column_names.index(column.name)) for column in columns]
            batches.append(rows.batch(arrays, lambda row, start=start: f"row {start + row + 1}"))  # type: ignore[misc]
            first += batch.num_rows
    return concatenate(batches)
