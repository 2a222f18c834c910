"""P-values adjusted within the families that the plan declares: each effect of each outcome is one test of its family.

Holm's and Benjamini and Hochberg's procedures take the p-values; Westfall and Young's goes through the lot. A family that comes
``after`` another is tested only if every null hypothesis of that one is rejected: its adjusted p-values are never below the
largest of the family before (serial gatekeeping). Intervals that hold together (``simultaneous``) are of one step, so that one of
them may leave zero in where a step-down p-value is below the level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from asp_eval.analysis.formulas import arm_term, model_formula
from asp_eval.analysis.models import planned_model
from asp_eval.analysis.results import Adjustment, Estimated, Number, OutcomeResult, planned_summary
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.analysis.triangulation import Lot, permutation_of, statistic_note
from asp_eval.core.errors import AspError, Unavailable
from asp_eval.core.phrases import Phrase, notes_in_one
from asp_eval.stats.estimate import Estimate, t_quantile
from asp_eval.stats.meta.multiplicity import Array, benjamini_hochberg, holm, largest_quantile, step_down
from asp_eval.stats.resampling.permutation_test import PermutationDistribution
from asp_eval.trial.study.analysis_plan import ConfirmatoryFamily
from asp_eval.trial.study.design import Study

BY_THE_LOT = "westfall-young"
NO_DEGREES = Phrase("an interval that holds together with others needs the estimate's degrees of freedom")

FEW_DRAWS = Phrase("no interval: so few allocations cannot tell any effect from none at this level")
LARGEST_OF_THE_LOT = Phrase("of the mixed model; the critical value is that of the largest |t| of the family under the lot")
BONFERRONI = Phrase("Bonferroni's critical value of t")

Distribution = PermutationDistribution | Unavailable
Statistics = Mapping[str, tuple[Distribution, ...]]
"""By outcome: every later arm's statistic under every draw of the lot."""


@dataclass(frozen=True, slots=True, eq=False)
class FamilyOfTests:
    """The tests of one family, in the order of its outcomes and their arms.

    Attributes
    ----------
    effects : list of Estimate or Unavailable
        By what the plan compares the arms: differences, ratios or odds ratios.
    distributions : list of PermutationDistribution or Unavailable
        Of the same tests; empty of a family that is not adjusted by the lot.
    ratios : list of bool
        Which effects are ratios.
    measures : bool
        Whether all outcomes are measures.
    """

    effects: list[Estimated]
    distributions: list[Distribution]
    ratios: list[bool]
    measures: bool

    @property
    def p_values(self) -> list[float | None]:
        """Of every test, unadjusted; None where there is none."""
        return [None if isinstance(e, Unavailable) else e.p_value for e in self.effects]


def outcomes_by_the_lot(study: Study) -> frozenset[str]:
    """Return the outcomes of families that are adjusted by the lot."""
    families = study.analysis.families.values()
    return frozenset(name for family in families if family.adjust == BY_THE_LOT for name in family.outcomes)


def lot_statistics(study: Study, data: AnalysisSet, lot: Lot) -> tuple[Distribution, ...]:
    """Return the planned model's |t| of every later arm under every draw of the lot, or why there is none."""
    if isinstance(lot, Unavailable):
        return tuple(lot for _ in study.arms[1:])
    try:
        fit = planned_model(data.outcome).fit(model_formula(data), data.frame)
        method = replace(permutation_of(fit, lot), interval=False)
        return tuple(method.distribution(fit, {arm_term(arm): 1.0}) for arm in study.arms[1:])
    except AspError as refused:
        return tuple(Unavailable(refused.reason) for _ in study.arms[1:])


def adjust(study: Study, outcomes: Sequence[OutcomeResult], statistics: Statistics) -> tuple[OutcomeResult, ...]:
    """Return the outcomes with the p-values of every declared family adjusted.

    Parameters
    ----------
    study : Study
    outcomes : sequence of OutcomeResult
    statistics : mapping of str to tuple of PermutationDistribution or Unavailable
        Of the outcomes of families that are adjusted by the lot.
    """
    adjusted = {one.outcome: one for one in outcomes}
    for name, family in in_order(study.analysis.families):
        judged_together = family.adjust != "none" or family.after is not None
        if not judged_together and not family.simultaneous:
            continue
        together = _tests(family, adjusted, statistics if family.adjust == BY_THE_LOT else {})
        tests = together.effects
        floor = _gate(study, family, adjusted)
        values = iter(_values(together, family))
        wide = iter(_simultaneous(together, study.analysis.level) if family.simultaneous else [None] * len(tests))
        kind = Adjustment(family.adjust, len(tests), name, family.after or "", _opened(floor, study.analysis.level))
        for outcome in family.outcomes:
            mine = tuple(
                replace(
                    effect,
                    adjusted_p=_not_below(next(values), floor) if judged_together else effect.adjusted_p,
                    simultaneous=next(wide),
                )
                for effect in adjusted[outcome].effects
            )
            notes = adjusted[outcome].notes
            if family.adjust == BY_THE_LOT and (said := statistic_note(study)) and said not in notes:
                notes = (*notes, said)
            adjusted[outcome] = replace(adjusted[outcome], adjustment=kind, effects=mine, notes=notes)
    return tuple(adjusted.values())


def _tests(family: ConfirmatoryFamily, adjusted: Mapping[str, OutcomeResult], statistics: Statistics) -> FamilyOfTests:
    """Return the tests of a family."""
    own = [adjusted[name] for name in family.outcomes]
    return FamilyOfTests(
        [planned_summary(one, effect) for one in own for effect in one.effects],
        [each for one in own for each in statistics.get(one.outcome, ())],
        [one.summary != "difference" for one in own for _ in one.effects],
        all(one.scale == "continuous" for one in own),
    )


