"""Results as data: the published schema is that of the file, and every number of the ARD table is one of the results."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import builders
import jsonschema
import pandas as pd
import pytest

from asp_eval.analysis.result_records import COLUMNS, LABELS, result_records
from asp_eval.core.csv_text import write_csv
from asp_eval.core.errors import Unavailable
from asp_eval.store.result_files import as_json
from asp_eval.workflow.analyse import results_schema

ROOT = Path(__file__).parents[2]


def test_the_published_schema_is_that_of_the_results():
    sys.path.insert(0, str(ROOT / "docs"))
    import make_results_schema

    assert make_results_schema.FILE.read_text(encoding="utf-8") == make_results_schema.text(), (
        "run: python docs/make_results_schema.py"
    )


def test_results_are_what_the_schema_says_and_a_wrong_file_is_not():
    schema = jsonschema.Draft202012Validator(results_schema())
    content = json.loads(as_json(builders.results()))
    schema.validate(content)
    content["outcomes"][0]["effects"][0]["difference"]["estimate"] = "large"
    assert list(schema.iter_errors(content))


@pytest.fixture(scope="module")
def records():
    return result_records(builders.results())


def test_the_columns_are_those_of_the_standard_and_every_statistic_is_named(records):
    assert tuple(records.columns) == COLUMNS
    assert set(records["stat_name"]) <= set(LABELS)


def test_effects_and_summaries_are_the_results_own_numbers(records):
    results = builders.results()
    for outcome in results.outcomes:
        mine = records[(records["variable"] == outcome.outcome) & (records["context"] == "effect")].set_index("stat_name")["stat"]
        effect = outcome.effects[0].difference
        if isinstance(effect, Unavailable):
            continue
        assert mine["estimate"] == effect.estimate
        assert mine["conf.low"] == effect.conf_low
    for row in results.baseline:
        for arm in row.arms:
            keys = {"variable": row.variable, "variable_level": row.level, "group1_level": arm.arm, "group2_level": row.unit}
            keys["group3_level"] = "cohort"
            mine = records[(records[list(keys)] == pd.Series(keys)).all(axis=1)]
            found = mine.set_index("stat_name")["stat"]
            assert found["N"] == arm.n
            if arm.count is not None and arm.n:
                assert found["p"] == arm.count / arm.n


def test_a_number_that_cannot_be_had_has_its_reason(records):
    empty = records[records["stat"].isna() & (records["context"] == "effect")]
    assert (empty["warning"] != "").all()


KEY = [*COLUMNS[: COLUMNS.index("stat_name") + 1]]


def test_a_user_of_cards_finds_every_statistic_once(tmp_path, records):
    """Reads the file as R does: empty cells are missing; picks statistics by groups, variable and context, and pivots them."""
    write_csv(tmp_path / "results.ard.csv", records)
    ard = pd.read_csv(tmp_path / "results.ard.csv")
    assert {"variable", "stat_name", "stat_label", "stat", "warning", "error"} <= set(ard.columns)  # as_card(), but for fmt_fun
    assert not ard.duplicated(KEY).any()
    assert ard[["variable", "context", "stat_name", "stat_label"]].notna().all().all()
    for group in ("group1", "group2", "group3"):
        assert (ard[group].isna() == ard[f"{group}_level"].isna()).all()
    assert pd.api.types.is_float_dtype(ard["stat"])
    assert ard.loc[ard["stat"].isna() & (ard["context"] == "effect"), "warning"].notna().all()
    assert set(ard["context"]) == {"summary", "tabulate", "missing", "effect", "regression"}
    counted = ard[ard["context"] == "tabulate"]
    n, N, p = (counted.loc[counted["stat_name"] == name, [*KEY[:-1], "stat"]] for name in ("n", "N", "p"))
    whole = n.merge(N, on=KEY[:-1], suffixes=("_n", "_N"), validate="1:1").merge(p, on=KEY[:-1], validate="1:1")
    assert len(whole) == len(n) > 0 and (whole["stat"] * whole["stat_N"]).round(6).eq(whole["stat_n"]).all()
    children = ard[(ard["context"] == "summary") & (ard["group2_level"] == "child") & (ard["variable"] == "conduct")]
    means = children[children["stat_name"] == "mean"].set_index(["group3_level", "group1_level"])["stat"]
    results = builders.results()
    (start,) = (row for row in results.baseline if row.variable == "conduct" and row.unit == "child")
    assert dict(means["cohort"]) == {arm.arm: arm.mean for arm in start.arms}
    (end,) = (one for one in results.outcomes if one.outcome == "conduct")
    assert dict(means["analysed"]) == {arm.arm: arm.mean for arm in end.arms}
