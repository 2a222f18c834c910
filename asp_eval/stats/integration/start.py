"""The model without random effects: where the search begins, and where separation shows first."""

from __future__ import annotations

import numpy as np

from asp_eval.stats.estimate import Array
from asp_eval.stats.integration.rows import RowLikelihood

MOST_STEPS = 30


def fixed_effects_fit(X: Array, offset: Array | float, rows: RowLikelihood, start: Array, psi: Array) -> tuple[Array, bool]:
    """Return the maximum likelihood coefficients (p,) of independent rows, and whether they were reached.

    Parameters
    ----------
    X : ndarray (n, p)
    offset : ndarray (n,) or float
    rows : RowLikelihood
    start : ndarray (p,)
        Where the model is defined.
    psi : ndarray (n_shared,)
        Held where it is.
    """
    beta = start
    if not len(beta):
        return beta, True
    with np.errstate(all="ignore"):
        here = rows.terms(X @ beta + offset, psi)
        for _ in range(MOST_STEPS):
            gradient = X.T @ here.first
            information = (X.T * -here.second) @ X
            try:
                step = np.linalg.solve(information + 1e-12 * np.trace(information) * np.eye(len(beta)), gradient)
            except np.linalg.LinAlgError:
                return beta, False
            gain = float(gradient @ step)
            if gain < 1e-10:
                return beta, True
            step *= min(1.0, 3.0 / float(np.abs(step).max()))
            value = float(here.value.sum())
            for _ in range(30):
                new = rows.terms(X @ (beta + step) + offset, psi)
                if float(new.value.sum()) > value:
                    break
                step = step / 2
            else:
                return beta, False
            beta, here = beta + step, new
    return beta, False
