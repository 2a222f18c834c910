"""The power of a study from its own declaration.

1. with study.yaml alone: planning values, or a refusal that says which is missing; 2. what is imported goes before what is
planned, and what is asked before both; 3. the numbers are those of the design by hand; 4. the intraclass correlation is learned
from a stored wave: estimate and profile interval of the model with strata; 5. the simulation uses the study's own lot;
6. everything assumed is said.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from asp_eval import Ancova, EndOnly, IccInterval, Losses, Refusal, Sizes, TwoLevel, lmm, load_study, power, table
from asp_eval.analysis.power_inputs import Wishes, plan_trial
from asp_eval.analysis.study_power import study_power
from asp_eval.core.errors import AspError
from asp_eval.core.randomness import stream
from asp_eval.trial.study.design import Study
from asp_eval.workflow.import_file import import_file

STUDY = """
version: 1
study: {id: planned, title: {en: Planned}}
languages: [en]
arms: [reference, intervention]
strata: [municipality]
randomisation: {scheme: stratified, ratio: [1, 1]}
waves:
  - {id: w1, label: {en: start}, from: 2027-09-01, to: 2027-09-30}
  - {id: w2, label: {en: end}, from: 2028-05-01, to: 2028-05-31}
collect:
  screening: {waves: [w1, w2]}
columns:
  screening: {score: number}
outcomes:
  - {id: y, column: screening.score, role: primary, better: lower, at: w2, baseline: w1}
  - {id: z, column: screening.score, role: primary, better: lower, at: w2}
