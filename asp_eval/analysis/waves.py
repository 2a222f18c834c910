"""All waves of a score in one model: constrained longitudinal analysis.

With y_ijt the score of child i of institution j at wave t, t = 1 being before the intervention,

    y_ijt = m_t + sum_{t > 1} d_t A_j 1(wave = t) + x_i'b + u_j + v_jt + c_i + e_ijt

where u_j, v_jt and c_i are random: institution, institution by wave, child. The arms have one mean at the first wave, as the lot
makes them; d_t is the effect at wave t (Liang & Zeger 2000, Sankhya B 62:134). Children without the score at some wave stay in,
under missingness at random given the waves they have. It equals the analysis of covariance only where the waves' covariances are
free: here the slope on the first wave is tied to the ratio of the variances.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from asp_eval.analysis.data import StudyData
from asp_eval.analysis.declared_results import AllWaves, Estimated, VarianceShare, WaveEffect, WaveMean
from asp_eval.analysis.formulas import varying, waves_formula
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.filters import parse_filter
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import JointTest, available
from asp_eval.stats.mixed.fit import MixedFit, lmm
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.trial.outcomes import outcome_label
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.outcome import Outcome

SCORE = "score"
NOT_DETERMINED = Unavailable(Phrase("too few children of the arm have the score at this wave"))
TOO_FEW_WAVES = Phrase("the score was not collected at two waves or more")


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """One row per child and wave.

    Attributes
    ----------
    frame : DataFrame
        child_id, institution, arm, wave, score, covariates, and the indicators of waves and of arms at waves.
    waves : tuple of str
        Those with rows, the first of them before the intervention.
    covariates : tuple of str
    """

    frame: pd.DataFrame
    waves: tuple[str, ...]
    covariates: tuple[str, ...]


def all_waves(data: StudyData) -> tuple[AllWaves, ...]:
    """Return every score that an outcome with a baseline is made of, analysed at all its waves.

    Parameters
    ----------
    data : StudyData

    Returns
    -------
    tuple of AllWaves
        One per score: outcomes of the same score at different waves share one.
    """
    return tuple(_analysed(data, outcome) for outcome in scores_of(data.study))


def scores_of(study: Study) -> tuple[Outcome, ...]:
    """Return the first outcome of every continuous score that has a baseline."""
    mine = [outcome for outcome in study.outcomes if outcome.is_continuous and outcome.baseline]
    return tuple({(outcome.score, outcome.column): outcome for outcome in reversed(mine)}.values())[::-1]


def _analysed(data: StudyData, outcome: Outcome) -> AllWaves:
    """Return one score at all its waves; where there is no model, the reason stands in place of the numbers."""
    rows = long_rows(data, outcome)
    if len(rows.waves) < 2:
        return _result(data.study, outcome, rows, None, (TOO_FEW_WAVES,))
    try:
        fit = lmm(waves_formula(SCORE, _columns_of_waves(rows), _all_effects(rows, data.study), rows.covariates), rows.frame)
    except AspError as refused:
        return _result(data.study, outcome, rows, None, (refused.reason,))
    return _result(data.study, outcome, rows, fit, fit.notes)


def long_rows(data: StudyData, outcome: Outcome) -> Rows:
    """Return the cohort's children at every wave from the baseline on, where score and covariates are there."""
    study = data.study
    covariates = [*study.analysis.covariates, *study.strata]
    cohort = data.cohort
    cohort = cohort[parse_filter(study.sets[study.analysis.set].filter).mask(cohort)]
    first = study.wave_ids.index(outcome.baseline or outcome.at)
    parts = []
    for wave in study.wave_ids[first:]:
        part = cohort[["child_id", "institution", "arm", *covariates]].copy()
        part[SCORE], part["wave"] = data.cohort_values(outcome, wave), wave
        parts.append(part)
    frame = pd.concat(parts, ignore_index=True).dropna(subset=["arm", SCORE, *covariates]).reset_index(drop=True)
    waves = tuple(wave for wave in study.wave_ids[first:] if (frame["wave"] == wave).any())
    made = Rows(frame, waves, tuple(varying(frame, covariates)))
    for wave in _later(made):
        now = (frame["wave"] == wave).to_numpy(float)
        frame[_wave_column(made, wave)] = now
        for arm in study.arms[1:]:
            frame[_effect_column(made, study, arm, wave)] = now * (frame["arm"] == arm).to_numpy(float)
    return made


def _later(rows: Rows) -> tuple[str, ...]:
    return rows.waves[1:]


def _wave_column(rows: Rows, wave: str) -> str:
    """Return the name of a wave's indicator, which no column of the study can have."""
    return f"at__{rows.waves.index(wave) + 1}"


