"""Who is missing: children of the cohort by institution and by rater, and what at the start predicts it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import pandas as pd

from asp_eval.analysis.data import StudyData
from asp_eval.analysis.formulas import ARM, INSTITUTION, arm_terms, differing_by_arm, fixed_effects, is_difference_by_arm, varying
from asp_eval.analysis.institution_means import baseline_names
from asp_eval.analysis.integrity import InstitutionRecord, MissingnessModel, RaterMissingness
from asp_eval.core.errors import AspError
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Estimate, JointTest
from asp_eval.stats.linear.ols import ols
from asp_eval.trial.flow.cohort import baseline_wave
from asp_eval.trial.flow.presence import SCREENED, screening_waves
from asp_eval.trial.study.outcome import Outcome

NO_ONE = Phrase("no child of the arm with everything the model needs is without the outcome, or every one is")
NO_VARIABLES = Phrase("nothing was measured at the start that could predict it")


def by_institution(
    data: StudyData, doses: pd.Series | None = None, received: Collection[str] | None = None
) -> tuple[InstitutionRecord, ...]:
    """Return one record per institution drawn, arm by arm.

    Parameters
    ----------
    data : StudyData
    doses : Series of float, optional
        Indexed by institution.
    received : collection of str, optional
        Institutions that received the intervention by the declared rule.
    """
    cohort = _cohort_presence(data)
    sizes = data.cohort["institution"].astype("str").value_counts()
    missing = cohort.groupby(["institution", "wave"])["away"].sum().to_dict()
    waves = screening_waves(data.study)
    lots = data.allocation.sort_values("institution_id")
    records = []
    for arm in data.study.arms:
        for one in lots.loc[lots["arm"].astype("str") == arm, "institution_id"].astype("str"):
            n = int(sizes.get(one, 0))
            counts = tuple(int(missing.get((one, wave), 0)) for wave in waves)
            dose = None if doses is None else float(doses.get(one, 0.0))
            records.append(InstitutionRecord(one, arm, n, counts, dose, None if received is None else one in received))
    return tuple(records)


def by_rater(data: StudyData) -> tuple[RaterMissingness, ...]:
    """Return, for each arm and later wave, how unevenly the missing children fall on those who rated them at the start."""
    start, waves = baseline_wave(data.study), screening_waves(data.study)
    if "rater_id" not in data.visits.columns or start not in waves:
        return ()
    cohort = _cohort_presence(data)
    rater = data.raters[start].take(data.cohort_places)
    cohort["rater"] = pd.concat([rater] * len(waves), ignore_index=True)
    rated = cohort.loc[cohort["rater"].notna()]
    if rated.empty:
        return ()
    later = waves[waves.index(start) + 1 :]
    smallest = data.study.privacy.minimum_cell
    return tuple(_spread(rated, arm, wave, smallest) for wave in later for arm in data.study.arms)


def predictors(data: StudyData, outcomes: Collection[Outcome]) -> tuple[MissingnessModel, ...]:
    """Return what predicts that a child is without each outcome.

    A linear probability model of being without the outcome, in the arms by themselves and together, on everything known of the
    children at the start, by least squares with standard errors of the clustered kind (CR2, the institutions as drawn).

    Parameters
    ----------
    data : StudyData
    outcomes : collection of Outcome

    References
    ----------
    Bell & McCaffrey (2002), Survey Methodology 28:169; Pustejovsky & Tipton (2018), J Bus Econ Stat 36:672.
    """
    return tuple(_model(data, outcome) for outcome in outcomes)


def _cohort_presence(data: StudyData) -> pd.DataFrame:
    """Return one row per child of the cohort and wave, wave by wave: institution (as drawn), arm, wave, away."""
    cohort = data.cohort[[INSTITUTION, ARM]].astype({INSTITUTION: "category"})
    parts = []
    for wave in screening_waves(data.study):
        now = data.presence_at(wave)["state"].take(data.cohort_places)
        parts.append(cohort.assign(wave=wave, away=(now != SCREENED).to_numpy().astype("int64")))
    return pd.concat(parts, ignore_index=True)


def _spread(rated: pd.DataFrame, arm: str, wave: str, smallest: int) -> RaterMissingness:
    """Return the spread over the raters of one arm who rated enough children."""
    now = rated[(rated["arm"] == arm) & (rated["wave"] == wave)]
    raters = now.groupby("rater")["away"].agg(["size", "sum", "mean"])
    enough = raters[raters["size"] >= smallest]
    shares = enough["mean"].to_numpy()
    low, middle, high = (float(f(shares)) if len(shares) else None for f in (np.min, np.median, np.max))
    return RaterMissingness(arm, wave, len(enough), int(enough["size"].sum()), int(enough["sum"].sum()), low, middle, high)


def _model(data: StudyData, outcome: Outcome) -> MissingnessModel:
    frame, terms = _frame(data, outcome)
    counts = [frame.loc[frame["arm"] == arm, "missing"] for arm in data.study.arms]
    return MissingnessModel(
        outcome=outcome.id,
        wave=outcome.at,
        children=tuple(len(rows) for rows in counts),
        missing=tuple(int(rows.sum()) for rows in counts),
        difference=tuple(_differences(data, frame)),
        predictors=tuple(_within(frame[frame["arm"] == arm], terms, data.study.analysis.level) for arm in data.study.arms),
        interactions=_interactions(frame, terms),
    )


def _frame(data: StudyData, outcome: Outcome) -> tuple[pd.DataFrame, list[str]]:
    """Return the cohort with `missing` (0 or 1) and what is known of the start, complete rows only, and the latter's names."""
    cohort = data.cohort
    terms = baseline_names(data, cohort)
    cohort["missing"] = data.cohort_coded_values(outcome, outcome.at).isna().astype("float64")
    if outcome.baseline and outcome.baseline != outcome.at:
        cohort["baseline"] = data.cohort_values(outcome, outcome.baseline)
        terms = [*terms, "baseline"]
    frame = cohort.loc[cohort[terms].notna().all(axis=1), ["institution", "arm", "missing", *terms]].reset_index(drop=True)
    for name in terms:
        if isinstance(frame[name].dtype, pd.CategoricalDtype):
            frame[name] = frame[name].cat.remove_unused_categories()
    return frame, varying(frame, terms)


