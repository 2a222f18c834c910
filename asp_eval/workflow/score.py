"""From stored answers to stored scores: every declared instrument, at every wave."""

from __future__ import annotations

import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.store import table, write_scores
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.library import family, instrument
from asp_eval.trial.instruments.scoring import score_long
from asp_eval.trial.study.design import Collection, Family, Study

NOTHING_TO_SCORE = Fault("SCO-010", "there are no answers to score", "Import the screening files first: 'asp-eval import'.")
UNITS = {"screening": ("child", "child_id"), "staff_survey": ("respondent", "respondent_id")}
COLUMNS = ["unit", "unit_id", "wave", "instrument", "scale", "score", "n_answered", "prorated", "band"]


def declared_forms(collection: Collection) -> tuple[Instrument, ...]:
    """Return the instruments a collection declares, every form of a family."""
    return tuple(
        form
        for part in collection.instruments
        for form in (family(part.family) if isinstance(part, Family) else [instrument(part)])
    )


def score_study(study: Study) -> pd.DataFrame:
    """Score every stored answer and store the scores.

    Returns
    -------
    DataFrame
        The scores as stored, one row per unit, wave and scale; see ``data_schema/scores.json``. A unit that left a form
        wholly blank was not rated on it and has no row.

    Raises
    ------
    Refusal
        If the study declares instruments but nothing has been imported.
    """
    parts = [
        _scored(study, name, form)
        for name in UNITS
        if (collection := getattr(study.collect, name)) is not None
        for form in declared_forms(collection)
    ]
    scores = pd.concat([part for part in parts if len(part)], ignore_index=True) if any(len(p) for p in parts) else None
    if scores is None:
        if parts:
            NOTHING_TO_SCORE.refuse()
        return pd.DataFrame(columns=COLUMNS)
    write_scores(study, scores)
    return scores


def _scored(study: Study, name: str, form: Instrument) -> pd.DataFrame:
    unit, key = UNITS[name]
    answers = table(study, f"{name}_{form.id}")
    if answers.empty:
        return pd.DataFrame(columns=COLUMNS)
    rated = answers.loc[answers[list(form.columns)].notna().any(axis=1)]
    scores = score_long(form, rated, keys=[key, "wave"]).rename(columns={key: "unit_id"})
    scores.insert(0, "unit", unit)
    return scores[COLUMNS]
