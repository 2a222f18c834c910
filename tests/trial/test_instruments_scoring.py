"""Scores worked by hand, and responses that are refused."""

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.trial.instruments.bands import band, unbanded
from asp_eval.trial.instruments.definition import Instrument
from asp_eval.trial.instruments.families import score_family
from asp_eval.trial.instruments.library import instrument, instruments
from asp_eval.trial.instruments.scoring import score, score_long

SDQ = instrument("sdq-teacher-4-17")
FOUR, THREE = "uk-teachers-4-17-four-bands", "uk-teachers-4-17-three-bands"
NOTHING = dict.fromkeys(SDQ.item_keys, np.nan)
EMOTION = ["somatic", "worries", "unhappy", "clingy", "afraid"]
REVERSED = {"obeys": "conduct", "friend": "peer", "popular": "peer", "reflect": "hyper", "attends": "hyper"}


def one_child(**answers):
    return pd.DataFrame([{**NOTHING, **answers}])


def emotion(*answers):
    return score(SDQ, one_child(**dict(zip(EMOTION, answers, strict=False))))["emotion"].iloc[0]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((2, 1, 0, 0, 1), 4),  # 4 of 5 x 5
        ((0, 0, 0, 0, 0), 0),
        ((2, 2, 2, 2, 2), 10),
        ((1, 1, 0, 0), 3),  # 2 / 4 x 5 = 2.5, half up: 3 (to even: 2)
        ((1, 1, 1, 0), 4),  # 3.75
        ((1, 0, 0, 0), 1),  # 1.25
        ((2, 2, 2, 0), 8),  # 7.5, half up: 8
        ((1, 0, 0), 2),  # 1.67
        ((1, 1, 0), 3),  # 3.33
        ((2, 2, 2), 10),
    ],
)
def test_the_mean_of_the_answered_times_five_half_up(answers, expected):
    assert emotion(*answers) == expected


@pytest.mark.parametrize("answers", [(), (2,), (2, 2)])
def test_fewer_than_three_answers_give_no_score(answers):
    assert np.isnan(emotion(*answers))


@pytest.fixture(scope="module")
def one_answer_of_two():
    """The scores of a child whose every answer is 0, the first, and of children with a 2 for one item each."""
    zeros = dict.fromkeys(NOTHING, 0)
    children = [one_child(**zeros), *(one_child(**{**zeros, item: 2}) for item in SDQ.item_keys)]
    return score(SDQ, pd.concat(children)).set_axis(["", *SDQ.item_keys])[[each.key for each in SDQ.scales]]


@pytest.mark.parametrize("item", SDQ.item_keys)
def test_every_item_counts_in_its_direction(item, one_answer_of_two):
    scale = next(scale for scale in SDQ.scales if item in scale.items)
    # from an all-zero child, an answer of 2 moves its own scale by two points: down if the item is reversed
    moved = one_answer_of_two.loc[item] - one_answer_of_two.loc[""]
    assert moved[moved != 0].to_dict() == {scale.key: -2 if item in REVERSED else 2}
    assert REVERSED.get(item, scale.key) == scale.key


def test_a_child_worked_by_hand():
    child = one_child(
        consid=2,
        restles=1,
        somatic=0,
        shares=2,
        tantrum=1,
        loner=0,
        obeys=1,
        worries=1,
        caring=2,
        fidgety=1,
        friend=2,
        fights=0,
        unhappy=0,
        popular=2,
        distrac=2,
        clingy=1,
        kind=2,
        lies=0,
        bullied=0,
        helpout=1,
        reflect=1,
        steals=0,
        oldbest=1,
        afraid=0,
        attends=0,
    )
    assert score(SDQ, child).iloc[0].to_dict() == {
        "emotion": 2,  # 0+1+0+1+0
        "conduct": 2,  # 1+(2-1)+0+0+0
        "hyper": 7,  # 1+1+2+(2-1)+(2-0)
        "peer": 1,  # 0+(2-2)+(2-2)+0+1
        "prosocial": 9,  # 2+2+2+2+1
        "total": 12,
        "internalising": 3,
        "externalising": 9,
    }


