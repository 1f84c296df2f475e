"""What the decoder tests share: the real data, and a decoder run over its input in pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from keepclear.feeds.decoder import Decoder
from keepclear.feeds.formats import DecoderOptions, make_decoder
from keepclear.feeds.reports import Labels, ReportBatch, concatenate

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"

Run = Callable[..., tuple[ReportBatch, Decoder]]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED.is_dir():
        pytest.skip(f"no real data at {SHARED}")
    return SHARED


@pytest.fixture(scope="session")
def decode_all() -> Run:
    """``decode_all(format, data, cuts=(), options=…, received_s=…)``: all reports, and the decoder afterwards."""

    def run(
        name: str,
        data: bytes,
        cuts: Sequence[int] = (),
        options: DecoderOptions | None = None,
        received_s: float = 1_700_000_000.0,
    ) -> tuple[ReportBatch, Decoder]:
        decoder = make_decoder(name, options or DecoderOptions())
        edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
        batches = [decoder.decode(data[a:b], received_s) for a, b in pairwise(edges)]
        return concatenate([*batches, decoder.finish()]), decoder

    return run


@pytest.fixture(scope="session")
def rows_of() -> Callable[[ReportBatch], list[tuple[object, ...]]]:
    """A batch as plain rows, so that two of them compare whatever their label dictionaries are."""

    def rows(batch: ReportBatch) -> list[tuple[object, ...]]:
        columns: list[list[object]] = []
        for name in ReportBatch.__slots__:
            column = getattr(batch, name)
            if isinstance(column, Labels):
                columns.append(list(column.strings()))
            else:
                columns.append([repr(value) for value in np.asarray(column).tolist()])  # repr: nan equals nan
        return list(zip(*columns, strict=True))

    return rows
