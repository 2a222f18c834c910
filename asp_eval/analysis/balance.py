"""The baseline table: institutions, means of institutions and children of the cohort, by arm, with standardised differences.

Differences describe. No variable is tested by itself: `asp_eval.analysis.balance_test` tests all of them at once against the lot.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from asp_eval.analysis.data import StudyData
from asp_eval.analysis.institution_means import baseline_names, institution_means, with_baseline_scores
from asp_eval.analysis.results import ArmSummary, BaselineRow, InstitutionMeans, Number
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.trial.study.design import Study

Texts = dict[str, str]


def baseline_table(data: StudyData) -> tuple[BaselineRow, ...]:
    """Return the rows of the baseline table.

    Parameters
    ----------
    data : StudyData

    Returns
    -------
    tuple of BaselineRow
        Institutions first: children per institution and strata. Then children: sex, age, covariates, and each score that
        is the baseline of an outcome. Then the same of children as means of institutions, each institution counting once.
    """
    study = data.study
    cohort, scores = with_baseline_scores(data)
    institutions = cohort.groupby("institution", observed=True).first().reset_index()
    institutions["cohort_size"] = institutions["institution"].map(cohort["institution"].value_counts()).astype("float64")
    rows = [_measure(study, institutions, "cohort_size", _label("cohort_size"), "institution")]
    for name in study.strata:
        rows += _categories(study, institutions, name, _label(name), "institution")
    for name in baseline_names(data, cohort):
        if pd.api.types.is_numeric_dtype(cohort[name].dtype):
            rows.append(_measure(study, cohort, name, _label(name), "child"))
        else:
            rows += _categories(study, cohort, name, _label(name), "child")
    rows += [_measure(study, cohort, name, label, "child") for name, label in scores.items()]
    return (*rows, *_means(data))


def arm_summaries(study: Study, frame: pd.DataFrame, name: str) -> tuple[ArmSummary, ...]:
    """Return n, missing, mean and SD of a measure in each arm."""
    summaries = []
    for arm in study.arms:
        values = frame.loc[frame["arm"] == arm, name].astype("float64")
        known = values.dropna()
        mean = float(known.mean()) if len(known) else None
        sd = float(known.std()) if len(known) > 1 else None
        summaries.append(ArmSummary(arm, n=len(known), missing=len(values) - len(known), mean=mean, sd=sd))
    return tuple(summaries)


def means_of_institutions(study: Study, frame: pd.DataFrame, name: str) -> tuple[InstitutionMeans, ...]:
    """Return the means of a measure in the institutions of each arm, sorted and coarse enough to tell no child's score.

    Institutions with fewer children than the study's smallest cell are counted alone. Means are rounded to the largest
    power of ten that is no more than half the children's standard deviation.
    """
    spread = float(frame[name].astype("float64").std())
    digits = math.ceil(-math.log10(spread / 2)) if spread > 0 else 0
    found = []
    for arm in study.arms:
        by = frame[frame["arm"] == arm].groupby("institution", observed=True)[name].agg(["count", "mean"])
        by = by[by["count"] > 0]
        shown = by.loc[by["count"] >= study.privacy.minimum_cell, "mean"].astype("float64")
        mean = float(shown.mean()) if len(shown) else None
        means = tuple(sorted(round(float(each), digits) for each in shown))
        found.append(InstitutionMeans(arm, means, len(by) - len(shown), mean))
    return tuple(found)


def difference_of_means(first: ArmSummary, arm: ArmSummary) -> Number:
    """Return (arm - first) / pooled SD.

    Examples
    --------
    >>> difference_of_means(ArmSummary("a", 10, 0, 1.0, 2.0), ArmSummary("b", 10, 0, 2.0, 2.0))
    0.5
    """
    if first.mean is None or arm.mean is None or first.sd is None or arm.sd is None:
        return Unavailable(Phrase("an arm has fewer than two values"))
    n_first, n_arm = first.n - 1, arm.n - 1
    pooled = np.sqrt((n_first * first.sd**2 + n_arm * arm.sd**2) / (n_first + n_arm))
    return float((arm.mean - first.mean) / pooled) if pooled > 0 else Unavailable(Phrase("the values do not vary"))


def difference_of_proportions(first: ArmSummary, arm: ArmSummary) -> Number:
    """Return (p1 - p0) / sqrt((p1 (1 - p1) + p0 (1 - p0)) / 2).

    Examples
    --------
    >>> difference_of_proportions(ArmSummary("a", 4, 0, count=2), ArmSummary("b", 4, 0, count=2))
    0.0
    """
    if not first.n or not arm.n or first.count is None or arm.count is None:
        return Unavailable(Phrase("an arm has no values"))
    p0, p1 = first.count / first.n, arm.count / arm.n
    spread = np.sqrt((p0 * (1 - p0) + p1 * (1 - p1)) / 2)
    return float((p1 - p0) / spread) if spread > 0 else Unavailable(Phrase("the proportion is 0 or 1 in both arms"))


def _means(data: StudyData) -> Iterator[BaselineRow]:
    """Yield the rows of the means of institutions."""
    means, measures = institution_means(data)
    for measure in measures:
        label = measure.label or _label(measure.variable)
        row = _measure(data.study, means, measure.key, label, "institution_mean")
        yield replace(row, variable=measure.variable, level=measure.level)


def _measure(study: Study, frame: pd.DataFrame, name: str, label: Texts, unit: str) -> BaselineRow:
    arms = arm_summaries(study, frame, name)
    return BaselineRow(name, label, "", unit, arms, _against_first(difference_of_means, arms))  # type: ignore[arg-type]


def _categories(study: Study, frame: pd.DataFrame, name: str, label: Texts, unit: str) -> Iterator[BaselineRow]:
    """Yield one row per category; of two categories, both, so that nothing must be subtracted in the head."""
    known = frame[frame[name].notna()]
    for level in known[name].astype("category").cat.remove_unused_categories().cat.categories:
        arms = tuple(_counted(frame.loc[frame["arm"] == arm, name], arm, level) for arm in study.arms)
        yield BaselineRow(name, label, str(level), unit, arms, _against_first(difference_of_proportions, arms))  # type: ignore[arg-type]


def _against_first(difference: Callable[[ArmSummary, ArmSummary], Number], arms: tuple[ArmSummary, ...]) -> tuple[Number, ...]:
    """Return the difference of every arm after the first from the first."""
    return tuple(difference(arms[0], arm) for arm in arms[1:])


def _counted(values: pd.Series, arm: str, level: object) -> ArmSummary:
    """Return how many of the values of one arm are `level`."""
    known = values.dropna()
    return ArmSummary(arm, n=len(known), missing=len(values) - len(known), count=int((known == level).sum()))


def _label(name: str) -> Texts:
    """Return the words for a column; the package knows only its own columns."""
    known = {
        "cohort_size": {"en": "Children per institution", "da": "Børn pr. institution"},
        "sex": {"en": "Sex", "da": "Køn"},
        "age": {"en": "Age, years", "da": "Alder, år"},
    }
    return known.get(name, {"en": name, "da": name})
