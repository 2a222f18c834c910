"""Rules of coded interviews: a consensus says why, rounds follow each other, a coder who coded one interview is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

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


TWO_INSTITUTIONS = Fault(
    "SCR-253",
    "the interview {document!r} stands in more than one institution: {institutions}",
    "See whom the interview was with, and correct the institution; or give the other interview a name of its own.",
)
OTHER_VERSION = Fault(
    "SCR-254",
    "the interview was coded with another version of the frame {frame} than the study's",
    "Code it again with the study's version: what a code means may have changed.",
)
BEFORE_LOT = Fault(
    "SCR-255",
    "an interview of a later round is dated before the lot of {day}",
    "Correct the date or the round: only the first round can come before the lot.",
)
ENDS_EARLY = Fault("SCR-256", "the excerpt ends before it begins", "Correct 'start' or 'end'.")
NOT_A_LEVEL = Fault("SCR-257", "the code {code} cannot say this", "Correct the cell, or leave it empty.")


def interview_rules(raw: MappedTable, frame: pd.DataFrame, study: Study, drawn: Mapping[str, str | None]) -> Iterator[Finding]:
    """Yield the rows of coded interviews that break a rule.

    Parameters
    ----------
    raw : MappedTable
        For the places.
    frame : DataFrame
        Values of the columns that could be read, one row per row of `raw`.
    study : Study
    drawn : mapping of str to str
        The day of the lot of each institution that has an arm, ISO 8601; None where it is not known.
    """
    consensus = is_consensus(frame)
    reasons = frame["decided_why"].notna().to_numpy(dtype=bool) if "decided_why" in frame else ~consensus
    silent = consensus & ~reasons
    yield Finding.of(NO_REASON, "decided_why", silent, lambda row: NO_REASON.at(raw.place(row, "decided_why")))
    if {"date", "round", "institution_id"} <= set(frame):
        yield _crossed(raw, frame, study.interview_rounds)
        yield _before_lot(raw, frame, {of.rounds[0] for of in study.interviews}, drawn)
    if {"document", "institution_id"} <= set(frame):
        yield _two_institutions(raw, frame)
    if "frame_version" in frame:
        yield _other_version(raw, frame, study)
    if {"coder_id", "institution_id", "round"} <= set(frame):
        coders = frame.loc[~consensus, ["coder_id", "institution_id", "round"]].drop_duplicates()
        counts = coders["coder_id"].value_counts()
        single = frame["coder_id"].isin(counts.index[counts == 1]).to_numpy(dtype=bool) & ~consensus & (len(counts) > 1)
        yield Finding.of(ONE_INTERVIEW, "coder_id", single, lambda row: ONE_INTERVIEW.at(raw.place(row, "coder_id")))


def excerpt_rules(raw: MappedTable, frame: pd.DataFrame, study: Study) -> Iterator[Finding]:
    """Yield the rows of excerpts that break a rule; parameters as `interview_rules`."""
    if {"start", "end"} <= set(frame):
        early = (frame["end"] < frame["start"]).fillna(False).to_numpy(dtype=bool)
        yield Finding.of(ENDS_EARLY, "end", early, lambda row: ENDS_EARLY.at(raw.place(row, "end")))
    if {"code", "level"} <= set(frame):
        levels: dict[str, set[str]] = {}
        for coded in study.interview_frames:
            for key in coded.keys:
                levels.setdefault(key, set()).update(coded.levels(key))
        pairs = list(zip(frame["code"], frame["level"], strict=True))
        wrong = [not (pd.isna(code) or pd.isna(said)) and code in levels and said not in levels[code] for code, said in pairs]

        def no_level(row: int) -> Problem:
            code, said = pairs[row]
            return NOT_A_LEVEL.at(raw.place(row, "level"), found=said, expected=", ".join(sorted(levels[code])), code=code)

        yield Finding.of(NOT_A_LEVEL, "level", np.array(wrong, dtype=bool), no_level)


def _two_institutions(raw: MappedTable, frame: pd.DataFrame) -> Finding:
    """Rows of an interview that other rows have in another institution."""
    told = frame[["document", "institution_id"]].dropna().drop_duplicates()
    places = told.groupby("document")["institution_id"].agg(lambda names: ", ".join(sorted(map(str, names))))
    several = set(told["document"].value_counts().loc[lambda times: times > 1].index)
    mask = frame["document"].isin(several).to_numpy(dtype=bool)

    def problem(row: int) -> Problem:
        document = str(frame["document"].iloc[row])
        return TWO_INSTITUTIONS.at(raw.place(row, "institution_id"), document=document, institutions=str(places[document]))

    return Finding.of(TWO_INSTITUTIONS, "institution_id", mask, problem)


def _other_version(raw: MappedTable, frame: pd.DataFrame, study: Study) -> Finding:
    """Rows coded with a version of their frame that is not the study's."""
    versions = {coded.id: coded.version for coded in study.interview_frames}
    only = next(iter(versions)) if len(versions) == 1 else ""
    names = frame["frame"].fillna(only) if "frame" in frame else pd.Series(only, index=frame.index)
    wanted = names.map(versions)
    given = frame["frame_version"]
    mask = (given.notna() & wanted.notna() & (given != wanted)).fillna(False).to_numpy(dtype=bool)

    def problem(row: int) -> Problem:
        found, expected = int(given.iloc[row]), int(wanted.iloc[row])
        return OTHER_VERSION.at(raw.place(row, "frame_version"), found=found, expected=expected, frame=str(names.iloc[row]))

    return Finding.of(OTHER_VERSION, "frame_version", mask, problem)


def _before_lot(raw: MappedTable, frame: pd.DataFrame, first: set[str], drawn: Mapping[str, str | None]) -> Finding:
    """Interviews of a later round that are dated before the institution's arm was drawn."""
    lot = pd.to_datetime(frame["institution_id"].map({name: day for name, day in drawn.items() if day}))
    day = pd.to_datetime(frame["date"])
    later = frame["round"].notna() & ~frame["round"].isin(first)
    mask = (later & day.notna() & lot.notna() & (day < lot)).fillna(False).to_numpy(dtype=bool)

    def problem(row: int) -> Problem:
        return BEFORE_LOT.at(raw.place(row, "date"), found=f"{day.iloc[row]:%Y-%m-%d}", day=f"{lot.iloc[row]:%Y-%m-%d}")

    return Finding.of(BEFORE_LOT, "date", mask, problem)


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