def test_a_total_needs_all_its_scales():
    child = one_child(**{key: 1 for key in SDQ.item_keys if key not in {"tantrum", "fights", "lies"}})
    scores = score(SDQ, child).iloc[0]
    assert np.isnan(scores[["conduct", "total", "externalising"]].astype(float)).all()
    assert scores[["emotion", "internalising"]].tolist() == [5, 10]


def test_percent_of_the_maximum_worked_by_hand():
    gap = instrument("gap-competences-child")
    row = {**dict.fromkeys(gap.item_keys), "play_1": 5, "play_2": 4, "empathy_1": 3}
    row |= {"language_1": 1, "language_2": 1, "language_3": 1}
    scores = score(gap, pd.DataFrame([row])).iloc[0]
    assert scores["play"] == 87.5  # mean 4.5 of 1 to 5
    assert scores["language"] == 0
    assert np.isnan(scores["empathy"])  # one answer of three
    assert np.isnan(scores["social"])


def test_an_area_is_the_mean_of_its_dimensions():
    gap = instrument("gap-competences-staff")
    row = dict.fromkeys(gap.item_keys, 1)
    row |= {"play_1": 5, "play_2": 5, "play_3": 5, "empathy_1": 3, "empathy_2": 3, "empathy_3": 3}
    assert score(gap, pd.DataFrame([row]))["social"].iloc[0] == 50  # (100 + 50 + 0) / 3


@pytest.mark.parametrize("questionnaire", instruments(), ids=lambda each: each.id)
def test_every_instrument_scores_from_one_end_to_the_other(questionnaire):
    """Everyone at the answers that count most gets the high end of every scale, at those that count least the low end."""
    items, rows = {item.key: item for item in questionnaire.items}, []
    for scale in questionnaire.scales:  # scales may share items: two children for each
        rows += [dict.fromkeys(questionnaire.item_keys), dict.fromkeys(questionnaire.item_keys)]
        for key in scale.items:
            low, high = questionnaire.codes(items[key])[0], questionnaire.codes(items[key])[-1]
            rows[-2][key], rows[-1][key] = (high, low) if items[key].reverse else (low, high)
    scores = score(questionnaire, pd.DataFrame(rows, dtype="float64"))
    for k, scale in enumerate(questionnaire.scales):
        assert tuple(scores[scale.key].iloc[2 * k : 2 * k + 2]) == (scale.range.from_, scale.range.to)


@pytest.mark.parametrize("dtype", ["float64", "Int64", "Int8", "object", "string", "category"])
def test_the_type_of_the_column_makes_no_difference(dtype):
    answers = pd.DataFrame({key: [0, 1, 2, None] for key in SDQ.item_keys}, dtype="Int64")
    expected = score(SDQ, answers.astype("float64"))
    pd.testing.assert_frame_equal(score(SDQ, answers.astype(dtype)), expected)


def test_text_from_a_csv_is_read_and_blanks_are_unanswered():
    answers = pd.DataFrame({key: ["0", " 2 ", "1.0", "", "  "] for key in SDQ.item_keys})
    assert score(SDQ, answers)["emotion"].tolist()[:3] == [0, 10, 5]
    assert score(SDQ, answers)["emotion"].isna().tolist() == [False, False, False, True, True]


def test_stored_names_are_used_where_any_is_there():
    stored = pd.DataFrame([dict.fromkeys(SDQ.columns, 1)])
    assert score(SDQ, stored.assign(tantrum=2, sex="f"))["conduct"].tolist() == [5]


def test_the_index_is_kept_and_the_input_left_alone():
    answers = pd.DataFrame({key: [1, 2] for key in SDQ.item_keys}, index=pd.Index(["b", "b"], name="child_id"))
    before = answers.copy()
    assert score(SDQ, answers).index.equals(answers.index)
    pd.testing.assert_frame_equal(answers, before)


