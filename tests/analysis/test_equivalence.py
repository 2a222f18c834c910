"""Baseline equivalence by the What Works Clearinghouse's formulas: published check values and closed forms."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.analysis.data import load_data
from asp_eval.analysis.equivalence import equivalence, verdict_of
from asp_eval.analysis.sets import assemble
from asp_eval.core.errors import Refusal
from asp_eval.stats.meta.wwc_effect_size import clustered_g


def test_worked_values():
    large = clustered_g(1.0, 1.0, children=2323, clusters=59, icc=0.1)
    assert large.gamma == pytest.approx(0.9967, abs=5e-5)
    assert large.h == pytest.approx(1689.4, abs=0.05)
    assert clustered_g(1.0, 1.0, children=100, clusters=20, icc=0.1).h == pytest.approx(94.40, abs=0.005)


@given(st.floats(-3, 3), st.floats(0.2, 9), st.integers(10, 500))
def test_without_clustering_it_is_the_usual_g(difference, sd, children):
    """With rho = 0: gamma = 1, h = N - 2, omega = 1 - 3 / (4 (N - 2) - 1), Hedges 1981."""
    found = clustered_g(difference, sd, children=children, clusters=5, icc=0.0)
    assert found.gamma == 1
    assert found.h == pytest.approx(children - 2)
    assert found.g == pytest.approx((1 - 3 / (4 * (children - 2) - 1)) * difference / sd)


def test_by_hand():
    """N 40 in 8 clusters, n 5, rho .2: 38 - 2 * 4 * .2 = 36.4; h = 36.4^2 / (38 * .64 + 5 * 30 * .04 + 60 * .16)."""
    h = 36.4**2 / (24.32 + 6.0 + 9.6)
    found = clustered_g(0.5, 2.0, children=40, clusters=8, icc=0.2)
    assert found.h == pytest.approx(h)
    assert found.g == pytest.approx((1 - 3 / (4 * h - 1)) * sqrt(36.4 / 38) * 0.25)


@pytest.mark.parametrize(
    ("sd", "children", "clusters", "icc"), [(0.0, 40, 8, 0.1), (1.0, 8, 8, 0.1), (1.0, 40, 2, 0.1), (1.0, 40, 8, 1.0)]
)
def test_what_cannot_be_standardised_is_refused(sd, children, clusters, icc):
    with pytest.raises(Refusal, match="ANA-051"):
        clustered_g(0.5, sd, children=children, clusters=clusters, icc=icc)


@pytest.mark.parametrize(
    ("g", "verdict"),
    [(0.0, "satisfied"), (0.05, "satisfied"), (-0.0501, "adjust"), (0.25, "adjust"), (-0.2501, "not-satisfied")],
)
def test_the_limits(g, verdict):
    assert verdict_of(g) == verdict


def test_an_outcome_without_a_baseline_has_none(small_study):
    data = load_data(small_study)
    plain = data.study.outcomes[0].model_copy(update={"baseline": None})
    study = data.study.model_copy(update={"outcomes": (plain,)})
    assert equivalence(study, assemble(replace(data, study=study), "y")) == ()
