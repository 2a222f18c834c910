"""Whatever is handed to a public function is answered or refused in words: never a traceback of another kind.

1. What is harmless is accepted: values in place of a column's name, other programs' tables, names and lists of contrasts.
2. Slips are refused with a code.
3. Fuzzed: any value in the place of any argument, and any text as a formula, gives an answer or an `AspError` that prints.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from examples import part_of_examples
from hypothesis import given
from hypothesis import strategies as st

from asp_eval import CR1, CR2, AspError, KenwardRoger, Moments, lmm, lmm_from_moments, ols

RNG = np.random.default_rng(8)
G = np.repeat(np.arange(14), 8)
FRAME = pd.DataFrame(
    {
        "inst": G,
        "cls": RNG.integers(3, size=112),
        "arm": np.where(G % 2, "new", "old"),
        "x": RNG.normal(size=112),
        "w": RNG.uniform(1, 2, 112),
    }
)
FRAME["y"] = FRAME["x"] + RNG.normal(size=14)[G] + RNG.normal(size=112)
MIXED, LINEAR = lmm("y ~ arm + x + (1 | inst)", FRAME), ols("y ~ arm + x", FRAME, cluster="inst")
MOMENTS = Moments.from_frame("y ~ arm + x + (1 | inst)", FRAME)


class Convertible:
    """Another program's table or column."""

    def __init__(self, made: object) -> None:
        self.made = made

    def to_pandas(self) -> object:
        return self.made

    def to_numpy(self) -> object:
        return np.asarray(self.made)


class Broken:
    """Something whose every use fails."""

    def to_pandas(self) -> object:
        raise RuntimeError("no")

    def __repr__(self) -> str:
        return "Broken()"


def test_values_do_in_place_of_a_column() -> None:  # 1
    want = lmm("y ~ x + (1 | inst)", FRAME, weights="w").estimate
    for w in (FRAME["w"], FRAME["w"].to_numpy(), FRAME["w"].tolist(), Convertible(FRAME["w"])):
        np.testing.assert_allclose(lmm("y ~ x + (1 | inst)", FRAME, weights=w).estimate, want)
    clustered = ols("y ~ x", FRAME, cluster="inst").tidy()["std_error"]
    for c in (FRAME["inst"], FRAME["inst"].tolist(), FRAME["inst"].astype(str)):
        np.testing.assert_allclose(ols("y ~ x", FRAME, cluster=c).tidy()["std_error"], clustered)


def test_other_programs_tables_are_read() -> None:  # 1
    pyarrow = pytest.importorskip("pyarrow")
    want = lmm("y ~ arm + x + (1 | inst)", FRAME).estimate
    for table in (pyarrow.Table.from_pandas(FRAME), Convertible(FRAME)):
        fit = lmm("y ~ arm + x + (1 | inst)", table)
        np.testing.assert_allclose(fit.estimate, want)
        np.testing.assert_allclose(fit.predict(table), fit.fitted)


@pytest.mark.parametrize(
    "kind", ["int8", "int16", "int32", "uint8", "uint64", "float32", "Int8", "string", "category", "object", "bool"]
)
def test_ids_may_be_of_any_kind(kind: str) -> None:  # 1
    ids = FRAME["inst"] % 2 if kind == "bool" else FRAME["inst"] * 15 - (0 if kind.startswith("u") else 100)
    fit = lmm("y ~ x + (1 | inst)", FRAME.assign(inst=ids.astype("Int8" if kind == "Int8" else kind)))
    assert fit.n_groups["inst"] == (2 if kind == "bool" else 14)


