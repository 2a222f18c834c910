"""Sums that DuckDB makes are those of the rows, and a fit from them is the fit of the rows.

1. Against a hand calculation on five rows, one of them incomplete.
2. Against `Moments.from_frame`, which never leaves Python, to 1e-12, and the fits against `lmm` on the rows: categories, weights,
   nested and crossed factors, slopes, offsets, contrasts, a covariate near 1e9.
3. The same digits for any number of threads; the statement of every dialect; an answer read back.
4. What cannot be had, and bad input, is refused in words.
"""

from __future__ import annotations

import itertools
from decimal import Decimal

import duckdb
import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from asp_eval import AspError, Moments, lmm, lmm_from_moments, moments_from_sql
from asp_eval.engines.dialects import DIALECTS
from asp_eval.engines.duckdb_sums import DuckdbRows
from asp_eval.engines.statement import sums_statement
from asp_eval.stats.engine import group_sums
from asp_eval.stats.engine.group_sums import ask

SAME = 1e-12


def rows(n: int = 2000, seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    inst = rng.integers(0, 50, n)
    frame = pd.DataFrame(
        {
            "inst": inst,
            "muni": np.array([f"m{i % 5}" for i in inst]),
            "rater": rng.integers(0, 30, n),
            "arm": np.where(inst % 2, "new", "old"),
            "edu": rng.choice(["long", "short", "none"], n),
            "sex": rng.random(n) < 0.5,
            "t": rng.integers(0, 3, n).astype(float),
            "age": rng.integers(3, 7, n),
            "x": 1e9 + rng.normal(size=n) * 10,
            "w": rng.uniform(0.5, 2, n),
            "o": rng.normal(size=n),
        }
    )
    frame["y"] = rng.normal(size=n) + rng.normal(size=50)[inst] + 0.1 * (frame["x"] - 1e9) + 0.3 * frame["t"]
    frame.loc[rng.random(n) < 0.02, "x"] = np.nan
    frame.loc[rng.random(n) < 0.02, "arm"] = None
    return frame


FRAME = rows()
MODELS = [
    ("y ~ arm * t + x + sex + edu + (1 + t | inst) + (1 | muni)", None),
    ("y ~ x + (1 | muni/inst)", None),
    ("y ~ arm * edu + t:age + (1 + t || inst)", "w"),
    ("y ~ x + (sex | inst) + (1 | rater)", None),
    ("y ~ 0 + edu + t + (0 + t | inst) + (1 | muni:rater)", "w"),
    ("y ~ C(edu, Sum) * t + factor(age) + offset(o) + (1 | inst)", "w"),
    ("y ~ relevel(edu, ref='none') + (1 | inst)", None),
    ("sex ~ x + (1 | inst)", None),
]


def source(frame: pd.DataFrame, threads: int = 2) -> duckdb.DuckDBPyRelation:
    connection = duckdb.connect()
    connection.execute(f"SET threads = {threads}")
    connection.register("given", frame)
    connection.execute("CREATE TABLE held AS SELECT * FROM given")
    return connection.table("held")


RELATION = source(FRAME)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a - b).max() / np.abs(b).max())


def assert_same_moments(found: Moments, expected: Moments) -> None:
    assert found.layout == expected.layout
    assert (found.n_obs, found.n_dropped, found.weighted) == (expected.n_obs, expected.n_dropped, expected.weighted)
    moved = found.shifted(expected.shift)
    assert distance(moved.total, expected.total) < SAME
    for a, b, m, n in zip(moved.sums, expected.sums, found.levels, expected.levels, strict=True):
        assert list(m) == list(n)
        assert distance(a, b) < SAME
    for pair, cell in expected.cells.items():
        own = moved.cells[pair]
        order, theirs = np.lexsort(own.where.T), np.lexsort(cell.where.T)
        assert (own.where[order] == cell.where[theirs]).all()
        assert distance(own.blocks[order], cell.blocks[theirs]) < SAME
    assert found.log_weights == pytest.approx(expected.log_weights, rel=SAME)


