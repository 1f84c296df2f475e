"""CSV, Parquet and Arrow tables of reports, by the documented column map (docs/reference/columns.md)."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from keepclear.errors import InputError, LimitExceeded
from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.reports import ReportBatch, concatenate
from keepclear.feeds.table_columns import LABEL_COLUMNS, Column, looks_mappable, resolve_columns
from keepclear.feeds.zone_shift import zone_shift_s

if TYPE_CHECKING:
    from keepclear.feeds.table_rows import TableRows

__all__ = [
    "ArrowDecoder",
    "CsvDecoder",
    "ParquetDecoder",
    "looks_like_arrow",
    "looks_like_csv",
    "looks_like_parquet",
    "parquet_batches",
]

PARQUET_BYTES_MAX = 2 * 1024**3
"""A Parquet file that comes in chunks must be kept whole (its index is at its end); a larger one is read by path."""
PARQUET_BATCH_ROWS_MAX = 4_000_000
"""Row groups are read together up to so many rows: enough for all cores, little enough to hold."""
PARQUET_ROWS_A_BYTE_MAX = 64
"""A file's index may promise so many rows for each of its bytes, beyond one batch: no table of places packs them
closer, and memory is taken for what is promised."""
CSV_LINE_BYTES_MAX = 65_536
ARROW_METADATA_BYTES_MAX = 64 * 1024**2
ARROW_BODY_BYTES_MAX = 1024**3
ARROW_DICTIONARY_BYTES_MAX = 256 * 1024**2
"""Longer lines, and larger parts of an Arrow stream than these, are not tables of reports."""


def looks_like_parquet(head: bytes) -> bool:
    return head.startswith(b"PAR1")


def looks_like_arrow(head: bytes) -> bool:
    """The file's magic, or a stream that begins with a message of a plausible length."""
    if head.startswith(b"ARROW1\0\0"):
        return True
    return head.startswith(b"\xff\xff\xff\xff") and 0 < int.from_bytes(head[4:8], "little") < 1 << 20


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
        rows = TableRows(columns, faults, options.source, _shift(options))
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
        raise InputError(f"not a readable Parquet file: {_short(error)}") from None


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