def test_contrasts_are_said_in_every_usual_way() -> None:  # 1
    for fit in (MIXED, LINEAR):
        one = fit.contrast({"x": 1.0})
        for same in ("x", [0, 0, 1], np.array([[0.0, 0, 1]]), pd.Series({"x": 1.0})):
            assert fit.contrast(same).estimate == one.estimate  # type: ignore[arg-type]
        joint = fit.joint_test(["arm[T.old]", "x"])
        for rows in ([{"x": 1.0}, {"arm[T.old]": -2.0}], [[0, 1, 0], [0, 0, 1]], np.array([[0, 1, 1], [0, 1, -1.0], [0, 3, 0]])):
            assert fit.joint_test(rows).statistic == pytest.approx(joint.statistic)  # order and scale do not matter
            assert fit.joint_test(rows).df_denominator == pytest.approx(joint.df_denominator)


SLIPS: dict[str, tuple[str, Callable[[], object]]] = {
    "more rows than one": ("FIT-008", lambda: MIXED.contrast(np.eye(3))),
    "a weight that is missing": ("FIT-007", lambda: MIXED.contrast({"x": float("nan")})),
    "a weight that is infinite": ("FIT-007", lambda: LINEAR.contrast([0, 0, float("inf")])),
    "a weight that is text": ("FIT-007", lambda: MIXED.contrast({"x": "1"})),  # type: ignore[dict-item]
    "positions for names": ("FIT-003", lambda: MIXED.joint_test([0, 1])),  # type: ignore[list-item]
    "a number for a name": ("FIT-001", lambda: MIXED.contrast({1: 1.0})),  # type: ignore[dict-item]
    "swapped arguments": ("FIT-013", lambda: lmm(FRAME, "y ~ x + (1 | inst)")),  # type: ignore[arg-type]
    "no data": ("FIT-026", lambda: lmm("y ~ x + (1 | inst)")),
    "data twice": ("FIT-029", lambda: lmm("y ~ x + (1 | inst)", FRAME, data=FRAME)),
    "a constant outcome": ("FIT-043", lambda: ols("1 ~ x", FRAME)),
    "no rows": ("FIT-023", lambda: lmm("y ~ x + (1 | inst)", FRAME[:0])),
    "no rows at all": ("FIT-023", lambda: ols("y ~ x", FRAME[:0])),
    "weights of other rows": ("FIT-027", lambda: lmm("y ~ x + (1 | inst)", FRAME, weights=[1.0, 2.0])),
    "weights in another order": ("FIT-028", lambda: lmm("y ~ x + (1 | inst)", FRAME, weights=FRAME["w"][::-1])),
    "three clusterings": ("FIT-019", lambda: ols("y ~ x", FRAME, cluster=["inst", "cls", "arm"])),
    "a name for a truth value": ("FIT-016", lambda: lmm("y ~ x + (1 | inst)", FRAME, "w")),  # type: ignore[arg-type]
    "a class for a method": ("FIT-006", lambda: MIXED.vcov(KenwardRoger)),  # type: ignore[arg-type]
    "a level in percent": ("FIT-002", lambda: MIXED.tidy(level=95)),
    "a level that is text": ("FIT-002", lambda: LINEAR.tidy(level="0.95")),  # type: ignore[arg-type]
    "residuals of no kind": ("FIT-067", lambda: MIXED.residuals_by("deviance")),
    "half an outcome": ("FIT-009", lambda: MIXED.simulate(1.5)),  # type: ignore[arg-type]
    "no fit to compare with": ("FIT-066", lambda: MIXED.anova("y ~ x")),  # type: ignore[arg-type]
    "no moments": ("FIT-037", lambda: lmm_from_moments(FRAME)),  # type: ignore[arg-type]
    "a term that is not there": ("FIT-010", lambda: MIXED.update("~ . - (1 | cls)")),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_refused_with_its_code(slip: str) -> None:  # 2
    code, call = SLIPS[slip]
    with pytest.raises(AspError, match=code):
        call()


THINGS: list[Any] = [
    None,
    True,
    0,
    -1,
    3.5,
    float("nan"),
    float("inf"),
    10**30,
    "",
    "x",
    "y ~ x",
    "no such",
    b"x",
    (),
    [],
    ["x"],
    ["x", "x"],
    [0, 1],
    [None],
    {},
    {"x": 1.0},
    {"x": None},
    {1: 2},
    {"x"},
    object(),
    int,
    KenwardRoger,
    KenwardRoger(),
    CR2(),
    CR1(),
    np.eye(3),
    np.eye(2),
    np.array([]),
    np.array(["a"]),
    np.array(1.0),
    FRAME,
    FRAME[:0],
    FRAME["x"],
    FRAME[["x"]],
    FRAME.rename(columns=str.upper),
    FRAME.assign(x="a"),
    FRAME.assign(x=np.nan),
    pd.concat([FRAME, FRAME], axis=1),
    MIXED,
    LINEAR,
    MOMENTS,
    Decimal(1),
    1j,
    lambda: 1,
    Broken(),
    Convertible(3),
    pd.DataFrame(),
    pd.Series(dtype=float),
    range(3),
    iter([1]),
    ...,
    pd.NA,
    pd.NaT,
    np.datetime64("2027-01-01"),
    np.ma.masked,
]
CALLS: dict[str, Callable[..., object]] = {
    "lmm formula": lambda v: lmm(v, FRAME),
    "lmm frame": lambda v: lmm("y ~ x + (1 | inst)", v),
    "lmm reml": lambda v: lmm("y ~ x + (1 | inst)", FRAME, v),
    "lmm weights": lambda v: lmm("y ~ x + (1 | inst)", FRAME, weights=v),
    "ols formula": lambda v: ols(v, FRAME),
    "ols frame": lambda v: ols("y ~ x", v),
    "ols cluster": lambda v: ols("y ~ x", FRAME, cluster=v),
    "ols weights": lambda v: ols("y ~ x", FRAME, weights=v),
    "moments formula": lambda v: Moments.from_frame(v, FRAME),
    "moments frame": lambda v: Moments.from_frame("y ~ x + (1 | inst)", v),
    "moments like": lambda v: Moments.from_frame("y ~ x + (1 | inst)", FRAME, like=v),
    "moments X": lambda v: Moments.from_arrays(v, np.ones(3), {"g": [1, 1, 2]}),
    "moments y": lambda v: Moments.from_arrays(np.eye(3), v, {"g": [1, 1, 2]}),
    "moments groups": lambda v: Moments.from_arrays(np.eye(3), np.ones(3), v),
    "moments group": lambda v: Moments.from_arrays(np.eye(3), np.ones(3), {"g": v}),
    "moments random": lambda v: Moments.from_arrays(np.eye(3), np.ones(3), {"g": [1, 1, 2]}, random={"g": v}),
    "moments names": lambda v: Moments.from_arrays(np.eye(3), np.ones(3), {"g": [1, 1, 2]}, names=v),
    "moments weights": lambda v: Moments.from_arrays(np.eye(3), np.ones(3), {"g": [1, 1, 2]}, weights=v),
    "from moments": lmm_from_moments,
    "from moments reml": lambda v: lmm_from_moments(MOMENTS, v),
}
METHODS: dict[str, Callable[[Any, Any], object]] = {
    "tidy": lambda f, v: f.tidy(v),
    "tidy level": lambda f, v: f.tidy(level=v),
    "contrast": lambda f, v: f.contrast(v),
    "contrast method": lambda f, v: f.contrast("x", v),
    "contrast level": lambda f, v: f.contrast("x", level=v),
    "joint_test": lambda f, v: f.joint_test(v),
    "joint_test method": lambda f, v: f.joint_test(["x"], v),
    "vcov": lambda f, v: f.vcov(v),
    "predict": lambda f, v: f.predict(v),
    "predict_intervals": lambda f, v: f.predict_intervals(v),
    "predict_intervals kind": lambda f, v: f.predict_intervals(FRAME[:3], kind=v),
    "predict_intervals level": lambda f, v: f.predict_intervals(FRAME[:3], level=v),
    "predict_intervals method": lambda f, v: f.predict_intervals(FRAME[:3], method=v),
    "residuals_by": lambda f, v: f.residuals_by(v),
    "simulate": lambda f, v: f.simulate(v if not isinstance(v, int) or v < 100 else 2),
    "simulate seed": lambda f, v: f.simulate(1, v),
    "update": lambda f, v: f.update(v),
    "update frame": lambda f, v: f.update("~ .", v),
    "conf_int": lambda f, v: f.conf_int(v),
    "conf_int method": lambda f, v: f.conf_int(method=v),
    "summary": lambda f, v: f.summary(v),
    "icc": lambda f, v: f.icc(v),
}
OF_MIXED: dict[str, Callable[[Any, Any], object]] = {
    "anova": lambda f, v: f.anova(v),
    "anova method": lambda f, v: f.anova(method=v),
    "likelihood_ratio": lambda f, v: f.likelihood_ratio(v),
    "variance_intervals": lambda f, v: f.variance_intervals(v),
    "variance_intervals kind": lambda f, v: f.variance_intervals(kind=v),
    "coefficient_intervals": lambda f, v: f.coefficient_intervals(v),
    "icc group": lambda f, v: f.icc(group=v),
    "icc at": lambda f, v: f.icc(at=v),
}


def answered(call: Callable[[], object]) -> None:
    """Whether a call answers, or refuses in words that can be printed."""
    try:
        call()
    except AspError as refusal:
        assert str(refusal).startswith("["), refusal


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_functions_answer_or_refuse(name: str) -> None:  # 3
    for thing in THINGS:
        answered(lambda thing=thing: CALLS[name](thing))  # type: ignore[misc]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "fit"), [*itertools.product(METHODS, ("mixed", "linear")), *((n, "mixed") for n in OF_MIXED)])
def test_fits_answer_or_refuse(name: str, fit: str) -> None:  # 3
    """What both kinds of fit have is handed every other thing of one, and the others of the other."""
    things = THINGS if name in OF_MIXED else THINGS[fit == "linear" :: 2]
    hand_over(name, fit, things)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "fit"), [*itertools.product(METHODS, ("mixed", "linear"))])
