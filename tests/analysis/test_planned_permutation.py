"""A study that plans a permutation test of its own lot.

1. The p-value is that of refitting the planned model under every allocation the scheme allows.
2. What is no effect of the arms, and effect sizes, are by Kenward-Roger, and the result says so.
3. A lot drawn elsewhere cannot be planned to be permuted.
4. Yes-or-no outcomes and counts print the lot's p beside t's interval and say so; where institutions do not differ the score is
   the arm's sum, so the p-value can be counted.
5. Where the score has no test, t stands in its place and a note says why.
6. The distribution under the lot is that of the same refits, in bins; of a share it is the score's.
"""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from asp_eval.analysis.category_models import SCORE_OF_THE_LOT, GeneralisedMixedModel
from asp_eval.analysis.outcomes import analyse
from asp_eval.analysis.plan import BY_THE_MODEL
from asp_eval.analysis.sets import AnalysisSet, analysis_set
from asp_eval.core.errors import DataProblems
from asp_eval.stats.estimate import Estimate
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.resampling.allocations import Allocations
from asp_eval.stats.resampling.permutation import Permutation
from asp_eval.stats.smallsample.between_within import BetweenWithin
from asp_eval.workflow.randomise import plan_draw
from tests.counted_trial import STUDY, declared, store

PAIRS = (
    STUDY.replace("{drawn_elsewhere: true, scheme: stratified}", "{scheme: pairs, pair: pair}")
    .replace("strata: [municipality]", "strata: []")
    .replace("columns:\n", "columns:\n  institutions: {pair: string}\n")
    .replace(
        "{set: itt, covariates: [sex], missing_baseline: complete-cases}",
        "{set: itt, method: permutation, draws: 500, level: 0.8}",
    )
    .replace("baseline: w1}", "baseline: null}")
)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    study = declared(folder, PAIRS)
    ids = [f"D{i}" for i in range(8)]
    rows = "".join(f"{i},House {i},North,p{n // 2}\n" for n, i in enumerate(ids))
    store(study, folder, "institutions", f"institution_id,name,municipality,pair\n{rows}", "institutions")
    plan_draw(study).draw(11)
    random = np.random.default_rng(4)
    level = dict(zip(ids, random.normal(5, 1, 8), strict=True))
    lines = [
        f"c{n}{k},{i},{{day}},girl,2023-0{1 + k},1,{level[i] + random.normal():.3f}\n"
        for n, i in enumerate(ids)
        for k in range(3 + n % 3)
    ]
    header = "child_id,institution_id,date,sex,birth_month,kept,score\n"
    store(study, folder, "w1", header + "".join(lines).replace("{day}", "2027-09-10"), "screening", "w1")
    store(study, folder, "w2", header + "".join(lines).replace("{day}", "2028-05-10"), "screening", "w2")
    return study


@pytest.fixture(scope="module")
def result(study):
    """The one outcome of the study, analysed as it plans."""
    (result,) = analyse(study).outcomes
    return result


