"""Hard data: a right answer or a refusal in words, never a traceback and never a warning from below."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import Refusal
from asp_eval.stats.engine import optimisation as optimise
from asp_eval.stats.engine.estimation import EstimationProblem
from asp_eval.stats.engine.likelihood import Criterion
from asp_eval.stats.mixed.fit import lmm
from asp_eval.stats.smallsample.between_within import BetweenWithin
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.stats.smallsample.normal import Normal
from asp_eval.stats.smallsample.satterthwaite import Satterthwaite

FORMULA = "y ~ arm + x + (1 | g)"
DIGITS = 1e-7


def trial(n: int = 300, m: int = 20, tau: float = 0.5) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    g = np.arange(n) % m
    d = pd.DataFrame({"g": g, "arm": np.where(g % 2, "t", "c"), "x": rng.normal(size=n), "t": np.arange(n) % 3})
    return d.assign(y=rng.normal(size=n) + tau * rng.normal(size=m)[g])


BASE = trial()


def refused(code: str, formula: str, frame: pd.DataFrame, **options: object) -> str:
    with pytest.raises(Refusal) as caught:
        lmm(formula, frame, **options)  # type: ignore[arg-type]
    assert caught.value.problems[0].code == code
    return str(caught.value)


REFUSALS = {
    "one child per group": ("FIT-045", FORMULA, BASE.assign(g=range(300))),
    "one group": ("FIT-044", "y ~ x + (1 | g)", BASE.assign(g=1)),
    "constant outcome": ("FIT-050", FORMULA, BASE.assign(y=3.3)),
    "large constant outcome": ("FIT-050", FORMULA, BASE.assign(y=1e8)),
    "outcome copied from a covariate": ("FIT-051", FORMULA, BASE.assign(y=2 * BASE["x"] + 1)),
    "all of the outcome lies between groups": ("FIT-056", FORMULA, BASE.assign(y=BASE["g"] * 1.0)),
    **{
        f"all of the outcome lies between groups, {random}": (
            "FIT-056",
            f"y ~ arm + x + {random}",
            BASE.assign(y=np.sin(BASE["g"]), town=BASE["g"] % 5, class_=np.arange(300) % 7),
        )
        for random in ("(1 + x | g)", "(1 | town/g)", "(1 + x | town/g)", "(1 | g) + (1 | class_)", "(1 + x | g) + (1 | class_)")
    },
    "an effect for every group": ("FIT-071", "y ~ C(g) + (1 | g)", BASE),
    "two groups, two arms": ("FIT-071", FORMULA, BASE.assign(g=BASE["g"] % 2)),
    "two random effects for groups of two": (
        "FIT-045",
        "y ~ t + (1 + t | k)",
        BASE[:200].assign(k=np.arange(200) // 2),
    ),
    "unknown column": ("FIT-020", "y ~ arms + (1 | g)", BASE),
    "unknown group": ("FIT-020", "y ~ arm + (1 | gg)", BASE),
    "infinite value": ("FIT-021", FORMULA, BASE.assign(x=np.where(BASE["x"] > 2, np.inf, BASE["x"]))),
    "dates": ("FIT-022", "y ~ d + (1 | g)", BASE.assign(d=pd.Timestamp("2007-05-01"))),
    "no rows": ("FIT-023", FORMULA, BASE[:0]),
    "nothing complete": ("FIT-023", FORMULA, BASE.assign(x=np.nan)),
    "outcome in words": ("FIT-024", "arm ~ x + (1 | g)", BASE),
    "two columns of one name": ("FIT-025", FORMULA, pd.concat([BASE, BASE[["x"]]], axis=1)),
    "logarithm of a negative number": ("FIT-030", "y ~ np.log(x) + (1 | g)", BASE),
    "open bracket": ("FIT-010", "y ~ x + (1 | g", BASE),
    "no tilde": ("FIT-010", "y + x", BASE),
    "no random term": ("FIT-011", "y ~ x", BASE),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_estimated_is_refused(case: str) -> None:
    code, formula, frame = REFUSALS[case]
    refused(code, formula, frame)


def test_an_unknown_column_is_met_with_its_neighbours() -> None:
    assert "arm" in refused("FIT-020", "y ~ amr + (1 | g)", BASE).rsplit("similar names:", 1)[1]


def test_weights_must_be_positive() -> None:
    refused("FIT-041", FORMULA, BASE.assign(w=BASE["x"]), weights="w")


ANSWERS = {
    "a group without variation": (FORMULA, BASE.assign(y=np.where(BASE["g"] == 3, 1.0, BASE["y"]))),
    "intraclass correlation of 0.9999": (FORMULA, BASE.assign(y=BASE["g"] + 0.05 * BASE["y"])),
    "a category seen once": ("y ~ k + (1 | g)", BASE.assign(k=["a"] + ["b"] * 149 + ["c"] * 150)),
    "two hundred groups of two with uncorrelated slopes": (
        "y ~ t + (t || k)",
        trial(400, 40).assign(k=np.arange(400) // 2, t=np.arange(400) % 2),
    ),
    "crossed with three groups": ("y ~ arm + x + (1 | g) + (1 | t)", BASE),
    "no intercept": ("y ~ 0 + arm + x + (1 | g)", BASE),
    "more random effects than the data carry": ("y ~ x + (1 + x + t | g)", BASE),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_everything_of_a_hard_fit_can_be_asked_for(case: str) -> None:
    formula, frame = ANSWERS[case]
    fit = lmm(formula, frame)
    assert fit.converged
    for method in (KenwardRoger(), Satterthwaite(), BetweenWithin(), Normal()):
        table = fit.tidy(method)
        assert (table[["std_error", "df", "p_value"]].notna().all(axis=1) | (table["note"] != "")).all()
    assert len(str(fit)) and len(fit.random_effects()) and len(fit.anova()) >= 0
    assert 0 <= fit.icc().estimate <= 1


@pytest.mark.parametrize("scale", [1e8, 1e-8])
def test_an_outcome_in_very_large_or_small_units(scale: float) -> None:
    a, b = lmm(FORMULA, BASE).tidy(), lmm(FORMULA, BASE.assign(y=BASE["y"] * scale)).tidy()
    np.testing.assert_allclose(b["estimate"], a["estimate"] * scale, rtol=DIGITS)
    np.testing.assert_allclose(b["std_error"], a["std_error"] * scale, rtol=DIGITS)
    np.testing.assert_allclose(b[["df", "p_value"]], a[["df", "p_value"]], rtol=1e-5)


def test_a_covariate_near_a_million_keeps_its_digits() -> None:
    x = np.round(BASE["x"], 6)  # exact in both places
    a, b = lmm("y ~ arm + x + (1 + x | g)", BASE.assign(x=x)), lmm("y ~ arm + x + (1 + x | g)", BASE.assign(x=x + 1e6))
    A, B = a.tidy(), b.tidy()
    np.testing.assert_allclose(B.loc[1:, ["estimate", "std_error", "df"]], A.loc[1:, ["estimate", "std_error", "df"]], rtol=1e-5)
    assert b.deviance == pytest.approx(a.deviance, abs=1e-7)


def test_collinear_columns_are_dropped_and_named() -> None:
    fit = lmm("y ~ arm + x + z + w + (1 | g)", BASE.assign(z=BASE["t"] * 1.7).assign(w=lambda d: d["x"] - d["z"]))
    assert fit.dropped == ("w",)
    row = fit.tidy().set_index("term").loc["w"]
    assert np.isnan(row["estimate"]) and "linear combination" in row["note"]
    assert "w" in str(fit).rsplit("Dropped", 1)[1]
    assert fit.glance()["dropped_terms"][0] == "w"
    with pytest.raises(Refusal, match="FIT-004"):
        fit.contrast({"w": 1.0})


@pytest.mark.parametrize(
    ("arm", "named"), [("t", "arm"), (pd.Categorical(["t"] * 300, categories=["c", "t"]), "arm[T.c]"), (1, "arm")]
)
def test_a_treatment_without_variation_has_no_coefficient_and_says_so(arm: object, named: str) -> None:
    fit = lmm(FORMULA, BASE.assign(arm=arm))
    assert fit.dropped == (named,)
    assert fit.names == ("Intercept", "x")


def test_intraclass_correlation_of_exactly_zero() -> None:
    """A singular fit is kept and said; its estimates are those of least squares; each method keeps its declared rule."""
    d = BASE.assign(y=BASE["y"] - BASE.groupby("g")["y"].transform("mean"))
    fit = lmm(FORMULA, d)
    assert fit.singular and fit.converged and fit.glance()["singular"][0]
    assert fit.covariances[0][0, 0] == 0.0
    X = np.column_stack([np.ones(300), d["arm"] == "t", d["x"]])
    beta, rss = np.linalg.lstsq(X, d["y"], rcond=None)[:2]
    np.testing.assert_allclose(fit.estimate, beta, atol=1e-9)
    assert fit.sigma2 == pytest.approx(rss[0] / 297, rel=1e-9)
    satterthwaite = fit.tidy(Satterthwaite())
    assert satterthwaite["df"].isna().all() and satterthwaite["note"].str.contains("Kenward and Roger's can be had").all()
    assert (satterthwaite["method"] == "Satterthwaite").all()
    kr = fit.tidy()
    assert kr["df"][1] < 30 and kr["note"].str.contains("singular").all()
    assert fit.tidy(BetweenWithin())["df"].tolist() == [18, 18, 279]
    low = fit.icc()
    assert (low.estimate, low.conf_low) == (0.0, 0.0) and 0 < low.conf_high < 0.1


def test_variances_that_the_data_do_not_separate_are_said() -> None:
    """With (f || g) the intercept's variance repeats what the factor's own covariance matrix can say."""
    rng = np.random.default_rng(3)
    d = BASE.assign(
        f=np.where(rng.random(300) > 0.5, "p", "q"),
        y=BASE["y"] + rng.normal(size=40)[BASE["g"] + 20 * (rng.random(300) > 0.5)],
    )
    fit = lmm("y ~ f + (f || g)", d)
    assert any("do not separate" in n for n in fit.notes)
    one = lmm("y ~ f + (0 + f | g)", d)
    assert not one.notes
    assert fit.deviance == pytest.approx(one.deviance, abs=1e-6)
    for method in (KenwardRoger(), Satterthwaite()):
        columns = ["estimate", "std_error", "df"]
        np.testing.assert_allclose(fit.tidy(method)[columns], one.tidy(method)[columns], rtol=1e-3)


def test_missing_values_anywhere_drop_the_row_and_are_counted() -> None:
    d = BASE.astype({"arm": object, "g": float})
    d.loc[3, "arm"], d.loc[5, "g"], d.loc[9, "y"], d.loc[9, "x"] = None, np.nan, np.nan, np.nan
    fit, without = lmm(FORMULA, d), lmm(FORMULA, BASE.drop([3, 5, 9]))
    assert (fit.n_obs, fit.n_dropped) == (297, 3)
    assert "3 rows" in str(fit)
    np.testing.assert_allclose(fit.estimate, without.estimate, rtol=DIGITS)
    assert len(fit.fitted) == 297


@pytest.mark.parametrize("kind", ["Int64", "int16", "float32", "Float64", "int64", "uint8"])
def test_numeric_dtypes(kind: str) -> None:
    whole = (BASE["x"] * 10).round() + 40
    a, b = lmm(FORMULA, BASE.assign(x=whole)), lmm(FORMULA, BASE.assign(x=whole.astype(kind), g=BASE["g"].astype(kind)))
    np.testing.assert_allclose(b.estimate, a.estimate, rtol=DIGITS)


@pytest.mark.parametrize("kind", ["bool", "boolean", "object"])
def test_booleans_are_numbers(kind: str) -> None:
    flag = BASE["x"] > 0
    a, b = lmm("y ~ f + (1 | g)", BASE.assign(f=flag * 1.0)), lmm("y ~ f + (1 | g)", BASE.assign(f=flag.astype(kind)))
    np.testing.assert_allclose(b.estimate, a.estimate, rtol=DIGITS)


@pytest.mark.parametrize("kind", ["object", "string", "category"])
def test_text_dtypes(kind: str) -> None:
    a, b = (
        lmm(FORMULA, BASE),
        lmm(FORMULA, BASE.assign(arm=BASE["arm"].astype(kind), g=BASE["g"].astype(str).astype(kind))),
    )
    assert a.names == b.names
    np.testing.assert_allclose(b.estimate, a.estimate, rtol=DIGITS)


def test_arrow_dtypes() -> None:
    a, b = lmm(FORMULA, BASE), lmm(FORMULA, BASE.convert_dtypes(dtype_backend="pyarrow"))
    np.testing.assert_allclose(b.estimate, a.estimate, rtol=DIGITS)


def test_a_hundred_thousand_groups_of_one_or_two() -> None:
    rng = np.random.default_rng(8)
    g = np.concatenate([np.arange(100_000), np.arange(0, 100_000, 2)])
    d = pd.DataFrame({"g": g, "arm": g % 4 < 2, "x": rng.normal(size=150_000) + 1e6})
    d["y"] = 0.3 * d["arm"] + rng.normal(size=100_000)[g] + rng.normal(size=150_000)
    fit = lmm(FORMULA, d)
    table = fit.tidy().set_index("term")
    assert abs(table.loc["arm", "estimate"] - 0.3) < 4 * table.loc["arm", "std_error"]
    assert fit.icc().estimate == pytest.approx(0.5, abs=0.02)
    assert fit.converged


def test_the_optimum_is_the_lowest_of_two_valleys() -> None:
    """Two groups far apart among many alike: the restricted likelihood of a small trial can have a second minimum."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        g = np.repeat(np.arange(5), [2, 2, 2, 2, 30])
        d = pd.DataFrame({"g": g, "y": rng.normal(size=38) + np.array([0, 0, 0, 3.0, 0])[g]})
        fit = lmm("y ~ 1 + (1 | g)", d)
        for ratio in np.exp(np.linspace(-9, 9, 60)):
            assert fit.found.criterion.value <= fit.problem.evaluate(np.array([ratio]), reml=True).value + 1e-9


