"""Double programming: the headline numbers again, by libraries that share no code with the engine.

The mixed model is fitted again by statsmodels; the marginal model, ordinary least squares with standard errors that
are robust to the institution, is fitted here and again by linearmodels (whose debiased clustered covariance is CR1S).
"""

from __future__ import annotations

import pandas as pd

from asp_eval.analysis.plan import marginal_formula, model_formula
from asp_eval.analysis.results import Recomputation
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import Unavailable
from asp_eval.stats.mixed.fit import MixedFit
from asp_eval.stats.ols import OlsFit, ols
from asp_eval.stats.smallsample.cluster_robust import CR1S
from asp_eval.stats.smallsample.normal import Normal


def recompute(data: AnalysisSet, planned: MixedFit, term: str) -> tuple[Recomputation, ...]:
    """Return the recomputations of one coefficient: of the planned model, and of the marginal one.

    The model-based standard errors are compared: corrections for few institutions build on them.
    """
    return (_mixed_again(data, planned, term), _marginal_again(data, term))


def _mixed_again(data: AnalysisSet, planned: MixedFit, term: str) -> Recomputation:
    """Set the planned model beside the one that statsmodels fits."""
    model, error = model_formula(data), f"std_error {term}"
    again = planned.recompute()
    if isinstance(again, Unavailable):
        ours = planned.contrast({term: 1.0}, method=Normal())
        return Recomputation("statsmodels", model, term, float(ours.estimate or 0), float(ours.std_error or 0), again, again)
    found = again.set_index("quantity")[["engine", "statsmodels"]].loc[[term, error]].to_numpy(dtype=float).tolist()
    (estimate, theirs), (std_error, their_error) = found
    return Recomputation("statsmodels", model, term, estimate, std_error, theirs, their_error)


def _marginal_again(data: AnalysisSet, term: str) -> Recomputation:
    """Fit the marginal model twice: by `ols` with CR1S, and by linearmodels."""
    fit = ols(marginal_formula(data), data.frame, cluster="institution")
    ours = fit.contrast({term: 1.0}, method=CR1S())
    model = f"{marginal_formula(data)} (least squares, CR1S)"
    return Recomputation(
        "linearmodels", model, term, float(ours.estimate or 0), float(ours.std_error or 0), *_by_linearmodels(fit, term)
    )


def _by_linearmodels(fit: OlsFit, term: str) -> tuple[float, float]:
    """Fit the same columns by linearmodels, and return the estimate and its clustered standard error."""
    from linearmodels.iv import IV2SLS

    design = pd.DataFrame(fit.design, columns=list(fit.names))
    model = IV2SLS(fit.outcome, design, None, None)
    again = model.fit(cov_type="clustered", clusters=fit.cluster_codes, debiased=True)
    return float(again.params[term]), float(again.std_errors[term])