def test_the_p_value_is_that_of_refitting_under_every_allocation(study, result):  # 1
    frame = analysis_set(study, "y")
    ids = sorted(frame["institution"].astype(str).unique())
    drawn = frame.assign(institution=frame["institution"].astype(str)).groupby("institution", observed=True)["arm"].first()
    observed = tuple(int(drawn[i] == "intervention") for i in ids)
    statistics = {}
    for firsts in itertools.product((0, 1), repeat=4):
        arms = tuple(first ^ k for first in firsts for k in (0, 1))
        of = dict(zip(ids, arms, strict=True))
        numbers = frame["institution"].astype(str).map(of)
        arm = pd.Categorical.from_codes(numbers.to_numpy(int), categories=["reference", "intervention"])
        row = lmm("y ~ arm + pair + (1 | institution)", frame.assign(arm=arm)).contrast({"arm[T.intervention]": 1.0})
        statistics[arms] = row.estimate / lmm_error(frame.assign(arm=arm))
    least = abs(statistics[observed]) * (1 - 1e-7)
    expected = np.mean([abs(t) >= least for t in statistics.values()])
    effect = result.effects[0].difference
    assert len(statistics) == 16 and effect.method == "Permutation"
    assert effect.p_value == pytest.approx(expected)
    assert "all 16 possible allocations" in effect.note
    (lot,) = result.lot  # 6: the same refits, counted in bins by hand
    places = [int(t // 0.25) for t in statistics.values()]
    large = [place for place, t in zip(places, statistics.values(), strict=True) if abs(t) >= least]
    assert [(one.low, one.high, one.count, one.as_large) for one in lot.bins] == [
        (0.25 * k, 0.25 * k + 0.25, places.count(k), large.count(k)) for k in sorted(set(places))
    ]
    assert (lot.draws, lot.as_large, lot.enumerated, lot.inestimable, lot.kind) == (16, len(large), True, 0, "model")
    assert lot.statistic == pytest.approx(statistics[observed]) and lot.p_value == effect.p_value


def lmm_error(frame: pd.DataFrame) -> float:
    """The model's own standard error, without a small-sample correction."""
    fit = lmm("y ~ arm + pair + (1 | institution)", frame)
    return float(np.sqrt(np.diag(fit.vcov())[list(fit.names).index("arm[T.intervention]")]))


def test_the_rest_is_by_kenward_roger_and_says_so(result):  # 2
    methods = {row.term: row.method for row in result.coefficients}
    pairs = {f"pair[T.p{k}]": "KenwardRoger" for k in (1, 2, 3)}
    assert methods == {"Intercept": "KenwardRoger", "arm[T.intervention]": "Permutation", **pairs}
    assert BY_THE_MODEL in result.notes and isinstance(result.effects[0].effect_size, Estimate)


def test_a_lot_drawn_elsewhere_cannot_be_permuted(tmp_path):  # 3
    text = STUDY.replace("analysis: {", "analysis: {method: permutation, ")
    with pytest.raises(DataProblems, match="RND-026"):
        declared(tmp_path, text)


YES = PAIRS.replace(
    "- {id: y, column: screening.score, role: primary, better: lower, at: w2, baseline: null}",
    "- {id: yes, column: screening.answer, role: primary, scale: binary, better: lower, at: w2}\n"
    "  - {id: times, column: screening.times, role: secondary, scale: count, better: lower, at: w2}",
).replace("screening: {score: number}", "screening: {answer: integer, times: integer}")
SUMS = (3, 2, 1, 3, 3, 2, 2, 4)
"""Of six children in each institution: less unlike than chance would make them, so their variance is zero."""


@pytest.fixture(scope="module")
def yes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("yes")
    study = declared(folder, YES)
    ids = [f"D{i}" for i in range(8)]
    rows = "".join(f"{i},House {i},North,p{n // 2}\n" for n, i in enumerate(ids))
    store(study, folder, "institutions", f"institution_id,name,municipality,pair\n{rows}", "institutions")
    plan_draw(study).draw(11)
    lines = [
        f"c{n}{k},{i},{{day}},girl,2023-0{1 + k},1,{int(k < SUMS[n])},{int(k < SUMS[n])}\n"
        for n, i in enumerate(ids)
        for k in range(6)
    ]
    header = "child_id,institution_id,date,sex,birth_month,kept,answer,times\n"
    for wave, day in (("w1", "2027-09-10"), ("w2", "2028-05-10")):
        store(study, folder, wave, header + "".join(lines).replace("{day}", day), "screening", wave)
    return study


def test_shares_and_counts_print_the_lots_p_value(yes):  # 4
    results = {result.outcome: result for result in analyse(yes).outcomes}
    frame = analysis_set(yes, "yes")
    arms = frame.assign(institution=frame["institution"].astype(str)).groupby("institution")["arm"].first()
    observed = sum(total for total, arm in zip(SUMS, arms, strict=True) if arm == "intervention")
    half = sum(SUMS) / 2
    others = [
        sum(SUMS[2 * pair + (first ^ 1)] for pair, first in enumerate(firsts)) for firsts in itertools.product((0, 1), repeat=4)
    ]
    expected = np.mean([abs(total - half) >= abs(observed - half) for total in others])
    assert 0 < expected < 1
    for name in ("yes", "times"):
        effect = results[name].effects[0].difference
        assert effect.p_value == pytest.approx(expected) and effect.method == "Permutation"
        assert SCORE_OF_THE_LOT in effect.note and "all 16 possible allocations" in effect.note
        assert effect.df == 3.0  # four pairs
        half_width = stats.t.ppf(0.9, 3) * effect.std_error
        assert (effect.conf_low, effect.conf_high) == pytest.approx((effect.estimate - half_width, effect.estimate + half_width))
        assert {row.method for row in results[name].coefficients} == {"BetweenWithin"}
    (lot,) = results["yes"].lot
    assert (lot.kind, lot.as_large / 16, lot.p_value) == ("score", pytest.approx(expected), pytest.approx(expected))
    assert sum(one.count for one in lot.bins) == 16 and np.sign(lot.statistic) == np.sign(observed - half)
    assert results["times"].lot == ()  # no primary outcome


def test_without_a_score_between_within_stands_and_says_why():  # 5
    random = np.random.default_rng(1)
    inst = np.repeat(np.arange(9), 12)
    frame = pd.DataFrame({"y": random.integers(0, 2, 108).astype(float), "institution": inst.astype(str)})
    frame["arm"] = pd.Categorical.from_codes(inst % 3, categories=["none", "some", "all"])
    draws = np.array([random.permutation(np.arange(9) % 3) for _ in range(50)])
    method = Permutation("arm", Allocations(tuple("012345678"), draws))
    data = AnalysisSet(SimpleNamespace(id="y", is_count=False), "w1", frame, (), ())
    model = GeneralisedMixedModel("binomial")
    fit = model.fit("y ~ arm + (1 | institution)", frame)
    found = model.compare(fit, fit, data, ("none", "some", "all"), method, 0.95)
    by_t = model.compare(fit, fit, data, ("none", "some", "all"), BetweenWithin(), 0.95)
    for effect, plain in zip(found.effects, by_t.effects, strict=True):
        assert (effect.difference.p_value, effect.difference.method) == (plain.difference.p_value, "BetweenWithin")
        assert "cannot be had here" in effect.difference.note and "two arms" in effect.difference.note
