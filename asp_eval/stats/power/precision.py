"""The standard error of an arm's effect, and its degrees of freedom, from a design in its common form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from asp_eval.core.errors import Fault
from asp_eval.stats.power.losses import Losses
from asp_eval.stats.power.nested_design import FEW_UNITS, Level, NestedDesign
from asp_eval.stats.power.waves import Waves, adjusted

LARGE_CV = Fault(
    "PWR-022",
    "the approximation for unequal sizes does not hold at a coefficient of variation of {cv:g}",
    "Give the sizes themselves: size=Sizes([...]).",
)
NO_ONE_LEFT = Fault("PWR-023", "nobody is left in an arm after the losses", "Give smaller losses.")


@dataclass(frozen=True, slots=True)
class Precision:
    """How precisely an effect is estimated.

    Attributes
    ----------
    heterogeneity : float
        Part of the squared standard error that no number of units inside the sites lessens.
    control, treated : float
        Variance of an arm's mean over the outcome's total variance in it.
    df : float
    """

    heterogeneity: float
    control: float
    treated: float
    df: float

    def std_error(self, variances: tuple[float, float]) -> float:
        """Return the standard error, given the outcome's total variance in each arm."""
        between = self.heterogeneity * (variances[0] + variances[1]) / 2.0
        return float(np.sqrt(between + variances[0] * self.control + variances[1] * self.treated))


def precision(design: NestedDesign, waves: Waves, losses: Losses) -> Precision:
    """Return the precision of a design.

    Raises
    ------
    Refusal
        If an arm is left with fewer than two units or nobody, or no degrees of freedom are left.
    """
    after = adjusted(design.levels, waves)
    arms, units = [], []
    for treated in (False, True):
        drawn = design.units * (design.share if treated else 1.0 - design.share)
        left = drawn * (1.0 - losses.of_clusters(treated))
        kept = 1.0 - losses.of_individuals(treated)
        if left <= 0 or kept <= 0:
            NO_ONE_LEFT.refuse("losses")
        if left < 2.0 - 1e-9:
            FEW_UNITS.refuse(design.noun, found=round(left, 6), expected="2 or more", noun=design.noun)
        arms.append(unit_variance(design, _thinned(after.levels, kept)) / left)
        units.append(left)
    df = replace(design, df_lost=design.df_lost + after.df_lost).df(sum(units))
    return Precision(design.heterogeneity, arms[0], arms[1], df)


def unit_variance(design: NestedDesign, levels: Sequence[Level]) -> float:
    """Return the variance that stands for one randomised unit in the mean of its arm.

    Parameters
    ----------
    design : NestedDesign
        Says how unequal the units are, and who analyses.
    levels : sequence of Level
        After the baseline, and thinned by the losses.
    """
    left = [level.share * (1.0 - level.r2) for level in levels]
    counts = np.cumprod([level.count for level in levels])
    top, rest = left[0], float(sum(r / c for r, c in zip(left[1:], counts[1:], strict=True)))
    if design.sizes:
        sizes = np.array(design.sizes)
        return float(1.0 / np.mean(1.0 / (top + rest * sizes.mean() / sizes)))
    if design.ols:
        return top * (1.0 + design.cv**2) + rest
    share = top / (top + rest) if top + rest > 0 else 0.0
    efficiency = 1.0 - design.cv**2 * share * (1.0 - share)
    if efficiency <= 0.25:
        LARGE_CV.refuse("cv", found=design.cv, cv=design.cv)
    return (top + rest) / efficiency


def _thinned(levels: Sequence[Level], kept: float) -> tuple[Level, ...]:
    """Return the levels with a share of the individuals left; where individuals are drawn, they are the units."""
    if len(levels) == 1:
        return tuple(levels)
    return (*levels[:-1], replace(levels[-1], count=levels[-1].count * kept))
