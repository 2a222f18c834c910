"""Families of outcomes in a study.

1. Holm's and Benjamini and Hochberg's p-values are those of the effects' p-values.  2. Westfall and Young's are those of a loop
over the lot.  3. A family that waits has no p-value below the gate's.
4. Intervals that hold together: the largest |t| of the lot, or Bonferroni's; wider than each by itself.  5. What a study.yaml may
not declare.  6. Ten outcomes under ten thousand lots.
7. The histogram of a primary outcome's statistic stands wherever the plan goes through the lot for it.
"""

from __future__ import annotations

import time
from dataclasses import replace

import builders
import numpy as np
import pytest
from scipy import stats

from asp_eval.analysis.formulas import model_formula
from asp_eval.analysis.multiplicity import adjust, in_order
from asp_eval.analysis.outcomes import analyse_outcome
from asp_eval.analysis.plan import planned_method
from asp_eval.analysis.results import Adjustment
from asp_eval.analysis.sets import assemble
from asp_eval.analysis.triangulation import lot_of
from asp_eval.core.errors import DataProblems, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.simultaneous import simultaneous
from asp_eval.reporting.setting import Setting
from asp_eval.stats.meta.multiplicity import step_down
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.resampling.permutation import Permutation
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from tests.counted_trial import STUDY, declared
from tests.simulated_sets import EVERYTHING

ARM = "arm[T.intervention]"


def of(results) -> dict:
    return {one.outcome: one for one in results.outcomes}


P_VALUES = {"y": 0.03, "z": 0.04}
"""What no two procedures adjust alike."""


def adjusted(planned, analysed, adjust_by: str, together: str) -> dict:
    """The outcomes of the plain study, adjusted as a plan declares that does not go through the lot."""
    plan = f"set: itt, families: {{all: {{outcomes: [y, z], adjust: {adjust_by}, simultaneous: {together}}}}}"
    outcomes = [
        replace(o, effects=tuple(with_p(e, P_VALUES[o.outcome]) for e in o.effects)) for o in analysed("set: itt").outcomes
    ]
    return {one.outcome: one for one in adjust(planned(plan), outcomes, {})}


def test_by_p_values(planned, analysed):  # 1
    for adjust_by, expected in (("holm", stats_holm), ("benjamini-hochberg", stats_bh)):
        found = adjusted(planned, analysed, adjust_by, "false")
        p = [found[k].effects[0].difference.p_value for k in "yz"]
        assert [found[k].effects[0].adjusted_p for k in "yz"] == pytest.approx(expected(p))
        assert found["y"].adjustment.method == adjust_by and found["y"].effects[0].simultaneous is None


def stats_holm(p):
    low, high = sorted(p)
    by = {low: min(1.0, 2 * low), high: max(min(1.0, 2 * low), high)}
    return [by[one] for one in p]


def stats_bh(p):
    return list(stats.false_discovery_control(p))


def test_by_the_lot(loaded, analysed):  # 2, 4, 7
    results, data = analysed(EVERYTHING), loaded(EVERYTHING)
    found, study = of(results), data.study
    lot = lot_of(study, KenwardRoger())
    fits = [lmm(model_formula(rows), rows.frame) for rows in (assemble(data, k) for k in "yz")]
    drawn = [Permutation("arm", lot, interval=False).distribution(fit, {ARM: 1.0}) for fit in fits]
    t, own = np.column_stack([d.statistics for d in drawn]), np.array([abs(d.statistic) for d in drawn])
    expected = [(1 + (t.max(axis=1) >= own.max() - 1e-9).sum()) / (1 + len(t))]
    weaker = int(np.argmin(own))
    expected.append(max(expected[0], (1 + (t[:, weaker] >= own[weaker] - 1e-9).sum()) / (1 + len(t))))
    by_size = [expected[0], expected[1]] if weaker else [expected[1], expected[0]]
    if lot.enumerated:  # then the observed allocation is one of them
        by_size = [(p * (1 + len(t)) - 1) / len(t) for p in by_size]
    assert [found[k].effects[0].adjusted_p for k in "yz"] == pytest.approx(by_size)
    largest = np.sort(np.append(t.max(axis=1), [] if lot.enumerated else own.max()))
    c = largest[len(largest) - int(0.05 * len(largest) + 1e-9)]
    for k, one in zip("yz", drawn, strict=True):
        wide, narrow = found[k].effects[0].simultaneous, found[k].effects[0].difference
        assert wide.conf_high - wide.conf_low == pytest.approx(2 * c * one.std_error)
        assert wide.conf_low < narrow.conf_low < narrow.conf_high < wide.conf_high and wide.p_value is None
    (shown,) = found["y"].lot  # the histogram's numbers are those of the same draws
    assert (shown.statistic, shown.draws) == (pytest.approx(drawn[0].statistic), len(t))
    assert shown.as_large == (t[:, 0] >= own[0] - 1e-9).sum() == sum(one.as_large for one in shown.bins)
    page = repr(evaluation(results, "da"))
    assert "Intervaller, der gælder samlet" in page and "Westfall-Young, ved lodtrækningen" in page
    assert "histogram--lot-y" in page and "histogram--lot-z" not in page