def in_order(families: Mapping[str, ConfirmatoryFamily]) -> list[tuple[str, ConfirmatoryFamily]]:
    """Return families such that each comes after the one it waits for."""
    ordered: dict[str, ConfirmatoryFamily] = {}
    while len(ordered) < len(families):
        ready = {k: f for k, f in families.items() if k not in ordered and (f.after is None or f.after in ordered)}
        ordered.update(ready or {k: f for k, f in families.items() if k not in ordered})
    return list(ordered.items())


def _values(tests: FamilyOfTests, family: ConfirmatoryFamily) -> list[Number]:
    """Return the adjusted p-value of every test, or why it has none."""
    if family.adjust == BY_THE_LOT:
        return _by_the_lot(tests)
    values = tuple(tests.p_values)
    if family.adjust != "none":
        values = holm(values) if family.adjust == "holm" else benjamini_hochberg(values)
    return [_or_reason(e, value) for e, value in zip(tests.effects, values, strict=True)]


def _by_the_lot(tests: FamilyOfTests) -> list[Number]:
    """Return Westfall and Young's; a test that the lot does not know leaves the whole family without."""
    missing = next((one for one in tests.distributions if isinstance(one, Unavailable)), None)
    if missing is not None:
        reason = Phrase("the family cannot be adjusted by the lot: {reason}", reason=missing.reason)
        return [Unavailable(reason) for _ in tests.effects]
    found, observed = _table(tests)
    return [float(p) for p in step_down(found, observed)]


def _table(tests: FamilyOfTests) -> tuple[Array, int | Array]:
    """Return the statistics under every draw, and the observed ones (or their row, if all draws were gone through)."""
    known = [one for one in tests.distributions if isinstance(one, PermutationDistribution)]
    t, own = np.column_stack([one.statistics for one in known]), np.array([abs(one.statistic) for one in known])
    if not all(one.enumerated for one in known):
        return t, own
    return t, int(np.argmin(np.abs(np.where(np.isnan(t), np.inf, t) - own).max(axis=1)))


def _simultaneous(tests: FamilyOfTests, level: float) -> list[Estimated]:
    """Return intervals that hold together at the level: of measures by the largest |t| of the lot, else Bonferroni's."""
    known = [one for one in tests.distributions if isinstance(one, PermutationDistribution)]
    if tests.measures and len(known) == len(tests.effects):
        found, observed = _table(tests)
        c = largest_quantile(found, observed, level)
        return [_of_the_lot(e, one, c) for e, one in zip(tests.effects, known, strict=True)]
    each = (1.0 - level) / len(tests.effects)
    return [_widened(e, _bonferroni(e, each), ratio=ratio) for e, ratio in zip(tests.effects, tests.ratios, strict=True)]


def _of_the_lot(difference: Estimated, one: PermutationDistribution, critical: float) -> Estimated:
    """Return the mixed model's estimate with the interval of the lot's critical value."""
    if isinstance(difference, Unavailable):
        return difference
    if not np.isfinite(critical):
        return Unavailable(FEW_DRAWS)
    half = critical * one.std_error
    low, high = one.estimate - half, one.estimate + half
    return Estimate(
        difference.term, one.estimate, one.std_error, None, one.statistic, None, low, high, "Permutation", LARGEST_OF_THE_LOT
    )


def _bonferroni(effect: Estimated, alpha: float) -> float:
    if isinstance(effect, Unavailable) or effect.df is None:
        return np.nan
    return float(t_quantile(1.0 - alpha / 2.0, np.array(effect.df)))


def _widened(effect: Estimated, critical: float, *, ratio: bool) -> Estimated:
    """Return an estimate with the interval of a critical value; its p-value is not that of the interval, and left out.

    The interval of a ratio is that of its logarithm.
    """
    if isinstance(effect, Unavailable):
        return effect
    if effect.std_error is None or effect.estimate is None or not np.isfinite(critical):
        return Unavailable(effect.note or NO_DEGREES)
    half = critical * effect.std_error
    low, high = effect.estimate - half, effect.estimate + half
    if ratio:
        low, high = (effect.estimate * float(np.exp(side * half / effect.estimate)) for side in (-1.0, 1.0))
    return replace(effect, p_value=None, conf_low=low, conf_high=high, note=notes_in_one([effect.note, BONFERRONI]))


def _gate(study: Study, family: ConfirmatoryFamily, adjusted: Mapping[str, OutcomeResult]) -> float | None:
    """Return the largest adjusted p-value of the family before, one if a test of it has none; None without such a family."""
    if family.after is None:
        return None
    before = study.analysis.families[family.after]
    values = [effect.adjusted_p for name in before.outcomes for effect in adjusted[name].effects]
    if before.adjust == "none" and before.after is None:
        tests = _tests(before, adjusted, {})
        values = [_or_reason(effect, p) for effect, p in zip(tests.effects, tests.p_values, strict=True)]
    return max((1.0 if isinstance(p, Unavailable) else p for p in values), default=1.0)


def _opened(floor: float | None, level: float) -> bool:
    """Return whether every null hypothesis of the family before was rejected, or there is none before."""
    return floor is None or floor < round(1.0 - level, 12)


def _not_below(value: Number, floor: float | None) -> Number:
    return value if isinstance(value, Unavailable) or floor is None else max(value, floor)


def _or_reason(effect: Estimated, value: float | None) -> Number:
    """Return an adjusted p-value, or why the effect has none: the reason why it has no p-value at all."""
    if value is not None:
        return value
    return effect if isinstance(effect, Unavailable) else Unavailable(effect.note)
