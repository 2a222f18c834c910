"""Rules of the goals that institutions set: the worksheet is this study's, a goal says something, its days agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Problem
from asp_eval.intake.checks.findings import Finding
from asp_eval.intake.files.raw import Mask
from asp_eval.intake.mapping.applying import MappedTable
from asp_eval.trial.study.design import Study

OTHER_STUDY = Fault(
    "SCR-260",
    "the worksheet was handed out by another study",
    "Import it there. If this study's id was changed, write the new one into the column 'study', or leave it empty.",
)
NO_WORDS = Fault(
    "SCR-261",
    "the goal names neither an aim nor a partial aim",
    "Ask the institution what it wants to reach, and write it in; or take the row out.",
)
DUE_BEFORE = Fault(
    "SCR-262", "the goal is to be reached before the day on which it was set ({day})", "Correct one of the two days."
)
NO_PROFILE = Fault(
    "SCR-263",
    "the institution is in the arm {arm}, which is given no GAP-profile",
    "It is kept. If the institution saw a profile, report it as contact between the arms; if not, see whether the id is right.",
    "warning",
)
TOO_EARLY = Fault(
    "SCR-264",
    "the goal was set before the arm {arm} is given its GAP-profiles (after {wave})",
    "It is kept. If the institution saw a profile early, report it as contact between the arms; if not, see whether the day is "
    "right.",
    "warning",
)


def goal_rules(raw: MappedTable, frame: pd.DataFrame, study: Study, arms: Mapping[str, str]) -> Iterator[Finding]:
    """Yield the rows of goals that break a rule, and those that are told of.

    Parameters
    ----------
    raw : MappedTable
        For the places.
    frame : DataFrame
        Values of the columns that could be read, one row per row of `raw`.
    study : Study
    arms : mapping of str to str
        The arm of each institution that has one.
    """
    other = frame["study"].notna() & (frame["study"] != study.study.id)
    yield Finding.of(
        OTHER_STUDY,
        "study",
        _flags(other),
        lambda row: OTHER_STUDY.at(raw.place(row, "study"), found=str(frame["study"].iloc[row]), expected=study.study.id),
    )
    silent = frame["aim"].isna() & frame["partial_aim"].isna()
    yield Finding.of(NO_WORDS, "aim", _flags(silent), lambda row: NO_WORDS.at(raw.place(row, "aim")))
    day, due = (pd.to_datetime(frame[name]) for name in ("date", "due"))

    def crossed(row: int) -> Problem:
        place = raw.place(row, "due")
        return DUE_BEFORE.at(place, found=f"{due.iloc[row]:%Y-%m-%d}", day=f"{day.iloc[row]:%Y-%m-%d}")

    yield Finding.of(DUE_BEFORE, "due", _flags(due < day), crossed)
    if study.gap is not None and arms:
        yield from _without_profile(raw, frame, day, study, frame["institution_id"].map(arms))


def _without_profile(
    raw: MappedTable, frame: pd.DataFrame, day: pd.Series[pd.Timestamp], study: Study, arm: pd.Series[str]
) -> Iterator[Finding]:
    """Goals of institutions that had no profile to choose them from: of an arm that is given none, or before it is given them."""
    plan = study.gap
    assert plan is not None  # asked only then
    given = {*(study.arms if plan.arms is None else plan.arms), *plan.release}

    def problem(row: int) -> Problem:
        return NO_PROFILE.at(
            raw.place(row, "institution_id"), found=str(frame["institution_id"].iloc[row]), arm=str(arm.iloc[row])
        )

    yield Finding.of(NO_PROFILE, "institution_id", _flags(arm.notna() & ~arm.isin(given)), problem)
    for later, wave in plan.release.items():
        last = study.wave(wave).end
        early = (arm == later) & (day <= pd.Timestamp(last)) if last is not None else pd.Series(False, index=frame.index)

        def early_one(row: int, later: str = later, wave: str = wave) -> Problem:
            return TOO_EARLY.at(raw.place(row, "date"), found=f"{day.iloc[row]:%Y-%m-%d}", arm=later, wave=wave)

        yield Finding.of(TOO_EARLY, "date", _flags(early), early_one)


def _flags(mask: pd.Series[bool]) -> Mask:
    """Return a mask of which what is not known is no part."""
    return np.asarray(mask.fillna(False).to_numpy(dtype=bool))
