"""Items imputed in place of their score, and outcomes that are no measures imputed as their score or as what they are.

1. A score from whole answers is the instrument's own, of scales and composites, of both forms; and by hand
2. Observed answers stay, the outcome of every completed data set is the sum of its items, and the pooled effect is that by hand
3. A coded outcome follows from the nearest score; effects are pooled as log odds ratios, by hand with glmm and clmm
4. An answer without a score is imputed itself; counts, items that are none, and forms that differ say why
5. Rows in results.csv, words and figure of odds ratios, in both languages
"""

from __future__ import annotations

from dataclasses import replace

import builders
import numpy as np
import pandas as pd
import pytest
import yaml

import asp_eval
from asp_eval.analysis import imputed_items
from asp_eval.analysis import missing_outcomes as room
from asp_eval.analysis.data import load_data
from asp_eval.analysis.declared_results import ImputedArm, ImputedEffect, MissingOutcomeResult, ShiftedEffect, TippingPoint
from asp_eval.analysis.formulas import model_formula
from asp_eval.analysis.imputation_rows import (
    ANSWER_IMPUTED,
    ITEMS_IMPUTED,
    NEAREST_SCORE,
    NOT_ITEMS,
    Coding,
    completed_set,
    imputation_rows,
)
from asp_eval.analysis.imputed_items import NO_ITEMS, NOT_ALWAYS_ASKED, UNANSWERED, UNLIKE_FORMS, items_at
from asp_eval.analysis.results import tidy
from asp_eval.analysis.sets import MISSING, assemble
from asp_eval.core.errors import DataProblems
from asp_eval.reporting.blocks import Figure, Table
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.missing_outcomes import missing_outcomes
from asp_eval.reporting.setting import Setting
from asp_eval.stats.imputation import draws
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.trial.instruments.computing import score_of_whole
from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.outcomes import ScoreSource
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.outcome import Outcome
from tests.simulated_sets import STUDY, declares

ASKED = "missing_outcome: {sensitivity: [imputation], imputations: 5, reference: [jump]}"
SDQ = "sdq-teacher-4-17"
CHILDREN = pd.Series(["a", "b"])
SCORED = {"id": "y", "score": f"{SDQ}.conduct", "role": "primary", "better": "lower", "at": "w3", "baseline": "w1"}
COLUMN = {"id": "y", "column": "screening.score", "role": "primary", "better": "lower", "at": "w3", "baseline": "w1"}


@pytest.fixture(autouse=True)
def short_chains(monkeypatch):
    monkeypatch.setattr(draws, "FIRST_SWEEPS", 40)
    monkeypatch.setattr(draws, "MOST_SWEEPS", 40)


def studied(stored, outcome: dict, asked: str = ASKED):
    """The stored study with one outcome declared otherwise, and its data; a fifth of the scores at the end are missing."""
    declared = yaml.safe_load(STUDY.format(analysis=f"set: itt, {asked}"))
    declared["outcomes"] = [outcome]
    if "score" in outcome:
        declared["collect"] = {"screening": {"waves": ["w1", "w2", "w3"], "instruments": [SDQ]}}
    data = load_data(declares(stored, "set: itt"))
    visits = data.visits.copy()
    visits["score"] = np.round(visits["score"])
    visits["yes"] = (visits["score"] > 4).astype(float)
    gone = (visits["wave"] == "w3") & (np.random.default_rng(2).random(len(visits)) < 0.2)
    visits.loc[gone, ["score", "yes"]] = np.nan
    study = Study.model_validate(declared)
    return study, replace(data, study=study, visits=visits)


