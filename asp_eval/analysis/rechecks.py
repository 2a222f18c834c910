"""Standard error, degrees of freedom, p, interval, ICC, effect size and adjusted p a second time, by plain computations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from asp_eval.analysis.formulas import ARM, INSTITUTION, arm_term, covariate_terms, varying
from asp_eval.analysis.plain_inference import (
    PlainRows,
    PlainVariances,
    plain_cr2,
    plain_jackknife,
    plain_kenward_roger,
    plain_rows,
    plain_variances,
)
from asp_eval.analysis.results import Number, OutcomeResult, Recheck
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import Unavailable
from asp_eval.stats.estimate import Estimate
from asp_eval.trial.study.design import Study

PLAIN = "NumPy"
BY_P_VALUES = {"holm": "holm", "benjamini-hochberg": "fdr_bh"}
TESTED = ("std_error", "df", "p_value", "conf_low", "conf_high")


def rechecked(study: Study, data: AnalysisSet, result: OutcomeResult, probabilities: pd.DataFrame | Unavailable) -> OutcomeResult:
    """Return a result with the numbers of its effects computed again; one that is no measure, or of random pairs, as it is.

    Parameters
    ----------
    study : Study
    data : AnalysisSet
    result : OutcomeResult
    probabilities : DataFrame or Unavailable
        Of the arms by the lot.
    """
    if not data.outcome.is_continuous or data.pairs == "random":
        return result
    rows = plain_rows(data.frame, data.outcome.id, [ARM, *covariate_terms(data)], INSTITUTION)
    strata = varying(data.frame, [name for name in data.covariates if name in study.strata])
    unadjusted = plain_rows(data.frame, data.outcome.id, [ARM, *strata], INSTITUTION)
    if isinstance(rows, Unavailable) or isinstance(unadjusted, Unavailable):
        return result
    variances = plain_variances(rows), plain_variances(unadjusted)
    found = [one for i in range(len(result.effects)) for one in _effect(study, data, result, i, rows, variances)]
    if not isinstance(probabilities, Unavailable) and not data.pairs:
        found += [one for i in range(len(result.effects)) for one in _jackknife(study, data, result, i, rows, probabilities)]
    return replace(result, rechecks=tuple(found))


def _effect(
    study: Study,
    data: AnalysisSet,
    result: OutcomeResult,
    i: int,
    rows: PlainRows,
    variances: tuple[PlainVariances, PlainVariances],
) -> Iterator[Recheck]:
    """Yield the numbers of one effect again."""
    effect, level = result.effects[i], study.analysis.level
    term, mixed = arm_term(effect.arm), result.averages[i].precision if result.averages else effect.difference
    if term not in rows.names or isinstance(mixed, Unavailable):
        return
    planned, unadjusted = variances
    if mixed.method == "KenwardRoger":
        again = plain_kenward_roger(rows, planned, term, level)
        yield from (_one(effect.arm, name, getattr(mixed, name), getattr(again, name)) for name in TESTED)
        if isinstance(effect.effect_size, Estimate) and result.average == "precision":
            total = (unadjusted.between + unadjusted.within) ** 0.5
            yield _one(effect.arm, "effect_size", effect.effect_size.estimate, again.estimate / total)
    if isinstance(result.icc, Estimate):
        yield _one(effect.arm, "icc", result.icc.estimate, unadjusted.icc)
    robust = result.averages[i].participant_cr2 if result.averages else None
    if isinstance(robust, Estimate) and not data.pairs:
        by_hand = plain_cr2(rows, term, level)
        yield _one(effect.arm, "cr2_std_error", robust.std_error, by_hand.std_error)
        yield _one(effect.arm, "cr2_df", robust.df, by_hand.df)


def _jackknife(
    study: Study, data: AnalysisSet, result: OutcomeResult, i: int, rows: PlainRows, probabilities: pd.DataFrame
) -> Iterator[Recheck]:
    """Yield a headline of standardised averages again, by refits of the rows."""
    effect, average = result.effects[i], result.average
    headline = effect.difference
    if average == "precision" or isinstance(headline, Unavailable):
        return
    homes = [str(data.frame[INSTITUTION].iloc[block[0]]) for block in rows.blocks]
    arms = np.array([list(study.arms).index(str(data.frame[ARM].iloc[block[0]])) for block in rows.blocks])
    if np.bincount(arms, minlength=len(study.arms)).min() < 2:  # the headline is then of the other arms alone
        return
    chances = probabilities.loc[homes, list(study.arms)].to_numpy(dtype=float)
    estimate, se = plain_jackknife(rows, arms, chances, i + 1, by_size=average == "participant")
    yield _one(effect.arm, "jackknife_estimate", headline.estimate, estimate)
    yield _one(effect.arm, "jackknife_std_error", headline.std_error, se)


def _one(arm: str, quantity: str, value: float | None, again: Number) -> Recheck:
    return Recheck(arm, quantity, float("nan") if value is None else value, again, PLAIN)


def with_adjusted_again(study: Study, outcomes: Sequence[OutcomeResult]) -> tuple[OutcomeResult, ...]:
    """Return outcomes with the adjusted p-values of Holm's and Benjamini and Hochberg's procedures again, by statsmodels."""
    from statsmodels.stats.multitest import multipletests

    found = {one.outcome: one for one in outcomes}
    for family in study.analysis.families.values():
        if family.adjust not in BY_P_VALUES or family.after is not None:
            continue
        tests = [(name, e) for name in family.outcomes for e in found[name].effects if isinstance(e.adjusted_p, float)]
        p = [e.difference.p_value for _, e in tests if isinstance(e.difference, Estimate) and e.difference.p_value is not None]
        if len(p) != len(tests) or not tests:
            continue
        again = multipletests(p, method=BY_P_VALUES[family.adjust])[1]
        for (name, effect), value in zip(tests, again, strict=True):
            if isinstance(effect.adjusted_p, float):
                one = Recheck(effect.arm, "adjusted_p", effect.adjusted_p, float(value), "statsmodels")
                found[name] = replace(found[name], rechecks=(*found[name].rechecks, one))
    return tuple(found.values())
