"""A category of few children: hidden once for its variable, wherever its count could be worked out.

1. Which variables.  2. What the results may hold.  3. The attacker: from everything that is in the results, the file of
results and the page, the count of a rare category cannot be worked out; from the coefficients as they were it could.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import builders
import numpy as np
import pandas as pd
import pytest

import asp_eval
from asp_eval.analysis.declared_results import SubgroupEffect, SubgroupResult
from asp_eval.analysis.rare_categories import FEW, HIDDEN, printed_rows, rare_variables, without_rare
from asp_eval.analysis.result_records import result_records
from asp_eval.analysis.results import ArmSummary, BaselineRow, Results, tidy
from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.writers.html import html
from asp_eval.stats.estimate import Estimate
from asp_eval.store.result_files import as_json

STUDY = builders.results().study
LEVELS = ("long", "middle", "short", "none")


def children(rare: int, seed: int = 1, each: int = 40) -> pd.DataFrame:
    """Twenty institutions of forty children; `rare` of one arm have the last level."""
    rng = np.random.default_rng(seed)
    n = 20 * each
    frame = pd.DataFrame({"institution": np.repeat(np.arange(20), each)})
    frame["arm"] = np.where(frame["institution"] % 2, "intervention", "reference")
    frame["education"] = rng.choice(LEVELS[:3], n)
    frame.loc[rng.choice(frame.index[frame["arm"] == "reference"], rare, replace=False), "education"] = "none"
    frame["y"] = rng.normal(size=n) + 0.1 * frame["institution"]
    return frame


def rows_of(frame: pd.DataFrame) -> tuple[BaselineRow, ...]:
    """The baseline rows of the frame, with means of institutions."""
    rows = []
    for level in LEVELS:
        arms = []
        for arm in STUDY.arms:
            own = frame.loc[frame["arm"] == arm, "education"]
            arms.append(ArmSummary(arm, len(own), 0, count=int((own == level).sum())))
        rows.append(BaselineRow("education", {}, level, "child", tuple(arms), (0.123,)))
    for level in LEVELS:
        arms = []
        for arm in STUDY.arms:
            own = frame.loc[frame["arm"] == arm]
            shares = (own["education"] == level).groupby(own["institution"]).mean()
            arms.append(ArmSummary(arm, 10, 0, mean=float(shares.mean()), sd=float(shares.std())))
        rows.append(BaselineRow("education", {}, level, "institution_mean", tuple(arms), (0.1,)))
    return tuple(rows)


def results_of(frame: pd.DataFrame) -> Results:
    """Results with what a real model of the frame gives."""
    frame = frame.assign(education=pd.Categorical(frame["education"], LEVELS))
    table = asp_eval.lmm("y ~ arm + education + (1 | institution)", frame).tidy()
    columns = ["term", "estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high", "method"]
    coefficients = tuple(Estimate(*(row[c] for c in columns)) for row in table.to_dict("records"))
    base = builders.results()
    levels = tuple(
        SubgroupEffect(level, "intervention", int((frame["education"] == level).sum()), 20, Unavailable(Phrase("x")))
        for level in LEVELS[:3]
    )
    group = SubgroupResult("education", "", Unavailable(Phrase("x")), levels, 1, 0)
    outcome = replace(base.outcomes[0], coefficients=coefficients, subgroups=(group,))
    return replace(base, baseline=rows_of(frame), outcomes=(outcome, *base.outcomes[1:]))


def recovered(results: Results, frame: pd.DataFrame) -> int | None:
    """What the attacker works out: the count behind a standard error, a mean of shares, or a remainder; None if none."""
    n = len(frame)
    for row in results.baseline:
        if row.variable == "education" and row.level == "none":
            if row.unit == "child" and row.arms[0].count is not None:
                return row.arms[0].count
            if row.unit == "institution_mean" and row.arms[0].mean is not None:
                return round(row.arms[0].mean * 10 * 40)
    counted = [row.arms[0].count for row in results.baseline if row.unit == "child" and row.variable == "education"]
    if sum(c is None for c in counted) == 1:
        return n // 2 - sum(c for c in counted if c is not None)
    group = next((g for g in results.outcomes[0].subgroups if g.by == "education"), None)
    if group is not None and group.levels and all(level.children is not None for level in group.levels):
        return n - sum(level.children or 0 for level in group.levels)
    errors = {e.term: e.std_error for e in results.outcomes[0].coefficients if e.std_error is not None}
    rare, other = errors.get("education[T.none]"), errors.get("education[T.middle]")
    if rare is not None and other is not None:
        per_child = other**2 * n / 6  # 1/n + 1/n of two thirds
        return round(1 / max(rare**2 / per_child - 3 / n, 1e-9))
    return None


@pytest.mark.parametrize("rare", [1, 2, 3, 4])
def test_the_attacker_recovers_a_count_as_it_was_and_none_as_it_is(rare: int) -> None:  # 3
    frame = children(rare, seed=rare)
    before = results_of(frame)
    assert recovered(before, frame) == rare
    errors_alone = replace(before, baseline=(), outcomes=(replace(before.outcomes[0], subgroups=()), *before.outcomes[1:]))
    assert recovered(errors_alone, frame) == pytest.approx(rare, abs=0.5)
    variables = rare_variables(STUDY, [frame], ["education"])
    assert recovered(without_rare(before, variables), frame) is None


def test_what_the_file_and_the_page_hold_is_the_same_for_every_rare_count() -> None:  # 3
    # Everything printed about the variable, and nothing of it depends on how many children the rare category has, but for the
    # categories that are shown.
    found = []
    for rare in (1, 4):
        results = without_rare(results_of(children(rare)), frozenset({"education"}))
        about = [row for row in results.baseline if row.variable == "education"]
        hidden = [row.level for row in about if row.arms[0].hidden]
        assert {row.unit for row in about} == {"child"}
        assert "none" in hidden
        assert len(hidden) == 2
        told = json.loads(as_json(results))["outcomes"][0]
        terms = [c for c in told["coefficients"] if "education" in c["term"] or c["term"] == "Intercept"]
        assert all(c["estimate"] is c["std_error"] is c["df"] is c["p_value"] is None for c in terms)
        assert len(terms) == 4
        csv = tidy(results)
        assert csv.loc[csv["term"].str.contains("education") & (csv["outcome"] == "conduct"), "std_error"].isna().all()
        records = result_records(results)
        own = records.loc[(records["variable"] == "education") & records["variable_level"].isin(hidden)]
        assert not own["stat_name"].isin(["n", "mean", "sd"]).any()
        told = evaluation(results, "en")
        page = html(replace(told, sections=(*told.sections, *told.workbook)))  # coefficients stand in the workbook alone
        assert "not shown: a category of the variable has too few children" in page
        found.append([(row.level, row.arms[0].hidden) for row in about])
    assert found[0] == found[1]


def test_which_variables_are_rare() -> None:  # 1
    frame = children(0)
    assert rare_variables(STUDY, [frame], ["education", "y"]) == frozenset()
    assert rare_variables(STUDY, [frame, children(3)], ["education", "y"]) == {"education"}  # in a set that is analysed
    assert rare_variables(STUDY, [children(9)], ["education"]) == frozenset()  # none in the other arm tells of nobody
    assert rare_variables(STUDY, [frame.assign(education="x")], ["other"]) == frozenset()


def test_other_variables_keep_their_numbers() -> None:  # 2
    results = without_rare(results_of(children(3)), frozenset({"education"}))
    arm = next(e for e in results.outcomes[0].coefficients if e.term == "arm[T.reference]")
    assert arm.estimate is not None
    assert results.outcomes[1] == builders.results().outcomes[1]


def test_rows_of_a_variable_that_is_rare_elsewhere_have_no_means_of_institutions() -> None:  # 2
    rows = rows_of(children(40))
    assert printed_rows(rows, 5) == rows
    assert {row.unit for row in printed_rows(rows, 5, frozenset({"education"}))} == {"child"}


def test_an_interaction_with_a_rare_variable_is_hidden() -> None:  # 2
    coefficient: Any = Estimate("arm[T.b]:education[T.none]", 1.0, 2.0, 3.0, 0.5, 0.6, -1.0, 3.0, "x")
    base = builders.results()
    found = without_rare(
        replace(base, outcomes=(replace(base.outcomes[0], coefficients=(coefficient,)),)), frozenset({"education"})
    )
    assert found.outcomes[0].coefficients[0].note == FEW
    assert HIDDEN.reason == FEW