def with_answers(data):
    """Answers to the conduct scale: some children open one item, some all; and the scores of those with three at least."""
    rng = np.random.default_rng(4)
    form = instrument(SDQ)
    rows = data.visits[["child_id", "wave"]].reset_index(drop=True)
    own = rng.normal(size=rows["child_id"].nunique())[rows["child_id"].astype("category").cat.codes]
    answers = rows.copy()
    for key in form.item_keys:
        latent = own * (-1 if form.item(key).reverse else 1) + rng.normal(size=len(rows))
        answers[f"{SDQ}.{key}"] = np.digitize(latent, [-0.3, 1.0]).astype(float)
    last = answers["wave"] == "w3"
    answers.loc[last & (rng.random(len(rows)) < 0.15), f"{SDQ}.fights"] = np.nan
    answers.loc[last & (rng.random(len(rows)) < 0.15), list(form.columns)] = np.nan
    scored = asp_eval.score(form, answers)["conduct"]
    scores = pd.DataFrame(
        {"unit_id": rows["child_id"], "wave": rows["wave"], "instrument": SDQ, "scale": "conduct", "score": scored, "band": None}
    )
    return replace(data, scores=scores), {SDQ: answers}


@pytest.mark.parametrize("form", ["sdq-teacher-4-17", "sdq-teacher-2-4"])
@pytest.mark.parametrize("scale", ["conduct", "prosocial", "total"])
def test_whole_answers_score_as_the_instrument_scores_them(form, scale):  # 1
    own = instrument(form)
    answers = pd.DataFrame(np.random.default_rng(1).integers(0, 3, (40, 25)), columns=list(own.item_keys))
    from asp_eval.trial.instruments.computing import counted, items_of

    columns = [counted(own, item, answers[item.key].to_numpy(float)) for item in items_of(own, scale)]
    np.testing.assert_array_equal(score_of_whole(own, scale, columns), asp_eval.score(own, answers)[scale])
    moved = [column + 0.3 for column in columns]  # what is not whole is neither rounded nor cut
    np.testing.assert_allclose(score_of_whole(own, scale, moved), asp_eval.score(own, answers)[scale] + 0.3 * len(columns))


def test_items_are_imputed_and_scored(stored):  # 2
    study, data = studied(stored, SCORED, ASKED.replace("[jump]", "[jump], items: true"))
    data, answers = with_answers(data)
    rows = assemble(data, "y")
    own = imputation_rows(data, rows, answers)
    blank = {SDQ: answers[SDQ].assign(**{f"{SDQ}.fights": np.nan})}
    assert NOT_ITEMS(reason=UNANSWERED.reason) in imputation_rows(data, rows, blank).notes  # the score, then
    assert own.visits[-1] == tuple(f"item__{key}" for key in ("tantrum", "obeys", "fights", "lies", "steals"))
    imputed = room._impute(own, study.analysis.missing_outcome, "arm")
    completed = own.completed(imputed)
    now = answers[SDQ].loc[answers[SDQ]["wave"] == "w3"].set_index("child_id").reindex(own.frame["child_id"])
    for frame in completed:
        items = frame[list(own.visits[-1])].to_numpy()
        np.testing.assert_allclose(frame["y"], items.sum(1))
        obeys = now[f"{SDQ}.obeys"].to_numpy()
        known = ~np.isnan(obeys)
        np.testing.assert_array_equal(frame.loc[known, "item__obeys"], 2 - obeys[known])  # reversed
        whole = ~now[[f"{SDQ}.{key[6:]}" for key in own.visits[-1]]].isna().any(axis=1).to_numpy()
        np.testing.assert_array_equal(frame.loc[whole, "y"], frame.loc[whole, "child_id"].map(data.values(rows.outcome, "w3")))
    one_open = now[f"{SDQ}.fights"].isna().to_numpy() & now[f"{SDQ}.obeys"].notna().to_numpy()
    assert (completed[0]["y"] != completed[1]["y"])[one_open].all()
    found = room.missing_outcomes(data, rows, KenwardRoger(), answers)
    assert [e.analysis for e in found.effects] == ["imputation", "jump"]
    assert ITEMS_IMPUTED in found.notes
    formula = model_formula(completed_set(rows, own, MISSING))
    by_hand = completed.fit(lambda frame: asp_eval.lmm(formula, frame)).pool().set_index("term")
    effect = found.effects[0].result
    assert effect.estimate == pytest.approx(by_hand.loc[effect.term, "estimate"])
    assert effect.std_error == pytest.approx(by_hand.loc[effect.term, "std_error"])
    moved = own.completed(imputed, {study.arms[1]: 2.0})  # scores of those who are not seen, and of no one else
    difference = moved[0]["y"] - completed[0]["y"]
    np.testing.assert_allclose(difference, 2.0 * (own.gone & (own.frame["arm"] == study.arms[1])), atol=1e-12)


