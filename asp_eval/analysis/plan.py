"""From the declared plan to its method of inference."""

from __future__ import annotations

from asp_eval.analysis.allocations import allocations
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
