"""Staff questionnaires at the level of the institution: whether answers may stand for it, and what the intervention did to them.

The limits are conventions, each printed beside what was found: median r_wg(j) of .70 (LeBreton & Senter 2008, Organizational
Research Methods 11:815-852), ICC(2) of .70, and F at 5 %.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from asp_eval.analysis.formulas import ARM, arm_term, by_institution, fixed_effects, varying
from asp_eval.analysis.process.results import Estimated, Number, StaffScale
from asp_eval.analysis.psychometrics import keyed
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import available
from asp_eval.stats.meta.aggregation import Aggregation, aggregation, shrunken_means, within_group_agreement
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.store import table
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.parts import Scale
from asp_eval.trial.outcomes import declared_forms
from asp_eval.trial.study.design import Study

ENOUGH_AGREEMENT, ENOUGH_RELIABILITY, ENOUGH_F = 0.70, 0.70, 0.05
FEWEST_INSTITUTIONS = 2  # in each arm, for a difference between the arms
ONE_ITEM_RANGE = Unavailable(Phrase("the items of the scale have different answers"))
FEW_ALIKE = Unavailable(Phrase("no institution has two complete answers"))
NOBODY = Unavailable(Phrase("no staff of this arm answered"))
ONE_ARM = Unavailable(Phrase("staff of fewer than two institutions of an arm answered"))


def staff_scales(study: Study, arms: Mapping[str, str], answered: pd.DataFrame, strata: pd.DataFrame) -> tuple[StaffScale, ...]:
    """Return every scale of the staff questionnaires, at every wave at which it was answered.

    Parameters
    ----------
    study : Study
    arms : mapping of str to str
        The arm of each institution that was drawn.
    answered : DataFrame
        As of `staff_scores`.
    strata : DataFrame
        As of `strata_of_institutions`.
    """
    if answered.empty:
        return ()
    found = []
    for form in declared_forms(study, "staff_survey"):
        responses = table(study, f"staff_survey_{form.id}")
        for wave in study.wave_ids:
            mine = answered[(answered["instrument"] == form.id) & (answered["wave"] == wave)]
            if mine.empty:
                continue
            items = responses[(responses["wave"] == wave) & responses["institution_id"].isin(list(arms))]
            for scale in form.scales:
                rows = mine[mine["scale"] == scale.key]
                if not rows.empty:
                    found.append(_staff_scale(study, form, scale, wave, rows, items, arms, strata))
    return tuple(found)


def staff_scores(study: Study, arms: Mapping[str, str]) -> pd.DataFrame:
    """Return the scores of staff in institutions that were drawn: unit_id, wave, instrument, scale, score, institution_id."""
    visits, scores = table(study, "staff_survey"), table(study, "scores", {"unit": ["respondent"]})
    where = visits[["respondent_id", "wave", "institution_id"]].rename(columns={"respondent_id": "unit_id"})
    answered = scores[scores["score"].notna()].merge(where, on=["unit_id", "wave"], how="inner")
    return answered[answered["institution_id"].isin(list(arms))]


def strata_of_institutions(study: Study) -> pd.DataFrame:
    """Return the strata by institution."""
    institutions = table(study, "institutions")
    return institutions.set_index("institution_id")[[name for name in study.strata if name in institutions.columns]]


def _staff_scale(
    study: Study,
    form: Instrument,
    scale: Scale,
    wave: str,
    rows: pd.DataFrame,
    items: pd.DataFrame,
    arms: Mapping[str, str],
    strata: pd.DataFrame,
) -> StaffScale:
    minimum = study.privacy.minimum_cell
    shared = _aggregated(rows) if len(rows) >= minimum else too_few_in_all(minimum)
    agreement = _median_agreement(form, scale, items, minimum)
    numbers: tuple[Number, Number, Number, Number]
    if isinstance(shared, Unavailable):
        numbers = (shared, shared, shared, shared)
    else:
        numbers = (shared.icc1, shared.icc2, shared.f, shared.p_value)
    icc2, p = numbers[1], numbers[3]
    defensible = (
        not isinstance(agreement, Unavailable)
        and not isinstance(icc2, Unavailable)
        and not isinstance(p, Unavailable)
        and agreement >= ENOUGH_AGREEMENT
        and icc2 >= ENOUGH_RELIABILITY
        and p < ENOUGH_F
    )
    return StaffScale(
        instrument=form.id,
        scale=scale.key,
        label=dict(scale.title),
        wave=wave,
        institutions=int(rows["institution_id"].nunique()),
        respondents=len(rows),
        icc1=numbers[0],
        icc2=icc2,
        f=numbers[2],
        p_value=p,
        agreement=agreement,
        defensible=defensible,
        effects=_effects(study, rows, arms, strata),
        means=means_by_arm(study, rows, "score", arms),
        middle_half=_middle_half(shared, minimum),
    )


def means_by_arm(study: Study, rows: pd.DataFrame, value: str, arms: Mapping[str, str]) -> tuple[Number, ...]:
    """Return, arm by arm, the mean over institutions of their means of a column; none of fewer answers than the minimum."""
    known = rows.loc[rows[value].notna(), ["institution_id", value]]
    of_arm = known["institution_id"].astype("str").map(arms)
    return tuple(_mean_of(known[of_arm == arm], value, study.privacy.minimum_cell) for arm in study.arms)


def _mean_of(answers: pd.DataFrame, value: str, minimum: int) -> Number:
    if len(answers) < minimum:
        return too_few(minimum) if len(answers) else NOBODY
    return float(answers.groupby("institution_id", observed=True)[value].mean().mean())


def too_few(minimum: int) -> Unavailable:
    """Return why a number of an arm's staff is not shown."""
    return Unavailable(Phrase("fewer than {n} members of staff of an arm answered", n=minimum))