def test_five_rows_by_hand():
    values = "(1, 'a', 2.0, 3.0), (1, 'b', 4.0, 5.0), (2, 'a', 6.0, 1.0), (2, 'a', 1.0, 2.0), (2, 'b', NULL, 9.0)"
    five = duckdb.sql(f"FROM (VALUES {values}) t(g, f, x, y)")
    m = moments_from_sql("y ~ f + x + (1 | g)", five)
    assert (m.n_obs, m.n_dropped, m.layout.columns) == (4, 1, ("Intercept", "f[T.b]", "x", "y"))
    m = m.shifted(np.zeros(4))
    # u = (1, b, x, y): rows (1,0,2,3), (1,1,4,5), (1,0,6,1), (1,0,1,2)
    expected = [[4, 1, 13, 11], [1, 1, 4, 5], [13, 4, 57, 34], [11, 5, 34, 39]]
    assert np.allclose(m.total, expected, rtol=0, atol=1e-13)
    assert np.allclose(m.sums[0][:, 0], [[2, 1, 6, 8], [2, 0, 7, 3]], rtol=0, atol=1e-13)


@pytest.mark.parametrize(("formula", "weights"), MODELS)
def test_sums_and_fit_are_those_of_the_rows(formula, weights):
    found = moments_from_sql(formula, RELATION, weights=weights)
    assert_same_moments(found, Moments.from_frame(formula, FRAME, weights=weights))
    own, theirs = lmm_from_moments(found).tidy(), lmm(formula, FRAME, weights=weights).tidy()
    assert own["term"].tolist() == theirs["term"].tolist()
    assert np.allclose(own["std_error"], theirs["std_error"], rtol=1e-9)
    assert ((own["estimate"] - theirs["estimate"]).abs() < 1e-9 * theirs["std_error"]).all()
    assert np.allclose(own["df"], theirs["df"], rtol=1e-6)


def test_plain_sums_of_the_same_covariate_would_be_wrong():
    """The centring is what keeps the digits: within groups the sum of squares of x from plain sums is off by far more."""
    known = FRAME.dropna(subset=["x"])
    n, s, ss = len(known), known["x"].sum(), (known["x"] ** 2).sum()
    true = ((known["x"] - known["x"].mean()) ** 2).sum()
    assert abs((ss - s * s / n) / true - 1) > 0.01
    m = moments_from_sql("y ~ x + (1 | inst)", RELATION)
    x = known["x"] - 1e9
    assert m.total[1, 1] - m.total[0, 1] ** 2 / m.total[0, 0] == pytest.approx(((x - x.mean()) ** 2).sum(), rel=1e-12)


def test_the_same_digits_for_any_number_of_threads():
    big = pd.concat([FRAME.assign(x=FRAME["x"] + i) for i in range(100)], ignore_index=True)
    first, *others = (moments_from_sql(MODELS[0][0], source(big, threads)) for threads in (1, 2, 4))
    for other in others:
        assert (first.total == other.total).all()
        assert all((a == b).all() for a, b in zip(first.sums, other.sums, strict=True))


def test_a_file_a_table_a_view_and_a_select(tmp_path):
    expected = moments_from_sql(MODELS[0][0], RELATION)
    pattern, database = tmp_path / "rows.*.parquet", tmp_path / "study.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.register("given", FRAME)
        connection.execute("CREATE TABLE held AS SELECT * FROM given")
        connection.execute("CREATE VIEW shown AS SELECT * FROM held")
        for i in range(2):
            connection.execute(f"COPY (SELECT * FROM held WHERE inst % 2 = {i}) TO '{tmp_path}/rows.{i}.parquet'")
    for given in ((pattern, None), ("held", database), ("shown", database), ("SELECT * FROM held", database)):
        found = moments_from_sql(MODELS[0][0], given[0], database=given[1])
        assert_same_moments(found, expected)


def test_categories_are_declared_by_the_type_or_by_the_caller():
    typed = RELATION.project("* REPLACE (arm::ENUM('old', 'new', 'third') AS arm)")
    assert moments_from_sql("y ~ arm + (1 | inst)", typed).layout.columns[1:3] == ("arm[T.new]", "arm[T.third]")
    given = moments_from_sql("y ~ arm + age + (1 | inst)", RELATION, categories={"arm": ["old", "new"], "age": [6, 5, 4, 3]})
    assert given.layout.columns[1:5] == ("arm[T.new]", "age[T.5]", "age[T.4]", "age[T.3]")
    with pytest.raises(AspError, match="FIT-172"):
        moments_from_sql("y ~ arm + (1 | inst)", RELATION, categories={"arm": ["old"]})


