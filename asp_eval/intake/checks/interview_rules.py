"""Rules of coded interviews: a consensus says why, rounds follow each other, a coder who coded one interview is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Problem
from asp_eval.intake.checks.findings import Finding
from asp_eval.intake.mapping.applying import MappedTable
from asp_eval.trial.process.coded import is_consensus
from asp_eval.trial.study.design import Study

NO_REASON = Fault(
    "SCR-250", "the consensus does not say why it was decided so", "Write the reason into the column decided_why, without names."
)
ROUNDS_CROSSED = Fault(
    "SCR-251",
    "the interview of this round is dated before the institution's interview of an earlier round ({earlier})",
    "Correct the date or the round.",
)
ONE_INTERVIEW = Fault(
    "SCR-252",
    "the coder has coded one interview only",
    "It is kept; agreement says little of a coder with one interview. If the id is misspelled, correct it.",
    "warning",
)


def interview_rules(raw: MappedTable, frame: pd.DataFrame, study: Study) -> Iterator[Finding]:
    """Yield the rows of coded interviews that break a rule.

    Parameters
    ----------
    raw : MappedTable
        For the places.
    frame : DataFrame
        Values of the columns that could be read, one row per row of `raw`.
    study : Study
    """
    consensus = is_consensus(frame)
    reasons = frame["decided_why"].notna().to_numpy(dtype=bool) if "decided_why" in frame else ~consensus
    silent = consensus & ~reasons
    yield Finding.of(NO_REASON, "decided_why", silent, lambda row: NO_REASON.at(raw.place(row, "decided_why")))
    if {"date", "round", "institution_id"} <= set(frame):
        yield _crossed(raw, frame, tuple(dict.fromkeys(each for of in study.interviews for each in of.rounds)))
    if {"coder_id", "institution_id", "round"} <= set(frame):
        coders = frame.loc[~consensus, ["coder_id", "institution_id", "round"]].drop_duplicates()
        counts = coders["coder_id"].value_counts()
        single = frame["coder_id"].isin(counts.index[counts == 1]).to_numpy(dtype=bool) & ~consensus & (len(counts) > 1)
        yield Finding.of(ONE_INTERVIEW, "coder_id", single, lambda row: ONE_INTERVIEW.at(raw.place(row, "coder_id")))


def _crossed(raw: MappedTable, frame: pd.DataFrame, rounds: Sequence[str]) -> Finding:
    """Interviews that are dated before one of an earlier round in the same institution."""
    ranks = {name: position for position, name in enumerate(rounds)}
    latest: dict[tuple[str, int], pd.Timestamp] = {}
    rows = [
        (position, str(institution), ranks[round_], day)
        for position, (institution, round_, day) in enumerate(
            zip(frame["institution_id"], frame["round"], pd.to_datetime(frame["date"]), strict=True)
        )
        if not (pd.isna(institution) or pd.isna(round_) or pd.isna(day)) and round_ in ranks
    ]
    for _, institution, rank, day in rows:
        latest[institution, rank] = max(day, latest.get((institution, rank), day))
    earlier: dict[int, str] = {}
    for position, institution, rank, day in rows:
        before = [of for of in range(rank) if latest.get((institution, of), day) > day]
        if before:
            earlier[position] = rounds[before[0]]
    mask = np.zeros(len(frame), dtype=bool)
    mask[list(earlier)] = True

    def problem(row: int) -> Problem:
        return ROUNDS_CROSSED.at(raw.place(row, "date"), earlier=earlier[row])

    return Finding.of(ROUNDS_CROSSED, "date", mask, problem)
