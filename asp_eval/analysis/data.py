"""A study's tables, read once for a whole analysis and joined to one row per child."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
import pandas as pd

from asp_eval.analysis.plan_problems import refuse_faulty_plan
from asp_eval.core.errors import Fault, Place
from asp_eval.core.phrases import listed
from asp_eval.core.spelling import several_spellings
from asp_eval.store import listed_children, table
from asp_eval.trial.flow.cohort import with_cohort
from asp_eval.trial.flow.presence import Flags, Places, places_of, presence
from asp_eval.trial.outcomes import ColumnSource, ScoreSource, band_order, coded, source_of
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.outcome import Outcome

UNKNOWN_COVARIATE = Fault(
    "ANA-003",
    "the covariate {name!r} is in none of the tables",
    "Import it with children or institutions, or correct study.yaml.",
)
UNKNOWN_SOURCE = Fault(
    "ANA-004",
    "the outcome {outcome!r} comes from {source!r}, which has no values",
    "Run 'asp-eval score', or correct study.yaml.",
)

SEVERAL_SPELLINGS = Fault(
    "ANA-018",
    "{name} holds one name in several spellings, which a model would take for different groups",
    "Write it alike in every row (behind each spelling stands an institution that has it), and import again.",
)


UNKNOWN_PAIRS = Fault(
    "ANA-065",
    "the lot was drawn within matched pairs, and which institutions form one is not known",
    "Name the column of the pair under 'randomisation: {{pair: ...}}', or import 'stratum' with the allocation.",
)
PAIR = "pair"


@dataclass(frozen=True, eq=False)
class StudyData:
    """Everything an analysis reads.

    Attributes
    ----------
    study : Study
    institutions, allocation, visits, scores : DataFrame
        As stored; `visits` has one row per child and wave, `scores` those of the forms of outcomes, without what they rest on,
        and their ids as categories.
    children : DataFrame
        One row per child ever seen, with what is known of the child, its institution as drawn (`institution`), its arm
        (missing where the institution was not drawn), its `standing`, and its visit at its first wave.
    staff, implementation, goals : DataFrame
        As stored.
    presence : DataFrame
        Where each child was at each wave (`asp_eval.trial.flow.presence`).
    """

    study: Study
    institutions: pd.DataFrame
    allocation: pd.DataFrame
    visits: pd.DataFrame
    scores: pd.DataFrame
    children: pd.DataFrame
    staff: pd.DataFrame
    implementation: pd.DataFrame
    goals: pd.DataFrame
    presence: pd.DataFrame

    @property
    def cohort(self) -> pd.DataFrame:
        """The children of the cohort, in drawn institutions."""
        return self._cohort.copy(deep=False)  # pandas copies a column when it is written to

    @cached_property
    def _cohort(self) -> pd.DataFrame:
        return self.children.take(self.cohort_places).reset_index(drop=True)

    @cached_property
    def cohort_places(self) -> Places:
        """Where the children of the cohort stand among all children, (n,)."""
        return np.flatnonzero((self.children["standing"] == "cohort") & self.children["arm"].notna())

    def values(self, outcome: Outcome, wave: str) -> pd.Series:
        """Return an outcome's values at a wave, indexed by child.

        A score of an instrument family takes each child's score from the form the child was rated on.

        Raises
        ------
        Refusal
            If the source of the outcome has no values at any wave.
        """
        found = self._rows(outcome, wave)["score"]
        return found.set_axis(self._ids.take(found.index.to_numpy()))

    def cohort_values(self, outcome: Outcome, wave: str) -> pd.Series:
        """Return an outcome's values at a wave of the children of the cohort, in their order; missing for who has none."""
        return self._of_cohort(self._rows(outcome, wave)["score"])

    def cohort_coded_values(self, outcome: Outcome, wave: str) -> pd.Series:
        """Return the same as its model takes them: zeros and ones, positions of categories, or as they are."""
        return self._of_cohort(self._coded(outcome, wave))

    def has_value(self, outcome: Outcome, wave: str) -> Flags:
        """Return which children have a value that the model of an outcome could take, (children,)."""
        found = np.zeros(len(self.children), dtype=bool)
        found[self._coded(outcome, wave).index] = True
        return found

    def presence_at(self, wave: str) -> pd.DataFrame:
        """Return where each child was at a wave, in the order of `children`; no rows for a wave without screening."""
        return self._presence.get(wave, self.presence.iloc[:0])

    @cached_property
    def _presence(self) -> dict[str, pd.DataFrame]:
        return {str(wave): rows for wave, rows in self.presence.groupby("wave", observed=True)}

    @cached_property
    def raters(self) -> dict[str, pd.Series]:
        """Who rated each child, (children,), by wave: of several the first, as categories; missing for who was not rated."""
        by = pd.Series(pd.Categorical(self.visits["rater_id"]), index=self.visits.index)
        waves = {wave: self.visits[(self.visits["wave"] == wave).to_numpy()] for wave in self.study.wave_ids}
        found = {}
        for wave, visits in waves.items():
            now = visits.drop_duplicates("child_id")
            rated = _of_listed(by.loc[now.index].to_frame("rater"), places_of(now["child_id"], self._ids))
            found[wave] = rated["rater"].reindex(range(len(self.children)))
        return found

    @cached_property
    def _ids(self) -> pd.Index:
        ids: pd.Index = pd.Index(self.children["child_id"])
        return ids

    def _of_cohort(self, found: pd.Series) -> pd.Series:
        values = np.full(len(self.children), np.nan)
        values[found.index] = found
        return pd.Series(values[self.cohort_places])

    def _coded(self, outcome: Outcome, wave: str) -> pd.Series:
        rows = self._rows(outcome, wave)
        return coded(outcome, rows["score"], rows["band"], band_order(outcome, self.study.library)).dropna()

    def _rows(self, outcome: Outcome, wave: str) -> pd.DataFrame:
        """Return score and band of an outcome at a wave, indexed by where the child stands among all children."""
        source = source_of(outcome, self.study.library)
        if isinstance(source, ColumnSource):
            if source.column not in self.visits.columns:
                UNKNOWN_SOURCE.refuse("study.yaml", outcome=outcome.id, source=outcome.column)
            now = self.visits[self.visits["wave"] == wave]
            column = now[source.column].astype("float64")
            return _of_listed(pd.DataFrame({"score": column, "band": None}), places_of(now["child_id"], self._ids))
        forms = [form.id for form in source.forms]
        if not any((form, source.scale) == key[:2] for form in forms for key in self._places):
            UNKNOWN_SOURCE.refuse("study.yaml", outcome=outcome.id, source=outcome.score)
        places = [self._places[key] for form in forms if (key := (form, source.scale, wave)) in self._places]
        rows = np.sort(np.concatenate(places)) if places else np.empty(0, dtype=np.intp)
        now = self.scores[["score", "band"]].take(rows)
        known = now["score"].notna().to_numpy()
        return _of_listed(now[known].astype({"score": "float64"}), self._scored[rows[known]])

    @cached_property
    def _scored(self) -> Places:
        """Where the child of each score stands among all children."""
        return places_of(self.scores["unit_id"], self._ids)

    @cached_property
    def _places(self) -> dict[tuple[str, str, str], Places]:
        """Where the scores of each form, scale and wave stand: looked through once, and not for every outcome."""
        places = self.scores.groupby(["instrument", "scale", "wave"], observed=True).indices
        return {cast(tuple[str, str, str], key): np.asarray(rows, dtype=np.intp) for key, rows in places.items()}