def _differences(data: StudyData, frame: pd.DataFrame) -> Iterator[Estimate]:
    """Yield, for each arm after the first, its share without the outcome less the first arm's."""
    terms = arm_terms(data.study)
    try:
        fit = ols(fixed_effects("missing", [ARM]), frame, cluster="institution")
        yield from (fit.contrast({term: 1.0}, level=data.study.analysis.level) for term in terms)
    except AspError as refused:
        yield from (Estimate.unavailable(term, refused.reason) for term in terms)


def _within(frame: pd.DataFrame, terms: list[str], level: float) -> tuple[Estimate, ...]:
    """Return the coefficients of the start within one arm."""
    names = terms or ["baseline"]
    if not terms or frame["missing"].nunique() < 2:
        return tuple(Estimate.unavailable(name, NO_ONE if terms else NO_VARIABLES) for name in names)
    try:
        fit = ols(fixed_effects("missing", terms), frame, cluster="institution")
        return tuple(fit.contrast({name: 1.0}, level=level) for name in fit.names if name != "Intercept")
    except AspError as refused:
        return tuple(Estimate.unavailable(name, refused.reason) for name in names)


def _interactions(frame: pd.DataFrame, terms: list[str]) -> JointTest:
    """Return the test that the coefficients of the start are the same in all arms."""
    if not terms:
        return JointTest("arm:start", None, None, None, None, "", NO_VARIABLES)
    try:
        fit = ols(differing_by_arm("missing", terms), frame, cluster="institution")
        return fit.joint_test([name for name in fit.names if is_difference_by_arm(name)])
    except AspError as refused:
        return JointTest("arm:start", None, None, None, None, "", refused.reason)


def _words(refused: AspError) -> str:
    return "; ".join(dict.fromkeys(problem.text for problem in refused.problems))