def test_no_rows_give_no_scores():
    nobody = pd.DataFrame({key: pd.Series(dtype=float) for key in SDQ.item_keys})
    assert score(SDQ, nobody).shape == (0, 8)
    assert score_long(SDQ, nobody).shape == (0, 6)


def faults(frame):
    with pytest.raises(DataProblems) as caught:
        score(SDQ, frame)
    return caught.value.problems


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (3, "SCO-003"),
        (-1, "SCO-003"),
        (0.5, "SCO-003"),
        (np.inf, "SCO-003"),
        ("9", "SCO-003"),
        ("yes", "SCO-002"),
        ("1,5", "SCO-002"),
        ("NA", "SCO-002"),
        (True, "SCO-002"),
    ],
)
def test_a_cell_that_is_no_code_is_refused_with_its_row(cell, code):
    answers = pd.DataFrame({key: [1, 1, 1] for key in SDQ.item_keys}).astype({"tantrum": object})
    answers.loc[1, "tantrum"] = cell
    (problem,) = faults(answers)
    assert (problem.code, problem.place.row, problem.place.column) == (code, 3, "tantrum")
    assert problem.expected == "0, 1, 2"


def test_a_column_of_truth_values_is_no_answer():
    answers = pd.DataFrame({key: [1, 1] for key in SDQ.item_keys}).assign(tantrum=[True, False])
    assert [problem.code for problem in faults(answers)] == ["SCO-002", "SCO-002"]


def test_every_fault_is_told_at_once():
    answers = pd.DataFrame({key: [1, 1] for key in SDQ.item_keys}, index=["anna", "bo"]).drop(columns=["kind", "lies"])
    answers.loc["bo", ["tantrum", "obeys"]] = [7, 8]
    told = {(problem.code, problem.place.column, problem.place.row) for problem in faults(answers)}
    assert told == {("SCO-001", "kind", None), ("SCO-001", "lies", None), ("SCO-003", "tantrum", 3), ("SCO-003", "obeys", 3)}
    assert "(row bo)" in str(next(problem for problem in faults(answers) if problem.code == "SCO-003"))


def test_a_long_list_is_cut_and_counted():
    answers = pd.DataFrame({key: [5] * 100 for key in SDQ.item_keys})
    problems = faults(answers)
    assert len(problems) == 201
    assert problems[-1].code == "SCO-005"
    assert problems[-1].text == "more cells at fault in the same way: 2300"


def test_a_repeated_column_is_refused():
    answers = pd.DataFrame(np.ones((1, 26)), columns=[*SDQ.item_keys, "tantrum"])
    assert [problem.code for problem in faults(answers)] == ["SCO-004"]


def test_long_rows_say_what_a_score_rests_on():
    answers = pd.DataFrame([NOTHING, NOTHING]).assign(child_id=["c1", "c2"], wave="w1")
    answers.loc[0, EMOTION[:4]] = [1, 1, 0, 0]
    long = score_long(SDQ, answers, keys=["child_id", "wave"], bands=FOUR)
    columns = ["child_id", "wave", "instrument", "scale", "score", "n_answered", "prorated", "band", "band_note"]
    assert list(long.columns) == columns
    assert list(score_long(SDQ, answers).columns) == columns[2:-1]
    assert long["scale"].tolist() == list(SDQ.scale_keys) * 2
    assert long["child_id"].tolist() == ["c1"] * 8 + ["c2"] * 8
    first = long.iloc[0]
    assert (first["score"], first["n_answered"], first["prorated"], first["band"]) == (3, 4, True, "close_to_average")
    rest = long.iloc[1:]
    assert rest["score"].isna().all()
    assert rest["band"].isna().all()
    assert not rest["prorated"].any()
    assert rest.iloc[4][["scale", "n_answered"]].tolist() == ["total", 4]


