"""The effect among those who took the intervention because it was offered, with the lot as the instrument.

Whether an institution took it is what ``received`` says, or the dose that it sums. Both are the institution's, and the offer is
the arm. Children are never compared by what their institution took: that comparison (as-treated) is not protected by the lot.
"""

from __future__ import annotations

from typing import Literal

import pandas as pd

from asp_eval.analysis.category_models import as_numbers
from asp_eval.analysis.data import StudyData
from asp_eval.analysis.declared_results import ComplierResult, Estimated, FirstStageF
from asp_eval.analysis.formulas import INSTITUTION, OFFERED, TAKEN, complier_formula, varying
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import available
from asp_eval.stats.linear.instrumental import WEAK, AndersonRubin, complier_effect
from asp_eval.trial.flow.dose import doses, is_known, reached

NO_LOG = Unavailable(Phrase("no implementation log was imported, so it is not known who received the intervention"))
NO_GOALS = Unavailable(
    Phrase("the goals or the log that the rule takes were not imported, so it is not known who received the intervention")
)
AS_OFFERED = Unavailable(Phrase("everybody took what was offered and nobody else did: this effect is the difference itself"))
NOBODY = Unavailable(Phrase("nobody took the intervention, so it moved nothing"))


def compliers(data: StudyData, rows: AnalysisSet) -> tuple[ComplierResult, ...]:
    """Return the complier effect of one outcome, for each arm after the first; nothing where the plan does not ask.

    Parameters
    ----------
    data : StudyData
        With its log.
    rows : AnalysisSet
    """
    study = data.study
    if study.analysis.complier is None or study.received is None:
        return ()
    by_dose = study.analysis.complier.taken == "dose"
    rule, log, drawn = study.received, data.implementation, data.allocation["institution_id"]
    taken = doses(rule, log, drawn) if by_dose else reached(rule, log, drawn, data.goals).all(axis=1).astype(float)
    frame = as_numbers(rows)
    frame = frame.assign(**{TAKEN: frame[INSTITUTION].astype(str).map(taken).astype(float)})
    unit = study.received.sum if by_dose else ""
    if by_dose or rule.goals is None:
        unknown = NO_LOG if log.empty else None
    else:
        unknown = None if is_known(rule, log, data.goals) else NO_GOALS
    found = []
    for arm in study.arms[1:]:
        mine = frame[frame["arm"].isin([study.arms[0], arm])]
        mine = mine.assign(**{OFFERED: (mine["arm"] == arm).astype(float)})
        found.append(_one_arm(mine, rows, arm, unit, unknown, level=study.analysis.level))
    return tuple(found)


def _one_arm(
    frame: pd.DataFrame, rows: AnalysisSet, arm: str, unit: str, unknown: Unavailable | None, *, level: float
) -> ComplierResult:
    """Return one arm's complier effect, or why there is none."""
    formula = complier_formula(rows.outcome.id, varying(frame, rows.covariates))
    means = frame.groupby(OFFERED)[TAKEN].mean()
    other, offered = float(means.get(0.0, 0.0)), float(means.get(1.0, 0.0))

    def result(first: FirstStageF | Unavailable, effect: Estimated, ends: AndersonRubin | None = None) -> ComplierResult:
        low, high = (None, None) if ends is None else (ends.low, ends.high)
        what: Literal["received", "dose"] = "dose" if unit else "received"
        kind: Literal["interval", "rays", "line", ""] = "" if ends is None else ends.kind
        return ComplierResult(arm, what, unit, formula, offered, other, first, effect, low, high, kind)

    why = NOBODY if unknown is None and not frame[TAKEN].any() else unknown
    if not unit and why is None and (frame[TAKEN] == frame[OFFERED]).all():
        why = AS_OFFERED
    if why is not None:
        return result(why, why)
    try:
        fit = complier_effect(formula, frame, cluster=INSTITUTION)
        stage = fit.first_stage
    except AspError as refused:
        return result(Unavailable(refused.reason), Unavailable(refused.reason))
    effect = available(fit.effect(level))
    if stage.weak:
        effect = Unavailable(
            Phrase("the offer moved too little: F of the first stage is {f:.1f}, below {least:g}", f=stage.F, least=WEAK)
        )
    return result(FirstStageF(stage.F, stage.df2, stage.p_value), effect, fit.anderson_rubin_set(level))