class ArrowDecoder:
    """Arrow IPC, stream or file: each record batch gives a report batch as soon as its bytes are there.

    The framing is that of «Encapsulated message format» of the Arrow columnar specification. After a message that
    cannot be read the rest of a stream has no known boundaries: it is one fault, and the end.
    """

    def __init__(self, options: DecoderOptions) -> None:
        self.faults = Faults()
        self._options = options
        self._pending = bytearray()
        self._schema: bytes | None = None
        self._dictionaries: list[bytes] = []
        self._rows: TableRows | None = None
        self._columns: tuple[Column, ...] = ()
        self._rows_seen = 0
        self._ended = False
        self._begun = False

    def decode(self, data: bytes, received_s: float) -> ReportBatch:
        if self._ended:
            return ReportBatch.empty()
        self._pending += data
        if not self._begun:
            if len(self._pending) < 8:
                return ReportBatch.empty()
            if self._pending.startswith(b"ARROW1\0\0"):
                del self._pending[:8]
            self._begun = True
        batches: list[ReportBatch] = []
        while size := self._next_size():
            message = bytes(self._pending[:size])
            del self._pending[:size]
            batch = self._message(message)
            if batch is not None:
                batches.append(batch)
        return concatenate(batches)

    def finish(self) -> ReportBatch:
        if self._pending.strip(b"\0") and not self._ended:
            self._refuse("Arrow stream cut off")
        self._pending.clear()
        return ReportBatch.empty()

    def _next_size(self) -> int:
        """Bytes of the next whole message, 0 while it is not all there; sets the end at its mark or at nonsense."""
        pending = self._pending
        if self._ended or len(pending) < 8:
            return 0
        metadata_bytes = int.from_bytes(pending[4:8], "little", signed=True)
        if pending[:4] != b"\xff\xff\xff\xff" or not 0 <= metadata_bytes <= ARROW_METADATA_BYTES_MAX:
            self._refuse("not an Arrow message")
            return 0
        if metadata_bytes == 0:  # the end of the stream; a file's footer follows
            self._ended = True
            pending.clear()
            return 0
        if len(pending) < 8 + metadata_bytes:
            return 0
        body_bytes = _body_bytes(bytes(pending[8 : 8 + metadata_bytes]))
        if not 0 <= body_bytes <= ARROW_BODY_BYTES_MAX:
            self._refuse("not an Arrow message")
            return 0
        size = 8 + metadata_bytes + body_bytes
        return size if len(pending) >= size else 0

    def _message(self, message: bytes) -> ReportBatch | None:
        import pyarrow as pa

        try:
            kind = pa.ipc.read_message(pa.py_buffer(message)).type
            if self._schema is None:
                if kind != "schema":
                    self._refuse("Arrow stream without a schema")
                    return None
                self._begin(message)
                return None
            if kind == "dictionary":
                self._dictionaries.append(message)
                if sum(map(len, self._dictionaries)) > ARROW_DICTIONARY_BYTES_MAX:
                    self._refuse(f"Arrow dictionaries larger than {ARROW_DICTIONARY_BYTES_MAX} bytes")
                return None
            if kind != "record batch":
                self._refuse("unexpected Arrow message")
                return None
            stream = b"".join([self._schema, *self._dictionaries, message])
            with pa.ipc.open_stream(pa.py_buffer(stream)) as reader:
                batch = reader.read_next_batch()
            batch.validate(full=True)  # what a stranger sent must not index outside its own buffers
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            self._refuse(f"Arrow message cannot be read: {_short(error)}")
            return None
        assert self._rows is not None
        first = self._rows_seen
        self._rows_seen += batch.num_rows
        if not batch.num_rows:
            return None
        arrays = [batch.column(batch.schema.names.index(c.name)) for c in self._columns]
        try:
            return self._rows.batch(arrays, lambda row: f"row {first + row + 1}")
        except InputError as error:
            self._refuse(error.message)
            return None

    def _begin(self, message: bytes) -> None:
        import pyarrow as pa

        from keepclear.feeds.table_rows import TableRows

        schema = pa.ipc.read_schema(pa.py_buffer(message))
        self._columns = resolve_columns(schema.names, self._options.columns)
        self._rows = TableRows(self._columns, self.faults, self._options.source, _shift(self._options))
        self._schema = message

    def _refuse(self, reason: str) -> None:
        """Before the schema nothing was an Arrow table; after it, the good part stays."""
        self._ended = True
        self._pending.clear()
        if self._schema is None:
            raise InputError(f"{reason}: is this Arrow IPC?")
        self.faults.add(reason.partition(":")[0], f"row {self._rows_seen + 1}: {reason}"[:300])


def _body_bytes(metadata: bytes) -> int:
    """``bodyLength`` of the flatbuffer Message, its fourth field (Arrow's Message.fbs); -1 where it is nonsense."""

    def signed(at: int, width: int) -> int:
        if not 0 <= at <= len(metadata) - width:
            return -1
        return int.from_bytes(metadata[at : at + width], "little", signed=True)

    root = signed(0, 4)
    table = root - signed(root, 4)
    if root <= 0 or not 0 <= table <= len(metadata) - 4:
        return -1
    field = signed(table + 10, 2) if signed(table, 2) >= 12 else 0
    return signed(root + field, 8) if field > 0 else 0


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
            raise InputError("the header is not UTF-8 text", where="line 1") from None
        self._delimiter = _delimiter(header)
        self._names = _split(header, self._delimiter)
        if len(set(self._names)) != len(self._names):
            twice = next(name for name in self._names if self._names.count(name) > 1)
            raise InputError(f"column {twice!r} stands twice in the header", where="line 1")
        self._columns = resolve_columns(self._names, self._options.columns)
        self._rows = TableRows(self._columns, self.faults, self._options.source, _shift(self._options))

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


_TOO_LONG = f"line longer than {CSV_LINE_BYTES_MAX} bytes"
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_NULLS = ["", "nan", "NaN", "NAN", "null", "NULL", "None", "NA", "N/A", "-"]
_EMPTY_LINE = re.compile(rb"(?:\A|\n)\r?\n")
_NUMBER = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*")


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _whole(column: Any) -> Any:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _delimiter(header: str) -> str:
    return max(",;\t|", key=header.count)


def _split(header: str, delimiter: str) -> list[str]:
    return [name.strip().strip('"').strip() for name in header.split(delimiter)]


def _shift(options: DecoderOptions) -> float | None:
    text = options.columns.get("time_zone")
    return None if text is None else zone_shift_s(text)


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