@pytest.mark.parametrize(
    ("plan", "figure"),
    [
        ("families: {all: {outcomes: [y, z], adjust: westfall-young}}", True),
        ("triangulate: true", True),
        ("method: permutation", True),
        ("families: {all: {outcomes: [z], adjust: westfall-young}}", False),
        ("families: {all: {outcomes: [y, z], adjust: holm}}", False),
    ],
)
def test_whatever_goes_through_the_lot_for_a_primary_outcome_has_its_histogram(planned, loaded, plan, figure):  # 7
    study = planned(f"set: itt, draws: 100, {plan}")
    data, method = replace(loaded("set: itt"), study=study), planned_method(study)
    y, z = (analyse_outcome(study, assemble(data, name), method) for name in "yz")
    assert (len(y.lot), z.lot) == (int(figure), ())


def test_bonferroni_together(planned, analysed):  # 4
    found = adjusted(planned, analysed, "holm", "true")
    for k in "yz":
        one, wide = found[k].effects[0].difference, found[k].effects[0].simultaneous
        half = stats.t.ppf(1 - 0.025 / 2, one.df) * one.std_error
        assert (wide.conf_low, wide.conf_high) == pytest.approx((one.estimate - half, one.estimate + half))


def test_a_family_of_intervals_alone(planned, analysed):  # 4
    found = adjusted(planned, analysed, "none", "true")
    for k in "yz":
        one, wide = found[k].effects[0].difference, found[k].effects[0].simultaneous
        assert wide.conf_low == pytest.approx(one.estimate - stats.t.ppf(1 - 0.025 / 2, one.df) * one.std_error)
        assert isinstance(found[k].effects[0].adjusted_p, Unavailable)


@pytest.mark.parametrize(
    ("method", "summary", "said"),
    [
        ("holm", "difference", ["step down", "percentage points"]),
        ("westfall-young", "odds-ratio", ["step down", "a ratio of one"]),
        ("benjamini-hochberg", "odds-ratio", ["share of false findings", "a ratio of one"]),
        ("none", "odds-ratio", []),
    ],
)
def test_what_is_said_of_intervals_that_hold_together(method, summary, said):  # 4
    one = builders.outcome(scale="binary", summary=summary, adjustment=Adjustment(method, 2, "all"))
    one = replace(one, effects=(replace(one.effects[0], simultaneous=builders.estimate()),))
    (table,) = simultaneous((one,), Setting(builders.results(outcomes=(one,)), Numbers(words_for("en"))))
    assert [any(part in note for note in table.notes) for part in said] == [True] * len(said)
    every = ("step down", "share of false findings", "percentage points", "a ratio of one")
    assert not any(part in note for note in table.notes for part in every if part not in (*said, "a ratio of one"))


def test_a_family_that_waits(planned, analysed):  # 3
    text = "set: itt, families: {later: {outcomes: [z], adjust: holm, after: first}, first: {outcomes: [y], adjust: none}}"
    study, plain = planned(text), analysed("set: itt")
    assert [name for name, _ in in_order(study.analysis.families)] == ["first", "later"]
    results = replace(plain, outcomes=adjust(study, plain.outcomes, {}))
    found = of(results)
    gate, own = (found[k].effects[0].difference.p_value for k in "yz")
    assert gate < 0.05 and found["z"].effects[0].adjusted_p == max(gate, own) and found["z"].adjustment.opened
    shut = [replace(o, effects=tuple(with_p(e, 0.3 if o.outcome == "y" else 0.001) for e in o.effects)) for o in results.outcomes]
    closed = {o.outcome: o for o in adjust(study, shut, {})}
    assert closed["z"].effects[0].adjusted_p == 0.3 and not closed["z"].adjustment.opened
    gone = [replace(o, effects=tuple(without(e) if o.outcome == "y" else e for e in o.effects)) for o in shut]
    assert {o.outcome: o for o in adjust(study, gone, {})}["z"].effects[0].adjusted_p == 1.0  # a test that failed rejects nothing
    page = repr(evaluation(replace(results, outcomes=tuple(closed.values())), "en"))
    assert 'a test of the family "first" does not reject' in page


def with_p(effect, p):
    return replace(effect, difference=replace(effect.difference, p_value=p))


def without(effect):
    return replace(effect, difference=Unavailable(Phrase("no model")))


@pytest.mark.parametrize(
    ("families", "code"),
    [
        ("{a: {outcomes: [y], after: b}}", "STU-043"),
        ("{a: {outcomes: [y], after: a}}", "STU-043"),
        ("{a: {outcomes: [y], after: b}, b: {outcomes: [y], after: a}}", "STU-044"),
        ("{a: {outcomes: [y], adjust: westfall-young}}", "RND-026"),
    ],
)
def test_what_may_not_be_declared(families, code, tmp_path):  # 5
    with pytest.raises(DataProblems, match=code):  # its lot was drawn elsewhere
        declared(tmp_path, STUDY.replace("{set: itt,", f"{{set: itt, families: {families},"))


def test_ten_outcomes_under_ten_thousand_lots():  # 6
    t = np.random.default_rng(1).normal(size=(10_000, 10))
    begun = time.process_time()
    step_down(np.abs(t), np.abs(t[0]))
    assert time.process_time() - begun < 0.5
