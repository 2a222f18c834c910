"""Model formulas: the only place where a trial's words become a formula.

The planned model of an outcome is an analysis of covariance: outcome on arm, baseline, covariates and strata, with a random
intercept of the institution as drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from asp_eval.analysis.data import PAIR
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.trial.study.design import Study

ARM, BASELINE, INSTITUTION = "arm", "baseline", "institution"
TAKEN, OFFERED, BY = "taken__", "offered__", "group__"  # names that no column of a study has


def fixed_effects(response: str, terms: Iterable[str]) -> str:
    """Return a formula of fixed effects; without terms, of the intercept alone.

    Examples
    --------
    >>> fixed_effects("y", ["arm", "sex"]), fixed_effects("y", [])
    ('y ~ arm + sex', 'y ~ 1')
    """
    return f"{response} ~ {' + '.join(terms) or '1'}"


def by_institution(formula: str) -> str:
    """Return a formula with a random intercept of the institution as drawn.

    Examples
    --------
    >>> by_institution("y ~ arm")
    'y ~ arm + (1 | institution)'
    """
    return f"{formula} + (1 | {INSTITUTION})"


def differing_by_arm(response: str, terms: Sequence[str]) -> str:
    """Return a formula in which the effect of every term differs between the arms.

    Examples
    --------
    >>> differing_by_arm("missing", ["sex", "age"])
    'missing ~ arm * (sex + age)'
    """
    return f"{response} ~ {ARM} * ({' + '.join(terms)})"


def is_difference_by_arm(term: str) -> bool:
    """Return whether a coefficient of `differing_by_arm` says how an effect differs between the arms.

    Examples
    --------
    >>> is_difference_by_arm("arm[T.intervention]:age"), is_difference_by_arm("arm[T.intervention]")
    (True, False)
    """
    return term.startswith(f"{ARM}[") and ":" in term


def varying(frame: pd.DataFrame, names: Iterable[str]) -> list[str]:
    """Return the columns that take more than one value: the others can have no coefficient."""
    return [name for name in names if _varies(frame[name])]


def _varies(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return bool(column.min() < column.max())
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy()
        known = codes[codes >= 0]
        return bool(known.size and known.min() < known.max())
    return len(column.dropna().unique()) > 1


def covariate_terms(data: AnalysisSet) -> list[str]:
    """Return the terms of the planned model besides the arm: what varies; fixed pairs, and then not what they determine."""
    names = varying(data.frame, data.covariates)
    if data.pairs != "fixed":
        return names
    in_pairs = data.frame.groupby(PAIR, observed=True)
    return [*(name for name in names if in_pairs[name].nunique().max() > 1), PAIR]


def marginal_formula(data: AnalysisSet) -> str:
    """Return the formula of the planned model's fixed effects."""
    return fixed_effects(data.outcome.id, [ARM, *covariate_terms(data)])


def equations_formula(data: AnalysisSet) -> str:
    """Return the formula of estimating equations: without the pairs, which are their clusters."""
    return fixed_effects(data.outcome.id, [ARM, *(term for term in covariate_terms(data) if term != PAIR)])


def model_formula(data: AnalysisSet) -> str:
    """Return the formula of the planned model."""
    planned = by_institution(marginal_formula(data))
    return f"{planned} + (1 | {PAIR})" if data.pairs == "random" else planned


def unadjusted_formula(study: Study, data: AnalysisSet, response: str = "") -> str:
    """Return the model with arm and strata only, whose variances define ICC and effect size, of the outcome or another column."""
    strata = [name for name in data.covariates if name in study.strata]
    return by_institution(fixed_effects(response or data.outcome.id, [ARM, *varying(data.frame, strata)]))


def with_level(formula: str, level: str) -> str:
    """Return a model with a random intercept for each group of a level within its institution.

    Examples
    --------
    >>> with_level("y ~ arm + (1 | institution)", "room")
    'y ~ arm + (1 | institution) + (1 | institution:room)'
    """
    return f"{formula} + (1 | {INSTITUTION}:{level})"


def interaction_formula(response: str, covariates: Iterable[str]) -> str:
    """Return a model in which the arms' effects differ between groups.

    Examples
    --------
    >>> interaction_formula("y", ["sex"])
    'y ~ arm * group__ + sex + (1 | institution)'
    """
    return by_institution(fixed_effects(response, [f"{ARM} * {BY}", *covariates]))


def spread_formula(formula: str, arms: Sequence[str]) -> str:
    """Return a planned model in which institutions of each arm have a variance of their own.

    Examples
    --------
    >>> spread_formula("y ~ arm + (1 | institution)", ["of_arm__0", "of_arm__1"])
    'y ~ arm + (0 + of_arm__0 | institution) + (0 + of_arm__1 | institution)'
    """
    return formula.replace(f"(1 | {INSTITUTION})", " + ".join(f"(0 + {arm} | {INSTITUTION})" for arm in arms))


def varying_formula(response: str, treated: Sequence[str], covariates: Sequence[str], random: Sequence[str]) -> str:
    """Return a model in which the effects of some arms differ at random between groups.

    Examples
    --------
    >>> varying_formula("y", ["treated__1"], ["sex"], ["treated__1"])
    'y ~ treated__1 + sex + (1 | institution) + (1 | group__) + (0 + treated__1 | group__)'
    """
    slopes = "".join(f" + (0 + {name} | {BY})" for name in random)
    return f"{by_institution(fixed_effects(response, [*treated, *covariates]))} + (1 | {BY}){slopes}"


def complier_formula(response: str, covariates: Iterable[str]) -> str:
    """Return both stages of a complier effect.

    Examples
    --------
    >>> complier_formula("y", ["sex"])
    'y ~ taken__ + sex | offered__ + sex'
    """
    beside = list(covariates)
    return f"{fixed_effects(response, [TAKEN, *beside])} | {' + '.join([OFFERED, *beside])}"


def waves_formula(response: str, waves: Sequence[str], effects: Sequence[str], covariates: Sequence[str]) -> str:
    """Return the model of all waves: means of waves, effects at the later ones; institution, institution by wave, and child.

    Examples
    --------
    >>> waves_formula("score", ["at2"], ["arm_at2"], ["sex"])
    'score ~ at2 + arm_at2 + sex + (1 | institution) + (1 | institution:wave) + (1 | child_id)'
    """
    fixed = by_institution(fixed_effects(response, [*waves, *effects, *covariates]))
    return f"{fixed} + (1 | {INSTITUTION}:wave) + (1 | child_id)"


def arm_term(arm: str) -> str:
    """Return the coefficient that compares an arm with the first.

    Examples
    --------
    >>> arm_term("intervention")
    'arm[T.intervention]'
    """
    return f"{ARM}[T.{arm}]"


def arm_terms(study: Study) -> tuple[str, ...]:
    """Return the coefficients that compare each arm with the first."""
    return tuple(arm_term(arm) for arm in study.arms[1:])
