"""All waves in one model: what a study that declares it gets.

1. Effects at each later wave, their change, the arms' means; rows in results.csv after the others; pages in both languages.
2. A wave without scores is left out; a score at one wave alone has a reason.  3. Outcomes of one score share a model.
4. Designs that are not analysed here are refused by name.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from asp_eval.analysis.results import tidy
from asp_eval.analysis.waves import TOO_FEW_WAVES, all_waves
from asp_eval.core.errors import DataProblems
from asp_eval.reporting.documents.evaluation import evaluation
from tests.counted_trial import STUDY, declared
from tests.simulated_sets import EVERYTHING


def test_a_declared_study(analysed):  # 1, 3
    results = analysed(EVERYTHING)
    (found,) = results.waves
    assert (found.outcome, found.baseline, found.notes) == ("y", "w1", ())
    assert [(e.wave, e.since) for e in found.effects] == [("w2", ""), ("w3", ""), ("w3", "w2")]
    w2, w3, change = (e.difference for e in found.effects)
    assert change.estimate == pytest.approx(w3.estimate - w2.estimate)
    assert w3.conf_low < -1.0 < w3.conf_high and w3.method == "KenwardRoger"
    assert len(found.means) == 6 and len({m.mean.estimate for m in found.means if m.wave == "w1"}) == 1
    table = tidy(results)
    assert table["term"].tolist()[-3:] == ["intervention at w2", "intervention at w3", "intervention at w3 less at w2"]
    plain = tidy(analysed("set: itt"))
    pd.testing.assert_frame_equal(table.iloc[: len(plain)], plain)
    english, danish = (repr(evaluation(results, language)) for language in ("en", "da"))
    assert "from one model of all waves" in english and "fra én model af alle runder" in danish
    assert "trajectory--y" in english and "gennemsnit ved hver runde" in danish


def test_waves_without_scores(loaded):  # 2
    data = loaded("set: itt, waves_model: constrained-longitudinal")
    without = data.visits.assign(score=data.visits["score"].where(data.visits["wave"] != "w2"))
    (found,) = all_waves(replace(data, visits=without))
    assert [(e.wave, e.since) for e in found.effects] == [("w3", "")]
    (found,) = all_waves(replace(data, visits=without.assign(score=without["score"].where(without["wave"] == "w1"))))
    assert found.notes == (TOO_FEW_WAVES,) and found.effects == ()


@pytest.mark.parametrize("scheme", ["stepped-wedge", "crossover", "within-institutions"])
def test_designs_that_are_not_analysed_here(scheme, tmp_path):  # 4
    with pytest.raises(DataProblems, match=scheme.replace("within-institutions", "inside institutions")):
        declared(tmp_path, STUDY.replace("scheme: stratified", f"scheme: {scheme}"))


def test_a_lot_of_children(tmp_path):  # 4
    with pytest.raises(DataProblems, match="inside institutions"):
        declared(tmp_path, STUDY.replace("arms: [", "unit: child\narms: ["))
