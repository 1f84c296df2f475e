"""Recorded feeds: files, folders and standard input become report batches, gzip undone on the way."""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, cast

from keepclear.edge.feed_address import FeedAddress, FeedKind
from keepclear.edge.gunzip import Gunzip
from keepclear.errors import InputError, UsageError
from keepclear.feeds.decoder import Decoder, Faults
from keepclear.feeds.formats import FORMATS, SNIFF_BYTES, DecoderOptions, make_decoder, recognise
from keepclear.feeds.reports import ReportBatch

__all__ = ["CHUNK_BYTES", "Recording", "RecordingFaults", "read_recordings", "recording_files"]

CHUNK_BYTES = 1 << 22
"""Read at a time: large enough that a call costs nothing, small enough to hold many."""
DATELESS_FORMATS = frozenset({"beast", "avr"})
"""A receiver's counter says how much time passed, never the date."""
FILES_MAX = 1_000_000
"""Files taken from one folder; more is surely the wrong folder."""


Source = IO[bytes] | Gunzip


@dataclass(frozen=True, slots=True)
class RecordingFaults:
    """What was refused in one file."""

    source: str
    faults: Faults
    dated_by_file_s: float | None = None
    """the file's own time, where the format holds no date and none was given: every instant counts from it"""


@dataclass(slots=True)
class Recording:
    """Batches as they are read; ``faults`` fills while iterating, ``bytes_read`` counts for progress."""

    addresses: Sequence[FeedAddress]
    options: DecoderOptions = field(default_factory=DecoderOptions)
    on_progress: Callable[[int], None] | None = None
    faults: list[RecordingFaults] = field(default_factory=list)
    bytes_read: int = 0

    @property
    def bytes_total(self) -> int:
        """Size on disk of everything (compressed where it is)."""
        return sum(path.stat().st_size for a in self.addresses for path in recording_files(a) if path != _STDIN)

    def __iter__(self) -> Iterator[ReportBatch]:
        for address in self.addresses:
            for path in recording_files(address):
                yield from self._read_file(path, address.format)

    def _read_file(self, path: Path, format_name: str | None) -> Iterator[ReportBatch]:
        source = "standard input" if path == _STDIN else str(path)
        try:
            with _open(path) as stream:
                head = _read_up_to(stream, SNIFF_BYTES)
                if not head:
                    damage = stream.damage if isinstance(stream, Gunzip) else ""
                    raise InputError(f"the gzip stream {damage}" if damage else "is empty", source=source)
                suffix = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
                name = format_name or recognise(head, suffix)
                if name is None and suffix.lower() in _TABLES and head.strip():
                    name = "csv"  # which then says what its header lacks
                if name is None:
                    raise InputError(
                        "no feed format recognises this; name it: FILE#FORMAT, for example FILE#sbs", source=source
                    )
                options = self.options if self.options.source else replace(self.options, source=_label(path))
                if name == "parquet" and path != _STDIN and path.suffix != ".gz":
                    yield from self._read_parquet(path, options, source)
                    return
                # A format without absolute time needs an instant to count from: the one stated, or else the
                # file's own date, which is at least of the right order and is said to the user.
                start_s = options.start_s if options.start_s is not None else _written_s(path)
                dated_s = start_s if name in DATELESS_FORMATS and options.start_s is None else None
                if isinstance(stream, Gunzip) and FORMATS[name].streaming and b"\0" not in head:
                    stream.whole_lines_from(head)
                    head = b""
                yield from self._decode(make_decoder(name, options), stream, head, source, start_s, dated_s)
        except InputError as error:
            error.source = error.source or source
            raise
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror or error})", source=source) from None

    def _read_parquet(self, path: Path, options: DecoderOptions, source: str) -> Iterator[ReportBatch]:
        """Through a memory map: its index stands at the end, and only the columns that are wanted need reading."""
        import pyarrow as pa

        from keepclear.feeds.parquet import parquet_batches

        faults = RecordingFaults(source, Faults())
        self.faults.append(faults)
        with pa.memory_map(str(path)) as mapped:
            yield from parquet_batches(mapped, options, faults.faults)
        self._count(path.stat().st_size)

    def _decode(
        self, decoder: Decoder, stream: Source, head: bytes, source: str, start_s: float, dated_s: float | None
    ) -> Iterator[ReportBatch]:
        self.faults.append(RecordingFaults(source, decoder.faults, dated_s))
        chunk = head + stream.read(CHUNK_BYTES)
        while chunk:
            self._count(len(chunk))
            yield from _as_received(decoder.decode(chunk, start_s))
            chunk = stream.read(CHUNK_BYTES)
        damage = stream.damage if isinstance(stream, Gunzip) else ""
        if damage:
            decoder.faults.add(f"the gzip stream {damage}: what came before is kept")
        yield from _as_received(decoder.finish())

    def _count(self, read: int) -> None:
        self.bytes_read += read
        if self.on_progress is not None:
            self.on_progress(self.bytes_read)


_STDIN = Path("-")
_TABLES = (".csv", ".tsv")


def recording_files(address: FeedAddress) -> list[Path]:
    """The files of a path: itself, or every file below a folder, sorted by name; hidden ones left out.

    Raises :class:`UsageError` for an empty folder.
    """
    if address.kind is FeedKind.STDIN:
        return [_STDIN]
    path = Path(address.location)
    if not path.is_dir():
        return [path]
    files: list[Path] = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(f for f in folders if not f.startswith("."))
        files.extend(Path(folder, name) for name in sorted(names) if not name.startswith("."))
        if len(files) > FILES_MAX:
            raise UsageError(f"{path} holds more than {FILES_MAX:,} files: name a smaller folder")
    if not files:
        raise UsageError(f"{path} holds no files")
    return files


def read_recordings(addresses: Sequence[FeedAddress], options: DecoderOptions | None = None) -> Recording:
    """A recording to iterate. Raises :class:`UsageError` where one of the addresses is live."""
    for address in addresses:
        if address.live:
            raise UsageError(
                f"{address.text} is a live feed: `keepclear watch` takes it; this command reads recordings"
            )
    return Recording(addresses, options or DecoderOptions())


def _as_received(batch: ReportBatch) -> Iterator[ReportBatch]:
    """A recording does not say when its reports were received; the time of measurement stands in for it."""
    if len(batch):
        yield replace(batch, received_s=batch.time_s)


def _label(path: Path) -> str:
    return "stdin" if path == _STDIN else path.name


def _written_s(path: Path) -> float:
    return time.time() if path == _STDIN else path.stat().st_mtime


@contextmanager
def _open(path: Path) -> Iterator[Source]:
    with ExitStack() as closing:
        if path == _STDIN:
            raw = cast("io.BufferedReader", sys.stdin.buffer)
        else:
            raw = closing.enter_context(path.open("rb"))
        if raw.peek(2)[:2] == b"\x1f\x8b":
            yield Gunzip(raw)
        else:
            yield raw


def _read_up_to(stream: Source, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            break
        data += more
    return data
