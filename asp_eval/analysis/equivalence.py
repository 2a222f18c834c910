"""Baseline equivalence of the children analysed, by the rule of the What Works Clearinghouse."""

from __future__ import annotations

from math import sqrt

from asp_eval.analysis.balance import arm_summaries
from asp_eval.analysis.formulas import BASELINE, unadjusted_formula
from asp_eval.analysis.integrity import Equivalence, Number, Verdict
from asp_eval.analysis.results import ArmSummary
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.meta.wwc_effect_size import clustered_g
from asp_eval.stats.mixed.fit import lmm
from asp_eval.trial.study.design import Study

SATISFIED, ADJUSTABLE = 0.05, 0.25  # largest |g|, What Works Clearinghouse Handbook 5.0

ONE_VALUE = Unavailable(Phrase("an arm has fewer than two values"))


def equivalence(study: Study, data: AnalysisSet) -> tuple[Equivalence, ...]:
    """Return the baseline equivalence of one outcome's children, for each arm after the first; nothing without a baseline.

    Parameters
    ----------
    study : Study
    data : AnalysisSet
        Its children all have the baseline score.
    """
    if "baseline" not in data.frame.columns:
        return ()
    first, *others = arm_summaries(study, data.frame, "baseline")
    icc = _icc(study, data)
    return tuple(_compared(data, first, other, icc) for other in others)


def verdict_of(g: float) -> Verdict:
    """Return what an absolute g means: at the limits themselves the milder verdict holds.

    Examples
    --------
    >>> verdict_of(-0.05), verdict_of(0.051), verdict_of(0.25), verdict_of(-0.26)
    ('satisfied', 'adjust', 'adjust', 'not-satisfied')
    """
    if abs(g) <= SATISFIED:
        return "satisfied"
    return "adjust" if abs(g) <= ADJUSTABLE else "not-satisfied"


def _compared(data: AnalysisSet, first: ArmSummary, other: ArmSummary, icc: Number) -> Equivalence:
    pair = data.frame[data.frame["arm"].isin([first.arm, other.arm])]
    clusters = int(pair["institution"].nunique())
    g = _g(first, other, clusters, icc)
    verdict = None if isinstance(g, Unavailable) else verdict_of(g)
    return Equivalence(data.outcome.id, other.arm, g, icc, len(pair), clusters, verdict, "baseline" in data.covariates)


def _g(first: ArmSummary, other: ArmSummary, clusters: int, icc: Number) -> Number:
    if first.mean is None or other.mean is None or first.sd is None or other.sd is None:
        return ONE_VALUE
    if isinstance(icc, Unavailable):
        return icc
    children = first.n + other.n
    pooled = sqrt(((first.n - 1) * first.sd**2 + (other.n - 1) * other.sd**2) / (children - 2))
    try:
        return clustered_g(other.mean - first.mean, pooled, children=children, clusters=clusters, icc=icc).g
    except AspError as refused:
        return Unavailable(refused.reason)


def _icc(study: Study, data: AnalysisSet) -> Number:
    """Return the intraclass correlation of the baseline score, with arm and strata."""
    try:
        variances = (
            lmm(unadjusted_formula(study, data, BASELINE), data.frame).variance_components().set_index("group")["variance"]
        )
    except AspError as refused:
        return Unavailable(refused.reason)
    return float(variances["institution"] / (variances["institution"] + variances["residual"]))