def _effect_column(rows: Rows, study: Study, arm: str, wave: str) -> str:
    """Return the name of the indicator of an arm at a wave."""
    which = "" if len(study.arms) == 2 else str(study.arms.index(arm))
    return f"arm{which}_{_wave_column(rows, wave)}"


def _columns_of_waves(rows: Rows) -> list[str]:
    return [_wave_column(rows, wave) for wave in _later(rows)]


def _all_effects(rows: Rows, study: Study) -> list[str]:
    return [_effect_column(rows, study, arm, wave) for arm in study.arms[1:] for wave in _later(rows)]


def _result(study: Study, outcome: Outcome, rows: Rows, fit: MixedFit | None, notes: tuple[Phrase, ...]) -> AllWaves:
    """Return what a fit says, or what is known without one."""
    return AllWaves(
        outcome=outcome.id,
        label=outcome_label(outcome, study.library),
        better=outcome.better,
        baseline=outcome.baseline or outcome.at,
        model="" if fit is None else waves_formula(SCORE, _columns_of_waves(rows), _all_effects(rows, study), rows.covariates),
        n_children=int(rows.frame["child_id"].nunique()),
        n_rows=len(rows.frame),
        n_institutions=int(rows.frame["institution"].nunique()),
        effects=() if fit is None else tuple(_effects(study, rows, fit)),
        joint=() if fit is None else tuple(_joint(study, rows, fit)),
        means=() if fit is None else tuple(_means(study, rows, fit)),
        variances=() if fit is None else _variances(fit),
        notes=notes,
    )


def _effects(study: Study, rows: Rows, fit: MixedFit) -> Iterator[WaveEffect]:
    """Yield the effect at every later wave, then its change since every wave before the last."""
    last = rows.waves[-1]
    for arm in study.arms[1:]:
        for wave in _later(rows):
            weights = {_effect_column(rows, study, arm, wave): 1.0}
            yield WaveEffect(arm, wave, "", _contrast(study, fit, weights, f"{arm} at {wave}"))
        for wave in rows.waves[1:-1]:
            weights = {_effect_column(rows, study, arm, last): 1.0, _effect_column(rows, study, arm, wave): -1.0}
            yield WaveEffect(arm, last, wave, _contrast(study, fit, weights, f"{arm} at {last} less at {wave}"))


def _joint(study: Study, rows: Rows, fit: MixedFit) -> Iterator[JointTest]:
    """Yield the test that an arm has no effect at any wave."""
    for arm in study.arms[1:]:
        terms = [_effect_column(rows, study, arm, wave) for wave in _later(rows)]
        if set(terms) <= set(fit.names):
            yield fit.joint_test(terms, method=KenwardRoger())
        else:
            reason = NOT_DETERMINED.reason
            yield JointTest(", ".join(terms), None, None, None, None, "KenwardRoger", reason)


def _means(study: Study, rows: Rows, fit: MixedFit) -> Iterator[WaveMean]:
    """Yield the mean of every arm at every wave, of a child with the average covariates."""
    waves, effects = _columns_of_waves(rows), _all_effects(rows, study)
    average = _average_covariates(fit, [*waves, *effects])
    for arm in study.arms:
        for wave in rows.waves:
            weights = dict(average)
            if wave != rows.waves[0]:
                weights[_wave_column(rows, wave)] = 1.0
                if arm != study.arms[0]:
                    weights[_effect_column(rows, study, arm, wave)] = 1.0
            yield WaveMean(arm, wave, _contrast(study, fit, weights, f"mean of {arm} at {wave}"))


def _average_covariates(fit: MixedFit, others: Sequence[str]) -> dict[str, float]:
    """Return the mean over the rows of every estimated column that is neither a wave nor an effect."""
    if fit.design is None:
        return {}
    means = dict(zip(fit.design.layout.fixed_names, fit.design.fixed_matrix().mean(axis=0), strict=True))
    return {name: float(means[name]) for name in fit.names if name not in others}


def _contrast(study: Study, fit: MixedFit, weights: dict[str, float], term: str) -> Estimated:
    """Return a contrast by Kenward-Roger, under a name; one whose columns the data do not determine has a reason."""
    if not weights.keys() <= set(fit.names):
        return NOT_DETERMINED
    return available(replace(fit.contrast(weights, method=KenwardRoger(), level=study.analysis.level), term=term))


def _variances(fit: MixedFit) -> tuple[VarianceShare, ...]:
    """Return the variance of every level."""
    table = fit.variance_components()
    own = table[table["term2"].isna() | (table["term2"] == "")]
    return tuple(VarianceShare(str(g), float(v)) for g, v in zip(own["group"], np.asarray(own["variance"], float), strict=True))
