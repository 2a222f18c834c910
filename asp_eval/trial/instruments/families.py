"""Scores of children whose age decides which form of a questionnaire they were rated on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.core.errors import DataProblems, Fault, Place, Problem
from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.trial.instruments.ages_and_sexes import FIRST_ROW, checked_ages
from asp_eval.trial.instruments.computing import compute
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.library import Library, form_positions, shipped
from asp_eval.trial.instruments.responses import answered, checked_codes, column_names

TWO_FORMS = Fault("SCO-006", "the child has answers on two forms", "Keep the answers of the form that was used.")
NO_FORM = Phrase("the age is unknown or outside the forms, so no form could be picked")


def score_family(name: str, responses: pd.DataFrame, age_years: pd.Series[float], library: Library | None = None) -> pd.DataFrame:
    """Score every row on the form it was rated on.

    Where items stand under stored names (``sdq-teacher-2-4.argues``), the form is the one that has the row's answers;
    where they stand under bare keys, it is the one for the child's age. The forms of the SDQ differ in two items, both
    of the conduct scale, so a child that changes form between waves changes what conduct and total mean: compare
    ``form`` across waves and report every switch.

    Parameters
    ----------
    name : str
        The family: ``"sdq-teacher"``.
    responses : DataFrame
        One row per child.
    age_years : Series of float
        Exact ages, row for row with `responses`.
    library : Library, optional
        The questionnaires that a study knows, ``study.library``; by default those that are shipped.

    Returns
    -------
    DataFrame
        On the index of `responses`: ``form``, the id of the form scored (missing if none could be picked);
        ``form_note``, empty or why the form is missing or is not the one for the age; then one column per scale.

    Raises
    ------
    DataProblems
        As `scoring.score`, SCO-009 for an age that is none, and SCO-006 for a row with answers on two forms.
    Refusal
        INS-001 if there is no such family, SCO-008 if the ages are not as many as the rows.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import family
    >>> answers = pd.DataFrame({f"sdq-teacher-2-4.{key}": [2, 0] for key in family("sdq-teacher")[0].item_keys})
    >>> score_family("sdq-teacher", answers, pd.Series([3.5, 4.2]))[["form", "form_note"]].iloc[1].tolist()
    ['sdq-teacher-2-4', 'the age picks sdq-teacher-4-17']
    """
    forms = (library or shipped()).family(name)
    checked_ages(age_years, len(responses), f"responses to {name}")
    by_age = form_positions(forms, age_years)
    stored = np.column_stack([answered(responses, form.columns) for form in forms])
    if set(responses.columns).isdisjoint(column for form in forms for column in form.columns):
        used = by_age
    else:
        _refuse_two_forms(stored, forms)
        used = np.where(stored.any(axis=1), stored.argmax(axis=1), by_age)
    scores = _scores(forms, responses, used)
    scores.insert(0, "form", pd.Series([forms[i].id if i >= 0 else None for i in used], scores.index, dtype="string"))
    notes = [_note(int(u), int(a), forms) for u, a in zip(used, by_age, strict=True)]
    scores.insert(1, "form_note", pd.Series(notes, scores.index, dtype="string"))
    return scores


def _refuse_two_forms(stored: NDArray[np.bool_], forms: Sequence[Instrument]) -> None:
    """Raise every row that has answers on more than one form."""
    problems = []
    for position in np.flatnonzero(stored.sum(axis=1) > 1):
        found = " and ".join(form.id for form, there in zip(forms, stored[position], strict=True) if there)
        problems.append(TWO_FORMS.at(Place("responses", row=int(position) + FIRST_ROW), found=found))
    if problems:
        raise DataProblems(problems)


def _scores(forms: Sequence[Instrument], responses: pd.DataFrame, used: NDArray[np.int64]) -> pd.DataFrame:
    """Score each form's own rows; a row without form, or without any answer, stays missing."""
    keys = list(dict.fromkeys(key for form in forms for key in form.scale_keys))
    values = np.full((len(responses), len(keys)), np.nan)
    problems: list[Problem] = []
    for position, form in enumerate(forms):
        names = list(column_names(form, responses).values())
        rows = np.flatnonzero((used == position) & answered(responses, names))
        if not rows.size:
            continue
        try:
            scored = compute(form, checked_codes(form, responses.take(rows), rows))
        except DataProblems as error:
            problems.extend(error.problems)
        else:
            for column, key in enumerate(scored.keys):
                values[rows, keys.index(key)] = scored.scores[:, column]
    if problems:
        raise DataProblems(problems)
    return pd.DataFrame(values, index=responses.index, columns=keys)


def _note(used: int, by_age: int, forms: Sequence[Instrument]) -> Phrase:
    if used < 0:
        return NO_FORM
    return NO_NOTE if by_age in {used, -1} else Phrase("the age picks {form}", form=forms[by_age].id)
