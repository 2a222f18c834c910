"""The one form that every design takes: randomised units, the variances nested in them, and degrees of freedom.

For arm a with m_a units, v_a being the variance of what one unit contributes to the arm's mean,

    SE^2 = heterogeneity + s_0 v_0 / m_0 + s_1 v_1 / m_1,      v = r_0 + r_1 / n_1 + r_2 / (n_1 n_2) ...

with r_l the variance left at level l after the baseline and the covariates, n_l the number of level-l units in one of
the level above, and s_a the total variance of the outcome in the arm (1 for a standardised outcome).
"""

from __future__ import annotations

from dataclasses import dataclass

from asp_eval.core.errors import Fault
from asp_eval.stats.power.values import single

NO_DF = Fault(
    "PWR-010",
    "no degrees of freedom are left for the test after the arms, strata or sites and covariates",
    "Plan more {noun}, or fewer covariates and strata.",
)
FEW_UNITS = Fault(
    "PWR-011", "an arm has fewer than two {noun}, so that nothing tells the arm from them", "Plan two or more in each arm."
)
NOT_A_SHARE = Fault("PWR-012", "{name} must lie between 0 and 1", "Correct it.")
NOT_POSITIVE = Fault("PWR-013", "{name} must be {least:g} or more", "Correct it.")
NOT_KNOWN = Fault(
    "PWR-014", "{name} is not given", "Give a number; only sample_size may be asked with one part of the size left as None."
)


@dataclass(frozen=True, slots=True)
class Level:
    """A level of nesting; the first of a design is the randomised unit itself.

    Attributes
    ----------
    name : str
        ``cluster``, ``subcluster`` or ``individual``: which of a baseline's correlations belongs to it.
    share : float
        Of the total variance.
    r2 : float
        Share of it that covariates explain.
    count : float
        Units of this level in one unit of the level above; 1 for the first.
    """

    name: str
    share: float
    r2: float
    count: float


@dataclass(frozen=True, slots=True)
class NestedDesign:
    """A design in its common form.

    Attributes
    ----------
    units : float
        Randomised units in both arms.
    noun : str
        What they are called.
    share : float
        Of the units that are treated.
    levels : tuple of Level
    df_per_unit, df_lost : float
        df = df_per_unit units - df_lost.
    heterogeneity : float
        Variance of the average effect over random sites.
    cv : float
        Coefficient of variation of the number of next-level units in a randomised unit.
    sizes : tuple of float
        Those numbers themselves, where they are known.
    ols : bool
        Whether the analysis is least squares with cluster-robust errors, not a mixed model.
    """

    units: float
    noun: str
    share: float
    levels: tuple[Level, ...]
    df_per_unit: float
    df_lost: float
    heterogeneity: float = 0.0
    cv: float = 0.0
    sizes: tuple[float, ...] = ()
    ols: bool = False

    def df(self, units: float) -> float:
        """Return the degrees of freedom with `units` left; refuse if there are none."""
        found = self.df_per_unit * units - self.df_lost
        if found <= 0:
            noun = self.noun if self.df_per_unit else "sites"
            NO_DF.refuse(noun, found=round(found, 6), expected="more than 0", noun=noun)
        return found


def check_shares(**named: float) -> None:
    """Refuse a share outside 0 and 1."""
    for name, value in named.items():
        if not 0 <= value <= 1:
            NOT_A_SHARE.refuse(name, found=value, name=name)


def check_inside(**named: float) -> None:
    """Refuse a share that is not strictly between 0 and 1."""
    for name, value in named.items():
        if not 0 < value < 1:
            NOT_A_SHARE.refuse(name, found=value, expected="above 0 and below 1", name=name)


def check_least(least: float, **named: float) -> None:
    """Refuse a number below the least that makes sense."""
    for name, value in named.items():
        if not least <= value < float("inf"):
            NOT_POSITIVE.refuse(name, found=value, name=name, least=least)


def known(name: str, value: object) -> float:
    """Return a number that must be given."""
    return NOT_KNOWN.refuse(name, name=name) if value is None else single(value, name)
