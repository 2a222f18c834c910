"""The intraclass correlation that a stored wave of the study has, for the power of its outcome.

Where the plan declares a level between child and institution (`analysis.levels`), the model holds it as well, and the design has
three levels: institutions, groups of an institution, children of a group.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from asp_eval.analysis.data import StudyData
from asp_eval.analysis.formulas import ARM, INSTITUTION, by_institution, fixed_effects, varying, with_level
from asp_eval.analysis.levels import groups_of, not_identified
from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.mixed.fit import MixedFit, lmm
from asp_eval.stats.power.designs import Sizes, ThreeLevel, TwoLevel
from asp_eval.stats.power.icc import IccInterval
from asp_eval.trial.study.outcome import Outcome

NOTHING_LEARNED = Fault(
    "PWR-045",
    "wave {wave} has no values of the outcome {outcome} to learn the intraclass correlation from",
    "Import and score the wave, or name another: --learn OUTCOME@WAVE.",
)
MOST = 0.999  # an intraclass correlation lies below one


@dataclass(frozen=True, slots=True)
class LearnedLevel:
    """A level between child and institution, as it was found.

    Attributes
    ----------
    name : str
        The column of children.
    icc : float
        Share of the variance between groups of one institution.
    groups, cv : float
        Groups in an institution on average, and the coefficient of variation of their number.
    """

    name: str
    icc: float
    groups: float
    cv: float

    def design(self, plan: TwoLevel, icc: IccInterval) -> ThreeLevel:
        """Return a two-level design with this level in it: as many children in an institution, in the groups found."""
        size = plan.size.mean if isinstance(plan.size, Sizes) else float(np.asarray(plan.size, dtype=float))
        clusters = float(len(plan.size.values)) if isinstance(plan.size, Sizes) and plan.clusters is None else plan.clusters
        return ThreeLevel(
            clusters, self.groups, size / self.groups, icc, self.icc, cv=self.cv, share=plan.share, strata=plan.strata
        )


@dataclass(frozen=True, slots=True)
class LearnedIcc:
    """An intraclass correlation that was learned.

    Attributes
    ----------
    icc : IccInterval
        Of institutions.
    level : LearnedLevel or None
        The first declared level that is identified.
    words : tuple of str
        What it was learned from.
    """

    icc: IccInterval
    level: LearnedLevel | None
    words: tuple[str, ...]


def learned_icc(data: StudyData, outcome: Outcome, wave: str) -> LearnedIcc:
    """Return the intraclass correlation of a stored outcome, with its profile interval.

    The model holds the strata, and the arm where the wave is not before the draw's effect: after the outcome's baseline.

    Raises
    ------
    Refusal
        If the wave has no values, or the model cannot be fitted.
    """
    frame = data.children[data.children["standing"] == "cohort"].copy()
    frame[outcome.id] = frame["child_id"].map(data.values(outcome, wave))
    frame = frame[frame[outcome.id].notna()]
    if frame.empty:
        NOTHING_LEARNED.refuse("--learn", outcome=outcome.id, wave=wave)
    early = outcome.baseline is not None and data.study.wave_ids.index(wave) <= data.study.wave_ids.index(outcome.baseline)
    with_arm = not early and frame["arm"].notna().all()
    terms = [*([ARM] if with_arm else []), *varying(frame, data.study.strata)]
    formula = by_institution(fixed_effects(outcome.id, terms))
    source = f"{outcome.id} at {wave} ({len(frame):,} children, {frame[INSTITUTION].nunique()} institutions)"
    for name in data.study.analysis.levels:
        rows = groups_of(frame, frame[name], name)
        if not_identified(rows, name) is None:
            return _of_three_levels(lmm(with_level(formula, name), rows), rows, name, source)
    icc = lmm(formula, frame).icc(level=0.95)
    found = _interval(*(float(x if x is not None else np.nan) for x in (icc.estimate, icc.conf_low, icc.conf_high)))
    words = (
        f"intraclass correlation learned from {source}: {found.estimate:.3g}, 95 % profile interval {found.low:.3g} to "
        f"{found.high:.3g}; power is its mean over this"
    )
    return LearnedIcc(found, None, (words,))


def _of_three_levels(fit: MixedFit, rows: pd.DataFrame, name: str, source: str) -> LearnedIcc:
    """Return both intraclass correlations; the interval is that of the institutions' variance, the others held."""
    table = fit.variance_components().set_index("group")["variance"]
    between, inner = float(table[INSTITUTION]), float(table[f"{INSTITUTION}:{name}"])
    rest = float(table.sum()) - between
    limits = fit.variance_intervals(level=0.95).set_index("group").loc[INSTITUTION]
    low, high = (sd**2 / (sd**2 + rest) for sd in limits[["conf_low", "conf_high"]].to_numpy(float))
    found = _interval(between / (between + rest), float(low), float(high))
    counts = rows.groupby(INSTITUTION, observed=True)[name].nunique().to_numpy(float)
    level = LearnedLevel(name, inner / (between + rest), float(counts.mean()), float(counts.std(ddof=1) / counts.mean()))
    words = (
        Phrase(
            "intraclass correlations learned from {source}: institutions {icc:.3g} (95 % interval {low:.3g} to {high:.3g}, the "
            "other variances held; power is its mean over this), groups of one institution ({level}) {inner:.3g}",
            source=source,
            icc=found.estimate,
            low=found.low,
            high=found.high,
            level=name,
            inner=level.icc,
        ),
        Phrase(
            "three levels: {groups:.3g} groups ({level}) in an institution as found (coefficient of variation {cv:.2g}), its "
            "children shared out among them",
            groups=level.groups,
            level=name,
            cv=level.cv,
        ),
    )
    return LearnedIcc(found, level, words)


def _interval(value: float, low: float, high: float) -> IccInterval:
    return IccInterval(value, max(min(low, value), 0.0), min(max(high, value), MOST))
