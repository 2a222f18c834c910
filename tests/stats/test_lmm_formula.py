"""Formulas in lme4's syntax, and their columns under formulaic's names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from formulaic import model_matrix

from asp_eval.core.errors import Refusal
from asp_eval.stats.design.formula import parse_formula
from asp_eval.stats.design.model_frame import read_design

RNG = np.random.default_rng(1)
FRAME = pd.DataFrame(
    {
        "y": RNG.normal(size=60),
        "x": RNG.normal(size=60),
        "z": RNG.normal(size=60),
        "flag": RNG.random(60) > 0.5,
        "arm": pd.Categorical(RNG.choice(["usual", "new"], 60), categories=["usual", "new"]),
        "muni": RNG.choice(["A", "B", "C"], 60),
        "g": np.arange(60) % 7,
        "a b": RNG.normal(size=60),
    }
)


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("y ~ (1 | g)", [("1", "g")]),
        ("y ~ x + (x | g)", [("1 + x", "g")]),
        ("y ~ x + (0 + x | g)", [("0 + x", "g")]),
        ("y ~ x + (x - 1 | g)", [("0 + x", "g")]),
        ("y ~ x + (1 + x || g)", [("1", "g"), ("0 + x", "g")]),
        ("y ~ (1 | a/b)", [("1", "a"), ("1", "a:b")]),
        ("y ~ (1 | a/b/c)", [("1", "a"), ("1", "a:b"), ("1", "a:b:c")]),
        ("y ~ (1|a:b) + x + (1|c)", [("1", "a:b"), ("1", "c")]),
        ("y ~ (arm * x | g)", [("1 + arm + x + arm:x", "g")]),
    ],
)
def test_random_terms(text: str, blocks: list[tuple[str, str]]) -> None:
    assert [(b.expression, b.group_name) for b in parse_formula(text).blocks] == blocks


def test_fixed_part_offsets_and_response() -> None:
    parsed = parse_formula("np.log(y) ~ a * (b + c) - 1 + offset(o) + (1 | g) + I(x**2)")
    assert (parsed.response, parsed.fixed, parsed.offsets) == ("np.log(y)", "a * (b + c) - 1 + I(x ** 2)", ("o",))


def test_only_random_terms_leave_an_intercept() -> None:
    assert parse_formula("y ~ (1 | g)").fixed == "1"


@pytest.mark.parametrize(
    "text", ["y ~ x + 1 | g", "y ~ (1 | )", "y ~ (1 | g | h)", "y ~ x * (1 | g)", "y ~ x +", "~ x", "y ~ (1 | f(g))"]
)
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="FIT-010"):
        parse_formula(text)


@pytest.mark.parametrize(
    "expression",
    [
        "arm",
        "arm * x",
        "muni * x",
        "arm * muni",
        "arm * muni * x",
        "0 + arm + x",
        "-1 + arm * x",
        "arm / x",
        "muni:x",
        "flag * arm",
        "x:muni + arm",
        "(arm + muni + x) ** 2",
        "muni:arm",
        "arm:muni:x",
        "I(x**2) + arm",
        "poly(x, 2) * arm",
        "np.log(x + 9)",
        "C(g)",
        "`a b` * arm",
        "1",
        "x + x",
        "0 + arm + muni",
        "bs(x, df=4)",
    ],
)
def test_columns_are_those_of_formulaic(expression: str) -> None:
    """Own columns and formulaic's own matrix: same names, same order, same numbers."""
    design = read_design(f"y ~ {expression}", FRAME, random=False)
    want = model_matrix(expression, FRAME)
    assert list(design.fixed.names) == list(want.columns)
    np.testing.assert_allclose(design.fixed_matrix(), want.to_numpy(float))


def test_the_reference_is_the_first_declared_category_that_occurs() -> None:
    arm = pd.Categorical(FRAME["arm"].astype(str), categories=["never", "usual", "new"])
    assert read_design("y ~ arm", FRAME.assign(arm=arm), random=False).fixed.names == ("Intercept", "arm[T.new]")


def test_groups_are_combinations_that_occur() -> None:
    d = pd.DataFrame({"y": [1.0, 2, 3, 4], "a": ["p", "p", "q", "q"], "b": [1, 2, 1, 1]})
    groups = read_design("y ~ 1 + (1 | a/b)", d).groups[1]
    assert list(groups.levels) == [("p", 1), ("p", 2), ("q", 1)]
    assert groups.codes.tolist() == [0, 1, 2, 2]
