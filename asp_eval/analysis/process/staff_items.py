"""Pictures of single questions: those that two crossing scales share (resources by phases), and those between two poles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from asp_eval.analysis.process.results import ItemMean, Number
from asp_eval.analysis.process.staff_answers import means_by_arm
from asp_eval.store import table
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.outcomes import declared_forms
from asp_eval.trial.study.design import Study


def item_means(study: Study, arms: Mapping[str, str]) -> tuple[ItemMean, ...]:
    """Return the mean answers to the questions that stand between poles or belong to two crossing scales, wave by wave.

    Parameters
    ----------
    study : Study
    arms : mapping of str to str
        The arm of each institution that was drawn.
    """
    found: list[ItemMean] = []
    for form in declared_forms(study, "staff_survey"):
        responses = table(study, f"staff_survey_{form.id}")
        for wave in study.wave_ids:
            rows = responses[(responses["wave"] == wave) & responses["institution_id"].isin(list(arms))]
            if len(rows):
                found += _of_wave(study, form, wave, rows, arms)
    return tuple(found)


def crossing(form: Instrument) -> tuple[tuple[str, str, str], ...]:
    """Return row, column and item of every question that two crossing scales share; none of a form without such.

    Examples
    --------
    >>> from asp_eval.trial.instruments.library import instrument
    >>> crossing(instrument("innovation-practice"))[:2]
    (('knowledge', 'design', 'knowledge_design'), ('knowledge', 'analysis', 'knowledge_analysis'))
    >>> crossing(instrument("governance-npm-npg"))
    ()
    """
    scales = {scale.key: scale.items for scale in form.scales}
    of_item = {item: [key for key, items in scales.items() if item in items] for items in scales.values() for item in items}
    shared = {item: keys for item, keys in of_item.items() if len(keys) == 2}
    columns = {keys[1] for keys in shared.values()}  # the first of the two stands first in the file
    return tuple((keys[0], keys[1], item) for item, keys in shared.items() if keys[0] not in columns)


def _of_wave(study: Study, form: Instrument, wave: str, rows: pd.DataFrame, arms: Mapping[str, str]) -> Iterator[ItemMean]:
    titles = {scale.key: dict(scale.title) for scale in form.scales}
    for row, column, key in crossing(form):
        yield ItemMean(form.id, wave, titles[row], titles[column], False, _means(study, form, key, rows, arms))
    for item in form.items:
        if item.poles is not None:
            low, high = dict(item.poles.low), dict(item.poles.high)
            yield ItemMean(form.id, wave, low, high, True, _means(study, form, item.key, rows, arms))


def _means(study: Study, form: Instrument, key: str, rows: pd.DataFrame, arms: Mapping[str, str]) -> tuple[Number, ...]:
    points = sorted(form.points(form.item(key)).values())
    answers = rows[f"{form.id}.{key}"].astype("float64").map(form.points(form.item(key)))
    percent = 100 * (answers - points[0]) / (points[-1] - points[0])
    return means_by_arm(study, rows.assign(answer=percent), "answer", arms)
