"""The account of every score: what entered, what lacks, why a score is missing. And the rules behind it, worked by hand."""

import numpy as np
import pandas as pd
import pytest
from examples import part_of_examples
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.trial.instruments.library import instrument, instruments
from asp_eval.trial.instruments.scoring import score, score_long

SDQ, TEACHER, PARENT = (instrument(name) for name in ("sdq-teacher-4-17", "sdq-teacher-impact", "sdq-parent-impact"))


def rows(form, *answers):
    return pd.DataFrame(list(answers), columns=list(form.item_keys), dtype="float64")


def audit_of(form, **answers):
    return score(form, rows(form, answers), audit=True).set_index("scale")


def test_the_items_that_entered_and_those_that_lack():
    full = dict.fromkeys(SDQ.item_keys, 1)
    told = audit_of(SDQ, **full | {"tantrum": None})
    assert told.loc["conduct", "entered"] == "obeys, fights, lies, steals"
    assert told.loc["conduct", "lacking"] == "tantrum"
    assert told.loc["conduct", ["score", "n_answered", "prorated", "note"]].tolist() == [5, 4, True, ""]
    assert told.loc["emotion", ["entered", "lacking", "note"]].tolist() == ["somatic, worries, unhappy, clingy, afraid", "", ""]
    assert told.loc["total", ["entered", "prorated"]].tolist() == ["emotion, conduct, hyper, peer", True]


def test_why_a_score_is_missing():
    full = dict.fromkeys(SDQ.item_keys, 1)
    told = audit_of(SDQ, **full | {"tantrum": None, "fights": None, "lies": None, "loner": None, "friend": None, "popular": None})
    assert told.loc["conduct", ["entered", "lacking"]].tolist() == ["", "tantrum, fights, lies"]
    assert told.loc["conduct", "note"] == "2 of 5 items answered, 3 needed"
    assert told.loc["total", ["entered", "lacking", "note"]].tolist() == ["", "conduct, peer", "missing: conduct, peer"]
    assert told.loc["internalising", "note"] == "missing: peer"
    assert np.isnan(told.loc["total", "score"])


@pytest.mark.parametrize(
    ("answers", "impact", "entered", "note"),
    [
        ({"ebddiff": 0}, 0, "", "not asked, as ebddiff is 0: scored 0"),
        ({"ebddiff": 0, "distres": 3}, 0, "", "not asked, as ebddiff is 0: scored 0; its answers do not count"),
        ({"ebddiff": 1, "distres": 1, "impfrie": 2, "impclas": 3}, 3, "distres, impfrie, impclas", ""),  # 0 + 1 + 2
        ({"ebddiff": 3, "distres": 3, "impfrie": 3, "impclas": 3}, 6, "distres, impfrie, impclas", ""),
        ({"distres": 0, "impfrie": 2, "impclas": 1}, 1, "distres, impfrie, impclas", ""),
        ({"ebddiff": 2, "distres": 3, "impfrie": 3}, None, "", "2 of 3 items answered, 3 needed"),
        ({}, None, "", "0 of 3 items answered, 3 needed"),
    ],
)
def test_impact_worked_by_hand(answers, impact, entered, note):
    told = audit_of(TEACHER, **answers).loc["impact"]
    assert told["score"] == impact or (impact is None and np.isnan(told["score"]))
    assert told[["entered", "note", "prorated"]].tolist() == [entered, note, False]


def test_impact_of_the_parent_form_runs_to_ten():
    worst = rows(PARENT, dict.fromkeys(PARENT.item_keys, 3))
    assert score(PARENT, worst)["impact"].tolist() == [10]
    for silent in ("chronic", "burden"):  # asked, but in no score
        assert score(PARENT, worst.assign(**{silent: 0}))["impact"].tolist() == [10]


def test_the_account_has_the_scores_of_the_table_for_every_instrument():
    generator = np.random.default_rng(1)
    for form in instruments():
        answers = pd.DataFrame({item.key: generator.choice(form.codes(item), 40).astype(float) for item in form.items})
        answers = answers.mask(generator.random(answers.shape) < 0.2)
        table, long = score(form, answers), score(form, answers, audit=True)
        np.testing.assert_array_equal(long["score"].to_numpy().reshape(table.shape), table.to_numpy())
        assert (long["score"].isna() == ((long["entered"] == "") & ~long["note"].str.startswith("not asked"))).all()
        assert (long["note"].astype(str)[long["score"].isna()] != "").all()
        n_entered = long["entered"].astype(str).map(lambda names: len(names.split(", ")) if names else 0)
        of_items = long["scale"].isin([scale.key for scale in form.scales]) & (n_entered > 0)
        assert (n_entered == long["n_answered"])[of_items].all()


