"""Double programming: the headline numbers again, by libraries that share no code with the engine.

The mixed model is fitted again by statsmodels; the marginal model, ordinary least squares with standard errors that
are robust to the institution, is fitted here and again by linearmodels (whose debiased clustered covariance is CR1S).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence

import numpy as np

from asp_eval.analysis.formulas import marginal_formula, model_formula
from asp_eval.analysis.results import Number, Recomputation
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.estimate import Estimate
from asp_eval.stats.fitted import Fitted
from asp_eval.stats.linear.ols import OlsFit, ols
from asp_eval.stats.mixed.fit import MixedFit
from asp_eval.stats.smallsample.cluster_robust import CR1S
from asp_eval.stats.smallsample.method import Method
from asp_eval.stats.smallsample.normal import Normal

LEAST_SQUARES = Phrase("least squares, CR1S")


def recompute(data: AnalysisSet, planned: MixedFit, terms: Sequence[str]) -> tuple[Recomputation, ...]:
    """Return the recomputations of some coefficients: of the planned model, and of the marginal one.

    The model-based standard errors are compared: corrections for few institutions build on them. A coefficient that has no
    standard error here has nothing to compare.
    """
    mixed, marginal = _mixed_again(data, planned, terms), _marginal_again(data, terms)
    return tuple(row for pair in zip(mixed, marginal, strict=True) for row in pair if row is not None)


def _mixed_again(data: AnalysisSet, planned: MixedFit, terms: Sequence[str]) -> Iterator[Recomputation | None]:
    """Set the planned model beside the one that statsmodels fits."""
    again = planned.recompute()
    theirs: Mapping[Hashable, Number]
    if isinstance(again, Unavailable):
        theirs = defaultdict(lambda: again)
    else:
        theirs = {name: float(value) for name, value in again.set_index("quantity")["statsmodels"].items()}
    for term in terms:
        ours = _coefficient(planned, term, Normal())
        yield _row("statsmodels", model_formula(data), ours, (theirs[term], theirs[f"std_error {term}"]))


def _marginal_again(data: AnalysisSet, terms: Sequence[str]) -> Iterator[Recomputation | None]:
    """Fit the marginal model twice: by `ols` with CR1S, and by linearmodels."""
    fit = ols(marginal_formula(data), data.frame, cluster="institution")
    theirs = _by_linearmodels(fit)
    for term in terms:
        ours = _coefficient(fit, term, CR1S())
        yield _row("linearmodels", marginal_formula(data), ours, theirs[term], LEAST_SQUARES)


def _coefficient(fit: Fitted, term: str, method: Method) -> Estimate:
    return fit.contrast({term: 1.0}, method=method)


def _row(
    software: str, model: str, ours: Estimate, theirs: tuple[Number, Number], fitted_by: Phrase = NO_NOTE
) -> Recomputation | None:
    if ours.estimate is None or ours.std_error is None:
        return None
    return Recomputation(software, model, ours.term, ours.estimate, ours.std_error, *theirs, fitted_by)


def _by_linearmodels(fit: OlsFit) -> dict[str, tuple[float, float]]:
    """Fit the same columns by linearmodels, and return each estimate with its clustered standard error.

    Its estimates and covariances are had from the arrays: a model of its own would make seven frames of them first.
    """
    from linearmodels.iv import IV2SLS
    from linearmodels.iv.covariance import ClusteredCovariance

    X, y = fit.design, np.asarray(fit.outcome, float)[:, None]
    beta = IV2SLS.estimate_parameters(X, y, X, 1)
    errors = np.sqrt(np.diag(ClusteredCovariance(X, y, X, beta, clusters=fit.cluster_codes, debiased=True).cov))
    return {term: (float(b), float(se)) for term, b, se in zip(fit.names, beta[:, 0], errors, strict=True)}
