"""An arm's effect that varies at random between the levels of a column, such as municipalities.

    y_ijk = x_i'b + d A_j + m_k + e_k A_j + u_j + r_i,   m_k ~ N(0, s_m^2), e_k ~ N(0, s_e^2), u_j ~ N(0, s_u^2)

for child i of institution j in level k: d is the effect in a middling level, s_e by how much it differs between them. That s_e is
zero is tested by the restricted likelihood ratio against half chi-square on 0 and half on 1 (Stram & Lee 1994, Biometrics
50:1171). The effect in a level is d + e_k, drawn towards d (`asp_eval.stats.mixed.group_coefficients`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from asp_eval.analysis.declared_results import Estimated, VaryingEffect
from asp_eval.analysis.formulas import ARM, BY, varying_formula
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Estimate, available, t_quantile
from asp_eval.stats.mixed.fit import MixedFit, lmm
from asp_eval.stats.mixed.group_coefficients import group_coefficients
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger

FEWEST_LEVELS = 10  # from which on effects vary at random
DRAWN_TOWARDS = Phrase("drawn towards the average; there is no test of its own")
PROFILE = Phrase("the interval is by profile likelihood")
SHIFT = "treated__{}"  # the indicator of a later arm; no column of a study is called so


@dataclass(frozen=True, slots=True, eq=False)
class VaryingEffects:
    """What a model with effects that vary at random says.

    Attributes
    ----------
    model : str
    variation : tuple of VaryingEffect
        One per later arm.
    by_level : dict of (str, str) to Estimate or Unavailable
        The effect in each level, by level and arm.
    """

    model: str
    variation: tuple[VaryingEffect, ...]
    by_level: dict[tuple[str, str], Estimated]


def varying_effects(
    response: str, frame: pd.DataFrame, arms: Sequence[str], covariates: Sequence[str], level: float
) -> VaryingEffects:
    """Return the average effect of every later arm, how it varies, and the effect in each level.

    Parameters
    ----------
    response : str
    frame : DataFrame
        With the level of each row in `BY`.
    arms : sequence of str
        The first is what the others are compared with.
    covariates : sequence of str
    level : float
        Of the intervals.

    Raises
    ------
    Refusal
        If a model cannot be fitted.
    """
    names = {arm: SHIFT.format(number) for number, arm in enumerate(arms[1:], 1)}
    frame = frame.assign(**{name: (frame[ARM] == arm).astype(float) for arm, name in names.items()})
    formula = varying_formula(response, list(names.values()), covariates, list(names.values()))
    fit = lmm(formula, frame)
    sds = fit.variance_intervals(level=level)
    variation: list[VaryingEffect] = []
    by_level: dict[tuple[str, str], Estimated] = {}
    for arm, name in names.items():
        average = fit.contrast({name: 1.0}, method=KenwardRoger(), level=level)
        spread = profile_estimate(arm, sds, BY, name, PROFILE)
        others = [other for other in names.values() if other != name]
        ratio, p = _ratio(fit, lmm(varying_formula(response, list(names.values()), covariates, others), frame))
        variation.append(VaryingEffect(arm, available(average), spread, ratio, p))
        by_level |= {(label, arm): found for label, found in _levels(fit, name, average, level).items()}
    return VaryingEffects(formula, tuple(variation), by_level)


def profile_estimate(term: str, table: pd.DataFrame, group: str, column: str, note: Phrase) -> Estimate:
    """Return the standard deviation of a random effect from `variance_intervals`, without the ends that it does not have."""
    row = table[(table["group"] == group) & (table["term1"] == column) & (table["quantity"] == "sd")].iloc[0]
    sd, low, high = (float(row[name]) for name in ("estimate", "conf_low", "conf_high"))
    known = not np.isnan(low) and not np.isnan(high)
    return Estimate(term, sd, None, None, None, None, low if known else None, high if known else None, "profile likelihood", note)


def _ratio(larger: MixedFit, smaller: MixedFit) -> tuple[float, float]:
    """Return the restricted likelihood ratio of a variance and its p-value: half chi-square on 0, half on 1."""
    ratio = max(smaller.deviance - larger.deviance, 0.0)
    return ratio, 1.0 if ratio == 0 else float(special.chdtrc(1.0, ratio)) / 2.0


def _levels(fit: MixedFit, name: str, average: Estimate, level: float) -> dict[str, Estimated]:
    """Return the effect in each level, drawn towards the average."""
    covariance = KenwardRoger().covariance(fit)
    table = group_coefficients(fit, BY, name, None if isinstance(covariance, Unavailable) else covariance)
    if average.df is None:
        return {str(label): Unavailable(average.note) for label in table["level"]}
    half = float(t_quantile((1 + level) / 2, np.array(average.df)))
    found: dict[str, Estimated] = {}
    for label, value, error in zip(table["level"], table["estimate"], table["std_error"], strict=True):
        ends = (float(value - half * error), float(value + half * error))
        found[str(label)] = Estimate(
            name, float(value), float(error), average.df, None, None, *ends, "KenwardRoger", DRAWN_TOWARDS
        )
    return found
