"""The grammar of formulas.

1. Terms are those of formulaic, which is another program.
2. No code runs: names, numbers, operators and a list of functions are all there is.
3. What cannot be read is refused in words, at once, however long or deep it is.
4. A power or a product of one column with itself, which means the column, is told.
5. Categories keep their names in every coding; a new one is refused, whatever else the formula holds.
6. Transforms that learn from the rows keep what they learned, and chunks cannot be added without it.
"""

from __future__ import annotations

import time

import formulaic
import numpy as np
import pandas as pd
import pytest

from asp_eval import AspError, Moments, lmm, lmm_from_moments, ols
from asp_eval.stats.design.formula import expand_terms, parse_formula
from asp_eval.stats.design.syntax import parse, spell

RNG = np.random.default_rng(4)
G = np.repeat(np.arange(12), 10)
FRAME = pd.DataFrame(
    {
        "inst": G,
        "f": RNG.choice(list("ABC"), 120),
        "arm": np.where(G % 2, "new", "old"),
        "x": np.sort(RNG.normal(size=120)),
        "age": RNG.integers(3, 7, 120),
        "b": RNG.random(120) < 0.4,
        "my x": RNG.normal(size=120),
        "log(x)": RNG.normal(size=120),
    }
)
FRAME["y"] = 1 + FRAME["x"] + (FRAME["f"] == "B") + RNG.normal(size=12)[G] + RNG.normal(size=120)


@pytest.mark.parametrize(
    "expression",
    [
        "a",
        "a + b",
        "a * b",
        "a:b + a",
        "a * b * c - a:b",
        "(a + b + c) ** 2",
        "(a + b) ** 3 - a",
        "a / b",
        "a / b / c",
        "(a + b) / c",
        "a * (b + c)",
        "0 + a",
        "a - 1",
        "-1 + a",
        "a + 0",
        "1",
        "a + a",
        "b:a + a:b",
        "a + b:c + d",
        "a*b + c*d",
    ],
)
def test_terms_are_those_of_formulaic(expression: str) -> None:  # 1
    want = [tuple(f.expr for f in t.factors if f.expr != "1") for t in formulaic.Formula(expression)]
    assert [t.factors for t in expand_terms(expression)] == want


@pytest.mark.parametrize(
    "text", ["I(a - (b - c)) * d", "(a + b):`c d`", "-x ** 2 / (2 * y)", "C(f, Treatment('it''s'))", "a %in% (b + c)"]
)
def test_what_is_spelled_reads_the_same(text: str) -> None:
    text = text.replace("''s", "s")
    assert parse(spell(parse(text))) == parse(text)


@pytest.mark.parametrize(
    "part",
    [
        "x:I(x.__class__.__mro__[1].__subclasses__())",
        "I(__import__('os').system('true'))",
        "I(open('/etc/passwd').read())",
        "x[0]",
        "eval('1')",
        "I((lambda: 1)())",
        "{open('f')}",
        "I(x.mean())",
        "np.load('f')",
        "I([c for c in x])",
        "getattr(x, 'y')",
        "C(f, open('f'))",
        "poly(x, open('f'))",
        "I(x if x else 1)",
        "x := 1",
        "I(f'{x}')",
        "`x`.y",
    ],
)
def test_no_code_runs(part: str, monkeypatch: pytest.MonkeyPatch) -> None:  # 2
    def forbidden(*arguments: object, **named: object) -> object:
        raise AssertionError("a formula opened a file")

    monkeypatch.setattr("builtins.open", forbidden)
    for formula in (f"y ~ {part}", f"{part} ~ x", f"y ~ offset({part})", f"y ~ ({part} | inst)"):
        with pytest.raises(AspError):
            lmm(f"{formula} + (1 | inst)", FRAME)


LONG = "y ~ " + " + ".join(["x"] * 40_000)


