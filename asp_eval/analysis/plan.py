"""From the declared plan to model formulas and methods: the only place where a trial's words become a formula."""

from __future__ import annotations

from asp_eval.analysis.sets import AnalysisSet
from asp_eval.stats.smallsample.between_within import BetweenWithin
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.stats.smallsample.method import Method
from asp_eval.stats.smallsample.satterthwaite import Satterthwaite
from asp_eval.trial.study.design import Study

METHODS: dict[str, type[Method]] = {
    "kenward-roger": KenwardRoger,
    "satterthwaite": Satterthwaite,
    "between-within": BetweenWithin,
}


def planned_method(study: Study) -> Method:
    """Return the method of inference the plan names."""
    return METHODS[study.analysis.method]()


def marginal_formula(data: AnalysisSet) -> str:
    """Return the formula of the fixed effects: outcome on arm, baseline, covariates, strata."""
    return f"{data.outcome.id} ~ {' + '.join(['arm', *_varying(data)])}"


def model_formula(data: AnalysisSet) -> str:
    """Return the formula of the planned model: ANCOVA with a random intercept of the institution as drawn."""
    return f"{marginal_formula(data)} + (1 | institution)"


def unadjusted_formula(study: Study, data: AnalysisSet) -> str:
    """Return the model with arm and strata only, whose variances define ICC and effect size."""
    strata = [name for name in _varying(data) if name in study.strata]
    return f"{data.outcome.id} ~ {' + '.join(['arm', *strata])} + (1 | institution)"


def arm_terms(study: Study) -> tuple[str, ...]:
    """Return the coefficients that compare each arm with the first."""
    return tuple(f"arm[T.{arm}]" for arm in study.arms[1:])


def _varying(data: AnalysisSet) -> list[str]:
    """Return the covariates that take more than one value among the children analysed."""
    return [name for name in data.covariates if data.frame[name].nunique() > 1]
