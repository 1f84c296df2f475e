"""Arrow IPC, stream or file, of reports, by the documented column map (docs/reference/columns.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keepclear.errors import InputError
from keepclear.feeds.decoder import Faults, first_line
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.reports import ReportBatch, concatenate
from keepclear.feeds.table_columns import Column, resolve_columns
from keepclear.feeds.zone_shift import shift_of

if TYPE_CHECKING:
    from keepclear.feeds.table_rows import TableRows

__all__ = ["ArrowDecoder", "looks_like_arrow"]

ARROW_METADATA_BYTES_MAX = 64 * 1024**2
ARROW_BODY_BYTES_MAX = 1024**3
ARROW_DICTIONARY_BYTES_MAX = 256 * 1024**2
"""Larger parts of a stream than these are not tables of reports."""


def looks_like_arrow(head: bytes) -> bool:
    """The file's magic, or a stream that begins with a message of a plausible length."""
    if head.startswith(b"ARROW1\0\0"):
        return True
    return head.startswith(b"\xff\xff\xff\xff") and 0 < int.from_bytes(head[4:8], "little") < 1 << 20


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
            self._refuse(f"Arrow message cannot be read: {first_line(error)}")
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
        self._rows = TableRows(self._columns, self.faults, self._options.source, shift_of(self._options.columns))
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
