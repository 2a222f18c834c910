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
            mine = records[(records[list(keys)] == pd.Series(keys)).all(axis=1)]
            found = mine.drop_duplicates("stat_name").set_index("stat_name")["stat"]
            assert found["N"] == arm.n
            if arm.count is not None and arm.n:
                assert found["p"] == arm.count / arm.n


def test_a_number_that_cannot_be_had_has_its_reason(records):
    empty = records[records["stat"].isna() & (records["context"] == "effect")]
    assert (empty["warning"] != "").all()
