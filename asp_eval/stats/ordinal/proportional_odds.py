"""Whether an effect is the same at every threshold: the proportional odds assumption, tested by a likelihood ratio.

The model is fitted again with the effect's columns w acting on each threshold in their own way, c_k - w' Gamma_k with Gamma
zero at the first threshold (a partial proportional odds model: Peterson & Harrell 1990, Appl Stat 39:205). Twice the gain in
log likelihood is chi-square with (K - 2) q degrees of freedom.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import JointTest, f_tail
from asp_eval.stats.integration.fitted import LatentFit
from asp_eval.stats.integration.optimum import maximise
from asp_eval.stats.ordinal.cumulative_rows import CumulativeRows

NO_COLUMN = Fault(
    "FIT-105", "the model has no column of {term!r}", "Name a variable or a coefficient of the fixed part: {known}."
)
TWO_CATEGORIES = Phrase("with two categories there is one threshold, so there is nothing to compare")
NO_MAXIMUM = Phrase("the model with an effect at each threshold has no maximum: a category holds too few rows")
METHOD = "likelihood ratio"
FAR = 15.0


def proportional_odds_test(fit: LatentFit, rows: CumulativeRows, term: str) -> JointTest:
    """Return the test that a term's effect is the same at every threshold, as chi-square over its degrees of freedom.

    Parameters
    ----------
    fit : LatentFit
    rows : CumulativeRows
        In the order of the data.
    term : str
        A variable of the fixed part (all columns that contain it), or one coefficient.
    """
    design, kept = fit.design, fit.columns.kept
    made = [design.columns[design.layout.fixed[k]] for k in kept]
    chosen = [j for j, c in enumerate(made) if c.name == term or term in {name for name, _ in c.parts}]
    if not chosen:
        NO_COLUMN.refuse(design.formula.text, term=term, known=", ".join(fit.names))
    q = len(chosen)
    df = float((len(rows.J) - 1) * q)
    if not df:
        return JointTest(term, None, None, None, None, METHOD, TWO_CATEGORIES)
    w = design.fixed_matrix()[:, [kept[j] for j in chosen]]
    w = (w - w.mean(axis=0)) / w.std(axis=0)
    model = replace(fit.model, rows=replace(rows, nominal=w).subset(fit.model.cells.order))
    start = np.append(fit.maximum.x, np.zeros(int(df)))
    free = np.append(fit.free, np.ones(int(df), bool))
    found = maximise(model, fit.nodes, start, free=free)
    if not found.converged or float(np.abs(found.x[-int(df) :]).max()) > FAR:
        return JointTest(term, None, None, None, None, METHOD, NO_MAXIMUM)
    statistic = max(2.0 * (-found.evaluation.value - fit.log_likelihood), 0.0) / df
    return JointTest(term, statistic, df, np.inf, f_tail(statistic, df, np.inf), METHOD)
