"""The items behind an outcome's score, imputed in place of the score: as numbers, not rounded, and then scored as a whole.

Items that a child's rater left open say much of the score that is lost with them (Gottschall, West & Enders 2012, Multivar Behav
Res 47:1; Eekhout et al. 2014, J Clin Epidemiol 67:335). They are imputed as continuous variables and are not rounded to the
form's codes, which would add error to the scale (Wu, Jia & Enders 2015, Multivar Behav Res 50:484). Items of the outcome's wave
only: other waves enter by their scores, as many items of many waves could not be imputed together (Eekhout et al. 2018, Stat
Methods Med Res 27:1128).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.trial.instruments.computing import counted, items_of, scales_of, score_of_whole
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.outcomes import ScoreSource, declared_forms, source_of
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.outcome import Outcome

Answers = Mapping[str, pd.DataFrame]
ITEM = "item__"
NO_ITEMS = Unavailable(Phrase("the outcome is no score of an instrument, and has no items that could be imputed"))
UNLIKE_FORMS = Unavailable(Phrase("the forms of the score differ in the number of its items or in how they are scored"))
UNANSWERED = Unavailable(Phrase("an item of the score was answered by nobody at the outcome's wave"))
NOT_ALWAYS_ASKED = Unavailable(Phrase("the items of the score are not asked of everyone, so what is not answered is not missing"))


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """The items behind a score at one wave.

    Attributes
    ----------
    form : Instrument
        By which they are scored; where the study has several forms, all score alike.
    scale : str
    frame : DataFrame
        What every item counts (reversed where it is to be), indexed by child: one column per item, which stands for the items at
        the same place of all forms.
    """

    form: Instrument
    scale: str
    frame: pd.DataFrame

    def score(self, data: pd.DataFrame) -> pd.Series:
        """Return the score of every row of a data set that holds the items; missing where an item is."""
        columns = [data[name].to_numpy(np.float64) for name in self.frame.columns]
        return pd.Series(score_of_whole(self.form, self.scale, columns), index=data.index)


def items_at(study: Study, answers: Answers, outcome: Outcome, wave: str, children: pd.Series) -> Items | Unavailable:
    """Return the items of an outcome's score at a wave, or why they cannot be imputed.

    Parameters
    ----------
    study : Study
    answers : mapping of str to DataFrame
        By form: child_id, wave, and the items under their stored names.
    outcome : Outcome
    wave : str
    children : Series
        Identifiers of those it is asked of.
    """
    source = source_of(outcome, study.library)
    if not isinstance(source, ScoreSource):
        return NO_ITEMS
    collected = {form.id for form in declared_forms(study, "screening", wave)}
    forms = [form for form in source.forms if form.id in collected and form.id in answers]
    if not forms:
        return NO_ITEMS
    if any(item.unless for form in forms for item in items_of(form, source.scale)):
        return NOT_ALWAYS_ASKED
    if len({_rule(form, source.scale) for form in forms}) > 1:
        return UNLIKE_FORMS
    names = [f"{ITEM}{item.key}" for item in items_of(forms[-1], source.scale)]
    parts = []
    for form in forms:
        now = answers[form.id][answers[form.id]["wave"] == wave].set_index("child_id")
        own = {
            name: counted(form, item, now[f"{form.id}.{item.key}"].to_numpy(dtype=np.float64, na_value=np.nan))
            for name, item in zip(names, items_of(form, source.scale), strict=True)
        }
        parts.append(pd.DataFrame(own, index=now.index).dropna(how="all"))  # a child that no item of it was answered for
    merged = pd.concat(parts)
    merged = merged[~merged.index.duplicated()].reindex(children)
    if merged.isna().all().any():
        return UNANSWERED
    return Items(forms[-1], source.scale, merged)


def _rule(form: Instrument, scale: str) -> tuple[object, ...]:
    """Return what decides how whole answers are scored: the items' points in their order, and the scales' methods."""
    points = tuple(tuple(sorted(form.points(item).values())) for item in items_of(form, scale))
    found = form.scale(scale)
    methods = tuple((len(one.items), one.rule.method) for one in scales_of(form, scale))
    return points, methods, getattr(found, "method", "")
