"""Whether the effect differs between groups of children, or of institutions: interactions, with the effect in each group.

One model holds the arm, the column and their interaction; the effect in a level is the arm's plus the interaction's coefficient.
The test of the interaction is F for all of these together (Kenward-Roger). Of a share, bands or a count it is of the model's
ratios (between-within); the effect in a level is the difference averaged over the children there, and a ratio.

A level is in it if each arm has at least two institutions and `privacy.minimum_cell` children there: with one institution an
arm's effect in a level cannot be told from that institution. Levels that are not are not shown, and are counted. Of a column
under `varying` with ten such levels or more a measure's effects vary at random (`asp_eval.analysis.varying_effects`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from asp_eval.analysis.data import StudyData
from asp_eval.analysis.declared_results import Estimated, SubgroupEffect, SubgroupResult
from asp_eval.analysis.formulas import ARM, BY, INSTITUTION, arm_term, interaction_formula, varying
from asp_eval.analysis.models import category_model
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.analysis.spread_by_arm import spread_by_arm
from asp_eval.analysis.varying_effects import FEWEST_LEVELS, varying_effects
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import JointTest, available
from asp_eval.stats.fitted import Fitted
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.smallsample.between_within import BetweenWithin
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.trial.study.design import Study

FEWEST_INSTITUTIONS = 2  # of each arm in a level
NUMBER = "group_number__"  # of a row's level; no column of a study is called so
MOST_LEVELS = 10  # of a column of numbers, beyond which it is a measure
ONE_LEVEL = Unavailable(Phrase("all children analysed are in one group"))
A_MEASURE = Unavailable(Phrase("the column is a measure, not a few groups; cut it into groups first"))
TOO_FEW = Unavailable(Phrase("fewer than two groups have enough children and two institutions in each arm"))
NOT_IDENTIFIED = Unavailable(
    Phrase("each group holds one institution of an arm, so that the effect in it cannot be told from that institution")
)
AT_RANDOM = Unavailable(Phrase("the effect varies at random between the groups"))


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
    return tuple(_by(study, rows, name, cohort[name], random=name in study.analysis.varying) for name in names)


def _by(study: Study, rows: AnalysisSet, name: str, column: pd.Series, *, random: bool = False) -> SubgroupResult:
    """Return the effects by one column, `random` if it has levels enough; where they cannot be compared, the reason."""
    values = rows.frame["child_id"].map(column)
    without = int(values.isna().sum())
    if values.dropna().nunique() < 2:
        return SubgroupResult(name, "", ONE_LEVEL, (), 0, without)
    if not random and pd.api.types.is_numeric_dtype(values.dtype) and values.dropna().nunique() > MOST_LEVELS:
        return SubgroupResult(name, "", A_MEASURE, (), 0, without)
    frame = rows.frame.assign(**{BY: values.map(_level, na_action="ignore")}).dropna(subset=[BY])
    enough, reason = _enough(study, frame)
    hidden = int(frame[BY].nunique()) - len(enough)
    if reason is not None:
        spread = spread_by_arm(study, rows) if reason is NOT_IDENTIFIED and rows.outcome.is_continuous else None
        return SubgroupResult(name, "", reason, (), hidden, without, spread=spread)
    kept = frame[frame[BY].isin(enough)].reset_index(drop=True)
    kept = kept.assign(**{BY: pd.Categorical(kept[BY], categories=enough)})
    beside = [term for term in varying(kept, rows.covariates) if term != name]
    formula = interaction_formula(rows.outcome.id, beside)
    try:
        if random and rows.outcome.is_continuous and len(enough) >= FEWEST_LEVELS:
            return _at_random(study, kept, rows.outcome.id, beside, SubgroupResult(name, "", AT_RANDOM, (), hidden, without))
        compare = _measures if rows.outcome.is_continuous else _categories
        test, levels = compare(study, rows, kept, formula)
    except AspError as refused:
        return SubgroupResult(name, formula, Unavailable(refused.reason), (), hidden, without)
    return SubgroupResult(name, formula, _tested(test), levels, hidden, without)


def _level(value: object) -> str:
    """Return a level's name: whole numbers without a decimal."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _enough(study: Study, frame: pd.DataFrame) -> tuple[list[str], Unavailable | None]:
    """Return the levels with enough children and institutions in every arm, and why they cannot be compared."""
    arms = [frame[frame[ARM] == arm].groupby(BY, observed=True)[INSTITUTION] for arm in study.arms]
    levels = sorted(frame[BY].unique())
    children = np.min([arm.size().reindex(levels, fill_value=0) for arm in arms], axis=0)
    houses = np.min([arm.nunique().reindex(levels, fill_value=0) for arm in arms], axis=0)
    enough = (children >= study.privacy.minimum_cell) & (houses >= FEWEST_INSTITUTIONS)
    names = [level for level, shown in zip(levels, enough, strict=True) if shown]
    if len(names) >= 2:
        return names, None
    return names, NOT_IDENTIFIED if (houses < FEWEST_INSTITUTIONS).all() else TOO_FEW