@pytest.mark.parametrize(("formula", "weights"), MODELS)
def test_shards_add_to_the_whole(formula, weights, tmp_path):
    declared = {"arm": ["new", "old"], "edu": ["long", "none", "short"]}
    used = {k: v for k, v in declared.items() if k in formula}
    shards = [RELATION.filter(f"muni {word} ('m1', 'm3')") for word in ("IN", "NOT IN")]
    parts = [moments_from_sql(formula, shard, weights=weights, categories=used) for shard in shards]
    for i, part in enumerate(parts):
        part.save(tmp_path / f"{i}.npz", minimum=1)
    first, second = (Moments.load(tmp_path / f"{i}.npz") for i in range(2))
    whole = lmm(formula, FRAME, weights=weights).tidy()
    added = lmm_from_moments(first + second).tidy()
    assert np.allclose(added["std_error"], whole["std_error"], rtol=1e-9)
    assert ((added["estimate"] - whole["estimate"]).abs() < 1e-9 * whole["std_error"]).all()


@pytest.mark.parametrize("name", DIALECTS)
def test_the_statement_of_every_dialect_names_what_is_read_back(name):
    statement = sums_statement(ask("y ~ arm * t + (1 + t | inst)", {"arm"}, "w"), "trial.rows", DIALECTS[name])
    assert statement.count("FROM trial.rows") == 1
    assert all(word in statement for word in ("sum_0_0", "sum_1_2", "constant_2", "group_inst", "category_arm", "least_weight"))
    assert ("kahan_sum" in statement) == (name == "duckdb")


def test_the_printed_statement_is_answered_and_read():
    """With its own means in place of constants, as in any other warehouse; the plain sums of Spark stand for themselves."""
    for name, weights in itertools.product(("duckdb", "postgres"), (None, "w")):
        statement = sums_statement(ask(MODELS[0][0], {"arm", "sex", "edu"}, weights), "asked", DIALECTS[name])
        answer = RELATION.query("asked", statement).df()
        assert_same_moments(Moments.from_sums(answer), Moments.from_frame(MODELS[0][0], FRAME, weights=weights))


def answer() -> pd.DataFrame:
    question = ask("y ~ arm + x + (1 | inst)", {"arm"})
    return DuckdbRows(RELATION).group_sums(question)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda a: a.drop(columns="n"), "FIT-171"),
        (lambda a: a.drop(columns="sum_1_2"), "FIT-171"),
        (lambda a: a.assign(formula="y ~ arm + x + t + (1 | inst)"), "FIT-171"),
        (lambda a: a.assign(n=0.5), "FIT-171"),
        (lambda a: a.assign(constant_1=np.arange(len(a))), "FIT-171"),
        (lambda a: a.assign(group_inst=None), "FIT-171"),
        (lambda a: a.assign(sum_1_1=np.inf), "FIT-021"),
        (lambda a: a.assign(complete=0), "FIT-023"),
        (lambda a: a[:0], "FIT-023"),
        (lambda a: pd.concat([a, a.assign(formula="y ~ arm + (1 | inst)")]), "FIT-171"),
    ],
)
def test_an_answer_that_is_none_is_refused(change, code):
    with pytest.raises(AspError, match=code):
        Moments.from_sums(change(answer()))


def test_the_answer_is_read_as_it_came():
    assert_same_moments(Moments.from_sums(answer()), Moments.from_frame("y ~ arm + x + (1 | inst)", FRAME))


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y ~ poly(x, 2) + (1 | inst)", "two passes"),
        ("y ~ scale(x) + (1 | inst)", "two passes"),
        ("y ~ log(t) + (1 | inst)", "arithmetic"),
        ("y ~ I(age > 4) + (1 | inst)", "comparison"),
        ("y - o ~ x + (1 | inst)", "arithmetic"),
        ("y ~ x + offset(2 * o) + (1 | inst)", "arithmetic"),
    ],
)
def test_what_takes_more_than_one_pass_is_refused_in_words(formula, words):
    with pytest.raises(AspError, match=f"FIT-170.*{words}"):
        moments_from_sql(formula, RELATION)


BAD = [
    ("y ~ x + (1 | g)", "SELECT 1 AS g, 2.0 AS x, 3.0 AS y WHERE false", "FIT-023"),
    ("y ~ x + (1 | g)", "SELECT NULL::INT AS g, 2.0 AS x, 3.0 AS y", "FIT-023"),
    ("y ~ x + (1 | g)", "SELECT 1 AS g, 'NaN'::DOUBLE AS x, 3.0 AS y", "FIT-023"),
    ("y ~ x + (1 | g)", "SELECT range AS g, 'inf'::DOUBLE AS x, 3.0 AS y FROM range(9)", "FIT-021"),
    ("y ~ x + (1 | g)", "SELECT 1 AS g, DATE '2020-01-01' AS x, 3.0 AS y", "FIT-022"),
    ("y ~ x + (1 | g)", "SELECT 1 AS g, 2.0 AS x, 'three' AS y", "FIT-024"),
    ("y ~ x + (1 | h)", "SELECT 1 AS g, 2.0 AS x, 3.0 AS y", "FIT-020"),
    ("y ~ z + (1 | g)", "SELECT 1 AS g, 2.0 AS x, 3.0 AS y", "FIT-020"),
    ("y ~ x", "SELECT 1 AS g, 2.0 AS x, 3.0 AS y", "FIT-011"),
    ("y ~ x + (1 | g)", "SELECT range AS g, error('no')::DOUBLE AS x, 3.0 AS y FROM range(9)", "ENG-004"),
]


