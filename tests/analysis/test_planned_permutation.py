"""A study that plans a permutation test of its own lot.

1. The p-value is that of refitting the planned model under every allocation the scheme allows.
2. What is no effect of the arms, and effect sizes, are by Kenward-Roger, and the result says so.
3. A lot drawn elsewhere cannot be planned to be permuted.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from asp_eval.analysis.outcomes import analyse
from asp_eval.analysis.plan import BY_THE_MODEL
from asp_eval.analysis.sets import analysis_set
from asp_eval.core.errors import DataProblems
from asp_eval.stats.estimate import Estimate
from asp_eval.stats.mixed.fit import lmm
from asp_eval.workflow.randomise import plan_draw
from tests.counted_trial import STUDY, declared, store

PAIRS = (
    STUDY.replace("{drawn_elsewhere: true, scheme: stratified}", "{scheme: pairs, pair: pair}")
    .replace("strata: [municipality]", "strata: []")
    .replace("columns:\n", "columns:\n  institutions: {pair: string}\n")
    .replace("{set: itt, covariates: [sex]}", "{set: itt, method: permutation, draws: 500, level: 0.8}")
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


def test_the_p_value_is_that_of_refitting_under_every_allocation(study):  # 1
    (result,) = analyse(study).outcomes
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
        row = lmm("y ~ arm + (1 | institution)", frame.assign(arm=arm)).contrast({"arm[T.intervention]": 1.0})
        statistics[arms] = abs(row.estimate / lmm_error(frame.assign(arm=arm)))
    expected = np.mean([t >= statistics[observed] * (1 - 1e-7) for t in statistics.values()])
    effect = result.effects[0].difference
    assert len(statistics) == 16 and effect.method == "Permutation"
    assert effect.p_value == pytest.approx(expected)
    assert "all 16 possible allocations" in effect.note


def lmm_error(frame: pd.DataFrame) -> float:
    """The model's own standard error, without a small-sample correction."""
    fit = lmm("y ~ arm + (1 | institution)", frame)
    return float(np.sqrt(np.diag(fit.vcov())[list(fit.names).index("arm[T.intervention]")]))


def test_the_rest_is_by_kenward_roger_and_says_so(study):  # 2
    (result,) = analyse(study).outcomes
    methods = {row.term: row.method for row in result.coefficients}
    assert methods == {"Intercept": "KenwardRoger", "arm[T.intervention]": "Permutation"}
    assert BY_THE_MODEL in result.notes and isinstance(result.effects[0].effect_size, Estimate)


def test_a_lot_drawn_elsewhere_cannot_be_permuted(tmp_path):  # 3
    text = STUDY.replace("analysis: {", "analysis: {method: permutation, ")
    with pytest.raises(DataProblems, match="RND-026"):
        declared(tmp_path, text)
