"""The simulation study: how often tests reject a true hypothesis, and intervals hold the truth, with few clusters.

    python benchmarks/simulation/run.py                        everything; about half an hour on two cores
    python benchmarks/simulation/run.py --workers 2 --cells gaussian/ sdq/
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
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from batched import CLOSED_FORM
from block import TRIALS, closed_form_block
from cells import Cell, every_cell
from page_tables import write_tables
from picture import draw_picture
from results import Row, cell_values, closed_form_rows, joined, merged, read_rows, write_rows

DOCS = Path(__file__).resolve().parents[2] / "docs"
RESULTS = DOCS / "small-sample-inference.csv"
PAGE = DOCS / "small-sample-inference.md"
FIGURE = DOCS / "figures" / "small-sample-inference.svg"


def main() -> None:
    options = arguments()
    cells = [c for c in every_cell() if not options.cells or any(text in c.name for text in options.cells)]
    with ProcessPoolExecutor(options.workers) as pool:
        if options.only in {None, "closed-form"}:
            run_closed_form(pool, cells, options.trials)
    rows = read_rows(RESULTS)
    FIGURE.write_text(draw_picture(rows), encoding="utf-8")
    write_tables(PAGE, rows)


def run_closed_form(pool: ProcessPoolExecutor, cells: list[Cell], trials: int) -> None:
    """Run the closed-form methods, cell by cell."""
    started, worst = time.perf_counter(), 0.0
    for cell in cells:
        blocks = list(pool.map(closed_form_block, [cell] * (trials // TRIALS), range(trials // TRIALS)))
        worst = max(worst, *(b.difference for b in blocks))
        singular = np.concatenate([b.singular for b in blocks])
        rows: list[Row] = []
        for method in CLOSED_FORM:
            rows += closed_form_rows(cell, blocks[0].truths, method, joined([b.answers[method] for b in blocks]), singular)
        keep(rows)
        print(f"{time.perf_counter() - started:6.0f} s  {cell.name}: Kenward-Roger {_shown(rows)}", flush=True)
    print(f"largest difference from the package's own numbers: {worst:.1e}")


def keep(rows: list[Row]) -> None:
    """Put rows into the results file, in the order of the cells."""
    order = {cell_values(c): i for i, c in enumerate(every_cell())}
    every = [r for r in merged(read_rows(RESULTS), rows) if r.cell_key in order]
    write_rows(RESULTS, sorted(every, key=lambda r: order[r.cell_key]))


def _shown(rows: list[Row]) -> str:
    """Return the cell's rejections by Kenward-Roger."""
    return ", ".join(f"{r.rejects_zero:.4f}" for r in rows if r.method == "Kenward-Roger")


def arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", default=[], help="parts of cell names; by default every cell")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--trials", type=int, default=10_000, help="of closed-form methods, in blocks of 500")
    parser.add_argument("--only", choices=("closed-form", "write"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