@pytest.mark.parametrize(
    "formula",
    [
        LONG,
        LONG[:15_000] + " + ",
        "y ~ " + "(" * 9_000,
        "y ~ " + "-" * 9_000 + "x",
        "y ~ " + "x^" * 6_000 + "2",
        "y ~ " + "!" * 9_000 + "x",
        "y ~ " + "I(" * 5_000 + "x" + ")" * 5_000,
        "y ~ " + "*".join(f"x{i}" for i in range(60)),
        "y ~ " + "a:" * 6_000 + "a",
        "y ~ (" + "+".join(f"x{i}" for i in range(30)) + ")^20",
        "y ~ '" + "x" * 90_000,
        "y ~ " + "~" * 5_000,
        "y" * 99_000,
        "y ~ poly(x, 10000000) + (1 | inst)",
        "y ~ I(x^99999^99999) + (1 | inst)",
        "y ~ bs(x, df=99999999) + (1 | inst)",
        "",
        "~",
        "y ~",
        "~ x",
        "y ~ x ~ z",
        "y ~ x +",
        "y ~ x + (1 | inst",
        "y ~ `x",
        "y ~ 'x",
        "y ~ x $ z",
        "y ~ 2 * x",
        "y ~ x / 2",
        "y ~ x > 3",
        "y ~ f(x)",
        "y ~ x + 1 | inst",
        "y ~ x * (1 | inst)",
        "y ~ x - (1 | inst)",
        "y ~ (1 | inst) + C(f, Nothing)",
        "y ~ (1 | inst) + C(f, Treatment('Z'))",
        "y ~ relevel(f, ref='Z') + (1 | inst)",
        "y ~ factor(f, levels=['A']) + (1 | inst)",
        "y ~ x - offset(x) + (1 | inst)",
        "y ~ x:offset(x) + (1 | inst)",
        "y ~ offset(x:b) + (1 | inst)",
        "cbind(y, x) ~ (1 | inst)",
        "1 ~ x",
        "y ~ I(f + 1) + (1 | inst)",
        "y ~ log(f) + (1 | inst)",
        "y ~ poly(age, 4) + (1 | inst)",
        "f ~ x + (1 | inst)",
        "poly(y, 2) ~ (1 | inst)",
        "y ~ log(x, 2) + (1 | inst)",
        "y ~ C() + (1 | inst)",
        "y ~ poly() + (1 | inst)",
        "y ~ scale(2) + (1 | inst)",
        "y ~ . + (1 | inst)",
        "y ~ log(-age) + (1 | inst)",
        "y ~ `log(x)` + log(x + 9) + log(x) + (1 | inst)",
        "y ~ (1 | inst + f)",
    ],
)
def test_what_cannot_be_read_is_refused_in_words_at_once(formula: str) -> None:  # 3
    start = time.process_time()
    with pytest.raises(AspError) as refusal:
        lmm(formula, FRAME)
    assert time.process_time() - start < 1.0
    assert str(refusal.value).startswith("[FIT-")


def test_the_dot_of_a_mixed_model_is_written_out_for_the_reader() -> None:  # 3
    with pytest.raises(AspError, match=r"Write the fixed part out: f \+ x \+ `my x`\."):
        lmm("y ~ . + (1 | inst)", FRAME[["y", "inst", "f", "x", "my x"]])
    assert ols("y ~ .", FRAME[["y", "x", "b", "inst"]], cluster="inst").names == ("Intercept", "x", "b")


@pytest.mark.parametrize(
    ("formula", "meant"), [("y ~ age^2", "age"), ("y ~ age**2", "age"), ("y ~ x*x", "x"), ("y ~ f + age:age", "age")]
)
def test_what_a_column_with_itself_means_is_told(formula: str, meant: str) -> None:  # 4
    for notes in (ols(formula, FRAME).notes, lmm(f"{formula} + (1 | inst)", FRAME).notes):
        assert len(notes) == 1 and f"means {meant}, as in R" in notes[0]
    moments = Moments.from_frame(f"{formula} + (1 | inst)", FRAME)
    assert lmm_from_moments(moments).notes == notes


