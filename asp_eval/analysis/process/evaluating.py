"""The process evaluation of a study, from its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from asp_eval import __version__
from asp_eval.analysis.data import StudyData, load_data
from asp_eval.analysis.gap_sides import arms_of_institutions
from asp_eval.analysis.goals import Goal, goals_of, institution_goals
from asp_eval.analysis.process.delivery import (
    delivered,
    element_doses,
    hours_by_institution,
    left_by_institution,
    project_counts,
    turnover,
)
from asp_eval.analysis.process.gap_discussed import Discussion, discussions, gap_discussed, listed_discussions
from asp_eval.analysis.process.goals import goals_set
from asp_eval.analysis.process.interviews import CodedInterviews, coded_interviews, frame_findings, listed_types, open_codes
from asp_eval.analysis.process.joint_display import (
    AdjustedMeans,
    adjusted_means,
    effects_by_type,
    trimming_bounds,
    type_means,
)
from asp_eval.analysis.process.propositions import propositions
from asp_eval.analysis.process.results import (
    GAP_DISCUSSED,
    InstitutionLine,
    ProcessResults,
    TrimmingBound,
    Turnover,
    TypeEffect,
    TypeMean,
)
from asp_eval.analysis.process.staff_answers import staff_scales, staff_scores, strata_of_institutions
from asp_eval.analysis.process.staff_items import item_means
from asp_eval.analysis.sets import assemble
from asp_eval.core.errors import AspError, Fault, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.core.randomness import stream
from asp_eval.core.threads import one_blas_thread
from asp_eval.store import table
from asp_eval.store.provenance import one_moment
from asp_eval.trial.process.coded import codes_of_coders, is_consensus, one_row_each
from asp_eval.trial.process.frame import Frame
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.outcome import Outcome

NOTHING = Fault(
    "PRO-001",
    "there is nothing to tell of the process: no interviews, no log, no days of staff, no staff questionnaire, no goals",
    "Import what the study has: 'asp-eval import FILE --table interviews' (or implementation, staff, staff_survey, goals).",
)
NO_TYPES = Unavailable(Phrase("no interviews were coded with a frame that has types"))
NO_OUTCOME = Unavailable(Phrase("the study declares no continuous outcome, or its model could not be fitted"))
NO_CHILD = Unavailable(Phrase("no child of the institution was analysed"))
PRECONDITIONS = "preconditions"
MET, REACHED = "met", "reached"


@one_blas_thread
def process_results(study: Study) -> ProcessResults:
    """Return the process evaluation of a study.

    Raises
    ------
    Refusal
        PRO-001 if there is nothing of it; PRO-003 for a proposition on a scale that there is not; STO-040 for a table that is
        not what was stored.
    """
    with one_moment(study, "process") as state:
        interviews, excerpts, log, staff = (table(study, name) for name in ("interviews", "excerpts", "implementation", "staff"))
        arms = arms_of_institutions(study)
        answered, strata = staff_scores(study, arms), strata_of_institutions(study)
        scales = staff_scales(study, arms, answered, strata)
        said, questions = propositions(study, arms, answered, strata), item_means(study, arms)
        data = load_data(study) if arms and len(table(study, "screening")) else None
        goal_rows = table(study, "goals")
    goals = goals_of(goal_rows)
    coded = coded_interviews(study, interviews, arms, excerpts)
    findings = tuple(frame_findings(study, each, arms) for each in coded)
    typed = next((each for each in coded if each.frame.type is not None), None)
    first, last = ({}, {}) if typed is None else (typed.types_in(typed.declared.rounds[end]) for end in (0, -1))
    levels = typed.frame.levels(typed.frame.type.code) if typed is not None and typed.frame.type is not None else ()
    discussed = discussions(study, log, goals, arms)
    doses = element_doses(study, log, arms)
    left = turnover(study, staff, {"arm": arms, "type": last})
    if not findings and log.empty and isinstance(left, Unavailable) and not scales and not goals:
        NOTHING.refuse(str(study.folder.name))
    outcome = _outcome(study, not data.scores.empty) if data is not None else None
    means = NO_OUTCOME if outcome is None or data is None else _means(study, data, outcome)
    return ProcessResults(
        study=study.without_folder(),
        state=state,
        package_version=__version__,
        frames=findings,
        doses=doses,
        turnover=left,
        projects=project_counts(study, log, arms) if len(log) else (),
        staff_scales=scales,
        outcome="" if outcome is None else outcome.id,
        lines=_lines(study, coded, log, staff, arms, (first, last), means, goals, discussed),
        type_means=() if isinstance(means, Unavailable) else _described(study, means, last, arms),
        type_effects=_moderated(study, typed, means, arms),
        bounds=() if isinstance(means, Unavailable) else _bounds(study, means, last, arms),
        propositions=said,
        item_means=questions,
        delivered=delivered(study, log, arms, last, levels, goal_rows),
        goals=goals_set(study, goals, arms, last, levels),
        gap_discussed=gap_discussed(study, discussed, arms, last, levels),
    )


def lists_by_institution(study: Study) -> dict[str, pd.DataFrame]:
    """Return what people look through, by the name of its file.

    Codes that are open, the type of every interview, and the day on which each GAP-profile was first discussed.
    """
    arms = arms_of_institutions(study)
    coded = coded_interviews(study, table(study, "interviews"), arms)
    found = discussions(study, table(study, "implementation"), institution_goals(study), arms)
    return {
        "open-codes": open_codes(coded),
        "institution-types": listed_types(coded),
        "gap-discussed": listed_discussions(found, arms),
    }


def _outcome(study: Study, scored: bool) -> Outcome | None:
    """Return the first primary outcome that is continuous and has values."""
    found = [o for o in study.outcomes if o.role == "primary" and o.is_continuous and (scored or o.column is not None)]
    return found[0] if found else None


def _means(study: Study, data: StudyData, outcome: Outcome) -> AdjustedMeans | Unavailable:
    try:
        rows = assemble(data, outcome.id)
    except AspError as refused:
        return Unavailable(refused.reason)
    return adjusted_means(rows, study.privacy.minimum_cell, study.analysis.level)


def _lines(
    study: Study,
    coded: Sequence[CodedInterviews],
    log: pd.DataFrame,
    staff: pd.DataFrame,
    arms: Mapping[str, str],
    types: tuple[Mapping[str, str], Mapping[str, str]],
    means: AdjustedMeans | Unavailable,
    goals: Mapping[str, Sequence[Goal]],
    discussed: Mapping[str, Discussion],
) -> tuple[InstitutionLine, ...]:
    """Return one line per institution, by arm and type, in an order within them that tells nothing of who they are."""
    hours = hours_by_institution(log)
    left = left_by_institution(study, staff)
    met, used = _conditions(coded)
    shuffled = stream(1, "joint display", *sorted(arms)).permutation(len(arms))
    order = {name: int(place) for name, place in zip(sorted(arms), shuffled, strict=True)}
    ranked = sorted(arms, key=lambda name: (study.arms.index(arms[name]), types[1].get(name, "~"), order[name]))
    return tuple(
        InstitutionLine(
            number=number,
            arm=arms[name],
            first_type=types[0].get(name, ""),
            last_type=types[1].get(name, ""),
            hours=hours.get(name, {}),
            left_per_year=_rate(left.get(name)),
            left_between=_rate_interval(left.get(name)),
            met=met.get(name),
            gap_discussed=used.get(name, ""),
            mean=means if isinstance(means, Unavailable) else means.shrunken.get(name, NO_CHILD),
            goals=len(goals.get(name, ())) if goals else None,
            goals_reached=sum(goal.how_it_went == REACHED for goal in goals.get(name, ())) if goals else None,
            gap_days=discussed[name].days if name in discussed else None,
        )
        for number, name in enumerate(ranked, 1)
    )


def _rate(of: Turnover | None) -> float | None:
    return None if of is None or isinstance(of.rate, Unavailable) else of.rate


def _rate_interval(of: Turnover | None) -> tuple[float, float] | None:
    if of is None or isinstance(of.low, Unavailable) or isinstance(of.high, Unavailable):
        return None
    return of.low, of.high


def _conditions(coded: Sequence[CodedInterviews]) -> tuple[dict[str, int], dict[str, str]]:
    """Return, for the last round, how many preconditions each institution meets, and what became of its GAP-profile."""
    met: dict[str, int] = {}
    discussed: dict[str, str] = {}
    for each in coded:
        frame = each.frame
        found = each.decided[each.decided["round"] == each.declared.rounds[-1]]
        codes = tuple(code.key for code in frame.codes if code.theme == PRECONDITIONS)
        if found.empty:
            continue
        wide = one_row_each(found, (*codes, GAP_DISCUSSED) if GAP_DISCUSSED in frame.keys else codes)
        for (name, _), row in zip(wide.index, wide.to_dict("records"), strict=True):
            if any(row[code] is not None for code in codes):
                met[str(name)] = sum(row[code] == MET for code in codes)
            if row.get(GAP_DISCUSSED) is not None:
                discussed[str(name)] = str(row[GAP_DISCUSSED])
    return met, discussed


def _described(study: Study, means: AdjustedMeans, types: Mapping[str, str], arms: Mapping[str, str]) -> tuple[TypeMean, ...]:
    return type_means(means.raw, types, arms, study.analysis.level)


def _bounds(study: Study, means: AdjustedMeans, last: Mapping[str, str], arms: Mapping[str, str]) -> tuple[TrimmingBound, ...]:
    """Return trimming bounds where only the intervention's institutions have a type after it."""
    reference = study.arms[0]
    if any(arms.get(name) == reference for name in last) or not last or len(study.arms) != 2:
        return ()
    return trimming_bounds(means.raw, last, arms, (reference, study.arms[1]))