def test_fits_answer_or_refuse_everything(name: str, fit: str) -> None:  # 3
    hand_over(name, fit, THINGS)


def hand_over(name: str, fit: str, things: list[Any]) -> None:
    call, of = {**METHODS, **OF_MIXED}[name], MIXED if fit == "mixed" else LINEAR
    for thing in things:
        answered(lambda thing=thing: call(of, thing))  # type: ignore[misc]


PIECES = [
    "y",
    "x",
    "arm",
    "inst",
    "w",
    "cls",
    "0",
    "1",
    "2",
    "1.5",
    "'new'",
    '"',
    "'",
    "`",
    "~",
    "+",
    "-",
    "*",
    "/",
    ":",
    "^",
    "**",
    "(",
    ")",
    "|",
    "||",
    "[",
    "]",
    ",",
    ".",
    "=",
    "==",
    ">",
    "!",
    "&",
    "%in%",
    "%%",
    "I(",
    "C(",
    "factor(",
    "poly(",
    "bs(",
    "ns(",
    "scale(",
    "offset(",
    "log(",
    "relevel(",
    "c(",
    "df=",
    "ref=",
    " ",
    "\n",
    "é",
    "__x__",
    "lambda",
    "None",
    "True",
    "Sum",
    "Treatment(",
    "np.log(",
    "cs(",
    "levels=",
]


@pytest.mark.filterwarnings("ignore")
@part_of_examples(2.5)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map("".join))
def test_any_text_as_a_formula_is_answered_or_refused(text: str) -> None:  # 3
    answered(lambda: ols(text, FRAME))
    answered(lambda: ols(f"y ~ {text}", FRAME))
    answered(lambda: lmm(f"y ~ {text} + (1 | inst)", FRAME[:40]))
