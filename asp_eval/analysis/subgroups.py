"""Whether the effect differs between groups of children, or of institutions: interactions, with the effect in each group.

One model holds the arm, the column and their interaction; the effect in a level is the arm's plus the interaction's coefficient.
The test of the interaction is F for all of these together (Kenward-Roger). A level is in it if each arm has at least two
institutions and `privacy.minimum_cell` children there: with one institution an arm's effect in a level cannot be told from that
institution. Levels that are not are not shown, and are counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from asp_eval.analysis.data import StudyData
from asp_eval.analysis.declared_results import Estimated, SubgroupEffect, SubgroupResult
from asp_eval.analysis.formulas import ARM, BY, INSTITUTION, arm_term, interaction_formula, varying
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import JointTest, available
from asp_eval.stats.mixed.fit import MixedFit, lmm
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.trial.study.design import Study

FEWEST_INSTITUTIONS = 2  # of each arm in a level
MOST_LEVELS = 10  # of a column of numbers, beyond which it is a measure
MEASURES_ONLY = Unavailable(Phrase("subgroups are compared for measures alone"))
ONE_LEVEL = Unavailable(Phrase("all children analysed are in one group"))
A_MEASURE = Unavailable(Phrase("the column is a measure, not a few groups; cut it into groups first"))
TOO_FEW = Unavailable(Phrase("fewer than two groups have enough children and two institutions in each arm"))
NOT_IDENTIFIED = Unavailable(
    Phrase("each group holds one institution of an arm, so that the effect in it cannot be told from that institution")
)


def columns_of(study: Study) -> tuple[str, ...]:
    """Return the columns between whose levels the plan compares effects."""
    return tuple(dict.fromkeys([*(one.by for one in study.analysis.subgroups), *study.analysis.varying]))


def subgroups(data: StudyData, rows: AnalysisSet) -> tuple[SubgroupResult, ...]:
    """Return the effects by every column that the plan declares for an outcome.

    Parameters
    ----------
    data : StudyData
    rows : AnalysisSet
    """
    study, outcome = data.study, rows.outcome.id
    declared = [one.by for one in study.analysis.subgroups if not one.outcomes or outcome in one.outcomes]
    names = dict.fromkeys([*declared, *study.analysis.varying])
    cohort = data.cohort.set_index("child_id")
    return tuple(_by(study, rows, name, cohort[name]) for name in names)


def _by(study: Study, rows: AnalysisSet, name: str, column: pd.Series) -> SubgroupResult:
    """Return the effects by one column; where they cannot be compared, the reason."""
    values = rows.frame["child_id"].map(column)
    without = int(values.isna().sum())
    if not rows.outcome.is_continuous:
        return SubgroupResult(name, "", MEASURES_ONLY, (), 0, without)
    if values.dropna().nunique() < 2:
        return SubgroupResult(name, "", ONE_LEVEL, (), 0, without)
    if pd.api.types.is_numeric_dtype(values.dtype) and values.dropna().nunique() > MOST_LEVELS:
        return SubgroupResult(name, "", A_MEASURE, (), 0, without)
    frame = rows.frame.assign(**{BY: values.map(_level, na_action="ignore")}).dropna(subset=[BY])
    enough, reason = _enough(study, frame)
    hidden = int(frame[BY].nunique()) - len(enough)
    if reason is not None:
        return SubgroupResult(name, "", reason, (), hidden, without)
    kept = frame.loc[frame[BY].isin(enough)].reset_index(drop=True)
    kept = kept.assign(**{BY: pd.Categorical(kept[BY], categories=enough)})
    beside = [term for term in varying(kept, rows.covariates) if term != name]
    formula = interaction_formula(rows.outcome.id, beside)
    try:
        fit = lmm(formula, kept)
        test = fit.joint_test([term for term in fit.names if _is_interaction(term)], method=KenwardRoger())
        levels = tuple(_effects(study, kept, fit, enough))
    except AspError as refused:
        return SubgroupResult(name, formula, Unavailable(refused.reason), (), hidden, without)
    return SubgroupResult(name, formula, _tested(test), levels, hidden, without)


def _level(value: object) -> str:
    """Return a level's name: whole numbers without a decimal."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _enough(study: Study, frame: pd.DataFrame) -> tuple[list[str], Unavailable | None]:
    """Return the levels with enough children and institutions in every arm, and why they cannot be compared."""
    arms = [frame.loc[frame[ARM] == arm].groupby(BY, observed=True)[INSTITUTION] for arm in study.arms]
    levels = sorted(frame[BY].unique())
    children = np.min([arm.size().reindex(levels, fill_value=0) for arm in arms], axis=0)
    houses = np.min([arm.nunique().reindex(levels, fill_value=0) for arm in arms], axis=0)
    enough = (children >= study.privacy.minimum_cell) & (houses >= FEWEST_INSTITUTIONS)
    names = [level for level, shown in zip(levels, enough, strict=True) if shown]
    if len(names) >= 2:
        return names, None
    return names, NOT_IDENTIFIED if (houses < FEWEST_INSTITUTIONS).all() else TOO_FEW


def _effects(study: Study, frame: pd.DataFrame, fit: MixedFit, levels: list[str]) -> Iterator[SubgroupEffect]:
    """Yield the effect of every later arm in every level."""
    for level in levels:
        for arm in study.arms[1:]:
            mine = frame.loc[(frame[BY] == level) & frame[ARM].isin([study.arms[0], arm])]
            weights = {arm_term(arm): 1.0}
            if level != levels[0]:
                weights[f"{arm_term(arm)}:{BY}[T.{level}]"] = 1.0
            found = fit.contrast(weights, method=KenwardRoger(), level=study.analysis.level)
            effect: Estimated = available(replace(found, term=f"{arm} in {level}"))
            yield SubgroupEffect(level, arm, len(mine), int(mine[INSTITUTION].nunique()), effect)


def _is_interaction(term: str) -> bool:
    return term.startswith(f"{ARM}[") and f":{BY}[" in term


def _tested(test: JointTest) -> JointTest | Unavailable:
    return Unavailable(test.note) if test.statistic is None else test