@pytest.mark.parametrize(
    "formula", ["y ~ x + (1 + x | g)", "y ~ x + (1 | g/h)", "y ~ 1 + (1 | g) + (1 | h)", "y ~ x + (x || g) + (1 | h)"]
)
def test_no_other_covariance_matrix_is_likelier(formula: str) -> None:
    """Small, heavy-tailed data, where minima lie on the boundary and in several valleys."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        g, h = rng.integers(0, 5, 40), rng.integers(0, 4, 40)
        d = pd.DataFrame({"g": g, "h": h, "x": rng.normal(size=40)})
        d["y"] = rng.standard_t(3, size=40) + (seed % 3) * rng.normal(size=5)[g]
        fit = lmm(formula, d)
        assert fit.converged
        shape = fit.problem.elimination.shape
        for _ in range(40):
            theta = rng.normal(size=len(shape.elements)) * rng.choice([0.03, 0.3, 1.0, 3.0])
            assert fit.found.criterion.value <= fit.problem.evaluate(shape.d(theta), reml=True).value + 1e-8


def descend(problem: EstimationProblem, theta: np.ndarray) -> optimise.Optimum:
    """Search from one start."""
    shape = problem.elimination.shape

    def evaluate(d: np.ndarray, order: int) -> Criterion:
        return problem.evaluate(d, reml=True, order=order)

    return optimise._descend(shape, evaluate, optimise._Point.at(shape, evaluate, theta))


def tiny(seed: int) -> pd.DataFrame:
    """Ten to twenty-three heavy-tailed rows in four groups of two factors."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(10, 24))
    g, h = rng.integers(0, 4, n), rng.integers(0, 4, n)
    d = pd.DataFrame({"g": g, "h": h, "x": rng.normal(size=n)})
    return d.assign(y=rng.standard_t(2, size=n) + 2 * rng.normal(size=4)[g] * (seed % 3 == 0))


