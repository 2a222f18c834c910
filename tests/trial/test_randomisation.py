"""The lot: the published rule, what it guarantees, and the lists it refuses.

1. The draw is the published rule's, as a person would derive it, and a stored draw never changes.
2. It does not depend on the order of the list.
3. Strata keep the ratio, and so does the whole list, also with odd strata.
4. Every institution has the declared probability of each arm, over seeds and over `allocations`.
5. `allocations` have the distribution of the draw: every allowed allocation, equally often.
6. Lists that cannot be drawn over are refused in trial language, all faults at once.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.trial.randomisation.declaration import scheme_of
from asp_eval.trial.randomisation.scheme import Scheme
from asp_eval.trial.study.design import Study


def randomise(study, institutions, *, seed, late=False):
    """Draw the lot that a study declares over a list of institutions."""
    return scheme_of(study, institutions, late=late).allocate(seed)


ARMS = ("reference", "intervention")
STORED = "011101000111101000011110101010100100001100110110000110011101"  # D01 to D60, 1 = intervention
STORED_DIGEST = "058b96acf961da6d5fdd055213a8a89fc1692ecb9fab37c0629a12ca86cb7a47"
WORKED = {  # docs/randomisation.md, derived with sha256sum
    "D01": "reference",
    "D02": "intervention",
    "D03": "reference",
    "D04": "intervention",
    "D05": "reference",
    "D06": "intervention",
}


def make_study(**changes: Any) -> Study:
    declared: dict[str, Any] = {
        "version": 1,
        "study": {"id": "mini", "title": {"en": "Mini"}},
        "arms": list(ARMS),
        "strata": ["municipality"],
        "waves": [{"id": "w1", "label": {"en": "start"}}],
        "collect": {"screening": {"waves": ["w1"]}},
        "outcomes": [{"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w1"}],
    }
    return Study.model_validate(declared | changes)


def make_list(*sizes: int) -> pd.DataFrame:
    strata = [stratum for stratum, size in zip("ABCDEF", sizes, strict=False) for _ in range(size)]
    return pd.DataFrame({"institution_id": [f"D{i + 1:02d}" for i in range(len(strata))], "municipality": strata})


def by_hand(frame: pd.DataFrame, seed: int, ratio: tuple[int, int]) -> dict[str, str]:
    """The rule of docs/randomisation.md, step by step, with nothing but hashlib and lists."""

    def key(text: str) -> str:
        return hashlib.sha256((str(seed) + ":" + text).encode("utf-8")).hexdigest()

    seat_arm = ["reference"] * ratio[0] + ["intervention"] * ratio[1]
    circle = sorted(range(1, sum(ratio) + 1), key=lambda number: key(f"seat:{number}"))
    lists = {name: sorted(part["institution_id"], key=key) for name, part in frame.groupby("municipality")}
    places = {name: [arm for arm in seat_arm for _ in range(len(ids) // sum(ratio))] for name, ids in lists.items()}
    turn = 0
    for name in sorted((n for n in lists if len(lists[n]) % sum(ratio)), key=lambda n: key(f"stratum:{n}")):
        for _ in range(len(lists[name]) % sum(ratio)):
            places[name].append(seat_arm[circle[turn % len(circle)] - 1])
            turn += 1
    drawn = {}
    for name, ids in lists.items():
        drawn |= dict(zip(ids, sorted(places[name], key=ARMS.index), strict=True))
    return drawn


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("ratio", [(1, 1), (1, 2), (3, 2)])
def test_the_draw_is_the_published_rule_s(seed: int, ratio: tuple[int, int]) -> None:  # 1
    frame = make_list(7, 5, 9, 4)
    study = make_study(randomisation={"scheme": "stratified", "ratio": list(ratio)})
    drawn = randomise(study, frame, seed=seed)
    assert dict(zip(drawn.institution_ids, drawn.arms, strict=True)) == by_hand(frame, seed, ratio)


def test_a_stored_draw_never_changes() -> None:  # 1
    drawn = randomise(make_study(), make_list(41, 19), seed=2006)
    assert "".join(str(ARMS.index(arm)) for arm in drawn.arms) == STORED
    assert drawn.digest == STORED_DIGEST
    assert drawn.scheme == "stratified by municipality; reference 1, intervention 1"


def test_the_worked_example_of_the_method_note() -> None:  # 1
    drawn = randomise(make_study(), make_list(3, 3), seed=2006)
    assert dict(zip(drawn.institution_ids, drawn.arms, strict=True)) == WORKED


def test_the_order_of_the_list_does_not_matter() -> None:  # 2
    frame = make_list(7, 6)
    drawn = randomise(make_study(), frame, seed=5).frame().set_index("institution_id")
    again = randomise(make_study(), frame.sample(frac=1, random_state=3), seed=5).frame().set_index("institution_id")
    pd.testing.assert_frame_equal(drawn, again.loc[drawn.index])


def test_other_seeds_give_other_draws() -> None:
    assert len({randomise(make_study(), make_list(10, 10), seed=seed).arms for seed in range(50)}) == 50


@pytest.mark.parametrize("sizes", [(31, 29), (41, 19), (30, 30), (7, 5, 3)])
def test_strata_and_the_whole_list_keep_the_ratio(sizes: tuple[int, ...]) -> None:  # 3
    for seed in range(15):
        counts = randomise(make_study(), make_list(*sizes), seed=seed).counts()
        difference = counts["intervention"] - counts["reference"]
        assert difference.abs().max() <= 1
        assert abs(int(difference.sum())) == sum(sizes) % 2


def test_a_ratio_of_one_to_two_is_kept() -> None:  # 3
    study = make_study(randomisation={"ratio": [1, 2]})
    for seed in range(15):
        counts = randomise(study, make_list(8, 7, 6), seed=seed).counts()
        assert counts.sum().to_dict() == {"reference": 7, "intervention": 14}
        assert counts.loc["A", "reference"] in (2, 3)
        assert counts.loc["B", "reference"] in (2, 3)
        assert counts.loc["C", "reference"] == 2


def test_the_simple_scheme_draws_over_the_whole_list() -> None:  # 3
    study = make_study(randomisation={"scheme": "simple"}, strata=[])
    drawn = [randomise(study, make_list(6, 6), seed=seed) for seed in range(60)]
    assert all(Counter(one.arms) == {"reference": 6, "intervention": 6} for one in drawn)
    assert {one.strata for one in drawn} == {("all",) * 12}
    assert len({one.arms[:6].count("reference") for one in drawn}) > 2  # the municipalities are not kept apart


@pytest.mark.parametrize("ratio", [(1, 1), (1, 2)])
def test_every_institution_has_the_declared_probability(ratio: tuple[int, int]) -> None:  # 4
    study = make_study(randomisation={"ratio": list(ratio)})
    scheme = scheme_of(study, make_list(5, 4, 3))
    share = scheme.probabilities()[:, 1]
    np.testing.assert_allclose(share, ratio[1] / sum(ratio))
    over_seeds = np.mean([[arm == "intervention" for arm in scheme.allocate(seed).arms] for seed in range(1500)], axis=0)
    np.testing.assert_allclose(over_seeds, share, atol=4.5 * np.sqrt(0.25 / 1500))
    over_draws = scheme.allocations(100_000, seed=1).mean(axis=0)
    np.testing.assert_allclose(over_draws, share, atol=4.5 * np.sqrt(0.25 / 100_000))


@pytest.mark.parametrize("source", ["allocations", "seeds"])
def test_every_allowed_allocation_comes_equally_often(source: str) -> None:  # 5
    # Strata of 4 and 3 with 1:1 allow C(4,2) * (C(3,1) + C(3,2)) = 36 allocations.
    scheme = scheme_of(make_study(), make_list(4, 3))
    rows = (
        scheme.allocations(36_000, 7)
        if source == "allocations"
        else np.array([[ARMS.index(arm) for arm in scheme.allocate(seed).arms] for seed in range(2_880)])  # 80 of each
    )
    seen = Counter(map(bytes, rows.astype(np.int8)))
    assert len(seen) == 36
    assert chisquare(list(seen.values())).pvalue > 1e-4


def test_allocations_never_break_a_stratum() -> None:  # 3, 5
    drawn = scheme_of(make_study(), make_list(31, 29)).allocations(20_000, seed=3)
    assert drawn.dtype == np.int8
    assert drawn.shape == (20_000, 60)
    assert set(drawn[:, :31].sum(axis=1)) == {15, 16}
    assert set(drawn.sum(axis=1)) == {30}


def test_three_arms() -> None:
    arms = ["none", "some", "all"]
    study = make_study(arms=arms, randomisation={"ratio": [1, 1, 1]})
    scheme = scheme_of(study, make_list(7, 5))
    drawn = scheme.allocations(3_000, seed=1)
    assert {tuple(np.bincount(row, minlength=3)) for row in drawn} == {(4, 4, 4)}
    assert Counter(scheme.allocate(1).arms) == dict.fromkeys(arms, 4)


def test_several_strata_columns_are_crossed() -> None:
    frame = make_list(4, 4).assign(size=["large", "small"] * 4)
    scheme = scheme_of(make_study(strata=["municipality", "size"]), frame)
    assert sorted(set(scheme.strata)) == [f"municipality={m}; size={s}" for m in "AB" for s in ("large", "small")]


def test_the_frame_of_an_allocation() -> None:
    frame = randomise(make_study(), make_list(2, 2), seed=9).frame()
    assert list(frame.columns) == ["institution_id", "arm", "stratum", "seed", "scheme", "digest"]
    assert len(frame) == 4


def test_all_faults_of_a_list_are_told_at_once() -> None:  # 6
    frame = pd.DataFrame({"institution_id": ["D1", "d1 ", "", "D4"], "municipality": ["A", "A", "B", None]})
    with pytest.raises(DataProblems) as caught:
        scheme_of(make_study(), frame)
    assert sorted(p.code for p in caught.value.problems) == ["RND-007", "RND-008", "RND-009"]
    text = str(caught.value)
    assert "rows 2, 3" in text
    assert "institution D4 has no value for municipality" in text


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (make_list(), "RND-005"),
        (make_list(4).drop(columns="municipality"), "RND-006"),
        (make_list(4).drop(columns="institution_id"), "RND-006"),
        (make_list(4, 1), "RND-010"),
    ],
)
def test_lists_that_cannot_be_drawn_over(frame: pd.DataFrame, code: str) -> None:  # 6
    with pytest.raises(DataProblems) as caught:
        scheme_of(make_study(), frame)
    assert [p.code for p in caught.value.problems] == [code]


def test_a_lot_drawn_elsewhere_is_not_drawn_again() -> None:  # 6
    with pytest.raises(Refusal, match="RND-001"):
        randomise(make_study(randomisation={"drawn_elsewhere": True}), make_list(4), seed=1)


def test_stratified_without_strata_is_refused() -> None:  # 6
    with pytest.raises(Refusal, match="RND-002"):
        randomise(make_study(strata=[]), make_list(4), seed=1)


@pytest.mark.parametrize("seed", [-1, 1.5, "2006", True, None])
def test_seeds_that_cannot_be_used(seed: Any) -> None:  # 6
    with pytest.raises(Refusal, match="RND-003"):
        randomise(make_study(), make_list(4), seed=seed)


def test_no_draws_is_refused() -> None:  # 6
    with pytest.raises(Refusal, match="RND-004"):
        scheme_of(make_study(), make_list(4)).allocations(0, seed=1)


def test_numbers_as_ids_are_read_as_text() -> None:
    whole = pd.DataFrame({"institution_id": [1, 2, 3, 4], "municipality": "A"})
    gained_a_point = whole.assign(institution_id=whole["institution_id"].astype(float))
    as_text = whole.assign(institution_id=["1", "2", "3", "4"])
    schemes: list[Scheme] = [scheme_of(make_study(), frame) for frame in (whole, gained_a_point, as_text)]
    assert schemes[0] == schemes[1] == schemes[2]


def spelled(**columns: list[str]) -> pd.DataFrame:
    return make_list(4, 4).assign(**columns)


NFD = unicodedata.normalize("NFD", "Århus")
SPELLINGS = ["Århus", "Århus", NFD, "århus", "Odense", "Odense", "Odense", "Odense"]


@pytest.mark.parametrize(
    ("declared", "column"),
    [
        ({}, "municipality"),
        ({"randomisation": {"scheme": "blocked", "blocks": [4]}}, "municipality"),
        ({"randomisation": {"scheme": "minimisation"}}, "municipality"),
        ({"randomisation": {"scheme": "minimisation", "covariates": {"size": 1}}, "strata": []}, "size"),
        ({"randomisation": {"scheme": "pairs", "pair": "pair"}, "strata": []}, "pair"),
        ({"randomisation": {"scheme": "constrained", "covariates": {"children": 1}}}, "municipality"),
    ],
)
def test_names_in_several_spellings_are_refused_with_their_rows(declared: dict[str, Any], column: str) -> None:  # 6
    columns = {"institutions": {"size": "string", "pair": "string", "children": "integer"}}
    frame = spelled(**{column: SPELLINGS}).assign(children=range(8))
    with pytest.raises(DataProblems) as refused:
        scheme_of(make_study(columns=columns, **declared), frame)
    (problem,) = refused.value.problems
    assert (problem.code, problem.place.row, problem.place.column) == ("RND-027", 4, column)
    assert problem.found == f"'Århus' in row 2, 3; {NFD!r} in row 4; 'århus' in row 5"


def test_the_same_institution_in_another_spelling_is_refused() -> None:  # 6
    frame = make_list(4).assign(institution_id=["Ås", unicodedata.normalize("NFD", "ås"), "D\u00ad1", "d1"])
    with pytest.raises(DataProblems) as refused:
        scheme_of(make_study(strata=[], randomisation={"scheme": "simple"}), frame)
    assert [problem.code for problem in refused.value.problems] == ["RND-008", "RND-008"]


def test_ids_and_strata_that_differ_in_zeros_alone_are_a_caution() -> None:
    frame = make_list(4).assign(institution_id=["07", "7", "7.0", "8"], municipality=["751", "0751", "751", "0751"])
    ids, strata = scheme_of(make_study(), frame).cautions()
    assert "'07', '7', '7.0'" in ids and "institution_id" in ids
    assert "'751', '0751'" in strata and "municipality" in strata
    assert scheme_of(make_study(), make_list(4)).cautions() == ()


def test_two_arms_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="Reference stands more than once"):
        make_study(arms=["reference", "Reference"])