def _at_random(study: Study, frame: pd.DataFrame, outcome: str, beside: list[str], known: SubgroupResult) -> SubgroupResult:
    """Return effects that vary at random between the levels."""
    found = varying_effects(outcome, frame, study.arms, beside, study.analysis.level)
    levels = tuple(_subgroup(study, frame, label, arm, found.by_level[label, arm]) for label, arm in _pairs(study, frame))
    return replace(known, model=found.model, levels=levels, variation=found.variation)


def _measures(
    study: Study,
    rows: AnalysisSet,  # noqa: ARG001
    frame: pd.DataFrame,
    formula: str,
) -> tuple[JointTest, tuple[SubgroupEffect, ...]]:
    """Return the test of the interaction, and the effect of every later arm in every level."""
    fit = lmm(formula, frame)
    found = []
    for level, arm in _pairs(study, frame):
        effect = fit.contrast(_weights(frame, level, arm), method=KenwardRoger(), level=study.analysis.level)
        found.append(_subgroup(study, frame, level, arm, available(replace(effect, term=f"{arm} in {level}"))))
    return fit.joint_test(_interactions(fit), method=KenwardRoger()), tuple(found)


def _categories(
    study: Study, rows: AnalysisSet, frame: pd.DataFrame, formula: str
) -> tuple[JointTest, tuple[SubgroupEffect, ...]]:
    """Return the same of a share, bands or a count: differences averaged over the children of a level, and ratios."""
    model, width = category_model(rows.outcome), study.analysis.level
    numbers = frame[BY].cat.codes
    fit = model.fit(formula, frame.assign(**{NUMBER: numbers}))
    found = []
    for level, arm in _pairs(study, frame):
        over = f"{NUMBER} == {frame[BY].cat.categories.get_loc(level)}"
        table = fit.average_effects("arm", over=over, method=BetweenWithin(), level=width)
        difference, ratio = model.one_arm(fit, table, (study.arms[0], arm), _weights(frame, level, arm), width)
        found.append(_subgroup(study, frame, level, arm, difference, ratio))
    return fit.joint_test(_interactions(fit), method=BetweenWithin()), tuple(found)


def _pairs(study: Study, frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Return every level with every later arm."""
    return [(level, arm) for level in frame[BY].cat.categories for arm in study.arms[1:]]


def _weights(frame: pd.DataFrame, level: str, arm: str) -> dict[str, float]:
    """Return the coefficients whose sum is an arm's effect in a level."""
    first = level == frame[BY].cat.categories[0]
    return {arm_term(arm): 1.0} | ({} if first else {f"{arm_term(arm)}:{BY}[T.{level}]": 1.0})


def _subgroup(
    study: Study, frame: pd.DataFrame, level: str, arm: str, effect: Estimated, ratio: Estimated | None = None
) -> SubgroupEffect:
    mine = frame[(frame[BY] == level) & frame[ARM].isin([study.arms[0], arm])]
    return SubgroupEffect(level, arm, len(mine), int(mine[INSTITUTION].nunique()), effect, ratio)


def _interactions(fit: Fitted) -> list[str]:
    return [term for term in fit.names if _is_interaction(term)]


def _is_interaction(term: str) -> bool:
    return term.startswith(f"{ARM}[") and f":{BY}[" in term


def _tested(test: JointTest) -> JointTest | Unavailable:
    return Unavailable(test.note) if test.statistic is None else test
