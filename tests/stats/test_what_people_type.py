"""The table "R or statsmodels -> here" of docs/engine.md: every row is typed, and answers or refuses as the table says.

What the answers are is checked against R in tests/oracles/formulas_and_type3, and in test_fit_questions.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from asp_eval import CR1, AspError, KenwardRoger, MixedFit, OlsFit, lmm, ols

PAGE = Path(__file__).parents[2] / "docs" / "engine.md"
RNG = np.random.default_rng(12)
G = np.repeat(np.arange(12), 10)
WHOLE = {"a": 6, "b": 5, "age": 4}
NORMAL = ("x", "z", "o", "my x")
D = pd.DataFrame({"inst": G, "g": G, "arm": np.where(G % 2, "new", "old"), "t": np.tile(np.arange(10), 12)})
D = D.assign(f=RNG.choice(list("ABC"), 120), k=RNG.choice(["u", "v"], 120), w=RNG.uniform(1, 2, 120), pre=RNG.normal(9, 1, 120))
D = D.assign(**{c: RNG.integers(1, 1 + m, 120) for c, m in WHOLE.items()}, **{c: RNG.normal(size=120) for c in NORMAL})
D["y"] = 20 + D["x"] + RNG.normal(size=12)[G] + RNG.normal(size=120)
D["post"] = D["y"] + D["pre"]
MIXED, LINEAR = lmm("y ~ x + z + (1 | g)", D), ols("y ~ x + z", D, cluster="g")

Fit = MixedFit | OlsFit


def fits(*formulas: str) -> Callable[[], None]:
    """Return a check that formulas are fitted by least squares and as mixed models."""

    def check() -> None:
        for formula in formulas:
            for fit in (lmm(f"{formula} + (1 | inst)", D), *([] if "|" in formula.split("I(")[0] else [ols(formula, D)])):
                assert fit.notes == () and np.isfinite(fit.estimate).all() and len(fit.predict(D[:4])) == 4

    return check


def gives(*calls: Callable[[Any], object], of: tuple[Fit, ...] = (MIXED, LINEAR)) -> Callable[[], None]:
    """Return a check that fits answer calls."""

    def check() -> None:
        for call in calls:
            for fit in of:
                assert call(fit) is not None

    return check


def dot() -> None:
    assert ols("y ~ .", D[["y", "x", "g", "w"]], cluster="g", weights="w").names == ("Intercept", "x")
    with pytest.raises(AspError, match="Write the fixed part out: x"):
        lmm("y ~ . + (1 | g)", D[["y", "x", "g"]])


def spelled() -> None:
    for fit in (lmm("y ~ x + (1 | g)", data=D, REML=False), lmm("y ~ x + (1 | g)", D, reml=False)):
        assert fit.glance()["reml"][0] == np.False_


def weighted() -> None:
    np.testing.assert_array_equal(ols("y ~ x", D, weights=D["w"]).estimate, ols("y ~ x", D, weights="w").estimate)


def crossed() -> None:
    fit = ols("y ~ x", D, cluster=["g", "b"])
    assert fit.tidy(CR1())["df"].tolist() == [4.0, 4.0]
    assert "not defined for clusters that cross" in fit.tidy()["note"][0]


ROWS: dict[str, Callable[[], object]] = {
    "`post - pre ~ arm`": fits("post - pre ~ arm", "log(y) ~ x", "(y + pre)/2 ~ x"),
    "`offset(2*o)`": fits("y ~ x + offset(2*o)", "y ~ offset(pre - o)"),
    "`I(age^2)`": fits("y ~ I(age^2)", "y ~ I(age**2)"),
    "`factor(age)`": fits("y ~ factor(age)", "y ~ as.factor(age)", "y ~ C(age)"),
    '`C(arm, Treatment("old"))`': fits('y ~ C(arm, Treatment("old"))', 'y ~ relevel(arm, ref="old")'),
    "`C(arm, contr.sum)`": fits("y ~ C(arm, contr.sum)", "y ~ C(f, Sum)", "y ~ C(f, contr.helmert)", "y ~ C(f, contr.poly)"),
    "`ns(x, 3)`": fits("y ~ ns(x, 3)", "y ~ bs(x, df=4)", "y ~ poly(x, 2)", "y ~ scale(x)"),
    '`cs(x, df=3, constraints="center")`': fits(
        'y ~ cs(x, df=3, constraints="center")', "y ~ cr(x, df=3, constraints='center')", "y ~ center(x)", "y ~ standardize(x)"
    ),
    "`sqrt(x)`": fits("y ~ sqrt(age) + abs(x) + exp(x)", "y ~ np.log(age)"),
    "`I((age == 3)": fits("y ~ I((age == 3) | (age == 4))", "y ~ I(x > 0)"),
    "`f %in% g`": fits("y ~ f %in% k", "y ~ f/k", "y ~ (x + z + f)^2 - x:z", "y ~ 0 + f"),
    "`` `my x` ``": fits("y ~ `my x`", "y ~ x + `my x`"),
    "`(1 | factor(g))`": lambda: [lmm(f"y ~ x + {r}", D) for r in ("(1 | factor(g))", "(1 | g/k)", "(1 + t || g)")],
    "`y ~ .`": dot,
    "`lmer(formula, data=d, REML=FALSE)`": spelled,
    "`weights=d$w`": weighted,
    '`smf.ols(f, d).fit(cov_type="cluster", ...)`': lambda: LINEAR.tidy()["method"].eq("CR2").all() or pytest.fail(),
    "`vcovCL(fit, ~ a + b)`": crossed,
    "`summary(fit)` of lmerTest": lambda: ("Pr(>|t|)" in MIXED.summary() and "df" in LINEAR.summary()) or pytest.fail(),
    "`fixef(fit)`": gives(lambda fit: fit.params["x"]),
    "`fit.bse`": gives(lambda fit: (fit.bse["x"], fit.tvalues["x"], fit.pvalues["x"])),
    "`fit.conf_int(alpha)`": gives(lambda fit: fit.conf_int(0.1).loc["x", "conf_low"]),
    "`confint(fit)`": gives(lambda fit: fit.coefficient_intervals(), lambda fit: fit.variance_intervals(), of=(MIXED,)),
    "`vcov(fit)`": gives(lambda fit: fit.vcov().loc["x", "z"], of=(MIXED, LINEAR)),
    "`anova(fit)` of lmerTest": gives(lambda fit: fit.anova(), of=(MIXED,)),
    "`anova(a, b, c)`": gives(lambda fit: fit.anova(fit.update("~ . - z"), fit.update("~ . - z - x")), of=(MIXED,)),
    '`fit.t_test("x")`': gives(lambda fit: fit.contrast("x"), lambda fit: fit.contrast({"x": 1, "z": -1})),
    "`fit.f_test(...)`": gives(lambda fit: fit.joint_test(["x", "z"])),
    "`update(fit, . ~ . + x)`": gives(lambda fit: fit.update("~ . + f"), lambda fit: fit.update("~ . - z", D[:90])),
    "`simulate(fit, 5)`": gives(lambda fit: fit.simulate(5, seed=1)),
    '`predict(fit, new, interval="prediction")`': gives(lambda fit: fit.predict_intervals(D[:3], kind="prediction")),
    '`residuals(fit, "pearson")`': gives(lambda fit: fit.residuals_by("pearson"), lambda fit: fit.residuals_by("standardised")),
    '`cooks.distance(influence(fit, "g"))`': gives(lambda fit: fit.influence()),
    "`ranef(fit)`": gives(lambda fit: fit.random_effects(), lambda fit: fit.variance_components(), of=(MIXED,)),
    "`glm`": lambda: None,
}


def rows_of_the_page() -> list[str]:
    """Return the first cells of the table."""
    part = PAGE.read_text(encoding="utf-8").split("## R or statsmodels -> here")[1].split("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")][1:]
    return [
        line[2:].split(" | ")[0] if not line.startswith("| `(1") and not line.startswith("| `I((") else line[2:] for line in lines
    ]


@pytest.mark.parametrize("row", rows_of_the_page())
def test_every_row_is_what_it_says(row: str) -> None:
    found = [check for start, check in ROWS.items() if row.startswith(start)]
    assert len(found) == 1, row
    found[0]()


def test_no_row_is_tested_that_is_not_there() -> None:
    page = rows_of_the_page()
    assert [start for start in ROWS if not any(row.startswith(start) for row in page)] == []


def test_the_models_own_covariance_is_not_the_adjusted_one() -> None:
    assert not np.allclose(MIXED.vcov(), MIXED.vcov(KenwardRoger()), rtol=1e-9)
    np.testing.assert_array_equal(MIXED.vcov(), MIXED.model_covariance)
    assert re.match(r"Linear mixed model", MIXED.summary())
