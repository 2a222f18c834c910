"""From stored answers to stored scores: every declared instrument, at every wave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase, listed
from asp_eval.core.progress import Cancel, Progress, never, stoppable, unheard
from asp_eval.store import table, write_scores
from asp_eval.store.instrument_digests import instrument_digests
from asp_eval.store.provenance import one_moment
from asp_eval.store.sealed_files import refuse_moved
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.scoring import score_long
from asp_eval.trial.outcomes import declared_forms
from asp_eval.trial.study.design import Study
from asp_eval.workflow.study_folder import AnyStudy, plan_of

NOTHING_TO_SCORE = Fault("SCO-010", "there are no answers to score", "Import the screening files first: 'asp-eval import'.")
UNDECLARED = partial(
    Phrase,
    "Answers of waves that study.yaml does not declare for their table are stored, and were not scored: {waves}. "
    "If a wave was given another name, give it the old one back.",
)
UNITS = {"screening": ("child", "child_id"), "staff_survey": ("respondent", "respondent_id")}
TEXTS = ("unit", "unit_id", "wave", "instrument", "scale", "band")
COLUMNS = ["unit", "unit_id", "wave", "instrument", "scale", "score", "n_answered", "prorated", "band"]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The scores of a study.

    Attributes
    ----------
    scores : DataFrame
        As stored, one row per unit, wave and scale; see ``data_schema/scores.json``. Ids and texts are categories. A unit that
        left a form wholly blank was not rated on it and has no row.
    counts : DataFrame
        One row per instrument and wave: instrument, wave, units, scores, prorated, missing.
    notes : tuple of Phrase
        Which stored answers were not scored, because study.yaml does not declare their wave.
    """

    scores: pd.DataFrame
    counts: pd.DataFrame
    notes: tuple[Phrase, ...] = ()


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
        SCO-010 if the study declares instruments but nothing has been imported; STO-040 if a table is not what was stored;
        STO-047 if the data were changed meanwhile.
    DataProblems
        STO-050 if one of the study's own instruments was changed after it was used.
    """
    plan, step = plan_of(study), stoppable(progress, cancel)
    forms = [(name, form, _waves_of(plan, name, form)) for name in UNITS for form in declared_forms(plan, name)]
    with one_moment(plan) as state:
        stored = [table(plan, f"{name}_{form.id}") for name, form, _ in forms]
    parts, left_out = [], set[str]()
    for position, (name, form, waves) in enumerate(forms):
        step(form.id, position / (len(forms) + 1))
        answers = stored.pop(0)  # not kept longer than it is read
        declared = answers["wave"].isin(waves)
        left_out |= {f"{name} {wave}" for wave in answers.loc[~declared, "wave"].unique()}
        parts.append(_scored(name, form, answers[declared]))
    notes = (UNDECLARED(waves=listed(sorted(left_out))),) if left_out else ()
    if not any(len(part) for part in parts):
        if forms:
            NOTHING_TO_SCORE.refuse(found=notes[0] if notes else None)
        return _counted(pd.DataFrame(columns=COLUMNS))
    scores = _together([part for part in parts if len(part)])
    step(Phrase("storing"), len(forms) / (len(forms) + 1))
    write_scores(plan, scores, instrument_digests(plan), lambda: refuse_moved(plan, state))
    return _counted(scores, notes)


def _waves_of(study: Study, name: str, form: Instrument) -> list[str]:
    """Return the waves at which study.yaml declares a form for a table."""
    return [wave for wave in study.wave_ids if form.id in {each.id for each in declared_forms(study, name, wave)}]


def _counted(scores: pd.DataFrame, notes: tuple[Phrase, ...] = ()) -> Scored:
    groups = scores.assign(missing=scores["score"].isna()).groupby(["instrument", "wave"], observed=True)
    counts = groups.agg(
        units=("unit_id", "nunique"), scores=("score", "count"), prorated=("prorated", "sum"), missing=("missing", "sum")
    )
    return Scored(scores, counts.reset_index(), notes)


def _scored(name: str, form: Instrument, answers: pd.DataFrame) -> pd.DataFrame:
    unit, key = UNITS[name]
    if answers.empty:
        return pd.DataFrame(columns=COLUMNS)
    rated = answers[answers[list(form.columns)].notna().any(axis=1)]
    who = {key: "category", "wave": "category"}
    scores = score_long(form, rated.astype(who), keys=list(who), categories=True).rename(columns={key: "unit_id"})
    return scores.assign(unit=unit)[COLUMNS].astype(dict.fromkeys(TEXTS, "category"))


def _together(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all forms, a text that stands in many of them once: as texts, scores would take ten times the memory."""
    columns = {
        name: union_categoricals([part[name] for part in parts])
        if name in TEXTS
        else np.concatenate([part[name].to_numpy() for part in parts])
        for name in COLUMNS
    }
    return pd.DataFrame(columns, copy=False)
