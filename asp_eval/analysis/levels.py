"""The planned model with a level between child and institution: a room, a class, a group.

Institutions were drawn, and the arm's effect is judged by them with or without such a level; the level says where the rest of the
variance lies, which the design of the next trial needs. It is a random intercept nested in the institution, if it is identified:
some institution has several groups, and some group several children.
"""

from __future__ import annotations

import pandas as pd

from asp_eval.analysis.data import StudyData
from asp_eval.analysis.declared_results import Estimated, LevelResult
from asp_eval.analysis.formulas import INSTITUTION, arm_term, model_formula, unadjusted_formula, with_level
from asp_eval.analysis.model_checks import detectable_effect
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Estimate, available
from asp_eval.stats.mixed.fit import MixedFit, lmm
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger

MEASURES_ONLY = Unavailable(Phrase("a level between child and institution is modelled for measures alone"))
ONE_EACH = Unavailable(Phrase("every institution has one group, which cannot be told from the institution"))
SINGLE = Unavailable(Phrase("every group holds one child, which cannot be told from the group"))
NESTED = f"{INSTITUTION}:{{level}}"


def levels(data: StudyData, rows: AnalysisSet) -> tuple[LevelResult, ...]:
    """Return the planned model with every level that the plan declares.

    Parameters
    ----------
    data : StudyData
    rows : AnalysisSet
    """
    cohort = data.cohort.set_index("child_id")
    return tuple(_with(data, rows, name, cohort[name]) for name in data.study.analysis.levels)


def groups_of(frame: pd.DataFrame, column: pd.Series, level: str) -> pd.DataFrame:
    """Return the rows with a group, its name as text in the column `level`."""
    named = column.astype(object).map(str, na_action="ignore")
    return frame.assign(**{level: named}).dropna(subset=[level]).reset_index(drop=True)


def not_identified(frame: pd.DataFrame, level: str) -> Unavailable | None:
    """Return why the groups cannot be told from institutions or children; None where they can."""
    groups = _groups(frame, level)
    if groups <= frame[INSTITUTION].nunique():
        return ONE_EACH
    return SINGLE if groups == len(frame) else None


def _groups(frame: pd.DataFrame, level: str) -> int:
    return int(frame.groupby([INSTITUTION, level], observed=True).ngroups) if len(frame) else 0


def _with(data: StudyData, rows: AnalysisSet, level: str, column: pd.Series) -> LevelResult:
    """Return the planned model with one level, or why it is not identified."""
    study = data.study
    frame = groups_of(rows.frame, rows.frame["child_id"].map(column), level)
    without, groups = len(rows.frame) - len(frame), _groups(frame, level)

    def refused(reason: Unavailable) -> LevelResult:
        return LevelResult(level, groups, without, "", tuple(reason for _ in study.arms[1:]), reason, reason)

    if not rows.outcome.is_continuous:
        return refused(MEASURES_ONLY)
    unclear = not_identified(frame, level)
    if unclear is not None:
        return refused(unclear)
    formula = with_level(model_formula(rows), level)
    try:
        fit = lmm(formula, frame)
        plain = lmm(with_level(unadjusted_formula(study, rows), level), frame)
        method, width = KenwardRoger(), study.analysis.level
        effects = tuple(available(fit.contrast({arm_term(arm): 1.0}, method=method, level=width)) for arm in study.arms[1:])
    except AspError as refusal:
        return refused(Unavailable(refusal.reason))
    houses, total = int(frame[INSTITUTION].nunique()), float(plain.variance_components()["variance"].sum())
    return LevelResult(
        level,
        groups,
        without,
        formula,
        effects,
        _share(plain, INSTITUTION, width),
        _share(plain, NESTED.format(level=level), width),
        groups_each=groups / houses,
        children_each=len(frame) / groups,
        detectable=next((detectable_effect(study, one, total) for one in effects if isinstance(one, Estimate)), None),
    )


def _share(fit: MixedFit, group: str, width: float) -> Estimated:
    """Return the share of the variance that lies at a level."""
    return available(fit.icc(group=group, level=width))
