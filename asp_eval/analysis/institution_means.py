"""What the institutions were like at the start: one row per institution, means of its children of the cohort."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from asp_eval.analysis.data import StudyData
from asp_eval.trial.outcomes import outcome_label

Texts = dict[str, str]


@dataclass(frozen=True, slots=True)
class Measure:
    """A baseline variable of the children: a column of numbers, or one category of a column.

    Attributes
    ----------
    variable : str
        Column or outcome.
    level : str
        The category; empty for a measure.
    label : Texts
        Empty where the variable has no label of its own.
    """

    variable: str
    level: str
    label: Texts

    @property
    def key(self) -> str:
        """Name of its column of means."""
        return f"{self.variable}:{self.level}" if self.level else self.variable


def with_baseline_scores(data: StudyData) -> tuple[pd.DataFrame, dict[str, Texts]]:
    """Return the cohort with a column for every baseline score, however many outcomes share it, and the scores' labels."""
    shared = {(o.score or o.column, o.baseline): o for o in reversed(data.study.outcomes) if o.baseline}
    cohort = data.cohort
    labels = {}
    for outcome in reversed(shared.values()):
        cohort[outcome.id] = data.cohort_values(outcome, str(outcome.baseline))
        labels[outcome.id] = outcome_label(outcome, data.study.library)
    return cohort, labels


def baseline_names(data: StudyData, cohort: pd.DataFrame) -> list[str]:
    """Return the children's background at the start: sex, age, covariates."""
    shown = [name for name in ("sex", "age") if name in cohort.columns and cohort[name].notna().any()]
    return list(dict.fromkeys([*shown, *(name for name in data.study.analysis.covariates if name in cohort.columns)]))


def institution_means(data: StudyData) -> tuple[pd.DataFrame, tuple[Measure, ...]]:
    """Return the means of each institution's children, and what they are means of.

    Parameters
    ----------
    data : StudyData

    Returns
    -------
    DataFrame
        Indexed by institution, those with children in the cohort: arm, cohort_size, and a column for every measure (its key);
        a category's column is its share among those who answered. Missing where no child has a value.
    tuple of Measure
    """
    cohort, labels = with_baseline_scores(data)
    values = pd.DataFrame({"institution": cohort["institution"].astype("str")})
    measures: list[Measure] = []
    for name in [*baseline_names(data, cohort), *labels]:
        column, label = cohort[name], labels.get(name, {})
        if pd.api.types.is_numeric_dtype(column.dtype):
            measures.append(Measure(name, "", label))
            values[name] = column.astype("float64")
            continue
        for level in column.dropna().astype("category").cat.remove_unused_categories().cat.categories:
            measures.append(Measure(name, str(level), label))
            values[measures[-1].key] = (column == level).astype("float64").where(column.notna())
    means = values.groupby("institution").mean()
    size = cohort["institution"].astype("str").value_counts().reindex(means.index).astype("float64")
    arms = (
        cohort.assign(institution=cohort["institution"].astype("str")).groupby("institution")["arm"].first().reindex(means.index)
    )
    means.insert(0, "arm", arms)
    means.insert(1, "cohort_size", size)
    return means, tuple(measures)
