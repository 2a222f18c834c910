r"""Whether the institutions of the arms differ more at the start than the lot makes them, on everything at once.

Hansen & Bowers (2008, Statistical Science 23:219-236): with D the differences between the arms' means of institution means, one
for each variable, and :math:`\Sigma` their covariance over the allocations that the lot could have given,

.. math:: d^2 = (D - E D)' \Sigma^- (D - E D)

The p-value is the share of those allocations whose :math:`d^2` is at least as large as that of the allocation drawn: strata,
unequal arms and constrained draws are in the allocations, and no distribution is assumed. It is exact where all allocations are
few enough to go through.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.analysis.allocations import allocations
from asp_eval.analysis.data import StudyData
from asp_eval.analysis.institution_means import Measure, institution_means
from asp_eval.analysis.integrity import Omnibus
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.resampling.allocations import Allocations

Array = npt.NDArray[np.float64]

DRAWS, SEED = 10_000, 1  # of the test; not the seed of the lot
AT_A_TIME = 1_000  # allocations; of all at once the indicators of an arm, as numbers, would take eight times their memory
TIE = 1e-9  # relative; the same allocation summed in another order is still the same

NO_VARIABLES = Unavailable(Phrase("nothing was measured at the start that could be compared"))
NO_FREEDOM = Unavailable(Phrase("there are too many variables for so few institutions: every allocation would look the same"))
EMPTY_ARM = Unavailable(
    Phrase("an arm has no institutions with children in the cohort, or would have none under another allocation")
)
NOT_POSSIBLE = Unavailable(Phrase("the allocation is not among those that the declared scheme could have given"))


def omnibus_test(data: StudyData, draws: int = DRAWS) -> Omnibus | Unavailable:
    """Return the omnibus test of balance between the arms' institutions.

    Parameters
    ----------
    data : StudyData
    draws : int
        How many allocations to compare with, where there are more than can be gone through.

    Returns
    -------
    Omnibus or Unavailable
        Unavailable where the lot was drawn elsewhere, so that its allocations are not known.
    """
    means, measures = institution_means(data)
    columns = ["cohort_size", *(measure.key for measure in free_measures(measures))]
    X = means[columns]
    X = X.loc[:, X.notna().any().to_numpy()]
    if X.empty or not len(X.columns):
        return NO_VARIABLES
    try:
        possible = allocations(data.study, draws=draws, seed=SEED)
        drawn = possible.recoded(list(means.index), list(data.study.arms))
    except AspError as refused:
        return Unavailable(refused.reason)
    arm = pd.Categorical(means["arm"].astype("str"), categories=list(data.study.arms)).codes.astype(np.int8)
    return _tested(X, arm, drawn, possible)


def free_measures(measures: tuple[Measure, ...]) -> tuple[Measure, ...]:
    """Return the measures without the first category of each variable, which the others determine."""
    first = {measure.variable: measure for measure in reversed(measures) if measure.level}
    return tuple(measure for measure in measures if first.get(measure.variable) != measure)


def _tested(
    X: pd.DataFrame, arm: npt.NDArray[np.int8], drawn: npt.NDArray[np.int8], possible: Allocations
) -> Omnibus | Unavailable:
    values = X.to_numpy(dtype=np.float64)
    gaps = np.isnan(values)
    values = np.where(gaps, np.nanmean(values, axis=0), values)
    spread = values.std(axis=0)
    values = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    observed, others = differences(values, arm[None, :]), differences(values, drawn)
    if np.isnan(observed).any() or np.isnan(others).any():
        return EMPTY_ARM
    centre = others.mean(axis=0)
    inverse, rank = _inverse(np.cov(others - centre, rowvar=False, bias=True).reshape(len(centre), len(centre)))
    lengths = np.einsum("bi,ij,bj->b", others - centre, inverse, others - centre)
    length = float(((observed - centre) @ inverse @ (observed - centre).T)[0, 0])
    if rank == 0 or np.ptp(lengths) <= TIE * max(1.0, float(lengths.max())):
        return NO_FREEDOM
    as_far = int((lengths >= length - TIE * max(1.0, length)).sum())
    B = len(lengths)
    if possible.enumerated and not as_far:
        return NOT_POSSIBLE
    p = as_far / B if possible.enumerated else (1 + as_far) / (1 + B)
    return Omnibus(length, rank, p, B, possible.enumerated, tuple(X.columns), len(X), int(gaps.sum()))


def differences(values: Array, arms: npt.NDArray[np.int8]) -> Array:
    """Return the means of every arm less those of the first, for every allocation.

    Parameters
    ----------
    values : ndarray, shape (institutions, k)
    arms : ndarray of int8, shape (draws, institutions)

    Returns
    -------
    ndarray, shape (draws, (arms - 1) * k)
        NaN where an arm is empty.

    Examples
    --------
    >>> differences(np.array([[1.0], [2.0], [6.0]]), np.array([[0, 0, 1], [1, 0, 1]], dtype=np.int8)).tolist()
    [[4.5], [1.5]]
    """
    n_arms = int(arms.max()) + 1
    return np.vstack([_differences(values, arms[start : start + AT_A_TIME], n_arms) for start in range(0, len(arms), AT_A_TIME)])


def _differences(values: Array, arms: npt.NDArray[np.int8], n_arms: int) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        means = [
            inside.astype(float) @ values / inside.sum(axis=1, keepdims=True) for inside in (arms == a for a in range(n_arms))
        ]
    return np.hstack([other - means[0] for other in means[1:]])


def _inverse(covariance: Array) -> tuple[Array, int]:
    """Return the Moore-Penrose inverse of a covariance matrix and its rank; what never varies is left out."""
    roots, vectors = np.linalg.eigh(covariance)
    kept = roots > 1e-8 * max(float(roots.max()), 1e-300)
    return (vectors[:, kept] / roots[kept]) @ vectors[:, kept].T, int(kept.sum())
