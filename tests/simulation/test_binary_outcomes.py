"""The simulation of a yes or no fits trials together; what it finds is what `glmm` finds one by one.

1. Effects, standard errors, variances at zero and refusals agree, in cells with rare and with common answers. 2. The prevalence
and the correlation that are asked for are those that are drawn. 3. The table of the docs is that of the CSV.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "benchmarks"))

import binary_outcomes  # noqa: E402
from events_in_institutions import by_glmm, fit_trials  # noqa: E402


@pytest.mark.parametrize("cell", [(8, 10, 0.1, 0.1, 1), (12, 40, 0.5, 0.02, 1), (20, 40, 0.3, 0.1, 2)])
def test_trials_together_are_trials_one_by_one(cell):  # 1
    events, arm = binary_outcomes.drawn(*cell, 7)
    one, two = fit_trials(events[:12], cell[1], arm), by_glmm(events[:12], cell[1], arm)
    assert (one.refused == two.refused).all() and (one.singular == two.singular).all()
    kept = ~one.refused
    assert np.abs((one.effect - two.effect) / two.std_error)[kept].max() < 1e-2
    assert np.median(np.abs(one.std_error / two.std_error - 1)[kept]) < 1e-4


def test_what_is_drawn_has_the_prevalence_and_the_correlation():  # 2
    events, _ = binary_outcomes.drawn(40, 10, 0.3, 0.1, 1, 7)
    share = events.mean() / 10
    pairs = (events * (events - 1)).mean() / 90  # two children of one institution, both yes
    assert share == pytest.approx(0.3, abs=0.01)
    assert (pairs - share**2) / (share * (1 - share)) == pytest.approx(0.1, abs=0.02)


def test_the_page_holds_the_table():  # 3
    page = (ROOT / "docs" / "small-sample-inference-binary.md").read_text(encoding="utf-8")
    assert binary_outcomes.table(ROOT / "benchmarks" / "binary_outcomes.csv") in page
