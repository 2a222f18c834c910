"""The planned model's statistic under the allocations that the lot could have given, in bins: what a permutation test counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from asp_eval.analysis.declared_results import LotBin, LotDistribution, LotStatistic
from asp_eval.analysis.formulas import arm_term
from asp_eval.analysis.results import ArmEffect
from asp_eval.analysis.triangulation import Lot, permutation_of
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.stats.estimate import Array
from asp_eval.stats.fitted import Fitted
from asp_eval.stats.mixed.fit import MixedFit
from asp_eval.stats.resampling.inversion import at_least
from asp_eval.stats.resampling.permutation_test import PermutationDistribution

NARROWEST = 0.25
"""Width of a bin, in standard errors; a power of two, so that the ends of bins are exact."""
MOST_BINS = 60


def lot_distributions(planned: Fitted, effects: Sequence[ArmEffect], lot: Lot) -> tuple[LotDistribution, ...]:
    """Return the distribution of every later arm's statistic under the lot; nothing of an arm where there is none.

    Parameters
    ----------
    planned : Fitted
        The planned model.
    effects : sequence of ArmEffect
        What it says of the arms.
    lot : Allocations or Unavailable
    """
    return () if isinstance(lot, Unavailable) else tuple(_found(planned, effects, lot))


def _found(planned: Fitted, effects: Sequence[ArmEffect], lot: Lot) -> Iterator[LotDistribution]:
    if isinstance(lot, Unavailable):
        return
    method = replace(permutation_of(planned, lot), interval=False)
    kind: LotStatistic = "cluster-means" if method.statistic == "cluster-means" else "model"
    if kind == "model" and not isinstance(planned, MixedFit):
        kind = "score"
    for effect in effects:
        if isinstance(effect.difference, Unavailable):
            continue
        try:
            found = method.distribution(planned, {arm_term(effect.arm): 1.0})
        except AspError:
            continue  # why, says the estimator's own row
        if isinstance(found, PermutationDistribution):
            yield binned(effect.arm, kind, found)


def binned(arm: str, kind: LotStatistic, found: PermutationDistribution) -> LotDistribution:
    """Return a distribution in bins; statistics have the sign of their effect.

    Parameters
    ----------
    arm : str
    kind : {"model", "cluster-means", "score"}
    found : PermutationDistribution

    Examples
    --------
    >>> t = np.array([0.1, -0.1, 1.0, -1.3])
    >>> lot = binned("b", "model", PermutationDistribution(1.0, 1.0, 1.0, t, np.abs(t), 0.5, 0.25, True))
    >>> [(one.low, one.count, one.as_large) for one in lot.bins]
    [(-1.5, 1, 1), (-0.25, 1, 0), (0.0, 1, 0), (1.0, 1, 1)]
    """
    known = np.isfinite(found.statistics)
    signed = np.copysign(found.statistics, found.estimates)[known]
    large = at_least(found.statistics, abs(found.statistic))
    return LotDistribution(
        arm=arm,
        kind=kind,
        statistic=found.statistic,
        p_value=found.p_value,
        draws=len(found.statistics),
        as_large=int(large.sum()),
        enumerated=found.enumerated,
        inestimable=int((~known).sum()),
        bins=tuple(_bins(signed, large[known])),
    )


def _bins(statistics: Array, large: npt.NDArray[np.bool_]) -> Iterator[LotBin]:
    """Yield the bins that hold a statistic, in order."""
    reach = float(np.abs(statistics).max(initial=0.0))
    width = NARROWEST
    while 2.0 * reach > MOST_BINS * width:
        width *= 2.0
    places = np.floor(np.round(statistics / width, 9)).astype(int)
    for place in np.unique(places).tolist():
        here = places == place
        yield LotBin(place * width, (place + 1) * width, int(here.sum()), int((here & large).sum()))
