"""Sums of many rows by DuckDB: processor seconds, and the largest memory of the process.

OMP_NUM_THREADS=1 python benchmarks/moments_sql.py [ROWS] [COPIES] [WEIGHTS]

A Parquet file of ROWS synthetic rows is read COPIES times.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from asp_eval import lmm_from_moments, moments_from_sql

FORMULA = "y ~ arm * t + x + sex + edu + (1 + t | inst) + (1 | muni)"
SYNTHETIC = """
COPY (
  SELECT inst, 'm' || inst % 100 AS muni, CASE WHEN inst % 2 = 0 THEN 'new' ELSE 'old' END AS arm,
         CASE WHEN range % 50 = 0 THEN NULL ELSE 1e6 + 10 * random() END AS x,
         random() < 0.5 AS sex, ['a', 'b', 'c'][1 + (3 * random())::INT % 3] AS edu, floor(3 * random()) AS t,
         3 * random() + inst / 5000 AS y, random() + 0.5 AS w
  FROM (SELECT range, (range * 2654435761 % 5000)::INT AS inst FROM range({rows}))
) TO '{file}' (FORMAT parquet)
"""


def main(rows: int, copies: int, weights: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "0.parquet"
        duckdb.execute(SYNTHETIC.format(rows=rows, file=file))
        for i in range(1, copies):
            (Path(folder) / f"{i}.parquet").symlink_to(file)
        start, clock = time.process_time(), time.perf_counter()
        m = moments_from_sql(FORMULA, Path(folder) / "*.parquet", weights=weights)
        used, elapsed = time.process_time() - start, time.perf_counter() - clock
        print(f"{m.n_obs:,} rows, {m.n_dropped:,} left out: {used:.1f} s of processor time, {elapsed:.1f} s elapsed")
        start = time.process_time()
        lmm_from_moments(m).tidy()
        print(f"fit and Kenward-Roger table: {time.process_time() - start:.1f} s")
        print(f"largest memory, writing the file included: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(
        int(float(given[0])) if given else 10_000_000,
        int(given[1]) if len(given) > 1 else 1,
        given[2] if len(given) > 2 else None,
    )
