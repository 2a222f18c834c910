"""Reading stored tables.

1. Rows come out the same by Arrow and without it, with missing texts, numbers and dates.  2. Rows that are not wanted are not
read, and the others are in their order; nothing is wanted of an empty list.  3. Columns that are wanted alone, and texts as
categories, are those of the whole table; categories are stored as the texts that they are, with Arrow and without it.
"""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from asp_eval.store import layout, table, table_columns
from asp_eval.trial.study.protocol import load_study


def test_arrow_and_plain_objects_give_the_same_frame(monkeypatch):  # 1
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t (id VARCHAR, n DOUBLE, day DATE)")
    connection.execute(
        "INSERT INTO t VALUES ('007', 1.5, DATE '2006-09-01'), (NULL, NULL, NULL), ('æ', 'nan', DATE '1900-01-01')"
    )
    by_arrow = layout.fetch(connection, "SELECT * FROM t WHERE n IS NULL OR n <> ?", [2.0])
    monkeypatch.setattr(layout, "BY_ARROW", frozenset())
    pd.testing.assert_frame_equal(by_arrow, layout.fetch(connection, "SELECT * FROM t"))
    assert by_arrow.dtypes.astype(str).to_dict() == {"id": "string", "n": "float64", "day": "datetime64[s]"}
    assert by_arrow["id"].isna().tolist() == [False, True, False]


def test_rows_that_are_not_wanted_are_not_read(complete_once):  # 2
    study = load_study(complete_once)
    scores = table(study, "scores")
    wanted = {"instrument": ["sdq-teacher-4-17", "none"], "wave": {"w2"}}
    mine = scores.loc[scores["instrument"].isin(wanted["instrument"]) & scores["wave"].isin(wanted["wave"])]
    assert 0 < len(mine) < len(scores)
    pd.testing.assert_frame_equal(table(study, "scores", wanted), mine.reset_index(drop=True))
    assert table(study, "scores", {"wave": []}).empty
    assert table(study, "goals", {"round": ["w1"]}).empty


@pytest.mark.parametrize("name", ["children", "screening", "scores", "goals"])
def test_columns_are_told_without_rows(complete_once, study, name):  # 2
    for each in (load_study(complete_once), study):  # with data, and before anything is stored
        assert table_columns(each, name) == tuple(table(each, name).columns)


@pytest.mark.parametrize("name", ["screening", "staff_survey"])
def test_rows_of_a_wave_are_those_of_the_whole_table(complete_once, name):  # 2
    study = load_study(complete_once)
    whole = table(study, name)
    pd.testing.assert_frame_equal(table(study, name, {"wave": ["w1"]}), whole.loc[whole["wave"] == "w1"].reset_index(drop=True))


def test_columns_and_categories_are_those_of_the_whole_table(complete_once):  # 3
    study = load_study(complete_once)
    columns, few = ["unit_id", "scale", "score", "band"], ("scale", "band")
    expected = table(study, "scores")[columns]
    for arrow in (True, False):
        with pd.option_context("mode.string_storage", "pyarrow" if arrow else "python"):
            found = table(study, "scores", columns=columns, categories=few)
        assert found.columns.tolist() == columns
        assert all(isinstance(found[name].dtype, pd.CategoricalDtype) for name in few)
        for name in columns:
            assert found[name].astype(object).fillna("").tolist() == expected[name].astype(object).fillna("").tolist()
        assert found["scale"].cat.categories.tolist() == sorted(expected["scale"].unique())
    assert table(study, "excerpts", categories=("institution_id",)).empty


@pytest.mark.parametrize("storage", ["pyarrow", "python"])
def test_categories_are_stored_as_texts(storage):  # 3
    texts = ["b", None, "it's \u00e6", "b", ""]
    frame = pd.DataFrame(
        {"n": [1.0, 2.0, float("nan"), 4.0, 5.0], "x": pd.Categorical(texts, ["unused", "b", "", "it's \u00e6"])}
    )
    connection = duckdb.connect()
    connection.execute("CREATE TABLE t (x VARCHAR, n DOUBLE)")
    with pd.option_context("mode.string_storage", storage):
        layout.insert(connection, "t", frame)
    assert connection.execute("SELECT x, n FROM t").fetchall() == list(zip(texts, [1.0, 2.0, None, 4.0, 5.0], strict=True))
