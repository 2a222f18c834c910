"""From the declared plan to model formulas and methods: the only place where a trial's words become a formula."""

from __future__ import annotations

from asp_eval.analysis.allocations import allocations
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.phrases import Phrase
from asp_eval.stats.resampling.permutation import Permutation
from asp_eval.stats.smallsample.between_within import BetweenWithin
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.stats.smallsample.method import Method
from asp_eval.stats.smallsample.satterthwaite import Satterthwaite
from asp_eval.trial.study.design import Study

BY_THE_MODEL = Phrase("effect sizes, and coefficients of everything but the arms, are by Kenward-Roger")
SEED = 1  # of the draws for a permutation test: the same report at every run
METHODS: dict[str, type[Method]] = {
    "kenward-roger": KenwardRoger,
    "satterthwaite": Satterthwaite,
    "between-within": BetweenWithin,
}


def planned_method(study: Study) -> Method:
    """Return the method of inference the plan names; a permutation test goes through the study's own allocations.

    Raises
    ------
    Refusal
        RND-030 if a permutation test is planned, and the list of institutions is not the one that the lot was drawn over.
    """
    if study.analysis.method == "permutation":
        return Permutation("arm", allocations(study, study.analysis.draws, SEED))
    return METHODS[study.analysis.method]()


def covariate_method(planned: Method) -> Method:
    """Return the method for what is no effect of the arms: Kenward-Roger where the lot is permuted, else the planned one."""
    return KenwardRoger() if isinstance(planned, Permutation) else planned


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
