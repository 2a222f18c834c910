"""Which children are the trial's: in the cohort, outside the declared ages, or joined after the draw."""

from __future__ import annotations

import numpy as np
import pandas as pd

from asp_eval.trial.study.ages import age_years
from asp_eval.trial.study.design import Study


def baseline_wave(study: Study) -> str:
    """Return the wave that defines the cohort: where eligibility is judged, else the first wave of screening."""
    screened = study.collected_waves("screening") or study.wave_ids
    return study.eligibility.at if study.eligibility else screened[0]


def first_day(study: Study, wave: str) -> np.datetime64:
    """Return the first day of a wave; not-a-time where none is declared."""
    return np.datetime64(study.wave(wave).start, "s")


def rated_on(study: Study, visits: pd.DataFrame, wave: str) -> pd.Series:
    """Return the day each child was rated at a wave, indexed by child; the wave's first day where no date is known."""
    at_wave = visits[visits["wave"] == wave].set_index("child_id")
    start = first_day(study, wave)
    if "date" not in at_wave.columns:
        return pd.Series(start, index=at_wave.index, dtype="datetime64[s]")
    return pd.to_datetime(at_wave["date"], errors="coerce").fillna(start)


def with_cohort(study: Study, children: pd.DataFrame, visits: pd.DataFrame) -> pd.DataFrame:
    """Return the children with their age at the baseline wave and their standing.

    Parameters
    ----------
    children : DataFrame
        child_id, institution_id (at the draw), first_wave; birth_month where it is collected.
    visits : DataFrame
        child_id, wave, date.

    Returns
    -------
    DataFrame
        `children` with `age` (years on the day of the rating at the baseline wave, or on that wave's first day for a child
        not rated then; missing if unknown) and `standing`:
        ``"cohort"``, ``"not_eligible"`` or ``"joined_later"``. A child of unknown age is kept in the cohort.
    """
    wave = baseline_wave(study)
    so_far = study.wave_ids[: study.wave_ids.index(wave) + 1]
    first = children["first_wave"].isin(so_far)
    frame = children.copy()
    if "birth_month" in children.columns:
        day = rated_on(study, visits, wave).reindex(frame["child_id"]).set_axis(frame.index)
        frame["age"] = age_years(frame["birth_month"], day.fillna(first_day(study, wave)))
    frame["standing"] = "joined_later"
    frame.loc[first, "standing"] = "cohort"
    if study.eligibility and "age" in frame.columns:
        ages = study.eligibility.age_years
        outside = first & ((frame["age"] < ages.start) | (frame["age"] >= ages.below))
        frame.loc[outside, "standing"] = "not_eligible"
    return frame
