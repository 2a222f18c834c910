"""The simulation study: how often tests reject a true hypothesis, and intervals hold the truth, with few clusters.

    python benchmarks/simulation/run.py                        everything; about half an hour on two cores
    python benchmarks/simulation/run.py --workers 2 --cells 'gaussian/*/icc0.1' 'sdq/*'
    python benchmarks/simulation/run.py --only closed-form     without permutation and bootstrap: a few minutes
    python benchmarks/simulation/run.py --only write           tables and figure anew from the results file

Results go to docs/small-sample-inference.csv as cells are done; a cell that is run again replaces its rows. Random numbers
belong to a cell and a block of 500 of its trials, so results depend neither on the workers nor on the order.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
from batched import CLOSED_FORM
from block import TRIALS, ResampledBlock, closed_form_block, permutation_block, wild_block
from cells import Cell, every_cell
from page_tables import write_tables
from picture import draw_picture
from resampled import attainable, has_wild_bootstrap
from results import Row, cell_values, closed_form_rows, joined, merged, read_rows, resampled_rows, write_rows

Answering = Callable[[Cell, int], ResampledBlock]

DOCS = Path(__file__).resolve().parents[2] / "docs"
RESULTS = DOCS / "small-sample-inference.csv"
PAGE = DOCS / "small-sample-inference.md"
FIGURE = DOCS / "figures" / "small-sample-inference.svg"


def main() -> None:
    options = arguments()
    cells = [c for pattern in options.cells for c in every_cell() if fnmatchcase(c.name, pattern)]
    with ProcessPoolExecutor(options.workers) as pool:
        if options.only in {None, "closed-form"}:
            run_closed_form(pool, cells, options.trials, options.results)
        if options.only in {None, "permutation"}:
            able = [c for c in cells if attainable(c) > 0]  # with fewer allocations no p-value is below 5 %
            run_resampled(pool, able, options.resampled, options.results, "permutation", permutation_block)
        if options.only in {None, "wild-bootstrap"}:
            able = [c for c in cells if has_wild_bootstrap(c)]
            run_resampled(pool, able, options.resampled, options.results, "wild bootstrap", wild_block)
    if options.results == RESULTS:
        rows = read_rows(RESULTS)
        FIGURE.write_text(draw_picture(rows), encoding="utf-8")
        write_tables(PAGE, rows)


def run_closed_form(pool: ProcessPoolExecutor, cells: list[Cell], trials: int, results: Path) -> None:
    """Run the closed-form methods, cell by cell."""
    started, worst = time.perf_counter(), 0.0
    for cell in cells:
        blocks = list(pool.map(closed_form_block, [cell] * (trials // TRIALS), range(trials // TRIALS)))
        worst = max(worst, *(b.difference for b in blocks))
        singular = np.concatenate([b.singular for b in blocks])
        rows: list[Row] = []
        for method in CLOSED_FORM:
            rows += closed_form_rows(cell, blocks[0].truths, method, joined([b.answers[method] for b in blocks]), singular)
        keep(results, rows)
        print(f"{time.perf_counter() - started:6.0f} s  {cell.name}: Kenward-Roger {_shown(rows)}", flush=True)
    print(f"largest difference from the package's own numbers: {worst:.1e}")


def run_resampled(
    pool: ProcessPoolExecutor, cells: list[Cell], trials: int, results: Path, method: str, answer: Answering
) -> None:
    """Run a resampling method, cell by cell."""
    started = time.perf_counter()
    for cell in cells:
        parts = list(pool.map(answer, [cell] * (trials // TRIALS), range(trials // TRIALS)))
        rows = resampled_rows(cell, method, parts, attainable(cell) if method == "permutation" else None)
        keep(results, rows)
        print(f"{time.perf_counter() - started:6.0f} s  {cell.name}: {method} {rows[0].rejects_zero:.4f}", flush=True)


def keep(results: Path, rows: list[Row]) -> None:
    """Put rows into the results file, in the order of the cells."""
    order = {cell_values(c): i for i, c in enumerate(every_cell())}
    every = [r for r in merged(read_rows(results), rows) if r.cell_key in order]
    write_rows(results, sorted(every, key=lambda r: order[r.cell_key]))


def _shown(rows: list[Row]) -> str:
    """Return the cell's rejections by Kenward-Roger."""
    return ", ".join(f"{r.rejects_zero:.4f}" for r in rows if r.method == "Kenward-Roger")


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", default=["*"], help="patterns of cell names, in the order in which they run")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--trials", type=int, default=10_000, help="of closed-form methods, in blocks of 500")
    parser.add_argument("--resampled", type=int, default=2_000, help="trials of resampling methods, in blocks of 500")
    parser.add_argument("--results", type=Path, default=RESULTS, help="another file; tables and figure are then left alone")
    parser.add_argument("--only", choices=("closed-form", "permutation", "wild-bootstrap", "write"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
