"""The filter language: what it keeps, what it refuses."""

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import Refusal
from asp_eval.core.filters import parse_filter

FRAME = pd.DataFrame(
    {
        "attrit": ["0", "0.0", "1", "", None],
        "number": [0.0, 1.0, 2.0, np.nan, 0.0],
        "id": ["007", "7", "a b", "and", ""],
        "my col": ["x", "x", "y", "y", "y"],
    }
)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("attrit == 0", [0, 1]),
        ("attrit != 0", [2]),
        ('attrit == "0"', [0]),
        ("number == 0", [0, 4]),
        ("number != 0", [1, 2]),
        ("number==1.0", [1]),
        ('id == "007"', [0]),
        ("id == 007", [0, 1]),
        ("id == 'a b'", [2]),
        ("id == and", [3]),
        ("`my col` == x and attrit == 0 and number != 1", [0]),
        (None, [0, 1, 2, 3, 4]),
    ],
)
def test_it_keeps_the_rows_that_meet_every_comparison(text, kept):
    assert np.flatnonzero(parse_filter(text).mask(FRAME)).tolist() == kept


@pytest.mark.parametrize(
    "text", ["", "attrit", "attrit = 0", "attrit == 0 or id == 7", "attrit == 0 and", "attrit < 3", "attrit == 0 id == 7", "== 0"]
)
def test_what_is_not_a_filter_is_refused(text):
    with pytest.raises(Refusal, match="DOC-021"):
        parse_filter(text)


def test_an_unknown_column_is_refused_with_the_near_name():
    with pytest.raises(Refusal, match=r"DOC-022.*'attrit'"):
        parse_filter("atrit == 0").mask(FRAME)


def test_numbers_against_text_is_refused():
    with pytest.raises(Refusal, match="DOC-023"):
        parse_filter("number == boy").mask(FRAME)
