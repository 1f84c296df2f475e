"""CSV tables of reports, by the documented column map (docs/reference/columns.md)."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Any

from keepclear.errors import InputError
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.reports import ReportBatch, concatenate
from keepclear.feeds.table_columns import LABEL_COLUMNS, Column, looks_mappable, resolve_columns
from keepclear.feeds.zone_shift import shift_of

if TYPE_CHECKING:
    from keepclear.feeds.table_rows import TableRows

__all__ = ["CsvDecoder", "looks_like_csv"]

CSV_LINE_BYTES_MAX = 65_536
"""A longer line is no row of reports."""
_TOO_LONG = f"line longer than {CSV_LINE_BYTES_MAX} bytes"
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_NULLS = ["", "nan", "NaN", "NAN", "null", "NULL", "None", "NA", "N/A", "-"]
_EMPTY_LINE = re.compile(rb"(?:\A|\n)\r?\n")
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*")


def looks_like_csv(head: bytes) -> bool:
    """A header line that names a time, a place and a target."""
    line, _, rest = head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")
    if not rest and len(head) > CSV_LINE_BYTES_MAX:
        return False
    try:
        header = line.decode("utf-8").strip("\r")
    except UnicodeDecodeError:
        return False
    return looks_mappable(_split(header, _delimiter(header)))


class CsvDecoder:
    """CSV with a header: whole blocks by Arrow; a block with a bad row line by line, the row a fault, the rest kept.

    Delimiter comma, semicolon, tab or bar, as in the header. A line break inside quotes is not allowed.
    """

    def __init__(self, options: DecoderOptions) -> None:
        self.faults = Faults()
        self._options = options
        self._tail = b""
        self._skipping = False
        self._lines_seen = 0
        self._names: list[str] = []
        self._delimiter = ","
        self._columns: tuple[Column, ...] = ()
        self._rows: TableRows | None = None

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        cut = data.rfind(b"\n") + 1
        if not cut:
            self._keep(data)
            return ReportBatch.empty()
        if self._skipping:  # the rest of an overlong line
            end = data.find(b"\n") + 1
            self._skipping = False
            self._lines_seen += 1
            block, tail = data[end:cut], data[cut:]
        else:
            block, tail = self._tail + data[:cut], data[cut:]
        self._tail = b""
        batch = self._block(block)
        self._keep(tail)
        return batch

    def finish(self) -> ReportBatch:
        tail, self._tail = self._tail, b""
        return self._block(tail + b"\n") if tail.strip() else ReportBatch.empty()

    def _keep(self, piece: bytes) -> None:
        if self._skipping:
            return
        self._tail += piece
        if len(self._tail) > CSV_LINE_BYTES_MAX:
            if self._rows is None:
                raise InputError(f"first line is longer than {CSV_LINE_BYTES_MAX} bytes: is this a CSV header?")
            self.faults.add(_TOO_LONG, f"line {self._lines_seen + 1}")
            self._tail = b""
            self._skipping = True

    def _block(self, block: bytes) -> ReportBatch:
        if self._rows is None:
            line, _, block = block.partition(b"\n")
            self._begin(line)
        if not block:
            return ReportBatch.empty()
        first = self._lines_seen + 1
        lines = block.count(b"\n")
        self._lines_seen += lines
        # Arrow would make a row of nulls of an empty line.
        arrays = None if _EMPTY_LINE.search(block) else self._arrays(block)
        if arrays is not None and len(arrays[0]) == lines:
            return self._reports(arrays, range(first, first + lines))
        return self._line_by_line(block, first)

    def _begin(self, line: bytes) -> None:
        from keepclear.feeds.table_rows import TableRows

        self._lines_seen = 1
        try:
            header = line.removeprefix(b"\xef\xbb\xbf").decode("utf-8").rstrip("\r")
        except UnicodeDecodeError:
            raise InputError("the header is not UTF-8 text: save the table as UTF-8", where="line 1") from None
        self._delimiter = _delimiter(header)
        self._names = _split(header, self._delimiter)
        if len(set(self._names)) != len(self._names):
            twice = next(name for name in self._names if self._names.count(name) > 1)
            raise InputError(f"column {twice!r} stands twice in the header", where="line 1")
        self._columns = resolve_columns(self._names, self._options.columns)
        self._rows = TableRows(self._columns, self.faults, self._options.source, shift_of(self._options.columns))

    def _arrays(self, block: bytes) -> list[Any] | None:
        """The mapped columns of whole lines; ``None`` where Arrow refuses any of them."""
        import pyarrow as pa
        import pyarrow.csv as pc

        labels = pa.dictionary(pa.int32(), pa.string())
        types = {
            c.name: labels
            if c.ours in (*LABEL_COLUMNS, "domain", "category")
            else pa.string()
            if c.ours in ("time_s", "received_s", "on_ground", "squawk")
            else pa.float64()
            for c in self._columns
        }
        try:
            table = pc.read_csv(
                pa.BufferReader(block),
                read_options=pc.ReadOptions(column_names=self._names, block_size=max(len(block), 1), use_threads=False),
                parse_options=pc.ParseOptions(delimiter=self._delimiter, ignore_empty_lines=False),
                convert_options=pc.ConvertOptions(
                    column_types=types,
                    include_columns=[c.name for c in self._columns],
                    strings_can_be_null=True,
                    null_values=_NULLS,
                ),
            )
        except (pa.ArrowException, UnicodeDecodeError):
            return None
        return [_whole(table.column(i)) for i in range(table.num_columns)]

    def _line_by_line(self, block: bytes, first: int) -> ReportBatch:
        """Leaves out the lines that cannot be rows; what is left is read as a block again."""
        numeric = [
            self._names.index(c.name)
            for c in self._columns
            if c.ours not in (*LABEL_COLUMNS, "domain", "category", "time_s", "received_s", "on_ground", "squawk")
        ]
        good: list[bytes] = []
        numbers: list[int] = []
        for number, line in enumerate(block.split(b"\n")[:-1], first):
            reason = self._refusal(line, numeric)
            if reason is None:
                good.append(line)
                numbers.append(number)
            elif reason:
                self.faults.add(reason, f"line {number}")
        if not good:
            return ReportBatch.empty()
        arrays = self._arrays(b"\n".join(good) + b"\n")
        if arrays is None or len(arrays[0]) != len(good):
            return self._one_by_one(good, numbers)
        return self._reports(arrays, numbers)

    def _one_by_one(self, lines: list[bytes], numbers: list[int]) -> ReportBatch:
        """The last resort, for lines that look right and that Arrow still refuses."""
        batches: list[ReportBatch] = []
        for line, number in zip(lines, numbers):
            arrays = self._arrays(line + b"\n")
            if arrays is None or len(arrays[0]) != 1:
                self.faults.add("row cannot be read", f"line {number}")
            else:
                batches.append(self._reports(arrays, [number]))
        return concatenate(batches)

    def _reports(self, arrays: list[Any], numbers: range | list[int]) -> ReportBatch:
        assert self._rows is not None
        return self._rows.batch(arrays, lambda row: f"line {numbers[row]}")

    def _refusal(self, line: bytes, numeric: list[int]) -> str | None:
        """Why a line is no row; "" for an empty one, ``None`` for a good one."""
        if not line.strip():
            return ""
        if len(line) > CSV_LINE_BYTES_MAX:
            return _TOO_LONG
        try:
            cells = next(csv.reader([line.decode("utf-8").rstrip("\r")], delimiter=self._delimiter, strict=True))
        except (UnicodeDecodeError, csv.Error, StopIteration):
            return "row is not CSV"
        if len(cells) != len(self._names):
            return "row has not as many fields as the header"
        for cell in (cells[i].strip() for i in numeric):
            if cell not in _NULLS and not _is_number(cell):
                comma = _DECIMAL_COMMA.fullmatch(cell)
                return "a number has a decimal comma: write a point" if comma else "a field is not a number"
        return None


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _whole(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _delimiter(header: str) -> str:
    return max(",;\t|", key=header.count)


def _split(header: str, delimiter: str) -> list[str]:
    return [name.strip().strip('"').strip() for name in header.split(delimiter)]
