"""Outcomes that are no measures: how scores become a yes, or positions of categories; what study.yaml may not declare."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from pydantic import ValidationError

from asp_eval.trial.outcomes import categories_of, coded
from asp_eval.trial.study.outcome import Outcome

ORDER = ("close", "raised", "high")


def outcome(**declared: object) -> Outcome:
    base = {"id": "y", "score": "sdq-teacher.conduct", "role": "primary", "better": "lower", "at": "w2"}
    return Outcome.model_validate({k: v for k, v in (base | declared).items() if v is not None})


SCORES = pd.Series([0.0, 3.0, 4.0, np.nan], index=list("abcd"))
BANDS = pd.Series(["close", "raised", "high", None], index=list("abcd"))


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"scale": "binary", "above": "raised"}, [0, 1, 1, np.nan]),
        ({"scale": "binary", "above": "high"}, [0, 0, 1, np.nan]),
        ({"scale": "binary", "cut": 4}, [0, 0, 1, np.nan]),
        ({"scale": "ordinal"}, [0, 1, 2, np.nan]),
        ({"scale": "ordinal", "cut": [3, 4]}, [0, 1, 2, np.nan]),
        ({"scale": "count"}, [0, 3, 4, np.nan]),
    ],
)
def test_values_as_the_model_takes_them(declared, expected):
    np.testing.assert_array_equal(coded(outcome(**declared), SCORES, BANDS, ORDER), np.array(expected, float))


def test_names_of_categories():
    assert categories_of(outcome(scale="ordinal"), ORDER) == ORDER
    assert categories_of(outcome(scale="ordinal", cut=[3, 5])) == ("< 3", "3 - 5", ">= 5")
    column = outcome(scale="ordinal", score=None, column="screening.step")
    assert categories_of(column, (), [2.0, 0.0, np.nan, 2.0]) == ("0", "2")


@pytest.mark.parametrize(
    "declared",
    [
        {"above": "high"},
        {"scale": "binary"},
        {"scale": "binary", "cut": [3, 4]},
        {"scale": "ordinal", "cut": 3},
        {"scale": "ordinal", "cut": [4, 3]},
        {"scale": "count", "cut": 3},
        {"scale": "binary", "above": "high", "cut": 3},
        {"scale": "ordinal", "better": "higher"},
        {"scale": "binary", "above": "high", "better": "higher"},
        {"scale": "binary", "above": "high", "score": None, "column": "screening.y"},
        {"scale": "nominal"},
        {"summary": "ratio"},
        {"scale": "ordinal", "summary": "ratio"},
        {"scale": "count", "summary": "odds-ratio"},
        {"scale": "binary", "above": "high", "summary": "hazard-ratio"},
    ],
)
def test_what_may_not_be_declared(declared):
    with pytest.raises(ValidationError):
        outcome(**declared)


def test_the_page_s_examples_are_outcomes():
    page = (Path(__file__).parents[2] / "docs" / "outcomes.md").read_text(encoding="utf-8")
    shown = yaml.safe_load(page.split("```yaml\n")[1].split("```")[0])["outcomes"]
    assert {Outcome.model_validate(one).scale for one in shown} == {"continuous", "binary", "ordinal", "count"}
