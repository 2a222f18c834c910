"""How well the scales measured: Cronbach's alpha, and which form of a family each child was scored on."""

from __future__ import annotations

import pandas as pd

from asp_eval.analysis.data import StudyData
from asp_eval.analysis.results import FormSwitches, Reliability
from asp_eval.stats.meta.reliability import cronbach_alpha
from asp_eval.store import table
from asp_eval.trial.flow.cohort import baseline_wave
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.outcomes import score_sources, scored_forms
from asp_eval.trial.study.design import Study


def reliabilities(study: Study) -> tuple[Reliability, ...]:
    """Return Cronbach's alpha, with its interval, of every outcome's scale at the baseline wave (pingouin).

    Items are reversed as the scale reverses them; only complete answers count.
    """
    wanted = {source.scale for source in score_sources(study)}
    rows: list[Reliability] = []
    for instrument in scored_forms(study):
        responses = table(study, f"screening_{instrument.id}")
        if responses.empty:  # a form of a family that nobody was rated on
            continue
        scales = [scale.key for scale in instrument.scales if scale.key in wanted]
        rows += [_reliability(instrument, scale, responses, baseline_wave(study), study.analysis.level) for scale in scales]
    return tuple(rows)


def form_switches(data: StudyData) -> tuple[FormSwitches, ...]:
    """Count, for every family and wave, the children scored on each form and those who changed form since their first."""
    study, rows = data.study, []
    named = {source.name: [form.id for form in source.forms] for source in score_sources(study)}
    for family, forms in sorted(named.items()):
        if len(forms) < 2:
            continue
        scores = data.scores
        mine = scores.loc[scores["instrument"].isin(forms) & scores["score"].notna()]
        rated = mine[["unit_id", "wave", "instrument"]].drop_duplicates()
        first = rated.sort_values("wave", key=lambda w: w.map(study.wave_ids.index)).groupby("unit_id")["instrument"].first()
        for wave in study.wave_ids:
            now = rated.loc[rated["wave"] == wave].set_index("unit_id")["instrument"]
            counts = {str(form): int(n) for form, n in now.value_counts(sort=False).sort_index().items()}
            rows.append(FormSwitches(family, wave, counts, int((now != first.reindex(now.index)).sum())))
    return tuple(rows)


def _reliability(instrument: Instrument, scale: str, responses: pd.DataFrame, wave: str, level: float) -> Reliability:
    items = keyed(instrument, scale, responses.loc[responses["wave"] == wave]).dropna()
    label = dict(instrument.scale(scale).title)
    return Reliability(instrument.id, scale, label, wave, len(items), cronbach_alpha(items, level))


def keyed(instrument: Instrument, scale: str, responses: pd.DataFrame) -> pd.DataFrame:
    """Return what each answer to a scale's items counts, the reversed items turned round."""
    columns = {}
    for key in getattr(instrument.scale(scale), "items", ()):
        answers = responses[f"{instrument.id}.{key}"].astype("float64")
        columns[key] = answers.map(instrument.points(instrument.item(key)))
    return pd.DataFrame(columns)