@pytest.mark.parametrize(("formula", "seed"), [("y ~ x + (x || g) + (1 | h)", 332), ("y ~ x + (1 | g/h)", 327)])
def test_a_step_to_the_mirror_image_is_no_progress(formula: str, seed: int) -> None:
    """theta and -theta are one D: a search that accepts equal values can swing between them for ever."""
    problem = lmm(formula, tiny(seed)).problem
    shape = problem.elimination.shape
    alone = descend(problem, shape.identity(0.5))
    assert alone.converged


@pytest.mark.parametrize("seed", [30, 218, 264])
def test_the_lowest_of_several_valleys(seed: int) -> None:
    fit = lmm("y ~ x + (x || g) + (1 | h)", tiny(seed))
    shape = fit.problem.elimination.shape
    starts = [shape.identity(scale) for scale in (0.1, 0.5, 3.0)]
    ends = [descend(fit.problem, s) for s in starts]
    values = [e.criterion.value for e in ends if e.converged]
    assert fit.found.criterion.value == pytest.approx(min(values), abs=1e-9)
    assert max(values) > min(values) + 0.1  # one start alone would not have found it


def test_a_search_that_starts_on_the_boundary_leaves_it() -> None:
    """At D = 0 the gradient in theta vanishes whatever the data; only the gradient in D tells that it is no minimum."""
    problem = lmm("y ~ x + (1 + x | g)", BASE.assign(y=BASE["y"] + BASE["x"] * np.sin(BASE["g"]))).problem
    inside = problem.optimum(reml=True)
    shape = problem.elimination.shape
    from_zero = descend(problem, shape.identity(0.0))
    assert not inside.singular and not from_zero.singular
    np.testing.assert_allclose(from_zero.theta, inside.theta, atol=1e-6)
