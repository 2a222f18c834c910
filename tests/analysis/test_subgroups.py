"""The effect in groups that the plan declares.

1. Effects and test are those of the interaction model, by hand; by a stratum as well.
2. Groups that are too small are not shown, and are counted; a missing group too.
3. One group, a measure, groups of single institutions: a reason.
4. The report tells the test from the intervals.
5. An unknown outcome or column is refused.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from asp_eval.analysis import subgroups as module
from asp_eval.analysis.data import load_data
from asp_eval.analysis.outcomes import analyse
from asp_eval.analysis.results import tidy
from asp_eval.analysis.sets import assemble
from asp_eval.analysis.subgroups import subgroups
from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.stats.mixed.fit import lmm
from tests.simulated_sets import declares

BY_EDUCATION = "set: itt, subgroups: [{by: mother_education, outcomes: [y]}]"


def test_the_interaction_model(stored):  # 1
    data = load_data(declares(stored, BY_EDUCATION))
    rows = assemble(data, "y")
    (found,) = subgroups(data, rows)
    education = rows.frame["child_id"].map(data.cohort.set_index("child_id")["mother_education"]).astype(str)
    frame = rows.frame.assign(g=education)
    fit = lmm("y ~ arm * g + baseline + municipality + (1 | institution)", frame)
    own = [
        fit.contrast({"arm[T.intervention]": 1.0}),
        fit.contrast({"arm[T.intervention]": 1.0, "arm[T.intervention]:g[T.short]": 1.0}),
    ]
    assert [part.level for part in found.levels] == ["long", "short"]
    for part, row in zip(found.levels, own, strict=True):
        assert (part.effect.estimate, part.effect.conf_low, part.effect.df) == pytest.approx((row.estimate, row.conf_low, row.df))
        assert part.children == (education == part.level).sum()
    one = fit.contrast({"arm[T.intervention]:g[T.short]": 1.0})
    assert found.interaction.statistic == pytest.approx(one.statistic**2) and found.interaction.p_value == pytest.approx(
        one.p_value
    )
    again = smf.mixedlm("y ~ C(arm) * g + baseline + municipality", frame, groups=frame["institution"]).fit()
    assert own[0].estimate == pytest.approx(again.params["C(arm)[T.intervention]"], rel=1e-3)
    assert one.estimate == pytest.approx(again.params["C(arm)[T.intervention]:g[T.short]"], rel=2e-3, abs=1e-4)


def test_by_municipality(stored):  # 1: in the model already, as a stratum
    data = load_data(declares(stored, "set: itt, varying: [municipality]"))
    (found,) = subgroups(data, assemble(data, "y"))
    assert [part.level for part in found.levels] == ["North", "South"] and "+ municipality" not in found.model
    fit = lmm("y ~ arm * municipality + baseline + (1 | institution)", assemble(data, "y").frame)
    assert found.levels[0].effect.estimate == pytest.approx(fit.contrast({"arm[T.intervention]": 1.0}).estimate)
    assert len(analyse(data.study).outcomes[1].subgroups) == 1  # of every outcome


def test_small_groups_and_missing_ones(stored):  # 2
    data = load_data(declares(stored, BY_EDUCATION))
    rows = assemble(data, "y")
    ids = rows.frame["child_id"].to_numpy()
    column = pd.Series(np.where(np.arange(len(ids)) % 2, "a", "b"), index=ids).astype(object)
    column.iloc[:3], column.iloc[3:10] = "rare", None
    found = module._by(data.study, rows, "x", column)
    assert [part.level for part in found.levels] == ["a", "b"] and (found.not_shown, found.without) == (1, 7)
    assert sum(part.children for part in found.levels) == len(ids) - 10


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda n: ["all"] * n, "ONE_LEVEL"),
        (lambda n: np.arange(n) * 0.5, "A_MEASURE"),
        (lambda n: ["a"] * (n - 2) + ["b"] * 2, "TOO_FEW"),
        (None, "NOT_IDENTIFIED"),
    ],
)
def test_what_cannot_be_compared(stored, make, reason):  # 3
    data = load_data(declares(stored, BY_EDUCATION))
    rows = assemble(data, "y")
    ids = rows.frame["child_id"].to_numpy()
    values = rows.frame["institution"].astype(str).to_numpy() if make is None else make(len(ids))
    found = module._by(data.study, rows, "x", pd.Series(values, index=ids))
    assert found.interaction == getattr(module, reason) and found.levels == ()


def test_the_report(stored):  # 4
    results = analyse(declares(stored, BY_EDUCATION))
    english, danish = (repr(evaluation(results, language)) for language in ("en", "da"))
    assert "Only the test of a difference between groups" in english and "The effect in groups" in english
    assert "Effekten i grupper" in danish and "forest-subgroups" in danish
    assert tidy(results)["term"].tolist()[-2:] == [f"intervention in mother_education: {k}" for k in ("long", "short")]
    assert not results.outcomes[1].subgroups


def test_names_that_are_not_there(stored):  # 5
    with pytest.raises(DataProblems, match="STU-012"):
        declares(stored, "set: itt, subgroups: [{by: mother_education, outcomes: [nothing]}]")
    with pytest.raises(Refusal, match="ANA-003"):
        analyse(declares(stored, "set: itt, subgroups: [{by: nothing}]"))