def load_data(study: Study) -> StudyData:
    """Read a study's tables and join them.

    Raises
    ------
    Refusal
        If a stratum or covariate of the plan is in none of the tables.
    DataProblems
        What is wrong with the declaration by itself, as `check` says it.
    """
    refuse_faulty_plan(study)
    institutions, allocation, visits = (table(study, name) for name in ("institutions", "allocation", "screening"))
    sources = [source_of(outcome, study.library) for outcome in study.outcomes]
    forms = {form.id for source in sources if isinstance(source, ScoreSource) for form in source.forms}
    columns = ("unit_id", "wave", "instrument", "scale", "score", "band")
    scores = table(study, "scores", {"instrument": forms}, columns, ("wave", "instrument", "scale", "band"))
    scores["unit_id"] = pd.Categorical.from_codes(*pd.factorize(scores["unit_id"]))  # a child has many scores
    children = with_cohort(study, table(study, "children"), visits)
    children = children.merge(allocation[["institution_id", "arm"]], on="institution_id", how="left", validate="many_to_one")
    children = children.merge(
        _new(institutions, children, "institution_id"), on="institution_id", how="left", validate="many_to_one"
    )
    first = visits.merge(children[["child_id", "first_wave"]], left_on=["child_id", "wave"], right_on=["child_id", "first_wave"])
    children = children.merge(_new(first, children, "child_id"), on="child_id", how="left", validate="one_to_one")
    children = children.rename(columns={"institution_id": "institution"})
    children["arm"] = pd.Categorical(children["arm"], categories=list(study.arms))
    if study.randomisation.scheme == "pairs" and len(allocation):
        children[PAIR] = pd.Categorical(children["institution"].astype(str).map(pairs_of(study, allocation, institutions)))
    missing = study.analysis.missing_outcome
    compared = [*(one.by for one in study.analysis.subgroups), *study.analysis.varying, *study.analysis.levels]
    compared += missing.predictors if missing else ()
    for name in dict.fromkeys([*study.strata, *study.analysis.covariates, *compared]):
        if name not in children.columns:
            UNKNOWN_COVARIATE.refuse("study.yaml", name=name)
        numeric = pd.api.types.is_numeric_dtype(children[name].dtype)
        if not numeric:
            _refuse_spellings(children, name)
        children[name] = children[name].astype("float64") if numeric else pd.Categorical(children[name])
    staff, log, goals = (table(study, name) for name in ("staff", "implementation", "goals"))
    there = presence(study, children, visits, listed_children(study), institutions)
    children["institution"] = pd.Categorical(children["institution"])
    return StudyData(study, institutions, allocation, visits, scores, children, staff, log, goals, there)


