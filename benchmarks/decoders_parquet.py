"""Time to reports of a Parquet file, beside pyarrow reading the same columns and nothing more.

    python benchmarks/decoders_parquet.py [--rows 10000000]

Both read the same file from the page cache, in alternating rounds; the best of each counts. pyarrow is measured as a
user calls it and with the target left dictionary-encoded, which is what ours does.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from keepclear.feeds.decoder import Faults
from keepclear.feeds.formats import DecoderOptions
from keepclear.feeds.parquet import parquet_batches

ROUNDS = 5
COLUMNS = ["time", "lat", "lon", "altitude_baro_m", "target"]


def write(path: Path, rows: int) -> None:
    noise = np.random.default_rng(1)
    names = pa.array([f"{i:06x}" for i in range(10_000)])
    codes = pa.array(noise.integers(0, 10_000, rows).astype(np.int32))
    table = pa.table({"time": 1.7e9 + np.arange(rows) / 1000, "lat": noise.uniform(40, 50, rows),
                      "lon": noise.uniform(20, 30, rows), "altitude_baro_m": noise.uniform(0, 1e4, rows),
                      "target": pa.DictionaryArray.from_arrays(codes, names)})  # fmt: skip
    pq.write_table(table, path, store_schema=False)


def timed(best: dict[str, float], name: str, run: object) -> None:
    begin = time.perf_counter()
    assert run()  # type: ignore[operator]
    best[name] = min(best.get(name, 1e9), time.perf_counter() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reports.parquet"
        write(path, rows)

        def ours() -> bool:
            faults = Faults()
            total = sum(len(batch) for batch in parquet_batches(path, DecoderOptions(source="bench"), faults))
            return total == rows and faults.total == 0

        best: dict[str, float] = {}
        for _ in range(ROUNDS):
            timed(best, "pyarrow read_table", lambda: pq.read_table(path, columns=COLUMNS).num_rows == rows)
            timed(
                best, "pyarrow, target as dictionary",
                lambda: pq.read_table(path, columns=COLUMNS, read_dictionary=["target"]).num_rows == rows,
            )  # fmt: skip
            timed(best, "parquet_batches", ours)
    for name, seconds in best.items():
        print(f"{name:<32}{seconds:>8.3f} s {rows / seconds:>14,.0f} rows/s")
    print(f"reports take {best['parquet_batches'] / best['pyarrow read_table']:.2f} times pyarrow's own time, "
          f"{best['parquet_batches'] / best['pyarrow, target as dictionary']:.2f} times with dictionary")  # fmt: skip


if __name__ == "__main__":
    main()
