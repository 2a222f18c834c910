"""How well the scales measured: how their items hang together, and which form of a family each child was scored on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from asp_eval.analysis.data import StudyData
from asp_eval.analysis.formulas import INSTITUTION
from asp_eval.analysis.results import FormSwitches, Number, Reliability
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Estimate
from asp_eval.stats.meta.one_factor import one_factor_ml
from asp_eval.stats.meta.polychoric import polychoric
from asp_eval.stats.meta.reliability import alpha_of, clustered_alpha
from asp_eval.store import table
from asp_eval.trial.flow.presence import Flags, places_of
from asp_eval.trial.instruments.computing import counted
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.outcomes import ScoreSource, score_sources, scored_forms, source_of
from asp_eval.trial.study.design import Study

FEWEST_POLYCHORIC = 100  # complete answers; below, cells are empty by chance
NO_FORM = -1
EDGE = 0.99  # a correlation beyond it is that of an empty cell
FEW_FOR_POLYCHORIC = Unavailable(Phrase("too few answers of some kind for polychoric correlations"))
ONE_ANSWER = Unavailable(Phrase("all children have one answer to an item"))


def scale_answers(study: Study) -> dict[str, pd.DataFrame]:
    """Return the answers to every form whose scales are outcomes, by form; without those that nobody was rated on."""
    found = {form.id: table(study, f"screening_{form.id}") for form in scored_forms(study)}
    return {name: answers for name, answers in found.items() if not answers.empty}


def reliabilities(
    study: Study, answers: Mapping[str, pd.DataFrame], children: pd.DataFrame, sets: Sequence[AnalysisSet]
) -> tuple[Reliability, ...]:
    """Return the reliability of every outcome's scale, at every wave and in every arm, of the children analysed.

    Items are reversed as the scale reverses them; only complete answers count.

    Parameters
    ----------
    study : Study
    answers : mapping of str to DataFrame
        By form: see `scale_answers`.
    children : DataFrame
        child_id, institution (as drawn), arm.
    sets : sequence of AnalysisSet
        Of all outcomes, of these children: a scale's children are those analysed for any of its outcomes.
    """
    home = children[["institution", "arm"]].astype("str").astype("category")
    ids = pd.Index(children["child_id"])
    analysed: dict[str, Flags] = {}
    for rows in sets:
        source = source_of(rows.outcome, study.library)
        if isinstance(source, ScoreSource):
            every = analysed.setdefault(source.scale, np.zeros(len(home), dtype=bool))
            every[rows.places] = True
    found: list[Reliability] = []
    for form in scored_forms(study):
        if form.id not in answers:
            continue
        given = answers[form.id]
        child = places_of(given["child_id"], ids)  # -1: of no child that is listed
        placed = home.take(child).set_index(given.index).assign(wave=given["wave"].astype("category"))
        for scale in (one.key for one in form.scales if one.key in analysed):
            mine = (child >= 0) & analysed[scale][child]
            found += _of_scale(study, form, scale, keyed(form, scale, given)[mine], placed[mine])
    return tuple(found)


def _of_scale(study: Study, form: Instrument, scale: str, items: pd.DataFrame, placed: pd.DataFrame) -> Iterator[Reliability]:
    """Yield the reliability of one scale at every wave that has answers: of all arms, then of each."""
    label, complete = dict(form.scale(scale).title), items.notna().all(axis=1).to_numpy()
    for wave in study.wave_ids:
        now = (placed["wave"] == wave).to_numpy(dtype=bool)
        for arm in ("", *study.arms) if now.any() else ():
            mine = complete & now & (not arm or (placed["arm"] == arm).to_numpy(dtype=bool))
            numbers = _reliability(items[mine], placed.loc[mine, INSTITUTION], study.analysis.level)
            yield Reliability(form.id, scale, label, wave, int(mine.sum()), numbers[0], arm, *numbers[1:])


def form_switches(data: StudyData) -> tuple[FormSwitches, ...]:
    """Count, for every family and wave, the children scored on each form and those who changed form since their first."""
    study, scores, rows = data.study, data.scores, []
    child, children = pd.factorize(scores["unit_id"])
    waves = places_of(scores["wave"], pd.Index(study.wave_ids))
    named = {source.name: sorted(form.id for form in source.forms) for source in score_sources(study)}
    for family, forms in sorted(named.items()):
        if len(forms) < 2:
            continue
        used = places_of(scores["instrument"], pd.Index(forms))
        scored = (used >= 0) & scores["score"].notna().to_numpy()
        form = np.full((len(children), len(study.wave_ids)), NO_FORM)
        form[child[scored], waves[scored]] = used[scored]
        first = form[np.arange(len(form)), (form != NO_FORM).argmax(axis=1)]
        for now, wave in zip(form.T, study.wave_ids, strict=True):
            there = now != NO_FORM
            counts = {form: int(n) for form, n in zip(forms, np.bincount(now[there], minlength=len(forms)), strict=True) if n}
            rows.append(FormSwitches(family, wave, counts, int((now != first)[there].sum())))
    return tuple(rows)


def _reliability(items: pd.DataFrame, homes: pd.Series, level: float) -> tuple[Estimate | Unavailable, Number, Number]:
    """Return alpha with its interval, omega total and ordinal alpha of complete answers."""
    alpha = clustered_alpha(items, homes, level)
    return (alpha, alpha, alpha) if isinstance(alpha, Unavailable) else (alpha, *_beside(items))


def _beside(items: pd.DataFrame) -> tuple[Number, Number]:
    """Return omega total and ordinal alpha of complete answers."""
    if (items.min() == items.max()).any():
        return ONE_ANSWER, ONE_ANSWER
    factor = one_factor_ml(np.cov(items.to_numpy().T))
    return factor if isinstance(factor, Unavailable) else factor.omega, _ordinal_alpha(items)


def _ordinal_alpha(items: pd.DataFrame) -> Number:
    """Return alpha from polychoric correlations, where there are answers enough for them."""
    if len(items) < FEWEST_POLYCHORIC:
        return FEW_FOR_POLYCHORIC
    R = polychoric(items.to_numpy())
    at_the_edge = np.abs(R - np.eye(len(R))).max() > EDGE
    return FEW_FOR_POLYCHORIC if at_the_edge else alpha_of(R)


def keyed(instrument: Instrument, scale: str, responses: pd.DataFrame) -> pd.DataFrame:
    """Return what each answer to a scale's items counts, the reversed items turned round."""
    columns = {}
    for key in getattr(instrument.scale(scale), "items", ()):
        answers = responses[f"{instrument.id}.{key}"].to_numpy(dtype=np.float64, na_value=np.nan)
        columns[key] = counted(instrument, instrument.item(key), answers)
    return pd.DataFrame(columns, index=responses.index)