def _moderated(
    study: Study, of: CodedInterviews | None, means: AdjustedMeans | Unavailable, arms: Mapping[str, str]
) -> tuple[TypeEffect, ...] | Unavailable:
    if of is None or of.frame.type is None:
        return NO_TYPES
    if isinstance(means, Unavailable):
        return means
    rows = of.rows[of.rows["round"] == of.declared.rounds[0]]
    coders, consensus = _coded_types(rows, of.frame)
    pair = (study.arms[0], study.arms[1])
    levels = of.frame.levels(of.frame.type.code)
    rows_of = of.frame.type.confusion
    declared = np.array([[rows_of[true][code] for code in levels] for true in levels]) if rows_of else None
    level = study.analysis.level
    return effects_by_type(means.raw, arms, pair, coders, consensus, levels, declared=declared, level=level)


def _coded_types(rows: pd.DataFrame, frame: Frame) -> tuple[pd.DataFrame, pd.Series]:
    """Return the type by each coder and by consensus: the own word, else the rule on that row's criteria."""
    assert frame.type is not None  # asked only of a frame with a rule
    rule = frame.type
    words = [
        row[rule.code]
        if pd.notna(row[rule.code]) or any(pd.isna(row[key]) for key in rule.criteria)
        else rule.decide(tuple(str(row[key]) for key in rule.criteria)).then
        for row in rows[[rule.code, *rule.criteria]].to_dict("records")
    ]
    filled = rows.assign(**{rule.code: pd.array(words, dtype="string")})
    coders = codes_of_coders(filled, rule.code).drop(columns="round").set_index("institution_id")
    agreed = filled[is_consensus(filled)].set_index("institution_id")[rule.code]
    return coders, agreed.dropna()
