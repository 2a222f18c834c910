"""What is imputed for one outcome: the cohort, the score at every wave or the items behind it, and how the outcome follows.

An outcome that is coded from a score (a share above a cut, bands) is imputed as the score, which is then taken to the nearest
score that the form can give, and coded: the score says more of what is missing than its code does (Floden & Bell 2019, BMC Med
Res Methodol 19:161). One that is an answer of its own, without a score, is imputed as what it is: yes or no, or ordered
categories, by a latent normal variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from asp_eval.analysis.data import StudyData
from asp_eval.analysis.formulas import ARM, INSTITUTION, varying
from asp_eval.analysis.imputed_items import Answers, Items, items_at
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import Unavailable
from asp_eval.core.filters import parse_filter
from asp_eval.core.phrases import Phrase
from asp_eval.stats.imputation.imputations import Imputations
from asp_eval.trial.outcomes import ScoreSource, band_order, coded, default_bands, source_of
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.outcome import Outcome

BASELINE, MEASURE = "baseline", "score__at"
ITEMS_IMPUTED = Phrase(
    "The items of the score at the outcome's wave are imputed, as numbers that are not rounded, and scored as a whole; scores "
    "that were formed from some of the items are formed from all of them here."
)
NOT_ITEMS = partial(Phrase, "The score is imputed, and not its items: {reason}.")
NEAREST_SCORE = Phrase("The score is imputed, taken to the nearest score that the form can give, and coded as planned.")
ANSWER_IMPUTED = Phrase(
    "The answer itself is imputed. It has no points that could be moved, so there is no tipping point, and no reference-based "
    "imputation."
)


@dataclass(frozen=True, slots=True, eq=False)
class Coding:
    """How an outcome that is no measure follows from a score.

    Attributes
    ----------
    outcome : Outcome
    known : Series
        Its values where the score was observed, row by row.
    whole : bool
        Whether scores are whole numbers.
    low, high : float
        The lowest and the highest score observed.
    order : tuple of str
        The bands of the scale, best first.
    bands : tuple of (str, float)
        Each band, and the highest score in it, from low scores to high.
    """

    outcome: Outcome
    known: pd.Series
    whole: bool
    low: float
    high: float
    order: tuple[str, ...]
    bands: tuple[tuple[str, float], ...]

    def of(self, scores: pd.Series) -> pd.Series:
        """Return the outcome of every score, as its model takes it; missing where the score is."""
        nearest = (np.floor(scores + 0.5) if self.whole else scores).clip(self.low, self.high)
        ends = np.array([end for _, end in self.bands])
        names = np.array([name for name, _ in self.bands] or [""], dtype=object)
        place = np.minimum(np.searchsorted(ends, nearest.fillna(self.low).to_numpy(float)), len(names) - 1)
        return coded(self.outcome, nearest, pd.Series(names[place], scores.index).where(nearest.notna()), self.order)


@dataclass(frozen=True, slots=True, eq=False)
class ImputationRows:
    """The cohort with what is imputed, and from what.

    Attributes
    ----------
    frame : DataFrame
        child_id, institution, arm, the score at every wave, covariates, predictors.
    variables : dict of str to str
        What is imputed, and its scale.
    visits : tuple of tuples of str
        The variables of the score, wave by wave: the score itself, or its items.
    predictors : tuple of str
    measure : str
        The column of the completed data sets with the outcome's score; empty where it has none.
    known : Series
        The outcome as it was observed, row by row.
    items : Items or None
    coding : Coding or None
    notes : tuple of Phrase
    """

    frame: pd.DataFrame
    variables: dict[str, str]
    visits: tuple[tuple[str, ...], ...]
    predictors: tuple[str, ...]
    measure: str
    known: pd.Series
    items: Items | None
    coding: Coding | None
    notes: tuple[Phrase, ...]

    @property
    def gone(self) -> pd.Series:
        """Which children have no outcome."""
        return self.known.isna()

    def completed(self, imputed: Imputations, shift: Mapping[object, float] | None = None) -> Imputations:
        """Return the data sets with the outcome under its own id.

        Parameters
        ----------
        imputed : Imputations
        shift : mapping of arm to float, optional
            Points that are added to the scores of children without the outcome.
        """
        out = imputed if self.items is None else imputed.derive(self.measure, self.items.score)
        if shift:
            out = out.shift(self.measure, shift, where=self.gone)
        if self.coding is None:
            return out
        coding, measure = self.coding, self.measure
        return out.derive(coding.outcome.id, lambda data: coding.of(data[measure]), known=self.coding.known)


def imputation_rows(data: StudyData, rows: AnalysisSet, answers: Answers) -> ImputationRows:
    """Return the cohort, with the outcome's score at every wave and what else is known of the children.

    Parameters
    ----------
    data : StudyData
    rows : AnalysisSet
    answers : mapping of str to DataFrame
        By form, of which items are imputed where the plan asks for it.
    """
    study, outcome = data.study, rows.outcome
    cohort = data.cohort
    inside = parse_filter(study.sets[study.analysis.set].filter).mask(cohort)
    cohort = cohort[inside].reset_index(drop=True)
    beside = [*study.analysis.covariates, *study.strata]
    asked = study.analysis.missing_outcome
    extra = [name for name in (asked.predictors if asked else ()) if name not in beside]
    frame = cohort[list(dict.fromkeys(["child_id", INSTITUTION, ARM, *beside, *extra]))].copy()
    found = items_at(study, answers, outcome, rows.wave, frame["child_id"]) if asked and asked.items else None
    items = found if isinstance(found, Items) else None
    from_score = outcome.is_continuous or outcome.cut is not None or outcome.in_bands
    measure = "" if not from_score else outcome.id if outcome.is_continuous else MEASURE
    at = rows.wave
    scale = "continuous" if from_score else "ordinal" if outcome.is_ordinal else "binary"
    visits: list[tuple[str, ...]] = []
    for number, wave in enumerate(study.wave_ids, 1):
        if wave == at and items is not None:
            own = items.frame.set_axis(frame.index)
        else:
            name = (measure or outcome.id) if wave == at else BASELINE if wave == outcome.baseline else f"score__{number}"
            own = pd.DataFrame({name: data.cohort_values(outcome, wave)[inside].set_axis(frame.index)})
        varied = tuple(str(name) for name in own.columns if own[name].min() < own[name].max())
        if wave == at and items is not None:
            frame[list(own.columns)] = own.fillna({name: own[name].min() for name in own if name not in varied})
        else:
            frame[list(varied)] = own[list(varied)]
        visits += [varied] if varied else []
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].cat.remove_unused_categories()
    others = varying(frame, dict.fromkeys([*beside, *extra]))
    incomplete = {name: _scale(frame[name]) for name in others if frame[name].isna().any()}
    variables = {name: scale for visit in visits for name in visit} | incomplete
    known = data.cohort_coded_values(outcome, at)[inside].set_axis(frame.index)
    coding = None if outcome.is_continuous or not from_score else _coding(study, data, rows, known, items, frame)
    notes = [NOT_ITEMS(reason=found.reason)] if isinstance(found, Unavailable) else [ITEMS_IMPUTED] if items else []
    notes += [NEAREST_SCORE] if coding else [ANSWER_IMPUTED] if not from_score else []
    predictors = tuple(name for name in others if name not in incomplete)
    return ImputationRows(frame, variables, tuple(visits), predictors, measure, known, items, coding, tuple(notes))


def _coding(
    study: Study, data: StudyData, rows: AnalysisSet, known: pd.Series, items: Items | None, frame: pd.DataFrame
) -> Coding:
    """Return how an outcome follows from its score; with items, it is known only where all of them are."""
    outcome = rows.outcome
    scores = data.values(outcome, rows.wave).dropna()
    source, found = source_of(outcome, study.library), default_bands(outcome, study.library) if outcome.in_bands else None
    named = found.scales[source.scale] if found and isinstance(source, ScoreSource) else ()
    bands = sorted(((band.band, float(band.to)) for band in named), key=lambda one: one[1])
    if items is not None:
        known = known.where(items.score(frame).notna())
    whole = bool((scores == np.round(scores)).all())
    order = band_order(outcome, study.library)
    return Coding(outcome, known, whole, float(scores.min()), float(scores.max()), order, tuple(bands))


def _scale(column: pd.Series) -> str:
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return "continuous"
    return "binary" if len(column.cat.categories) == 2 else "categorical"


def completed_set(rows: AnalysisSet, own: ImputationRows, suffix: str) -> AnalysisSet:
    """Return the planned analysis of the whole cohort: imputation fills what an indicator (a column with `suffix`) stood for."""
    covariates = tuple(name for name in rows.covariates if not name.endswith(suffix))
    return replace(rows, frame=own.frame, covariates=covariates)