def too_few_in_all(minimum: int) -> Unavailable:
    """Return why a number of the staff of all arms is not shown."""
    return Unavailable(Phrase("fewer than {n} members of staff answered", n=minimum))


def _middle_half(shared: Aggregation | Unavailable, minimum: int) -> tuple[Number, Number]:
    """Return the quartiles of the institutions' means; of few institutions they would be those of single ones."""
    if isinstance(shared, Unavailable):
        return shared, shared
    means = shrunken_means(shared)
    if len(means) < minimum:
        few = Unavailable(Phrase("staff of fewer than {n} institutions answered", n=minimum))
        return few, few
    low, high = (float(quarter) for quarter in means.quantile([0.25, 0.75]))
    return low, high


def _aggregated(rows: pd.DataFrame) -> Aggregation | Unavailable:
    try:
        return aggregation(rows, "score", "institution_id")
    except AspError as refused:
        return Unavailable(refused.reason)


def _median_agreement(form: Instrument, scale: Scale, responses: pd.DataFrame, minimum: int) -> Number:
    """Return the median over institutions of r_wg(j), the answers counted from one; none of fewer answers than the minimum."""
    points = [sorted(form.points(form.item(key)).values()) for key in scale.items]
    if any(each != points[0] for each in points):
        return ONE_ITEM_RANGE
    answers = keyed(form, scale.key, responses)
    answers = answers - points[0][0] + 1
    answers["institution_id"] = responses["institution_id"].to_numpy()
    found = within_group_agreement(answers, list(scale.items), "institution_id", points[0][-1] - points[0][0] + 1)
    known = found[found["agreement"].notna()]
    if known.empty:
        return FEW_ALIKE
    return float(known["agreement"].median()) if known["n"].sum() >= minimum else too_few_in_all(minimum)


def _effects(study: Study, rows: pd.DataFrame, arms: Mapping[str, str], strata: pd.DataFrame) -> tuple[Estimated, ...]:
    """Return the difference of each arm to the first, by the mixed model with arm and strata and Kenward-Roger."""
    frame = rows[["institution_id", "score"]].merge(strata, left_on="institution_id", right_index=True, how="left")
    frame = frame.rename(columns={"institution_id": "institution"})
    frame["institution"] = frame["institution"].astype("str")
    frame[ARM] = pd.Categorical(frame["institution"].map(arms), categories=list(study.arms))
    per_arm = frame.groupby(ARM, observed=False)["institution"].nunique()
    if (per_arm < FEWEST_INSTITUTIONS).any():
        return tuple(ONE_ARM for _ in study.arms[1:])
    if (frame[ARM].value_counts() < study.privacy.minimum_cell).any():  # with the other arm's mean it would tell the hidden one
        return tuple(too_few(study.privacy.minimum_cell) for _ in study.arms[1:])
    formula = by_institution(fixed_effects("score", [ARM, *varying(frame, strata.columns)]))
    try:
        fit = lmm(formula, frame)
    except AspError as refused:
        return tuple(Unavailable(refused.reason) for _ in study.arms[1:])
    level = study.analysis.level
    return tuple(available(fit.contrast({arm_term(arm): 1.0}, method=KenwardRoger(), level=level)) for arm in study.arms[1:])
