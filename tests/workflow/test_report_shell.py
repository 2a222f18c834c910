"""The report before the data.

1. it needs study.yaml alone; 2. every outcome, arm, wave and scale of the plan is there, and no number of the data; the plan's
own numbers are; 3. every page is marked, in both languages; 4. every format can be written.
"""

from __future__ import annotations

import re

import pytest
from small_study import study

from asp_eval.analysis.results_to_come import results_to_come
from asp_eval.reporting.documents.report_shell import report_shell
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.report_shell import write_shell

__all__ = ["study"]


def test_the_page_has_the_plan_and_no_number(study, run):
    done = run("report", "--shell", "--study", study.folder)
    assert done.code == 0, done.err
    page = (study.folder / "output" / "shell.html").read_text(encoding="utf-8")
    assert "Before the data: nothing here is a result" in page
    found = page[page.index("What was found") :]
    for table in re.findall(r"<td[^>]*>(.*?)</td>", found, re.S):
        assert not re.fullmatch(r"\s*[−<>]?\s*\d+[.,]\d+\s*", table), table
    assert "Aged 3 and not yet 7 years" in page and "95%" in page


def test_every_part_of_the_plan_is_there(study):
    results = results_to_come(load_study(study.folder))
    assert [one.outcome for one in results.outcomes] == ["total"]
    assert {one.wave for one in results.reliabilities} <= {"w1", "w2"}
    assert {arm.arm for arm in results.flow.arms} == {"reference", "intervention"}
    anchors = {section.anchor for section in report_shell(results, "en").sections}
    assert {"plan", "changes", "found", "averages", "method"} <= anchors


@pytest.mark.parametrize("kind", ["html", "docx", "xlsx"])
def test_every_format_can_be_written(study, kind):
    (page,) = write_shell(study, (kind,))
    assert page.stat().st_size > 1_000


def test_the_danish_page_is_marked_in_danish(study):
    assert report_shell(results_to_come(study), "da").banner == "Før data: intet her er et resultat"