@pytest.mark.parametrize(("formula", "select", "code"), BAD)
def test_bad_input_is_refused(formula, select, code):
    with pytest.raises(AspError, match=code):
        moments_from_sql(formula, select, database=duckdb.connect())


def test_rows_that_are_not_there(tmp_path):
    for given in ("nowhere.parquet", tmp_path / "no.parquet", "held", 7):
        with pytest.raises(AspError, match="ENG-002"):
            moments_from_sql("y ~ x + (1 | g)", given)
    with pytest.raises(AspError, match="ENG-002"):
        moments_from_sql("y ~ x + (1 | g)", "held", database=tmp_path / "no.duckdb")
    with pytest.raises(AspError, match="ENG-004"):
        moments_from_sql("y ~ x + (1 | g)", "held", database=duckdb.connect())


def test_a_slip_in_the_name_of_a_declared_column_is_refused():
    for slip in ("amr", "inst"):
        with pytest.raises(AspError, match="FIT-179"):
            moments_from_sql("y ~ arm + (1 | inst)", RELATION, categories={slip: ["old", "new"]})
        with pytest.raises(AspError, match="FIT-179"):
            Moments.from_sums(answer(), categories={slip: ["old", "new"]})


def test_groups_of_a_csv_file_are_as_they_are_written(tmp_path):
    (tmp_path / "rows.csv").write_text("g,y\n007,1.5\n7,2.5\n007,3.5\n", encoding="utf-8")
    assert moments_from_sql("y ~ 1 + (1 | g)", tmp_path / "rows.csv").levels[0].tolist() == ["007", "7"]


def test_a_group_that_is_nan_is_missing_as_null_is():
    odd = "SELECT CASE WHEN range = 1 THEN 'NaN'::DOUBLE WHEN range > 1 THEN range % 3 END AS g, range AS y FROM range(20)"
    m = moments_from_sql("y ~ 1 + (1 | g)", odd, database=duckdb.connect())
    assert (m.n_obs, m.n_dropped, m.levels[0].tolist()) == (18, 2, [0, 1, 2])


def test_an_answer_in_decimals_is_read():
    decimals = answer().map(lambda v: Decimal(repr(v)) if isinstance(v, float) else v)
    assert_same_moments(Moments.from_sums(decimals), Moments.from_frame("y ~ arm + x + (1 | inst)", FRAME))


def test_weights_must_be_positive():
    with pytest.raises(AspError, match="FIT-041"):
        moments_from_sql("y ~ x + (1 | inst)", RELATION.project("* REPLACE (w - 1 AS w)"), weights="w")


def test_too_many_groups_are_refused_before_they_fill_the_memory(monkeypatch):
    monkeypatch.setattr("asp_eval.engines.duckdb_sums.MOST_NUMBERS", 200)
    with pytest.raises(AspError, match="ENG-003"):
        moments_from_sql("y ~ x + (1 | inst)", RELATION)


def test_groups_of_odd_types_are_groups():
    odd = RELATION.project("* REPLACE (DATE '2020-01-01' + inst::INT AS inst, rater::HUGEINT AS rater)")
    m = moments_from_sql("y ~ x + (1 | inst) + (1 | rater)", odd)
    assert [len(v) for v in m.levels] == [50, 30]
    assert lmm_from_moments(m).tidy()["std_error"].tolist() == pytest.approx(
        lmm("y ~ x + (1 | inst) + (1 | rater)", FRAME).tidy()["std_error"].tolist(), rel=1e-9
    )
    large = RELATION.project("* REPLACE (9007199254740992 + inst AS inst)")
    assert len(moments_from_sql("y ~ x + (1 | inst)", large).levels[0]) == 50


def test_the_question_is_what_an_engine_implements():
    def asks(engine: group_sums.GroupSums) -> pd.DataFrame:
        return engine.group_sums(ask("y ~ x + (1 | inst)", ()))

    assert_frame_equal(asks(DuckdbRows(RELATION)), asks(DuckdbRows(RELATION)))