def test_items_that_cannot_be_imputed_say_why(stored):  # 4
    study, data = studied(stored, SCORED)
    _, answers = with_answers(data)
    outcome = study.outcomes[0]
    for change, reason in (
        ({"score": None, "column": "screening.score"}, NO_ITEMS),
        ({"score": "sdq-teacher-impact.impact"}, NO_ITEMS),
    ):
        assert items_at(study, answers, outcome.model_copy(update=change), "w3", CHILDREN) is reason
    both = study.collect.model_copy(
        update={"screening": (study.collect.screening[0].model_copy(update={"instruments": ("sdq-teacher-impact",)}),)}
    )
    asked = study.model_copy(update={"collect": both})
    given = {"sdq-teacher-impact": pd.DataFrame()}
    assert (
        items_at(asked, given, outcome.model_copy(update={"score": "sdq-teacher-impact.impact"}), "w3", CHILDREN)
        is NOT_ALWAYS_ASKED
    )
    with pytest.raises(DataProblems, match="STU-046"):
        declares(stored, "set: itt, missing_outcome: {items: true}")


def test_items_of_two_forms_count_as_one_where_they_stand_alike(stored, monkeypatch):  # 4
    study, _ = studied(stored, SCORED)
    older, younger = instrument(SDQ), instrument("sdq-teacher-2-4")
    answers = {
        form.id: pd.DataFrame(2.0, index=[0], columns=list(form.columns)).assign(
            child_id=form.id, wave="w3", **{f"{form.id}.{key}": 1.0}
        )
        for form, key in ((older, "steals"), (younger, "spite"))
    }

    def forms(*given):
        monkeypatch.setattr(imputed_items, "source_of", lambda *_: ScoreSource("sdq-teacher", "conduct", given))
        monkeypatch.setattr(imputed_items, "declared_forms", lambda *_: given)
        return items_at(study, answers, study.outcomes[0], "w3", pd.Series([older.id, younger.id]))

    assert forms(younger, older).frame["item__steals"].tolist() == [1.0, 1.0]
    assert forms(younger, older).frame["item__obeys"].tolist() == [0.0, 0.0]
    by_mean = [scale.model_copy(update={"rule": scale.rule.model_copy(update={"method": "mean"})}) for scale in younger.scales]
    assert forms(younger.model_copy(update={"scales": tuple(by_mean)}), older) is UNLIKE_FORMS


def test_a_coding_takes_the_nearest_score():  # 3
    outcome = Outcome.model_validate(SCORED | {"scale": "binary", "cut": 4, "baseline": None})
    scores = pd.Series([3.49, 3.5, -2.0, 12.0, np.nan])
    coding = Coding(outcome, scores, True, 0.0, 10.0, (), ())
    assert coding.of(scores).tolist()[:4] == [0.0, 1.0, 0.0, 1.0]
    assert np.isnan(coding.of(scores).iloc[4])
    finer = replace(coding, whole=False)
    assert finer.of(pd.Series([3.99, 4.0])).tolist() == [0.0, 1.0]
    banded = Outcome.model_validate({key: value for key, value in SCORED.items() if key != "baseline"} | {"scale": "ordinal"})
    bands = Coding(banded, scores, True, 0.0, 10.0, ("low", "raised", "high"), (("low", 2.0), ("raised", 5.0), ("high", 10.0)))
    assert bands.of(pd.Series([2.4, 2.6, 5.4, 5.6, 99.0, -1.0])).tolist() == [0.0, 1.0, 1.0, 2.0, 2.0, 0.0]


