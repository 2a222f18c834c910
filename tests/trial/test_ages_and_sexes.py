"""Ages, sexes and codes are read alike by all that scores: what is no age, no sex and no number is refused with its row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import AspError
from asp_eval.trial.instruments.bands import band, fitting_sets
from asp_eval.trial.instruments.families import score_family
from asp_eval.trial.instruments.library import choose_version, instrument
from asp_eval.trial.instruments.scoring import score, score_long

SDQ, PARENT = instrument("sdq-teacher-4-17"), instrument("sdq-parent-4-17")
ANSWERS = pd.DataFrame({key: [1, 1, 1] for key in SDQ.item_keys})
SCORES = pd.Series([1.0, 2.0, 3.0])
BOYS = "dk-parents-5-7-boys"

BY_AGE: dict[str, Callable[[pd.Series], Any]] = {
    "score": lambda ages: score(SDQ, ANSWERS, age_years=ages),
    "score_long": lambda ages: score_long(SDQ, ANSWERS, age_years=ages),
    "score_family": lambda ages: score_family("sdq-teacher", ANSWERS, ages),
    "band": lambda ages: band(SDQ, "conduct", SCORES, age_years=ages),
    "fitting_sets": lambda ages: fitting_sets(PARENT, BOYS, 3, ages, pd.Series(["boy"] * 3)),
}
BY_SEX: dict[str, Callable[[pd.Series], Any]] = {
    "score_long": lambda sex: score_long(PARENT, ANSWERS, bands=BOYS, age_years=pd.Series([6.0] * 3), sex=sex),
    "band": lambda sex: band(PARENT, "conduct", SCORES, bands=BOYS, age_years=pd.Series([6.0] * 3), sex=sex),
    "fitting_sets": lambda sex: fitting_sets(PARENT, BOYS, 3, pd.Series([6.0] * 3), sex),
}


def codes_of(ask: Callable[[], Any]) -> list[tuple[str, int | None]]:
    with pytest.raises(AspError) as refused:
        ask()
    return [(problem.code, problem.place.row) for problem in refused.value.problems]


@pytest.mark.parametrize("name", BY_AGE)
def test_ages_of_another_length_are_refused(name: str) -> None:
    for n in (0, 1, 2, 4):
        assert codes_of(lambda n=n: BY_AGE[name](pd.Series([5.0] * n, dtype=float))) == [("SCO-008", None)]


@pytest.mark.parametrize("name", [*BY_AGE, "choose_version"])
@pytest.mark.parametrize("wrong", ["3,9", "five", "5_0", True, -1, float("inf"), "٥"])
def test_what_is_no_age_is_refused_with_its_row(name: str, wrong: Any) -> None:
    ask = BY_AGE.get(name, lambda ages: choose_version("sdq-teacher", ages))
    assert codes_of(lambda: ask(pd.Series([5.0, wrong, 6.0], dtype=object))) == [("SCO-009", 3)]


@pytest.mark.parametrize("name", BY_AGE)
def test_ages_as_text_and_unknown_ones_are_read(name: str) -> None:
    BY_AGE[name](pd.Series(["5.5", None, " 6 "], dtype=object))
    BY_AGE[name](pd.Series([5, pd.NA, 6], dtype="Int64"))


@pytest.mark.parametrize("name", BY_SEX)
@pytest.mark.parametrize("wrong", ["Boy", "m", "male", "dreng", "1"])
def test_a_sex_that_no_band_is_made_for_is_refused_with_its_row(name: str, wrong: str) -> None:
    assert codes_of(lambda: BY_SEX[name](pd.Series(["boy", None, wrong]))) == [("SCO-011", 4)]
    assert codes_of(lambda: BY_SEX[name](pd.Series(["boy"]))) == [("SCO-008", None)]


@pytest.mark.parametrize("wrong", ["0_1", "１", "1,0", "nan", "0x1", "1e", "one"])
def test_what_python_alone_takes_for_a_number_is_no_answer(wrong: str) -> None:
    answers = ANSWERS.astype(object)
    answers.loc[1, "tantrum"] = wrong
    for ask in (
        lambda: score(SDQ, answers),
        lambda: score_long(SDQ, answers),
        lambda: score_family("sdq-teacher", answers, pd.Series([5.0] * 3)),
    ):
        assert codes_of(ask) == [("SCO-002", 3)]


def test_numbers_as_text_are_answers() -> None:
    texts = ANSWERS.astype(object)
    texts.loc[:, "tantrum"] = ["1", " 1.0 ", np.int64(1)]
    pd.testing.assert_frame_equal(score(SDQ, texts), score(SDQ, ANSWERS))
