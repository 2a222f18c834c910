"""Propositions of a study as interactions of staff's answers: whether two scales go together differently where a third is high.

The model is ``on ~ first * second + arm + strata`` with a random intercept of the institution; both scales are centred at their
mean. Everything is asked of the same people at the same time: what is found is an association, and says nothing of what brings
about what.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from asp_eval.analysis.formulas import ARM, by_institution, fixed_effects, varying
from asp_eval.analysis.process.results import Estimated, PropositionResult
from asp_eval.core.errors import AspError, Fault, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import available
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.outcomes import declared_forms
from asp_eval.trial.process.parts import OnStaffAnswers, Proposition
from asp_eval.trial.study.design import Study

FIRST, SECOND, ON = "first__", "second__", "on__"  # names that no column of a study has
STEP = 10.0  # points of a scale that a slope is of
FEWEST = 20  # respondents with all three scales
NO_SCALE = Fault(
    "PRO-003",
    "the proposition names a scale that the questionnaire {instrument} does not have",
    "Correct it in the coding frame.",
)
ALIKE = Unavailable(Phrase("all gave the same answers on a scale"))


def propositions(
    study: Study, arms: Mapping[str, str], answered: pd.DataFrame, strata: pd.DataFrame
) -> tuple[PropositionResult, ...]:
    """Return what staff's answers say of every proposition whose questionnaire the study collects, wave by wave.

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
    forms = {form.id: form for form in declared_forms(study, "staff_survey")}
    declared = [
        (key, one, one.staff)
        for frame in study.known_frames
        for key, one in frame.propositions.items()
        if one.staff is not None and one.staff.instrument in forms
    ]
    if not declared:
        return ()
    scores = answered.merge(strata, on="institution_id")
    return tuple(
        found for key, one, on in declared for found in _by_wave(study, key, one, on, forms[on.instrument], scores, arms)
    )


def interaction(
    frame: pd.DataFrame, covariates: tuple[str, ...] = (), level: float = 0.95, fewest: int = FEWEST
) -> tuple[Estimated, Estimated, Estimated]:
    """Return the slopes of a scale on the first at a low and a high second, and by how much they differ for ten points.

    Parameters
    ----------
    frame : DataFrame
        ``first__``, ``second__``, ``on__``, institution, and the covariates; one row per respondent.
    covariates : tuple of str
    level : float
    fewest : int
        With fewer respondents there is none.

    Returns
    -------
    at_low, at_high, interaction : Estimate or Unavailable
        Points for ten points of the first scale, at one standard deviation below and above the mean of the second; and the
        difference of that slope for ten points of the second.
    """
    if len(frame) < fewest:
        few = Unavailable(Phrase("fewer than {n} members of staff answered all three scales", n=fewest))
        return few, few, few
    spread = float(frame[SECOND].std(ddof=1))
    if not spread > 0 or frame[FIRST].nunique() < 2:
        return ALIKE, ALIKE, ALIKE
    centred = frame.assign(**{name: frame[name] - frame[name].mean() for name in (FIRST, SECOND)})
    crossed = f"{FIRST}:{SECOND}"
    try:
        fit = lmm(by_institution(fixed_effects(ON, [FIRST, SECOND, crossed, *covariates])), centred)
        wanted = (
            {FIRST: STEP, crossed: -spread * STEP},
            {FIRST: STEP, crossed: spread * STEP},
            {crossed: STEP * STEP},
        )
        low, high, both = (available(fit.contrast(each, method=KenwardRoger(), level=level)) for each in wanted)
    except AspError as refused:
        reason = Unavailable(refused.reason)
        return reason, reason, reason
    return low, high, both


def _by_wave(
    study: Study,
    key: str,
    proposition: Proposition,
    on: OnStaffAnswers,
    form: Instrument,
    scores: pd.DataFrame,
    arms: Mapping[str, str],
) -> Iterator[PropositionResult]:
    titles = {scale.key: dict(scale.title) for scale in form.scales}
    for name in (*on.scales, on.on):
        if name not in titles:
            NO_SCALE.refuse(f"propositions.{key}", found=name, expected=", ".join(titles), instrument=form.id)
    names = {on.scales[0]: FIRST, on.scales[1]: SECOND, on.on: ON}
    strata = [name for name in study.strata if name in scores.columns]
    for wave in study.wave_ids:
        mine = scores[(scores["wave"] == wave) & (scores["instrument"] == form.id) & scores["scale"].isin(list(names))]
        wide = mine.pivot_table(index="unit_id", columns="scale", values="score", aggfunc="first")
        wide = wide.reindex(columns=list(names)).rename(columns=names).dropna()
        if wide.empty:
            continue
        about = mine.drop_duplicates("unit_id").set_index("unit_id")[["institution_id", *strata]]
        frame = wide.join(about).rename(columns={"institution_id": "institution"})
        frame["institution"] = frame["institution"].astype("str")
        frame[ARM] = frame["institution"].map(arms).astype("str")
        low, high, both = interaction(
            frame,
            tuple(varying(frame, [ARM, *strata])),
            study.analysis.level,
            max(FEWEST, study.privacy.minimum_cell),
        )
        first, second = (titles.get(name, {}) for name in on.scales)
        yield PropositionResult(
            key=key,
            text=dict(proposition.text),
            scales=(first, second),
            on=titles.get(on.on, {}),
            wave=wave,
            respondents=len(frame),
            institutions=int(frame["institution"].nunique()),
            at_low=low,
            at_high=high,
            interaction=both,
        )