def test_what_is_meant_needs_no_note() -> None:  # 4
    assert ols("y ~ (x + b)^2 + I(age^2) + f*b", FRAME).notes == ()


@pytest.mark.parametrize(
    "formula",
    ["y ~ f", "y ~ C(f)", "y ~ f + I(x**2)", "y ~ factor(age)", "y ~ C(age)", "y ~ poly(x, 2) * f", "y ~ C(f, Sum)", "y ~ f:b"],
)
def test_a_new_category_is_refused_in_every_coding(formula: str) -> None:  # 5
    new = FRAME.iloc[[5]].assign(f="D", age=99)
    for fit in (ols(formula, FRAME), lmm(f"{formula} + (1 | inst)", FRAME)):
        with pytest.raises(AspError, match="FIT-031"):
            fit.predict(new)
        np.testing.assert_allclose(fit.predict(FRAME[:7]), fit.fitted[:7])  # and known ones are what they were


def test_a_new_category_among_the_effects_that_vary_is_refused() -> None:  # 5
    fit = lmm("y ~ x + (0 + C(f) | inst)", FRAME)
    with pytest.raises(AspError, match="FIT-031"):
        fit.predict(FRAME.iloc[[0]].assign(f="D"))


@pytest.mark.parametrize(
    "coding", ["C(f, Sum)", "C(f, Helmert)", "C(f, Treatment('B'))", "relevel(f, ref='C')", "C(f, Poly)", "C(f, Diff)"]
)
def test_a_coding_changes_coefficients_and_nothing_else(coding: str) -> None:  # 5
    plain, coded = (lmm(f"y ~ {c} * arm + x + (1 | inst)", FRAME) for c in ("f", coding))
    np.testing.assert_allclose(coded.fitted, plain.fitted, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(coded.anova()["statistic"], plain.anova()["statistic"], rtol=1e-5)
    np.testing.assert_allclose(coded.anova()["df_denominator"], plain.anova()["df_denominator"], rtol=1e-5)


@pytest.mark.parametrize(
    "term", ["scale(x)", "center(x)", "poly(x, 2)", "bs(x, df=4)", "ns(x, 3)", "cs(x, df=3)", "standardize(x)"]
)
def test_chunks_share_what_a_transform_learned(term: str) -> None:  # 6
    formula = f"y ~ {term} + (1 | inst)"
    first = Moments.from_frame(formula, FRAME[::2])
    with pytest.raises(AspError, match="FIT-036"):
        first + Moments.from_frame(formula, FRAME[1::2])
    inside = FRAME[1::2].assign(x=np.clip(FRAME["x"][1::2], FRAME["x"][::2].min(), FRAME["x"][::2].max()))
    together = lmm_from_moments(first + Moments.from_frame(formula, inside, like=first))
    raw = lmm("y ~ x + (1 | inst)", pd.concat([FRAME[::2], inside]))
    if term in ("scale(x)", "center(x)", "standardize(x)"):  # another coding of the same model
        assert together.refit(reml=False).deviance == pytest.approx(raw.refit(reml=False).deviance, rel=1e-9)
    else:  # a larger one
        assert together.refit(reml=False).deviance < raw.refit(reml=False).deviance


def test_a_response_that_learns_is_compared_too() -> None:  # 6
    with pytest.raises(AspError, match=r"FIT-036.*scale\(y\)"):
        Moments.from_frame("scale(y) ~ (1 | inst)", FRAME[:60]) + Moments.from_frame("scale(y) ~ (1 | inst)", FRAME[60:])


def test_left_sides_and_random_parts_are_taken_apart() -> None:
    parsed = parse_formula("post - pre ~ f + offset(2*o) + (1 + `my x` | `the g`/h) + (0 + x || factor(k))")
    assert (parsed.response, parsed.fixed, parsed.offsets) == ("post - pre", "f", ("2 * o",))
    assert [(b.expression, b.group) for b in parsed.blocks] == [
        ("1 + `my x`", ("the g",)),
        ("1 + `my x`", ("the g", "h")),
        ("0 + x", ("k",)),
    ]
