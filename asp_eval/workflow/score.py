"""From stored answers to stored scores: every declared instrument, at every wave."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.store import table, write_scores
from asp_eval.store.instrument_changes import refuse_changed_instruments
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.scoring import score_long
from asp_eval.trial.outcomes import declared_forms
from asp_eval.trial.study.design import Study
from asp_eval.workflow.study_folder import AnyStudy, plan_of

NOTHING_TO_SCORE = Fault("SCO-010", "there are no answers to score", "Import the screening files first: 'asp-eval import'.")
UNITS = {"screening": ("child", "child_id"), "staff_survey": ("respondent", "respondent_id")}
COLUMNS = ["unit", "unit_id", "wave", "instrument", "scale", "score", "n_answered", "prorated", "band"]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The scores of a study.

    Attributes
    ----------
    scores : DataFrame
        As stored, one row per unit, wave and scale; see ``data_schema/scores.json``. A unit that left a form wholly blank
        was not rated on it and has no row.
    counts : DataFrame
        One row per instrument and wave: instrument, wave, units, scores, prorated, missing.
    """

    scores: pd.DataFrame
    counts: pd.DataFrame


def score_study(study: AnyStudy, *, progress: Progress = unheard, cancel: Cancel = never) -> Scored:
    """Score every stored answer, and store the scores.

    Parameters
    ----------
    study : Study or StudyFolder
    progress, cancel : callable, optional
        See `asp_eval.core.progress`.

    Raises
    ------
    Refusal
        SCO-010 if the study declares instruments but nothing has been imported.
    DataProblems
        STO-050 if one of the study's own instruments was changed after it was used.
    """
    plan, step = plan_of(study), stoppable(progress, cancel)
    refuse_changed_instruments(plan)
    forms = [(name, form) for name in UNITS for form in declared_forms(plan, name)]
    parts = []
    for position, (name, form) in enumerate(forms):
        step(form.id, position / (len(forms) + 1))
        parts.append(_scored(plan, name, form))
    if not any(len(part) for part in parts):
        if forms:
            NOTHING_TO_SCORE.refuse()
        return _counted(pd.DataFrame(columns=COLUMNS))
    scores = pd.concat([part for part in parts if len(part)], ignore_index=True)
    step(Phrase("storing"), len(forms) / (len(forms) + 1))
    write_scores(plan, scores)
    return _counted(scores)


def _counted(scores: pd.DataFrame) -> Scored:
    groups = scores.assign(missing=scores["score"].isna()).groupby(["instrument", "wave"], observed=True)
    counts = groups.agg(
        units=("unit_id", "nunique"), scores=("score", "count"), prorated=("prorated", "sum"), missing=("missing", "sum")
    )
    return Scored(scores, counts.reset_index())


def _scored(study: Study, name: str, form: Instrument) -> pd.DataFrame:
    unit, key = UNITS[name]
    answers = table(study, f"{name}_{form.id}")
    if answers.empty:
        return pd.DataFrame(columns=COLUMNS)
    rated = answers.loc[answers[list(form.columns)].notna().any(axis=1)]
    scores = score_long(form, rated, keys=[key, "wave"]).rename(columns={key: "unit_id"})
    scores.insert(0, "unit", unit)
    return scores[COLUMNS]