@pytest.mark.parametrize(
    ("scale", "cut", "model"),
    [
        pytest.param("binary", 5, asp_eval.glmm, id="glmm"),
        pytest.param("ordinal", [4, 6], asp_eval.clmm, id="clmm", marks=pytest.mark.slow),
    ],
)
def test_effects_are_pooled_as_log_odds_ratios(stored, scale, cut, model):  # 3
    study, data = studied(stored, COLUMN | {"scale": scale, "cut": cut})
    rows = assemble(data, "y")
    found = room.missing_outcomes(data, rows, KenwardRoger())
    assert [e.analysis for e in found.effects] == ["complete-cases", "imputation", "jump"]
    assert {e.measure for e in found.effects} == {"odds-ratio"}
    assert NEAREST_SCORE in found.notes
    own = imputation_rows(data, rows, {})
    completed = own.completed(room._impute(own, study.analysis.missing_outcome, "arm"))
    assert set(completed[0]["y"].unique()) <= {0.0, 1.0, 2.0}
    known = rows.frame.set_index("child_id")["y"]
    np.testing.assert_array_equal(completed[0].set_index("child_id").loc[known.index, "y"], known)
    formula = model_formula(completed_set(rows, own, MISSING))
    fits = completed.fit(lambda frame: model(formula, frame, n_quadrature=15))
    by_hand = fits.pool(asp_eval.BetweenWithin()).set_index("term")
    effect = found.effects[1].result
    row = by_hand.loc[effect.term]
    assert effect.estimate == pytest.approx(np.exp(row["estimate"]))
    assert effect.std_error == pytest.approx(np.exp(row["estimate"]) * row["std_error"])
    assert (effect.conf_low, effect.conf_high) == pytest.approx((np.exp(row["conf_low"]), np.exp(row["conf_high"])))
    assert effect.p_value == pytest.approx(row["p_value"])
    cases = model(model_formula(rows), rows.frame, n_quadrature=15).contrast({effect.term: 1.0}, method=asp_eval.BetweenWithin())
    assert found.effects[0].result.estimate == pytest.approx(np.exp(cases.estimate))


def test_an_answer_without_a_score_is_imputed_itself(stored):  # 4
    study, data = studied(stored, COLUMN)
    outcome = study.outcomes[0].model_copy(update={"column": "screening.yes", "scale": "binary"})
    study = study.model_copy(update={"outcomes": (outcome,)})
    data = replace(data, study=study)
    rows = assemble(data, "y")
    own = imputation_rows(data, rows, {})
    assert {name: own.variables[name] for name in ("baseline", "score__2", "y")} == dict.fromkeys(
        ("baseline", "score__2", "y"), "binary"
    )
    found = room.missing_outcomes(data, rows, KenwardRoger())
    assert [e.analysis for e in found.effects] == ["complete-cases", "imputation"]
    assert ANSWER_IMPUTED in found.notes
    assert found.tipping == ()


def test_odds_ratios_in_the_table_and_in_words():  # 5
    ratio = builders.estimate(0.7)
    curve = (ShiftedEffect(0.0, -0.4, -0.7, -0.1, False), ShiftedEffect(1.0, -0.1, -0.4, 0.2, False))
    lost = MissingOutcomeResult(
        imputations=5,
        variables=("y",),
        predictors=(),
        arms=(ImputedArm("reference", 10, 2), ImputedArm("intervention", 12, 3)),
        chains=4,
        sweeps=100,
        between=5,
        rhat=1.02,
        effective_draws=60.0,
        effects=(
            ImputedEffect("complete-cases", "intervention", ratio, measure="odds-ratio"),
            ImputedEffect("imputation", "intervention", ratio, 0.1, 0.01, 10.0, 12.0, "odds-ratio"),
        ),
        tipping=(TippingPoint("intervention", True, 0.7, False, curve),),
        notes=(NEAREST_SCORE,),
    )
    results = builders.results(outcomes=(builders.outcome(missing=lost),))
    terms = tidy(results)
    assert "odds ratio of arm[T.intervention]" in terms.loc[terms["model"].str.startswith("complete-cases: "), "term"].tolist()
    for language, words in (
        ("en", ("odds ratio of the model", "includes one", "Log odds ratio")),
        ("da", ("oddsratio", "omfatter 1", "Log-oddsratio")),
    ):
        blocks = missing_outcomes(results, Setting(results, Numbers(words_for(language))))
        said = repr(blocks)
        assert all(word in said for word in words)
        table = next(b for b in blocks if isinstance(b, Table))
        assert len(table.rows) == 3  # the heading, complete cases and imputation: no difference beside odds ratios
        assert any(isinstance(b, Figure) for b in blocks)