def test_a_total_of_prorated_scales_is_prorated():
    answers = pd.DataFrame([dict.fromkeys(SDQ.item_keys, 1) | {"loner": np.nan}])
    long = score_long(SDQ, answers).set_index("scale")
    assert long["prorated"].to_dict() == {
        "emotion": False,
        "conduct": False,
        "hyper": False,
        "peer": True,
        "prosocial": False,
        "total": True,
        "internalising": True,
        "externalising": False,
    }
    assert long.loc["total", "n_answered"] == 19


def test_bands_begin_and_end_where_the_source_says():
    named = band(SDQ, "total", pd.Series([0, 11, 12, 15, 16, 18, 19, 40, np.nan]), bands=FOUR)
    ends = ["close_to_average"] * 2 + ["slightly_raised"] * 2 + ["high"] * 2 + ["very_high"] * 2
    assert named.tolist()[:8] == ends
    assert named.isna().tolist()[8]
    assert band(SDQ, "prosocial", pd.Series([10, 6, 5, 4, 3, 0]), bands=FOUR).tolist() == [
        "close_to_average",
        "close_to_average",
        "slightly_lowered",
        "low",
        "very_low",
        "very_low",
    ]


def test_a_named_band_set_is_used_instead():
    assert band(SDQ, "total", pd.Series([12.0, 16.0]), bands=THREE).tolist() == ["borderline", "abnormal"]
    answers = pd.DataFrame([dict.fromkeys(SDQ.item_keys, 1)])
    assert set(score_long(SDQ, answers, bands=THREE)["band"].dropna()) == {"normal", "borderline", "abnormal"}


def test_no_bands_are_borrowed():
    young = instrument("sdq-teacher-2-4")
    answers = pd.DataFrame([dict.fromkeys(young.item_keys, 1)])
    assert score_long(young, answers)["band"].isna().all()
    assert "preschool staff are not known" in str(unbanded(young, "total"))
    assert "no bands for internalising" in str(unbanded(SDQ, "internalising", bands=FOUR))
    assert unbanded(SDQ, "total", bands=FOUR) is None
    with pytest.raises(Refusal, match="INS-021"):
        score_long(young, answers, bands=FOUR)
    with pytest.raises(Refusal, match=r"INS-020.*'totl'"):
        band(SDQ, "totl", pd.Series([1.0]))


YOUNG = instrument("sdq-teacher-2-4")


def family_rows():
    """Four children: rated on the young form, the old one, the old one too early, and not at all."""
    blank = dict.fromkeys([*YOUNG.columns, *SDQ.columns], np.nan)
    filled = [(YOUNG.columns, 1), (SDQ.columns, 2), (SDQ.columns, 0), ((), None)]
    rows = [blank | dict.fromkeys(columns, code) for columns, code in filled]
    return pd.DataFrame(rows, index=list("abcd")), pd.Series([3.2, 4.5, 3.9, 3.1], index=list("abcd"))


def test_a_family_is_scored_on_the_form_that_was_used():
    responses, ages = family_rows()
    scores = score_family("sdq-teacher", responses, ages)
    assert scores["form"].tolist() == [YOUNG.id, SDQ.id, SDQ.id, YOUNG.id]
    assert scores["form_note"].tolist() == ["", "", "the age picks sdq-teacher-2-4", ""]
    assert scores["conduct"].tolist()[:3] == [5, 8, 2]
    assert np.isnan(scores.loc["d", "conduct"])


def test_bare_keys_are_scored_on_the_form_for_the_age():
    keys = dict.fromkeys([*SDQ.item_keys, "argues", "spite"], 0)
    responses = pd.DataFrame([keys | {"argues": 2}, keys | {"lies": 2, "steals": 2}, keys])
    scores = score_family("sdq-teacher", responses, pd.Series([3.0, 5.0, np.nan]))
    assert scores["form"].tolist()[:2] == [YOUNG.id, SDQ.id]
    assert scores["conduct"].tolist()[:2] == [4, 6]
    assert scores["form"].isna().tolist()[2]
    assert "age is unknown" in scores["form_note"].iloc[2]
    assert scores.iloc[2, 2:].isna().all()


