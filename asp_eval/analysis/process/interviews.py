"""What interviews say: codes and types by round and arm, changes of type, and the agreement of the coders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.analysis.process.results import (
    ALL_ARMS,
    CodeAgreement,
    Excerpt,
    FrameFindings,
    InterviewCount,
    LevelCount,
    TypeChange,
)
from asp_eval.analysis.process.shares import share
from asp_eval.core.errors import AspError
from asp_eval.core.phrases import Phrase
from asp_eval.stats.meta.agreement import agreement_of
from asp_eval.stats.meta.agreement_over_codes import CodedSheet, agreement_over_sheets
from asp_eval.trial.process.coded import INTERVIEW, decided, disagreements, is_consensus, of_frame
from asp_eval.trial.process.frame import Frame
from asp_eval.trial.process.types import InstitutionType, institution_types, transitions, unused_cells
from asp_eval.trial.study.collection import Interviews
from asp_eval.trial.study.design import Study

TYPE = "type"
AGREEMENT_DRAWS = 1000
TOO_FEW = Phrase("fewer than two interviews were coded by two coders")


@dataclass(frozen=True, slots=True, eq=False)
class CodedInterviews:
    """Interviews coded with one frame, by institutions that were drawn.

    Attributes
    ----------
    declared : Interviews
    frame : Frame
    rows : DataFrame
        As stored; at least one.
    decided : DataFrame
        Every code with its standing.
    excerpts : tuple of Excerpt
        Those marked to be printed.
    types : tuple of InstitutionType
        None of a frame without a rule for it.
    """

    declared: Interviews
    frame: Frame
    rows: pd.DataFrame
    decided: pd.DataFrame
    types: tuple[InstitutionType, ...]
    excerpts: tuple[Excerpt, ...]

    def types_in(self, round_: str) -> dict[str, str]:
        """Return the type of each institution in a round; institutions without one are left out."""
        return {one.institution_id: one.type for one in self.types if one.round == round_ and isinstance(one.type, str)}


def coded_interviews(
    study: Study, interviews: pd.DataFrame, arms: Mapping[str, str], excerpts: pd.DataFrame | None = None
) -> tuple[CodedInterviews, ...]:
    """Return the interviews by frame, in the order of study.yaml; frames that nothing was coded with are left out.

    Parameters
    ----------
    study : Study
    interviews : DataFrame
        The stored table.
    arms : mapping of str to str
        The arm of each institution that was drawn; others are left out.
    excerpts : DataFrame, optional
        The stored table of excerpts.
    """
    found = []
    drawn = interviews[interviews["institution_id"].isin(list(arms))]
    for declared in study.interviews:
        frame = study.coding_frame(declared.frame)
        rows = of_frame(drawn, frame)
        if len(rows):
            codes = decided(rows, frame)
            types = institution_types(codes, frame)
            found.append(CodedInterviews(declared, frame, rows, codes, types, _marked(excerpts, frame, arms)))
    return tuple(found)


def _marked(excerpts: pd.DataFrame | None, frame: Frame, arms: Mapping[str, str]) -> tuple[Excerpt, ...]:
    """Return the excerpts of a frame that are marked to be printed, in the order of the codebook; by text, not by institution."""
    if excerpts is None:
        return ()
    drawn = excerpts["institution_id"].isin(list(arms)).to_numpy(dtype=bool)
    mine = of_frame(excerpts[drawn & (excerpts["print"] == "yes").fillna(False).to_numpy(dtype=bool)], frame)
    mine = mine[mine["code"].isna() | mine["code"].isin(frame.keys)]
    order = {key: place for place, key in enumerate(frame.keys)}
    found = [
        Excerpt("" if pd.isna(code) else str(code), "" if pd.isna(level) else str(level), str(round_), str(text))
        for code, level, round_, text in mine[["code", "level", "round", "text"]].itertuples(index=False)
    ]
    unlike = {(each.code, each.text): each for each in found}  # two coders may have marked the same words
    return tuple(sorted(unlike.values(), key=lambda each: (order.get(each.code, len(order)), each.text)))


def open_codes(coded: Sequence[CodedInterviews]) -> pd.DataFrame:
    """Return the work list of the coders: frame, institution_id, round, code, found; codes that nobody has decided."""
    lists = [disagreements(each.rows, each.frame).assign(frame=each.frame.id) for each in coded]
    columns = ["frame", *INTERVIEW, "code", "found"]
    return pd.concat(lists, ignore_index=True)[columns] if lists else pd.DataFrame(columns=columns)


def listed_types(coded: Sequence[CodedInterviews]) -> pd.DataFrame:
    """Return the type of every interview: frame, institution_id, round, type, source, by_rule, confidence, overridden."""
    rows = [
        {
            "frame": each.frame.id,
            "institution_id": one.institution_id,
            "round": one.round,
            "type": one.type if isinstance(one.type, str) else "",
            "source": one.source,
            "by_rule": one.by_rule if isinstance(one.by_rule, str) else "",
            "confidence": one.confidence,
            "overridden": "yes" if one.overridden else "no",
        }
        for each in coded
        for one in each.types
    ]
    columns = ["frame", *INTERVIEW, "type", "source", "by_rule", "confidence", "overridden"]
    return pd.DataFrame(rows, columns=columns)


def frame_findings(study: Study, coded: CodedInterviews, arms: Mapping[str, str], seed: int = 1) -> FrameFindings:
    """Return what interviews coded with a frame say.

    Parameters
    ----------
    study : Study
    coded : CodedInterviews
    arms : mapping of str to str
        The arm of each institution that was drawn.
    seed : int
        Of the resampling of institutions.
    """
    declared, frame, rows, found, types = coded.declared, coded.frame, coded.rows, coded.decided, coded.types
    level = study.analysis.level
    typed = [(one.institution_id, one.round, one.type) for one in types if isinstance(one.type, str)]
    as_types = pd.DataFrame(typed, columns=[*INTERVIEW, "value"]).assign(code=TYPE)
    type_code = "" if frame.type is None else frame.type.code
    sheets = tuple(coded_sheets(rows, frame).values())
    return FrameFindings(
        frame=frame,
        rounds=declared.rounds,
        interviews=_interview_counts(study, rows, declared.rounds, arms),
        coders=int(rows.loc[~is_consensus(rows), "coder_id"].nunique()),
        double_coded=declared.double_coded,
        levels=_level_counts(
            study, found, {code: frame.levels(code) for code in frame.keys if code != type_code}, declared.rounds, arms
        ),
        types=_level_counts(study, as_types, {TYPE: frame.levels(type_code)}, declared.rounds, arms) if type_code else (),
        by_rule=sum(one.source == "rule" for one in types),
        overridden=sum(one.overridden for one in types),
        doubtful=sum(one.source == "rule" and one.confidence == "doubtful" for one in types),
        undecided=sum(one.source == "none" for one in types),
        unused_lines=len(unused_cells(found, frame)),
        changes=_changes(study, types, declared.rounds, frame, arms),
        open_codes=int((found["standing"] == "open").sum()),
        excerpts=coded.excerpts,
        agreement=tuple(code_agreement(sheet, level, seed) for sheet in sheets),
        agreement_over_codes=agreement_over_sheets(sheets, level=level, draws=AGREEMENT_DRAWS, seed=seed),
    )


def code_agreement(sheet: CodedSheet, level: float, seed: int = 1) -> CodeAgreement:
    """Return the coefficients of agreement on one code, their intervals over institutions resampled.

    Ordered levels count near misses in part: by the square of the distance in Cohen's kappa and Gwet's coefficient.
    """
    if sheet.compared.sum() < 2:
        return CodeAgreement(sheet.code, (), TOO_FEW)
    try:
        found = agreement_of(
            sheet.codes,
            sheet.coders,
            sheet.categories,
            weights=sheet.weights,
            clusters=sheet.clusters,
            level=level,
            draws=AGREEMENT_DRAWS,
            seed=seed,
        )
    except AspError as refused:
        return CodeAgreement(sheet.code, (), refused.reason)
    return CodeAgreement(sheet.code, found)


def coded_sheets(rows: pd.DataFrame, frame: Frame) -> dict[str, CodedSheet]:
    """Return what coders wrote down, by code; interviews and coders without the code are left out of its sheet.

    Parameters
    ----------
    rows : DataFrame
        Of one frame; institutions are numbered alike for every code.
    frame : Frame
    """
    mine = rows[~is_consensus(rows)]
    pairs = list(mine[INTERVIEW].astype("str").itertuples(index=False, name=None))
    keys, coders = sorted(set(pairs)), sorted(set(mine["coder_id"].astype("str")))
    place, column = ({each: number for number, each in enumerate(of)} for of in (keys, coders))
    interview = np.array([place[each] for each in pairs], dtype=np.int64)
    coder = np.array([column[each] for each in mine["coder_id"].astype("str")], dtype=np.int64)
    numbers = {name: number for number, name in enumerate(sorted({name for name, _ in keys}))}
    institutions = np.array([numbers[name] for name, _ in keys], dtype=np.int64)
    found = {}
    for code in frame.keys:
        ranks = {level: rank for rank, level in enumerate(frame.levels(code))}
        values = mine[code].map(ranks).astype("float64").fillna(-1).to_numpy().astype(np.int64) if code in mine else None
        codes = np.full((len(keys), len(coders)), -1, dtype=np.int64)
        if values is not None:
            said = np.flatnonzero(values >= 0)[::-1]  # of two rows of a coder on an interview the first counts
            codes[interview[said], coder[said]] = values[said]
        by, of = (np.flatnonzero((codes >= 0).any(axis=axis)) for axis in (0, 1))
        found[code] = CodedSheet(
            code=code,
            codes=codes[np.ix_(of, by)],
            coders=tuple(coders[k] for k in by),
            categories=len(ranks),
            weights="quadratic" if frame.is_ordinal(code) else None,
            clusters=institutions[of],
        )
    return found


def _interview_counts(
    study: Study, rows: pd.DataFrame, rounds: tuple[str, ...], arms: Mapping[str, str]
) -> tuple[InterviewCount, ...]:
    coders = rows[~is_consensus(rows)].groupby(INTERVIEW)["coder_id"].nunique().reset_index()
    coders["arm"] = coders["institution_id"].map(arms)
    return tuple(
        InterviewCount(round_, arm, len(mine), sum(of == arm for of in arms.values()), int((mine["coder_id"] > 1).sum()))
        for round_ in rounds
        for arm in study.arms
        for mine in (coders[(coders["round"] == round_) & (coders["arm"] == arm)],)
    )


def _level_counts(
    study: Study, found: pd.DataFrame, levels: Mapping[str, tuple[str, ...]], rounds: tuple[str, ...], arms: Mapping[str, str]
) -> tuple[LevelCount, ...]:
    """Count the levels of codes by round and arm, and over all arms; open codes count nowhere."""
    known = found[found["value"].notna()]
    columns = (known[name].astype("str") for name in ("code", "round", "institution_id", "value"))
    said = [(code, round_, arms[name], value) for code, round_, name, value in zip(*columns, strict=True)]
    everywhere = [(code, round_, ALL_ARMS, value) for code, round_, _, value in said]
    counts = Counter([*said, *everywhere])
    totals = Counter((code, round_, arm) for code, round_, arm, _ in (*said, *everywhere))
    return tuple(
        LevelCount(
            code,
            each,
            round_,
            arm,
            share(counts[code, round_, arm, each], totals[code, round_, arm], study.analysis.level),
        )
        for code, of_code in levels.items()
        for round_ in rounds
        for arm in (ALL_ARMS, *study.arms)
        for each in of_code
    )


def _changes(
    study: Study, types: tuple[InstitutionType, ...], rounds: tuple[str, ...], frame: Frame, arms: Mapping[str, str]
) -> tuple[TypeChange, ...]:
    if frame.type is None or len(rounds) < 2:
        return ()
    levels = frame.levels(frame.type.code)
    found = []
    for arm in study.arms:
        table = transitions(tuple(one for one in types if arms[one.institution_id] == arm), rounds, levels)
        counts = table.to_numpy()
        found += [TypeChange(arm, a, b, int(counts[i, j])) for i, a in enumerate(levels) for j, b in enumerate(levels)]
    return tuple(found)
