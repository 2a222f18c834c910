"""Missing outcomes and baselines in a study that declares what becomes of them.

1. Imputation, tipping point, reference-based imputation: rows in results.csv after the others, counts that add up, languages
2. The pooled effect is that of the stats room on the same rows; the tipping point is where the interval meets zero
3. A missing baseline by an indicator: nobody is left out, by hand and by the words; complete cases as before
4. What is not imputed says why; keys without sense are refused
"""

from __future__ import annotations

from dataclasses import replace

import builders
import numpy as np
import pandas as pd
import pytest

import asp_eval
from asp_eval.analysis import missing_outcomes as room
from asp_eval.analysis.data import load_data
from asp_eval.analysis.declared_results import AllWaves, MissingOutcomeResult, WaveEffect
from asp_eval.analysis.imputation_rows import completed_set
from asp_eval.analysis.outcomes import analyse
from asp_eval.analysis.results import tidy
from asp_eval.analysis.sets import MISSING, assemble
from asp_eval.core.errors import AspError, DataProblems, Unavailable
from asp_eval.reporting.blocks import Table
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.missing_outcomes import missing_outcomes
from asp_eval.reporting.setting import Setting
from asp_eval.stats.imputation import draws
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from tests.simulated_sets import declares

ASKED = "missing_outcome: {sensitivity: [imputation, tipping-point], imputations: 5, reference: [jump]}"


def test_all_waves_stand_beside_their_own_score_whatever_its_title():  # 1
    lost = MissingOutcomeResult(0, (), (), (), 0, 0, 0, None, None, (), (), (room.NOTHING_MISSING,))
    title = {"da": "Problemer", "en": "Problems"}
    both = tuple(builders.outcome(key, label=title, missing=lost) for key in ("conduct", "peer"))
    effect = WaveEffect("intervention", "w3", "", builders.estimate(-0.4))
    waves = AllWaves("conduct", title, "lower", "w1", "m", 9, 18, 4, (effect,), (), (), (), ())
    results = builders.results(outcomes=both, waves=(waves,))
    table = next(b for b in missing_outcomes(results, Setting(results, Numbers(words_for("en")))) if isinstance(b, Table))
    names = [row.cells[0].text for row in table.rows]
    assert names.count("all waves in one model") == 1 and names.index("all waves in one model") < len(names) - 2


@pytest.fixture(autouse=True)
def short_chains(monkeypatch):
    monkeypatch.setattr(draws, "FIRST_SWEEPS", 40)
    monkeypatch.setattr(draws, "MOST_SWEEPS", 40)


def with_losses(data, share=0.25):
    """The same data with the score of some children missing at the end."""
    rng = np.random.default_rng(2)
    visits = data.visits.copy()
    gone = (visits["wave"] == "w3") & (rng.random(len(visits)) < share)
    visits["score"] = visits["score"].mask(gone)
    return replace(data, visits=visits)


def test_a_declared_study(stored):  # 1
    study = declares(stored, f"set: itt, {ASKED}")
    data = with_losses(load_data(study))
    outcome = study.outcomes[0]
    rows = assemble(data, outcome.id)
    found = room.missing_outcomes(data, rows, KenwardRoger())
    assert [e.analysis for e in found.effects] == ["imputation", "jump"]
    cohort = sum(arm.cohort - arm.filtered_out for arm in rows.flow)
    assert sum(arm.children for arm in found.arms) == cohort
    assert sum(arm.children - arm.imputed for arm in found.arms) == rows.frame["child_id"].size
    imputation, jump = (e.result for e in found.effects)
    assert abs(jump.estimate) < abs(imputation.estimate)
    (tipping,) = found.tipping
    assert [c.delta for c in tipping.curve] == sorted(c.delta for c in tipping.curve)
    assert not isinstance(tipping.delta, Unavailable)  # 2
    cohort = room.imputation_rows(data, rows, {})
    own = room.Pooling(study, completed_set(rows, cohort, MISSING), KenwardRoger())
    imputed = room._impute(cohort, study.analysis.missing_outcome, "arm")
    at = own.table(imputed.shift(outcome.id, {study.arms[1]: tipping.delta})).iloc[0]
    assert min(abs(at["conf_low"]), abs(at["conf_high"])) < 0.02 * (at["conf_high"] - at["conf_low"])
    by_hand = imputed.fit(lambda frame: asp_eval.lmm(rows_formula(rows), frame)).pool()
    row = by_hand.set_index("term").loc[imputation.term]
    assert imputation.estimate == pytest.approx(row["estimate"])
    assert imputation.df == pytest.approx(row["df"])


def rows_formula(rows) -> str:
    from asp_eval.analysis.formulas import model_formula

    return model_formula(rows)


def test_results_and_report(stored, analysed, monkeypatch):  # 1
    study = declares(stored, f"set: itt, {ASKED}")
    plain, original = analysed("set: itt"), load_data(study)
    monkeypatch.setattr("asp_eval.analysis.outcomes.load_data", lambda _study: with_losses(original))
    results = analyse(study)
    table = tidy(results)
    added = table.loc[table["model"].str.startswith(("imputation: ", "jump: "))]
    assert len(added) == 4
    assert len(table) - len(added) == len(tidy(plain))
    english, danish = (repr(evaluation(results, language)) for language in ("en", "da"))
    assert "Missing outcomes" in english
    assert "Manglende målinger" in danish