def pairs_of(study: Study, allocation: pd.DataFrame, institutions: pd.DataFrame) -> dict[str, str]:
    """Return the pair of every institution drawn: as a column names it, else as the lot kept it.

    Raises
    ------
    Refusal
        ANA-065 if it is not known.
    """
    name = study.randomisation.pair
    table, column = (institutions, name) if name and name in institutions.columns else (allocation, "stratum")
    drawn = table[table["institution_id"].isin(allocation["institution_id"])]
    if column not in drawn.columns or drawn[column].isna().any():
        UNKNOWN_PAIRS.refuse("allocation")
    return dict(zip(drawn["institution_id"].astype(str), drawn[column].astype(str), strict=True))


def _refuse_spellings(children: pd.DataFrame, name: str) -> None:
    """Refuse a column whose names stand in several spellings: a model would take them for different groups."""
    first = children.dropna(subset=[name]).drop_duplicates(name)
    for spellings in several_spellings([str(value) for value in first[name]]):
        met = [f"{text!r} ({first['institution'].iloc[at[0]]})" for text, at in spellings.items()]
        SEVERAL_SPELLINGS.refuse(Place("children or institutions", column=name), found=listed(met), name=name)


def _of_listed(rows: pd.DataFrame, places: Places) -> pd.DataFrame:
    """Return the rows of children who are listed, indexed by where these stand among all children."""
    listed = places >= 0
    return rows[listed].set_axis(pd.Index(places[listed]))


def _new(right: pd.DataFrame, left: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return `right` with its key and only the columns `left` lacks."""
    return right[[key, *(c for c in right.columns if c not in left.columns)]]
