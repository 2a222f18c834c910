"""Goals that institutions set.

1. every rule keeps its row out, or tells of it, with a code of its own, and the other rows come in.
"""

from __future__ import annotations

import pandas as pd
import pytest
from small_study import WITH_PROFILES

from asp_eval.store import table
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import import_file

TO_WHOM = ", arms: [intervention], release: {reference: w2}}"
FIRST = {"institution_id": "A1", "goal": "1", "study": "small", "aim": "All are asked to join in", "dimension": "play"}


@pytest.fixture
def profiled(drawn):
    """Return a drawn study that gives profiles to the intervention now, and to the reference after its second wave."""
    path = drawn.folder / "study.yaml"
    path.write_text(WITH_PROFILES.replace("wave: w1}\n", f"wave: w1{TO_WHOM}\n"))
    return load_study(drawn.folder)


def arm_of(study):
    """Return one institution of each arm."""
    return {str(arm): str(name) for name, arm in table(study, "allocation")[["institution_id", "arm"]].itertuples(index=False)}


def test_a_rule_that_is_broken_keeps_its_row_out_and_the_others_come_in(profiled, export):
    wrong = [
        {"study": "other"},
        {"aim": ""},
        {"date": "2006-11-20", "due": "2006-11-19"},
        {"dimension": "handwriting"},
        {"institution_id": "A9"},
    ]
    rows = [{**FIRST, "goal": str(n), **change} for n, change in enumerate([{}, *wrong, *[{}] * 20], 1)]
    report = import_file(profiled, export(pd.DataFrame(rows), "goals.csv"), "goals")
    errors = {problem.place.row: problem.code for problem in report.problems if problem.severity == "error"}
    assert errors == {3: "SCR-260", 4: "SCR-261", 5: "SCR-262", 6: "SCR-043", 7: "SCR-050"}
    assert (report.accepted, report.quarantined) == (21, 5)
    assert set(table(profiled, "goals")["aim"]) == {FIRST["aim"]}


def test_goals_without_a_profile_to_choose_them_from_are_told_of_and_kept(profiled, export):
    institutions, last = arm_of(profiled), profiled.wave("w2").end
    rows = [
        {**FIRST, "institution_id": institutions["intervention"], "date": last.isoformat()},
        {**FIRST, "institution_id": institutions["reference"], "date": last.isoformat()},
        {**FIRST, "institution_id": institutions["reference"], "goal": "2", "date": f"{last.year + 1}-01-01"},
    ]
    report = import_file(profiled, export(pd.DataFrame(rows), "goals.csv"), "goals")
    assert [(p.code, p.place.row) for p in report.problems if p.code.startswith("SCR-26")] == [("SCR-264", 3)]
    assert report.accepted == 3
    path = profiled.folder / "study.yaml"
    path.write_text(path.read_text().replace(", release: {reference: w2}", ""))
    worded = pd.DataFrame(rows).assign(who="manager")  # the same file again would change nothing, and tell nothing
    never = import_file(load_study(profiled.folder), export(worded, "again.csv"), "goals")
    assert [(p.code, p.place.row) for p in never.problems if p.code.startswith("SCR-26")] == [("SCR-263", 3), ("SCR-263", 4)]
