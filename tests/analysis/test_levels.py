"""A level between child and institution.

1. The nested model by statsmodels, and both shares of the variance.
2. A level that is not identified says so.
3. In the report.
4. The power's design of three levels is of the correlations and groups of a stored wave; it is not simulated.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import statsmodels.formula.api as smf
from scipy import stats

from asp_eval import IccInterval, Refusal, ThreeLevel, lmm, power
from asp_eval.analysis import levels as module
from asp_eval.analysis.levels import levels
from asp_eval.analysis.power_inputs import Wishes, plan_trial
from asp_eval.analysis.results import tidy
from asp_eval.analysis.sets import assemble
from asp_eval.analysis.study_power import simulated, study_power
from asp_eval.reporting.documents.evaluation import evaluation
from tests.simulated_sets import EVERYTHING


@pytest.fixture
def data(loaded):
    return loaded("set: itt, levels: [room]")


@pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.ConvergenceWarning")
def test_the_nested_model(data):  # 1
    rows = assemble(data, "y")
    rooms = rows.frame["child_id"].map(data.cohort.set_index("child_id")["room"]).astype(str)
    by = rows.frame["institution"].astype(str).str[1:].astype(int) % 3 - 1  # the rooms of an institution differ by 1.6, or not
    moved = rows.frame["y"] + 0.8 * by * (2.0 * (rooms == "room1") - 1.0)
    rows = replace(rows, frame=rows.frame.assign(y=moved))
    (found,) = levels(data, rows)
    assert found.groups == 24 and found.without == 0
    frame = rows.frame.assign(room=rooms)
    own = {"groups": "institution", "re_formula": "1", "vc_formula": {"room": "0 + C(room)"}}
    again = smf.mixedlm("y ~ C(arm) + baseline + municipality", frame, **own).fit(method="powell")
    assert found.effects[0].estimate == pytest.approx(again.params["C(arm)[T.intervention]"], rel=1e-3)
    plain = smf.mixedlm("y ~ C(arm) + municipality", frame, **own).fit(method="powell")
    between, room, within = float(plain.cov_re.iloc[0, 0]), float(plain.vcomp[0]), float(plain.scale)
    total = between + room + within
    assert found.icc_level.estimate == pytest.approx(room / total, abs=2e-3) and room > 0
    assert found.icc_institution.estimate == pytest.approx(between / total, abs=2e-3)


@pytest.mark.parametrize(("make", "reason"), [(lambda ids: "all", "ONE_EACH"), (lambda ids: ids, "SINGLE")])
def test_a_level_that_is_not_identified(data, make, reason):  # 2
    children = data.children.assign(room=make(data.children["child_id"].astype(str)))
    (found,) = levels(replace(data, children=children), assemble(data, "y"))
    assert found.effects == (getattr(module, reason),) and found.icc_level == getattr(module, reason)


def test_the_power_s_three_levels_are_those_of_a_stored_wave(data):  # 4
    study = data.study
    found = study_power(study, Wishes(learn="y@w1", effects=(0.6,), size=12))
    frame = data.cohort.assign(y=lambda f: f["child_id"].map(data.values(study.outcomes[0], "w1"))).dropna(subset=["y"])
    frame = frame.assign(room=frame["room"].astype(str))
    fit = lmm("y ~ municipality + (1 | institution) + (1 | institution:room)", frame)
    between, room, rest = (float(v) for v in fit.variance_components()["variance"])
    sds = fit.variance_intervals(level=0.95).iloc[0]
    low, high = (sd**2 / (sd**2 + room + rest) for sd in (sds["conf_low"], sds["conf_high"]))
    total = between + room + rest
    design = ThreeLevel(12, 2, 6, IccInterval(between / total, low, high), room / total, strata=2)
    assert list(found.table["power"]) == pytest.approx([power(design, 0.6).power])
    assert any("2 groups (room)" in said for said in found.assumptions())
    beside = simulated(plan_trial(study, Wishes(learn="y@w1", iccs=(0.1,), effects=(0.4,), size=12)), 128, 1)
    assert beside["simulated_power"].isna().tolist() == [True, False]
    with pytest.raises(Refusal, match="PWR-040"):
        simulated(found.planned, 128, 1)
    planned = plan_trial(study, Wishes(iccs=(0.1,), effects=(0.4,), size=12))
    assert any("(room) is declared and not in this power" in said for said in planned.assumptions)


def test_a_planned_baseline_of_groups(data):  # 4
    declared = {**data.study.as_declared(), "power": {"baseline": {"institution": 0.8, "child": 0.5}}}
    study = data.study.model_validate(declared)
    study._folder = data.study.folder
    plan = plan_trial(study, Wishes(learn="y@w1", effects=(0.4,), size=12))
    assert plan.waves.subcluster == 0.5 and any("the less correlated" in said for said in plan.assumptions)


def test_in_the_report(analysed):  # 3
    results = analysed(EVERYTHING)
    one = results.outcomes[0].levels[0]
    assert (one.groups_each, one.children_each) == (2.0, results.outcomes[0].n_children / 24)
    reach = stats.t.ppf(0.975, one.effects[0].df) + stats.t.ppf(0.8, one.effects[0].df)
    sd = one.detectable and reach * one.effects[0].std_error / one.detectable
    assert 0.5 < sd < 1.5  # the total standard deviation
    assert tidy(results)["model"].str.startswith("levels: ").sum() == 2
    english, danish = (repr(evaluation(results, language)) for language in ("en", "da"))
    assert "A level between child and institution" in english and "Et niveau mellem barn og institution" in danish
