"""Columns of a frame and the pass over them, against what is computed row by row without either."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import Refusal
from asp_eval.stats.design.model_frame import read_design
from asp_eval.stats.design.variables import FIRST_ROWS, Categories, read_categories, read_variables
from asp_eval.stats.engine import accumulate, one_effect
from asp_eval.stats.engine.likelihood import criterion, ratio_criterion
from asp_eval.stats.engine.moments import Moments
from asp_eval.stats.engine.one_effect import OneEffect
from asp_eval.stats.engine.profile import Profile
from asp_eval.stats.mixed.fit import lmm

WHOLE = {
    "from zero": np.repeat(np.arange(4), 3),
    "from elsewhere": np.repeat(np.arange(-2, 2), 3),
    "with gaps": np.array([-7, -7, 3, 40, 40, 900]),
    "scattered": np.array([3, 1, 1, 9, 3]),
    "all the same": np.full(3, 5),
    "one row": np.array([8]),
    "larger than a signed number": np.array([2**63, 2**63, 2**63 + 2], dtype=np.uint64),
}


@pytest.mark.parametrize("kind", [np.int64, np.int8, np.uint16])
@pytest.mark.parametrize("case", WHOLE)
def test_whole_numbers_are_categories_in_ascending_order(case: str, kind: type) -> None:
    values = WHOLE[case] if case.startswith("larger") else WHOLE[case].astype(kind)
    found = read_categories(pd.Series(values))
    levels, codes = np.unique(values, return_inverse=True)
    assert found.levels.tolist() == levels.tolist() and found.codes.tolist() == codes.tolist()
    assert found.codes.dtype == np.intp and found.every_used


@pytest.mark.parametrize("kind", ["str", "string", object])
@pytest.mark.parametrize("texts", ["bbbaacc", "zaza", "a", "\u00e5\u00c6\u00e5\U0001f600z", ["b", None, "a"]])
def test_texts_are_categories_in_the_order_of_their_letters(texts: str | list[str | None], kind: str | type) -> None:
    parts = [pd.Series(list(texts), dtype=kind)] * 2
    for series in (parts[0], pd.concat(parts)):  # of one piece of memory, and of two
        found, known = read_categories(series), series.dropna()
        levels = sorted(set(known))
        assert found.levels.tolist() == levels and found.every_used
        assert found.codes.tolist() == [-1 if pd.isna(v) else levels.index(v) for v in series]
        assert kind is object or found.levels.dtype == series.dtype


@pytest.mark.parametrize("late", [False, True])
def test_a_category_is_left_out_only_if_no_row_holds_it(late: bool) -> None:
    codes = np.zeros(FIRST_ROWS + 2, np.int8)
    codes[-1 if late else 0], codes[1] = 2, 3
    found = read_variables(pd.DataFrame({"x": pd.Categorical.from_codes(codes, list("abcd"))}), ["x"]).columns["x"]
    assert isinstance(found, Categories)
    assert found.levels.tolist() == ["a", "c", "d"] and found.absent == ("b",)
    assert found.codes.tolist() == [{0: 0, 2: 1, 3: 2}[int(c)] for c in codes]


def test_numbers_whose_squares_are_too_large_are_numbers() -> None:
    found = read_variables(pd.DataFrame({"x": [1e200, -1e200, 3.0]}), ["x"])
    assert found.n == 3 and found.numeric("x").tolist() == [1e200, -1e200, 3.0]
    with pytest.raises(Refusal, match="infinite"):
        read_variables(pd.DataFrame({"x": [1e200, np.inf, np.nan]}), ["x"])


def test_a_row_is_left_out_for_a_gap_in_any_column() -> None:
    whole = {"x": [1.0, 2, 3, 4], "g": [1, 1, 2, 2], "t": list("aabb"), "a": pd.Categorical(list("pqpq"))}
    for k, gap in enumerate(
        ({}, {"x": [1.0, np.nan, 3, 4]}, {"t": ["a", None, "b", "b"]}, {"a": pd.Categorical(["p", None, "p", "q"])})
    ):
        found = read_variables(pd.DataFrame(whole | gap), ["x", "t", "a"], ["g"])
        assert (found.n, found.n_dropped) == ((3, 1) if k else (4, 0))
        assert (found.keep is None) == (k == 0)
        assert {len(c.numbers if not isinstance(c, Categories) else c.codes) for c in found.columns.values()} == {found.n}


def test_columns_are_read_where_pandas_does_not_hand_out_its_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = trial(5)
    rows["text"], rows["flag"] = rows["arm"].astype(str), rows["x"] > 0
    formula = "y ~ arm + x + text:x + flag + (1 | g)"
    usual = Moments.from_frame(formula, rows)
    monkeypatch.delattr(pd.DataFrame, "_get_column_array")  # what pandas does not promise
    found = Moments.from_frame(formula, rows)
    assert found.layout == usual.layout and (found.total == usual.total).all() and (found.sums[0] == usual.sums[0]).all()


def trial(seed: int, *, groups: int = 12, scattered: bool = False, sizes: tuple[int, int] = (5, 30)) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), rng.integers(*sizes, groups))
    if scattered:
        rng.shuffle(g)
    n = len(g)
    frame = pd.DataFrame({"g": 10 + 3 * g, "x": rng.normal(1e3, 1, n), "arm": pd.Categorical.from_codes(g % 2, ["old", "new"])})
    frame["w"] = rng.uniform(0.5, 2, n)
    return frame.assign(y=rng.normal(size=groups)[g] + 0.3 * (g % 2) + rng.normal(size=n))


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("chunk", [2**15, 50, 7])
def test_sums_are_those_of_the_rows_in_whatever_chunks(
    chunk: int, scattered: bool, weights: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accumulate, "CHUNK", chunk)
    monkeypatch.setattr(accumulate, "SMALL_CHUNK", chunk)
    rows = trial(1, scattered=scattered)
    design = read_design("y ~ arm * x + (1 + x | g)", rows, weights=weights)
    found = Moments.from_design(design)
    u = np.empty((len(found.layout.columns), len(rows)))
    design.fill(u, slice(None))
    u = (u - found.shift[:, None]) * (1.0 if weights is None else np.sqrt(rows["w"].to_numpy()))
    assert found.total == pytest.approx(u @ u.T, rel=1e-12, abs=1e-9)
    for k, g in enumerate(np.unique(rows["g"])):
        own = u[:, rows["g"] == g]
        assert found.sums[0][k] == pytest.approx(own[list(found.layout.factors[0].needed)] @ own.T, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("sizes", [(20, 21), (5, 30)])
def test_one_ratio_is_the_criterion_of_any_number_of_ratios(sizes: tuple[int, int], reml: bool) -> None:
    problem = lmm("y ~ arm + x + (1 | g)", trial(2, sizes=sizes)).problem
    assert problem.one is not None
    assert len(problem.one.h) == (1 if sizes == (20, 21) else 12)
    H, C = problem.elimination.stages[0].products[:, 0, 0], problem.elimination.stages[0].products[:, 0, 1:]
    for d in (0.0, 0.3, 40.0):
        S, log_dets = problem.one.derivatives(d)
        v = 1.0 / (1.0 + d * H)
        parts = [(C.T * w) @ C for w in (d * v, v**2, -2.0 * H * v**3)]
        assert pytest.approx(problem.elimination.root - parts[0], abs=1e-9) == S[0]
        assert pytest.approx(-np.array(parts[1:]), abs=1e-9) == S[1:]
        assert log_dets == pytest.approx((-np.log(v).sum(), (H * v).sum(), -((H * v) ** 2).sum()))
        profile = Profile(log_dets[0], np.array([log_dets[1]]), np.array([[log_dets[2]]]), S[0], S[1:2], S[None, 2:])
        one, every = ratio_criterion(S, log_dets, problem.n, reml=reml).whole(), criterion(profile, problem.n, reml=reml)
        for name, value in zip(every._fields[1:], every[1:], strict=True):
            assert getattr(one, name) == pytest.approx(value, rel=1e-12), name
            assert np.shape(getattr(one, name)) == np.shape(value)


def test_a_ratio_at_which_all_is_lost_is_as_bad_as_can_be() -> None:
    lost = ratio_criterion(np.zeros((3, 3, 3)), (0.0, 0.0, 0.0), 9, reml=True)
    assert (lost.value, lost.gradient, lost.hessian, lost.N) == (np.inf, 0.0, 0.0, 7)


def test_equal_groups_are_collapsed_as_unequal_ones_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    products = rng.normal(size=(9, 1, 4))
    products[:, 0, 0] = 25.0
    one = OneEffect.of(products, np.eye(3))
    monkeypatch.setattr(one_effect, "SMALL", 0)
    products[:, 0, 0] += 1e-9 * np.arange(9)
    each = OneEffect.of(products, np.eye(3))
    assert one.count.tolist() == [9.0] and len(each.h) == 9
    for a, b in zip(one.derivatives(0.7), each.derivatives(0.7), strict=True):
        assert np.asarray(a) == pytest.approx(np.asarray(b), abs=1e-7)
