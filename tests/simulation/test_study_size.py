"""A quick slice of the simulation study, and its results file held to a new run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from batched import CLOSED_FORM, Answers
from block import TRIALS, closed_form_block
from cells import Cell, every_cell
from page_tables import coverage, error
from results import Row, closed_form_rows, joined, mc_error, merged, read_rows, write_rows

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "small-sample-inference.csv"


def rows_of(cell: Cell, blocks: int) -> dict[tuple[str, str], Row]:
    found = [closed_form_block(cell, b) for b in range(blocks)]
    singular = np.concatenate([b.singular for b in found])
    rows = [
        row
        for method in CLOSED_FORM
        for row in closed_form_rows(cell, found[0].truths, method, joined([b.answers[method] for b in found]), singular)
    ]
    return {(r.method, r.estimand): r for r in rows}


@pytest.mark.parametrize("m", [8, 12])
def test_kenward_roger_keeps_its_level_and_the_normal_approximation_does_not(m: int) -> None:
    blocks = 6
    found = rows_of(Cell("gaussian", m, m // 2, True, 0.1, 0.1), blocks)
    error_of = {method: found[method, "effect"].rejects_zero for method in CLOSED_FORM}
    four = 4 * mc_error(blocks * TRIALS)
    assert abs(error_of["Kenward-Roger"] - 0.05) < four
    assert abs(error_of["cluster means"] - 0.05) < four
    assert error_of["OLS + CR2"] < 0.05 + four
    assert error_of["z"] > 0.05 + four
    assert found["Kenward-Roger", "effect"].coverage == pytest.approx(1 - error_of["Kenward-Roger"])


def test_with_no_variance_between_clusters_the_mixed_model_is_on_the_safe_side() -> None:
    found = rows_of(Cell("gaussian", 8, 4, False, 0.0, 0.0), 4)["Kenward-Roger", "effect"]
    assert found.rejects_zero < 0.05 - 4 * mc_error(found.trials)
    assert found.singular > 0.4


def test_rows_count_what_is_missing() -> None:
    nan = np.nan
    answers = Answers(
        estimate=np.array([1.0, -1.0, 0.0, 4.0]),
        std_error=np.array([1.0, 1.0, 1.0, nan]),
        df=np.array([5.0, 7.0, 6.0, nan]),
        p_value=np.array([0.01, 0.2, 0.9, nan]),
        conf_low=np.array([0.1, -2.0, -2.0, nan]),
        conf_high=np.array([2.0, 1.0, 2.0, nan]),
    )
    cell = Cell("gaussian", 4, 2, False, 0.0, 0.0)
    (row,) = closed_form_rows(cell, {"effect": 0.0}, "Satterthwaite", answers, np.array([False, False, False, True]))
    assert (row.trials, row.available, row.singular) == (4, 0.75, 0.25)
    assert (row.rejects_zero, row.rejects_zero_available) == (0.25, pytest.approx(1 / 3))
    assert row.coverage == pytest.approx(2 / 3)
    assert row.rejects_zero_singular is None
    (row,) = closed_form_rows(cell, {"effect": 0.0}, "z", answers, np.array([True, True, False, False]))
    assert row.rejects_zero_singular == 0.5
    assert (row.bias, row.median_df, row.median_half_width) == (1.0, 6.0, pytest.approx(1.5))


def test_tables_mark_what_lies_beyond_monte_carlo_error() -> None:
    cell = Cell("gaussian", 4, 2, False, 0.0, 0.0)
    answers = Answers(*(np.zeros(10_000) for _ in range(6)))
    answers.p_value[500:] = 1.0
    answers.estimate[0] = 1.0
    (row,) = closed_form_rows(cell, {"effect": 0.0}, "z", answers, np.zeros(10_000, bool))
    assert error(row) == "5.0"
    answers.p_value[:550] = 0.0
    (row,) = closed_form_rows(cell, {"effect": 0.0}, "z", answers, np.zeros(10_000, bool))
    assert error(row) == "**5.5**"
    assert coverage(row) == "*100.0*"


def test_rows_survive_the_file(tmp_path: Path) -> None:
    cell = Cell("gaussian", 4, 2, True, 0.02, 0.02)
    answers = Answers(*(np.linspace(0.001, 1, 500) for _ in range(6)))
    rows = closed_form_rows(cell, {"effect": 0.0}, "Kenward-Roger", answers, np.zeros(500, bool))
    write_rows(tmp_path / "rows.csv", rows)
    again = read_rows(tmp_path / "rows.csv")
    assert again[0].key == rows[0].key and again[0].rejects_zero == pytest.approx(rows[0].rejects_zero, rel=1e-5)
    assert again[0].attainable is None
    assert merged(again, rows) == rows


def test_the_results_file_holds_every_cell_and_closed_form_method() -> None:
    rows = read_rows(RESULTS)
    found = {(r.cell_key, r.method) for r in rows}
    assert {k for k, _ in found} == {_key(c) for c in every_cell()}
    assert all((_key(c), method) in found for c in every_cell() for method in CLOSED_FORM)
    assert min(r.trials for r in rows if r.method in CLOSED_FORM) >= 10_000


@pytest.mark.slow
@pytest.mark.parametrize("cell", [c for c in every_cell() if c.clusters == 12], ids=lambda c: c.name)
def test_the_results_file_is_what_the_study_finds(cell: Cell) -> None:
    found = rows_of(cell, 10_000 // TRIALS)
    committed = {(r.method, r.estimand): r for r in read_rows(RESULTS) if r.cell_key == _key(cell) and r.method in CLOSED_FORM}
    assert set(found) == set(committed)
    for key, row in found.items():
        assert row.rejects_zero == pytest.approx(committed[key].rejects_zero, abs=2e-4), key
        assert row.median_half_width == pytest.approx(committed[key].median_half_width, rel=1e-4), key


def _key(cell: Cell) -> tuple[object, ...]:
    sizes = "unequal" if cell.unequal else "equal"
    return (cell.family, cell.clusters, cell.treated, sizes, cell.icc, cell.icc_treated, cell.effect)
