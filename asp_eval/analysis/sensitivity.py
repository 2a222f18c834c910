"""Double programming: the headline numbers again, by libraries that share no code with the engine.

The mixed model is fitted again by statsmodels; the marginal model, ordinary least squares with standard errors that
are robust to the institution, is fitted here and again by linearmodels (its clustered covariance with both small-sample
factors is CR1S).
"""

from __future__ import annotations

import pandas as pd

from asp_eval.analysis.results import Recomputation
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.stats.mixed.fit import MixedFit
from asp_eval.stats.ols import OlsFit, ols
from asp_eval.stats.smallsample.cluster_robust import CR1S
from asp_eval.stats.smallsample.normal import Normal


def recompute(data: AnalysisSet, planned: MixedFit, marginal: str, term: str) -> tuple[Recomputation, ...]:
    """Return the recomputations of one coefficient: of the planned model, and of the marginal one.

    The model-based standard errors are compared: corrections for few institutions build on them.
    """
    return (_mixed_again(planned, term), _marginal_again(data, marginal, term))


def _mixed_again(planned: MixedFit, term: str) -> Recomputation:
    ours = planned.contrast({term: 1.0}, method=Normal())
    again = planned.recompute()
    row = again.table.set_index("term").loc[term]
    return Recomputation(
        software=again.software, model=planned.formula, term=term,
        estimate=float(ours.estimate or 0.0), std_error=float(ours.std_error or 0.0),
        recomputed_estimate=float(row["recomputed_estimate"]), recomputed_std_error=float(row["recomputed_std_error"]),
    )  # fmt: skip


def _marginal_again(data: AnalysisSet, marginal: str, term: str) -> Recomputation:
    """Fit the marginal model twice: by `ols` with CR1S, and by linearmodels."""
    fit = ols(marginal, data.frame, cluster="institution")
    ours = fit.contrast({term: 1.0}, method=CR1S())
    try:
        estimate, std_error = _by_linearmodels(fit, term)
    except AspError as refused:
        estimate = std_error = Unavailable(str(refused))
    return Recomputation(
        software="linearmodels", model=f"{marginal} (least squares, CR1S)", term=term,
        estimate=float(ours.estimate or 0.0), std_error=float(ours.std_error or 0.0),
        recomputed_estimate=estimate, recomputed_std_error=std_error,
    )  # fmt: skip


def _by_linearmodels(fit: OlsFit, term: str) -> tuple[float, float]:
    """Fit the same columns by linearmodels, and return the estimate and its clustered standard error."""
    from linearmodels.iv import IV2SLS

    again = IV2SLS(fit.outcome, pd.DataFrame(fit.design, columns=list(fit.names)), None, None).fit(
        cov_type="clustered", clusters=fit.cluster_codes, debiased=True, group_debias=True
    )
    return float(again.params[term]), float(again.std_errors[term])