def test_answers_on_two_forms_are_refused():
    responses, ages = family_rows()
    responses.loc["b", YOUNG.columns[0]] = 1
    with pytest.raises(DataProblems, match=r"SCO-006\] responses row 3: .*sdq-teacher-2-4 and sdq-teacher-4-17"):
        score_family("sdq-teacher", responses, ages)


def test_faults_of_a_family_keep_the_row_of_the_whole_table():
    responses, ages = family_rows()
    responses.loc["a", "sdq-teacher-2-4.kind"] = 5
    responses.loc["c", "sdq-teacher-4-17.kind"] = 6
    with pytest.raises(DataProblems) as caught:
        score_family("sdq-teacher", responses, ages)
    assert [(problem.place.row, problem.found) for problem in caught.value.problems] == [(2, "5.0"), (4, "6.0")]


def test_a_family_needs_only_the_forms_it_was_given():
    responses, ages = family_rows()
    scores = score_family("sdq-teacher", responses[list(SDQ.columns)], ages)
    assert scores["form"].tolist() == [YOUNG.id, SDQ.id, SDQ.id, YOUNG.id]
    assert scores["total"].isna().tolist() == [True, False, False, True]


def own_instrument(method, *, codes, minimum, rounding="none"):
    """A questionnaire of three items, the last one reversed, with answers from and to any code."""
    both = {"da": "x", "en": "x"}
    n, (low, high) = 3, (codes[0], codes[-1])
    ends = {"pomp": (0, 100), "mean": (low, high)}.get(method, (n * low, n * high))
    text = {"title": both, "status": both, "licence": {"item_text": "included", "statement": both}, "bands": {"reason": both}}
    rule = {"method": method, "minimum_answered": minimum, "rounding": rounding}
    scale = {"key": "s", "title": both, "items": ["a", "b", "c"], "rule": rule, "better": "higher"}
    return Instrument.model_validate(
        text
        | {"id": "own", "version": 1, "family": "own", "languages": ["da", "en"], "informant": "staff", "unit": "child"}
        | {"provenance": [{"what": "all", "mark": "convention", "source": "this test"}]}
        | {"response_sets": {"r": [{"code": code, "label": both} for code in codes]}}
        | {"items": [{"number": i + 1, "key": key, "responses": "r", "reverse": key == "c"} for i, key in enumerate("abc")]}
        | {"scales": [scale | {"range": {"from": ends[0], "to": ends[1]}}]}
    )


@pytest.mark.parametrize(
    ("method", "minimum", "rounding", "expected"),
    [  # codes 2 to 6; answers 3, 6 and, reversed, 5 -> 3; then 3, 6 and nothing
        ("mean", 2, "none", (4, 4.5)),
        ("sum", 3, "none", (12, np.nan)),
        ("pomp", 2, "none", (50, 62.5)),  # (4 - 2) / 4, (4.5 - 2) / 4
        ("mean-times-n", 2, "none", (12, 13.5)),
        ("mean-times-n", 2, "half-up", (12, 14)),
        ("mean", 2, "half-up", (4, 5)),
    ],
)
def test_every_rule_with_codes_that_do_not_begin_at_nought(method, minimum, rounding, expected):
    own = own_instrument(method, codes=(2, 3, 4, 5, 6), minimum=minimum, rounding=rounding)
    scores = score(own, pd.DataFrame({"a": [3, 3], "b": [6, 6], "c": [5, None]}))
    np.testing.assert_array_equal(scores["s"], expected)


def test_codes_may_have_gaps():
    own = own_instrument("sum", codes=(0, 2, 8), minimum=3)
    assert score(own, pd.DataFrame({"a": [2], "b": [8], "c": [0]}))["s"].tolist() == [18]
    with pytest.raises(DataProblems, match=r"SCO-003.*expected 0, 2, 8"):
        score(own, pd.DataFrame({"a": [4], "b": [8], "c": [0]}))
