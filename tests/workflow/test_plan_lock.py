"""The plan is locked once, and every later difference is listed.

1. a lock says its day, entry and what data were stored; 2. it is refused a second time, on an invalid plan, and with a baseline
from after the lot; 3. every field that decides numbers is compared, titles and labels are not; a default that is written is no
change; 4. a difference has the day of the first analysis with it; 5. a lot drawn after the lock is no change, one that is
changed after it is; 6. the ledger verifies, and the page says whether the plan was locked.
"""

from __future__ import annotations

import json

import builders
import pandas as pd
import pytest
import yaml
from small_study import STUDY_YAML, study

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.store import write_allocation
from asp_eval.store.plan_locks import plan_lock, record_changed_plan
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.plan_fields import PlanChange, PlanLock, plan_differences, plan_fields
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.check import check_ledger, check_study
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.open_study import open_study
from asp_eval.workflow.plan_lock import lock_plan, locked_plan

__all__ = ["study"]


def changed(study, old: str, new: str):
    """Return the study with another text in study.yaml."""
    path = study.folder / "study.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return load_study(study.folder)


def listed(study, tmp_path):
    """Import a list of four institutions."""
    homes = pd.DataFrame({"institution_id": list("abcd"), "name": list("abcd"), "municipality": ["x", "x", "y", "y"]})
    homes.to_csv(tmp_path / "homes.csv", index=False)
    import_file(study, tmp_path / "homes.csv", "institutions")


def drawn(study, arms: list[str], day: str = "") -> None:
    frame = pd.DataFrame({"institution_id": list("abcd"), "arm": arms})
    write_allocation(study, frame.assign(date=day, source="registry") if day else frame)


def test_a_lock_says_what_was_stored(study, tmp_path):
    listed(study, tmp_path)
    found = open_study(study.folder).lock_plan()
    assert (dict(found.data), found.changes) == ({"institutions": 4}, ())
    assert found == locked_plan(study)
    assert not check_ledger(study).problems


def test_it_is_locked_once(study):
    lock_plan(study)
    with pytest.raises(Refusal, match="STU-050"):
        lock_plan(study)


def test_an_invalid_plan_is_not_locked(study):
    wrong = changed(study, "score: sdq-teacher.total", "score: sdq-teacher.nothing")
    with pytest.raises(DataProblems, match="ANA-011"):
        lock_plan(wrong)
    assert plan_lock(wrong) is None


def test_a_baseline_from_after_the_lot_is_refused_and_told_at_check(study, tmp_path):
    elsewhere = changed(study, "strata: [municipality]", "strata: [municipality]\nrandomisation: {drawn_elsewhere: true}")
    listed(elsewhere, tmp_path)
    arms = pd.DataFrame({"institution_id": list("abcd"), "arm": ["reference", "intervention"] * 2})
    arms.assign(date="2006-08-01", source="registry").to_csv(tmp_path / "arms.csv", index=False)
    import_file(elsewhere, tmp_path / "arms.csv", "allocation")
    with pytest.raises(DataProblems, match="STU-052"):
        lock_plan(elsewhere)
    assert "ANA-064" in {problem.code for problem in check_study(elsewhere).problems}


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("better: lower", "better: higher", "outcomes.total.better"),
        ("baseline: w1", "baseline: null", "outcomes.total.baseline"),
        ("columns:", "analysis: {covariates: [mother_education]}\ncolumns:", "analysis.covariates"),
        ("from: 3, below: 7", "from: 4, below: 7", "eligibility.age_years.from"),
    ],
)
def test_a_field_that_decides_numbers_is_listed(study, old, new, field):
    lock_plan(study)
    now = changed(study, old, new)
    (change,) = locked_plan(now).changes
    assert (change.field, change.since) == (field, "")


def test_words_and_defaults_that_are_written_out_are_no_change(study):
    lock_plan(study)
    now = changed(study, "title: {en: Small}", "title: {en: Another}")
    now = changed(now, "label: {en: midway}", "label: {en: half way}")
    now = changed(now, "columns:", "analysis: {level: 0.95, method: kenward-roger}\ncolumns:")
    assert locked_plan(now).changes == ()


def test_a_difference_has_the_day_of_the_first_analysis_with_it(study):
    lock_plan(study)
    now = changed(study, "better: lower", "better: higher")
    record_changed_plan(now)
    (change,) = locked_plan(now).changes
    assert change.since == locked_plan(now).day
    assert json.loads(change.now) == "higher"
    record_changed_plan(now)  # nothing new: no entry
    back = changed(now, "better: higher", "better: lower")
    assert locked_plan(back).changes == ()
    assert not check_ledger(back).problems


def test_a_lot_drawn_after_the_lock_is_no_change(study, tmp_path):
    listed(study, tmp_path)
    lock_plan(study)
    drawn(study, ["reference", "intervention"] * 2)
    assert locked_plan(study).changes == ()


def test_nothing_is_compared_without_a_lock(study):
    with pytest.raises(Refusal, match="STU-051"):
        locked_plan(study)


def test_fields_and_differences():
    one, other = load_fields("better: lower"), load_fields("better: higher")
    assert plan_differences(one, other) == (PlanChange("outcomes.total.better", '"lower"', '"higher"'),)
    assert not any(name.endswith("label") for name in one)


def load_fields(text: str) -> dict[str, str]:
    return plan_fields(Study.model_validate(yaml.safe_load(STUDY_YAML.replace("better: lower", text))))


@pytest.mark.parametrize("language", ["en", "da"])
def test_every_page_says_that_the_plan_was_not_locked(language):
    said = {"en": "The plan was not locked", "da": "Planen blev ikke låst"}[language]
    assert said in evaluation(builders.results(), language).banner
    lock = PlanLock("2026-01-02", 3, "ab" * 32, {"screening w1": 5}, ())
    locked = evaluation(builders.results(provenance=builders.provenance(plan_lock=lock)), language)
    assert said not in locked.banner
    change = PlanChange("outcomes.conduct.better", '"lower"', '"higher"', "2026-02-03")
    again = builders.results(provenance=builders.provenance(plan_lock=PlanLock("2026-01-02", 3, "ab" * 32, {}, (change,))))
    assert {"en": "changed after it was locked", "da": "ændret, efter"}[language] in evaluation(again, language).banner
    assert "outcomes.conduct.better" in repr(evaluation(again, language))