analysis: {set: itt, families: {main: {outcomes: [y, z], adjust: holm}}}
"""
PLAN = "power: {institutions: 40, children: 25, cv: 0.3, icc: [0.05, 0.1], effect: [0.2, 0.4], lost: {children: 0.1}}\n"
MUNICIPALITIES = ["North"] * 12 + ["South"] * 8 + ["West"] * 4


def declared(folder: Path, text: str = STUDY + PLAN) -> Study:
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return load_study(folder)


def store(study: Study, name: str, frame: pd.DataFrame, table_name: str, wave: str | None = None) -> None:
    path = study.folder / f"{name}.csv"
    frame.to_csv(path, index=False)
    import_file(study, path, table_name, wave=wave)


@pytest.fixture
def planned(tmp_path) -> Study:
    return declared(tmp_path)


@pytest.fixture(scope="module")
def listed(tmp_path_factory) -> Study:
    """A study with 24 institutions in three municipalities and the children of its first wave."""
    study = declared(tmp_path_factory.mktemp("listed"))
    ids = [f"i{n:02}" for n in range(24)]
    store(study, "institutions", pd.DataFrame({"institution_id": ids, "municipality": MUNICIPALITIES}), "institutions")
    random = stream(1, "samplesize")
    sizes = random.integers(6, 30, 24)
    where = np.repeat(np.arange(24), sizes)
    score = 2.0 * random.standard_normal(24)[where] + 5.0 * random.standard_normal(len(where)) + (where < 12)
    children = pd.DataFrame(
        {
            "child_id": [f"c{n:03}" for n in range(len(where))],
            "institution_id": [ids[w] for w in where],
            "date": "2027-09-10",
            "score": score.round(3),
        }
    )
    store(study, "w1", children, "screening", "w1")
    return study


def test_study_yaml_alone_is_enough(planned):
    found = study_power(planned)
    waves, losses = EndOnly(), Losses(individuals=0.1)
    for row in found.table.itertuples():
        design = TwoLevel(40, 25, row.icc, cv=0.3, strata=2)
        alone = power(design, row.effect, waves=waves, losses=losses)
        assert (row.power, row.std_error, row.df) == (alone.power, alone.std_error, 37)
    assert list(found.table["icc"]) == [0.05, 0.05, 0.1, 0.1]
    assert list(found.detectable["icc"]) == [0.05, 0.1]


def test_the_institutions_needed_have_the_power(planned):
    found = study_power(planned)
    for row in found.table.itertuples():
        n = int(row.institutions_needed)
        share = round(n / 2) / n
        design = TwoLevel(n, 25, row.icc, cv=0.3, strata=2, share=share)
        assert power(design, row.effect, losses=Losses(individuals=0.1)).power >= 0.8
    assert (found.table.groupby("icc")["institutions_needed"].diff().dropna() < 0).all()


def test_an_effect_that_no_trial_finds_leaves_the_rest_standing(planned):
    found = study_power(planned, Wishes(effects=(1e-4, 0.4), iccs=(0.1,)))
    assert found.table["institutions_needed"].isna().tolist() == [True, False]
    assert next(cells for _, cells in found.across("institutions_needed")) == [">1,000,000"]
    assert "institutions_needed" not in found.as_dict()["power"][0]


def test_a_planned_baseline_is_a_covariate(tmp_path):
    study = declared(tmp_path, STUDY + PLAN.replace("cv: 0.3", "cv: 0.3, baseline: {institution: 0.7, child: 0.4}"))
    plan = plan_trial(study, Wishes())
    assert isinstance(plan.waves, Ancova)
    assert (plan.waves.cluster, plan.waves.individual) == (0.7, 0.4)
    assert any("w1 as covariate" in a and "0.7" in a for a in plan.assumptions)


def test_an_unplanned_baseline_counts_for_nothing_and_is_said(planned):
    plan = plan_trial(planned, Wishes())
    assert isinstance(plan.waves, EndOnly)
    assert any("counts for nothing" in a for a in plan.assumptions)


@pytest.mark.parametrize(
    ("plan", "code"), [("", "PWR-043"), ("power: {institutions: 40}\n", "PWR-044"), ("power: {children: 20}\n", "PWR-043")]
)
def test_what_is_not_known_is_asked_for(tmp_path, plan, code):
    with pytest.raises(Refusal, match=code):
        study_power(declared(tmp_path, STUDY + plan))


def test_what_is_asked_goes_before_what_is_planned(planned):
    wishes = Wishes(effects=(0.3,), iccs=(0.2,), institutions=50, size=10, cv=0.0, aim=0.9)
    plan = plan_trial(planned, wishes)
    assert (plan.design.clusters, plan.design.size, plan.design.cv) == (50, 10, 0)
    assert (plan.effects, plan.iccs, plan.aim) == ((0.3,), (0.2,), 0.9)
    assert any("50 institutions (as asked)" in a for a in plan.assumptions)


def test_what_is_imported_goes_before_what_is_planned(listed):
    plan = plan_trial(listed, Wishes())
    children = table(listed, "children")
    counts = children["institution_id"].value_counts().reindex(table(listed, "institutions")["institution_id"])
    assert plan.design.clusters == 24
    assert plan.design.size == Sizes.of(counts.astype(float).tolist())
    assert plan.design.strata == 3  # three municipalities: two columns
    assert any("24 institutions (as imported)" in a for a in plan.assumptions)


def test_ratio_and_level_are_the_studys(tmp_path):
    text = STUDY.replace("ratio: [1, 1]", "ratio: [2, 1]").replace("{set: itt,", "{set: itt, level: 0.99,")
    plan = plan_trial(declared(tmp_path, text + PLAN), Wishes())
    assert plan.design.share == pytest.approx(1 / 3)
    assert plan.test.alpha == 0.01


def test_three_arms_are_compared_two_by_two(tmp_path):
    text = STUDY.replace("[reference, intervention]", "[reference, low, high]").replace("ratio: [1, 1]", "ratio: [2, 2, 1]")
    plan = plan_trial(declared(tmp_path, text + PLAN), Wishes())
    assert (plan.design.clusters, plan.design.share) == (pytest.approx(24), pytest.approx(1 / 3))
    assert any("high compared with reference, 1 to 2" in a and "not counted" in a for a in plan.assumptions)


def test_a_family_of_tests_is_said(planned):
    assert any("first of 2 tests" in a and "0.025" in a for a in plan_trial(planned, Wishes()).assumptions)


def test_the_correlation_is_learned_from_a_wave(listed):
    plan = plan_trial(listed, Wishes(learn="y"))
    learned = plan.iccs[0]
    frame = table(listed, "screening").merge(table(listed, "children")[["child_id", "institution_id"]], on="child_id")
    owner = "institution_id" if "institution_id" in frame else "institution_id_y"
    frame = frame.assign(institution=frame[owner]).merge(
        table(listed, "institutions")[["institution_id", "municipality"]], left_on="institution", right_on="institution_id"
    )
    icc = lmm("score ~ municipality + (1 | institution)", frame).icc()
    assert isinstance(learned, IccInterval)
    assert (learned.estimate, learned.low, learned.high) == (
        pytest.approx(icc.estimate, rel=1e-6),
        pytest.approx(icc.conf_low, abs=1e-6),
        pytest.approx(icc.conf_high, rel=1e-6),
    )
    assert any("learned from y at w1" in a and "24 institutions" in a for a in plan.assumptions)
    found = study_power(listed, Wishes(learn="y", effects=(0.4,)))
    row = found.table.iloc[0]
    assert row["power_low"] < row["power"] < row["power_high"]
    assert found.icc_labels() == ("ICC learned",)
    assert found.across("power")[0][1][0].count("(") == 1


def test_a_learned_and_an_asked_correlation_stand_side_by_side(listed):
    found = study_power(listed, Wishes(learn="y", iccs=(0.05,), effects=(0.4,)))
    assert found.icc_labels() == ("ICC learned", "ICC 0.05")
    assert "power_low" not in found.as_dict()["power"][1]


@pytest.mark.parametrize(("learn", "code"), [("nothing", "PWR-046"), ("y@w9", "PWR-046"), ("y@w2", "PWR-045")])
def test_nothing_is_learned_from_nothing(listed, learn, code):
    with pytest.raises(Refusal, match=code):
        study_power(listed, Wishes(learn=learn))


def test_the_simulation_draws_the_studys_own_lot(listed):
    plan = plan_trial(listed, Wishes(iccs=(0.1,)))
    arms = plan.situation.allocations(200)
    strata = np.array(MUNICIPALITIES)
    for name in ("North", "South", "West"):
        assert (arms[:, strata == name].sum(axis=1) * 2 == (strata == name).sum()).all()
    assert plan.situation.strata.shape == (24, 2)
    assert (plan.situation.strata.sum(axis=0) == [8, 4]).all()


def test_an_institution_that_closed_before_the_draw_is_not_counted(tmp_path):  # 2, 5
    study = declared(tmp_path)
    ids, closed = [f"i{n:02}" for n in range(13)], [""] * 12 + ["2020-08-01"]
    frame = pd.DataFrame({"institution_id": ids, "municipality": ["North"] * 12 + ["West"], "closed_on": closed})
    store(study, "institutions", frame, "institutions")
    plan = plan_trial(study, Wishes(iccs=(0.1,)))
    assert plan.design.clusters == 12 and plan.design.strata == 1
    assert plan.situation.allocations(50).shape == (50, 12)


def test_a_list_that_cannot_be_drawn_over_still_has_a_power(tmp_path):
    study = declared(tmp_path)
    places = ["North"] * 12 + ["West"]  # one alone in its stratum: refused by the lot, and so by a simulation of it
    store(study, "institutions", pd.DataFrame({"institution_id": range(13), "municipality": places}), "institutions")
    assert len(study_power(study, Wishes(iccs=(0.1,))).table) == 2
    with pytest.raises(AspError, match="RND-010"):
        study_power(study, Wishes(iccs=(0.1,)), simulate=1000)


def test_formula_and_simulation_agree_for_the_study(listed):
    found = study_power(listed, Wishes(iccs=(0.1,), effects=(0.4, 0.6)), simulate=1024)
    for row in found.table.itertuples():
        assert row.simulated_power == pytest.approx(row.power, abs=3.5 * row.monte_carlo_error + 0.01)
    assert any("own lot" in a for a in found.assumptions())
    assert "own lot" in found.account_frame()["assumed"][0]


def test_without_a_list_every_allocation_is_as_likely(planned):
    found = study_power(planned, simulate=256)
    assert found.planned.situation is None
    assert any("every allocation" in a for a in found.assumptions())


def test_curves_pass_through_the_table(planned):
    found = study_power(planned)
    for icc, frame in zip(found.planned.iccs, found.curves(points=9), strict=True):
        assert frame["power"].iloc[0] == pytest.approx(0.05)
        assert frame["power"].is_monotonic_increasing
        mine = found.table.loc[found.table["icc"] == icc]
        assert np.interp(0.2, frame["effect"], frame["power"]) == pytest.approx(mine["power"].iloc[0], abs=0.05)


def test_few_institutions_with_a_small_correlation_have_the_simulated_power_unasked(tmp_path) -> None:
    """8 institutions of 15 with an ICC of .02: the formula says more than trials find."""
    few = "power: {institutions: 8, children: 15, icc: [0.02], effect: [0.5]}\n"
    plain = STUDY.replace("strata: [municipality]\n", "strata: []\n").replace("scheme: stratified", "scheme: simple")
    plain = plain.replace(", baseline: w1", "")
    found = study_power(declared(tmp_path, plain + few))
    row = found.table.iloc[0]
    assert found.few and found.trials == 5_000
    assert row["power"] == pytest.approx(0.528, abs=5e-4)
    assert row["simulated_power"] == pytest.approx(0.476, abs=0.025)
    assert any("go by the simulated power" in said for said in found.assumptions())
    many = study_power(declared(tmp_path, plain + few.replace("institutions: 8", "institutions: 40")))
    assert not many.few and "simulated_power" not in many.table