@part_of_examples(0.35)
@given(st.lists(st.lists(st.none() | st.integers(0, 2), min_size=25, max_size=25), min_size=1, max_size=6))
def test_the_score_can_be_recomputed_from_what_entered(children):
    """The items named in the account, reversed by hand, give the score: the account is not told beside the arithmetic."""
    frame = pd.DataFrame(children, columns=list(SDQ.item_keys), dtype="float64")
    told = score(SDQ, frame, audit=True)
    for (row, scale), entry in told.set_index("scale", append=True).iterrows():
        if scale in {each.key for each in SDQ.scales} and entry["entered"]:
            turned = [2 - frame.loc[row, k] if SDQ.item(k).reverse else frame.loc[row, k] for k in entry["entered"].split(", ")]
            assert entry["score"] == np.floor(5 * sum(turned) / len(turned) + 0.5)


def test_no_rows_and_a_repeated_index_are_accounted_for():
    empty = score(SDQ, rows(SDQ), audit=True)
    assert empty.shape == (0, 7)
    twice = pd.DataFrame(1.0, index=["b", "b"], columns=list(SDQ.item_keys))
    assert score(SDQ, twice, audit=True).index.tolist() == ["b"] * 16


def test_the_wrong_form_for_the_age_is_said_per_row():
    answers = pd.DataFrame(1.0, index=range(5), columns=list(SDQ.item_keys))
    answers.loc[4] = np.nan  # not rated: the age does not matter
    ages = pd.Series([3.999, 4.0, np.nan, 18.0, 2.0])
    for scorer in (score, score_long):
        with pytest.raises(DataProblems) as caught:
            scorer(SDQ, answers, age_years=ages)
        told = [(problem.code, problem.place.row, problem.found) for problem in caught.value.problems]
        assert told == [("SCO-007", 2, "3.99 years"), ("SCO-007", 5, "18.00 years")]
        assert "sdq-teacher-4-17" in str(caught.value)
        assert "from 4 to below 18 years" in str(caught.value)
    assert len(score(SDQ, answers.iloc[1:3], age_years=ages.iloc[1:3])) == 2
    with pytest.raises(Refusal, match="SCO-008"):
        score(SDQ, answers, age_years=ages.iloc[:2])
    many = pd.DataFrame(1.0, index=range(250), columns=list(SDQ.item_keys))
    with pytest.raises(DataProblems, match="more cells at fault in the same way: 50"):
        score(SDQ, many, age_years=pd.Series([2.0] * 250))


HAND = {  # instrument: answers, scores worked by hand
    "organisational-learning": (
        {
            "source_institutions": 5,
            "source_companies": 1,
            "source_abroad": 1,
            "source_contacts": 3,  # mean 2.5: 37.5
            "safe_mistakes": 4,
            "safe_fear": 2,
            "safe_blame": 1,
            "safe_shame": 5,
            "safe_trust": 4,  # 4 4 5 1 4: mean 3.6
            "compare_to_learn": 5,  # one of two
            "barrier_risk": 1,
            "barrier_habits": 1,
            "barrier_managers": 1,
            "barrier_team": 1,
            "barrier_culture": 1,
            "barrier_media": 2,
        },  # six of nine, mean 7/6
        {"sources_outside": 37.5, "safety": 65, "comparing": None, "barriers": 25 / 6, "ways": None},
    ),
    "collaborative-innovation": (
        {
            "convene_people": 5,
            "convene_roles": 4,
            "convene_support": 4,
            "convene_direction": 3,  # mean 4 of four
            "facilitate_trust": 1,
            "facilitate_frame": 1,
            "facilitate_conflict": 1,
        },  # three of five
        {"convener": 75, "facilitator": None, "catalyst": None},
    ),
    "governance-npm-npg": (
        {"steering": 1, "parents": 5, "institutions": 1, "new_ideas": 5, "manager": 1, "effort": 4},  # 1 1 1 1 1 2
        {"npg": 100 / 24},
    ),
    "innovation-practice": (
        {
            "knowledge_design": 5,
            "knowledge_analysis": 3,
            "knowledge_development": 4,  # mean 4
            "organisation_design": 1,
            "material_design": 3,  # design: 5 1 3, mean 3
            "staff_launch": 5,
            "bricolage_at_hand": 2,
            "bricolage_start": 5,
            "cyclic": 5,
            "idea_from": 4,
        },
        {"knowledge": 75, "organisation": None, "design": 50, "analysis": None, "staff": None, "bricolage": 62.5},
    ),
}


@pytest.mark.parametrize("name", HAND)
def test_the_instruments_on_the_organisation_worked_by_hand(name):
    answers, expected = HAND[name]
    form = instrument(name)
    scores = score(form, rows(form, answers)).iloc[0]
    for key, value in expected.items():
        assert scores[key] == pytest.approx(value, rel=1e-12) if value is not None else np.isnan(scores[key]), key


def test_neither_end_is_called_better_where_that_is_so():
    neither = {(form.id, scale.key) for form in instruments() for scale in form.all_scales if scale.better == "neither"}
    assert neither == {
        ("governance-npm-npg", "npg"),
        ("innovation-practice", "bricolage"),
        ("innovation-practice", "formal"),
        ("organisational-learning", "comparing"),
    }
    lower = {scale.key for scale in instrument("organisational-learning").scales if scale.better == "lower"}
    assert lower == {"barriers", "network_problems"}