def test_nothing_missing_and_other_scales_say_why(loaded):  # 4
    data = loaded(f"set: itt, {ASKED}")
    study = data.study
    rows = assemble(data, study.outcomes[0].id)
    scores = data.visits.groupby("child_id")["score"].count()
    whole = data.children["child_id"].isin(scores.index[scores == 3])
    full = replace(data, children=data.children.assign(standing=data.children["standing"].where(whole, "joined_later")))
    found = room.missing_outcomes(full, assemble(full, study.outcomes[0].id), KenwardRoger())
    assert (found.imputations, found.notes) == (0, (room.NOTHING_MISSING,))
    other = replace(rows, outcome=rows.outcome.model_copy(update={"scale": "count"}))
    assert room.missing_outcomes(data, other, KenwardRoger()).notes == (room.COUNTS,)


@pytest.mark.parametrize("wrong", ["{delta: [1]}", "{sensitivity: []}", "{imputations: 1}", "{items: true}"])
def test_keys_without_sense(stored, wrong):  # 4
    with pytest.raises(AspError):
        declares(stored, f"set: itt, missing_outcome: {wrong}")


def test_a_missing_baseline_by_an_indicator(stored, loaded):  # 3
    data = loaded("set: itt, missing_baseline: indicator")
    study = data.study
    visits = data.visits.copy()
    first = visits.index[visits["wave"] == "w1"]
    visits.loc[first[::7], "score"] = np.nan
    data = replace(data, visits=visits)
    rows = assemble(data, study.outcomes[0].id)
    assert rows.frame["baseline__missing"].sum() == rows.indicated["baseline"] > 0
    assert all(arm.missing_baseline == 0 for arm in rows.flow)
    assert rows.covariates[:2] == ("baseline", "baseline__missing")
    cases = assemble(replace(data, study=declares(stored, "set: itt, missing_baseline: complete-cases")), study.outcomes[0].id)
    assert len(rows.frame) - len(cases.frame) == rows.indicated["baseline"]
    # whatever stands in place of what is missing, the effect is the same
    fits = []
    for value in (0.0, 50.0):
        frame = rows.frame.assign(baseline=rows.frame["baseline"].mask(rows.frame["baseline__missing"] == 1, value))
        fits.append(asp_eval.lmm(rows_formula(rows), frame).contrast({f"arm[T.{study.arms[1]}]": 1.0}).estimate)
    assert fits[0] == pytest.approx(fits[1], rel=1e-6)


def test_what_was_pooled_is_the_curve_without_a_shift_and_is_not_fitted_again(stored, monkeypatch):
    study = declares(
        stored, "set: itt, missing_outcome: {sensitivity: [imputation, tipping-point], imputations: 5, delta: [0, 2]}"
    )
    data = with_losses(load_data(study))
    shifts = []
    own = room.ImputationRows.completed
    monkeypatch.setattr(room.ImputationRows, "completed", lambda *asked: shifts.append(asked[2:]) or own(*asked))
    found = room.missing_outcomes(data, assemble(data, study.outcomes[0].id), KenwardRoger())
    assert ({study.arms[1]: 0.0},) not in shifts
    unshifted, pooled = found.tipping[0].curve[0], found.effects[0].result
    assert (unshifted.delta, unshifted.estimate, unshifted.conf_low) == (0.0, pooled.estimate, pooled.conf_low)


def test_declared_shifts_are_the_points_of_the_curve(stored):
    study = declares(stored, "set: itt, missing_outcome: {sensitivity: [tipping-point], imputations: 5, delta: [-1, 2]}")
    data = with_losses(load_data(study))
    found = room.missing_outcomes(data, assemble(data, study.outcomes[0].id), KenwardRoger())
    assert [c.delta for c in found.tipping[0].curve] == [-1.0, 0.0, 2.0]
    estimates = [c.estimate for c in found.tipping[0].curve]
    assert estimates == sorted(estimates)
    pd.testing.assert_series_equal(pd.Series(np.sign(np.diff(estimates))), pd.Series([1.0, 1.0]))
    with pytest.raises(DataProblems):
        declares(stored, "set: itt, missing_outcome: {sensitivity: [none]}")


def test_complete_cases_that_are_far_off_are_told(loaded):  # 2
    """Lost after the second wave: the lower scores of one arm, the higher ones of the other."""
    data = loaded("set: itt, missing_outcome: {imputations: 5}")
    study = data.study
    visits = data.visits.copy()
    second = visits.loc[visits["wave"] == "w2"].set_index("child_id")["score"]
    arm = data.children.set_index("child_id")["arm"].astype(str)
    high = visits["child_id"].map(second - second.groupby(arm.reindex(second.index)).transform("median")) > 0
    lost = (visits["wave"] == "w3") & (high != (visits["child_id"].map(arm) == study.arms[1]))
    lost &= np.random.default_rng(1).random(len(visits)) < 0.7
    for gone, told in ((lost, True), (lost & False, False)):
        changed = replace(data, visits=visits.assign(score=visits["score"].mask(gone)))
        notes = room.missing_outcomes(changed, assemble(changed, "y"), KenwardRoger()).notes
        assert (room.CASES_APART in notes) is told
