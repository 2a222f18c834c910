"""The order of the evaluation report, and the sections that it generates from what holds in a study.

1. Sections stand in the order of CONSORT 2025; an appendix comes after the list of the appendices.  2. Coefficients and what was
computed twice are in the workbook alone.  3. A limit is said where it holds, and nowhere else.  4. What went the wrong way is
told, with the worst end of its interval.  5. The box of enrolment adds up.
"""

from __future__ import annotations

from dataclasses import replace

import builders
import pytest

from asp_eval.reporting.blocks import Table, blocks_of, plain
from asp_eval.reporting.documents.evaluation import evaluation
from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.harms import adverse_table, harms, is_adverse
from asp_eval.reporting.sections.limits import limit_words
from asp_eval.reporting.sections.place import enrolment_table
from asp_eval.reporting.sections.references import references_table
from asp_eval.reporting.setting import Setting
from asp_eval.reporting.writers.xlsx import tables_of
from asp_eval.trial.study.plan_fields import PlanLock

ORDER = [
    *("short", "plan", "programme", "changes", "place", "flow", "baseline", "contact"),
    *("found", "averages", "waves-together", "groups", "robust", "trust", "process"),
    *("harms", "limits", "again", "open", "consort", "method", "appendices", "integrity"),
]


def setting(results, language="en") -> Setting:
    return Setting(results, Numbers(words_for(language)))


def limits(**changes) -> str:
    results = builders.results(**changes)
    return " ".join(limit_words(results, setting(results)))


@pytest.mark.parametrize("language", ["da", "en"])
def test_sections_stand_in_the_order_of_consort(language):
    anchors = [section.anchor for section in evaluation(builders.results(), language).sections]
    assert anchors == [anchor for anchor in ORDER if anchor in anchors]
    assert set(ORDER) - set(anchors) <= {"averages", "waves-together", "groups", "robust", "process"}


def test_coefficients_and_second_computations_are_in_the_workbook_alone():
    document = evaluation(builders.results(), "en")
    on_paper = {block.key for block in blocks_of(document.sections) if isinstance(block, Table)}
    in_workbook = {table.key for table in tables_of(document)}
    alone = {"coefficients-1", "recomputation"}
    assert alone <= in_workbook and not alone & on_paper
    assert "in results.json, and as tables" in repr(document.sections)


def test_a_limit_is_said_where_it_holds_and_nowhere_else():
    lock = PlanLock(entry=1, digest="ab", day="2007-01-01", data={}, changes=())
    assert "was not locked" in limits()
    assert "was not locked" not in limits(provenance=builders.provenance(plan_lock=lock))
    assert "errors in them" not in limits()
    assert "errors in them" in limits(provenance=builders.provenance(quarantined={"w1": 3}))
    assert "no second analysis of missing" in limits()
    declared = builders.study(analysis={"missing_outcome": {"sensitivity": ["imputation"]}})
    assert "no second analysis of missing" not in limits(study=declared)
    primary = builders.outcome()
    few = replace(primary, analysed=tuple(replace(part, institutions_analysed=9) for part in primary.analysed))
    assert "smallest arm" not in limits(outcomes=(primary,))
    assert "smallest arm has 9 institutions" in limits(outcomes=(few,))
    assert "Not measured at the start" not in limits(outcomes=(primary,))
    bare = [{"id": "conduct", "score": "sdq-teacher.conduct", "role": "primary", "better": "lower", "at": "w3"}]
    assert "lot alone: Conduct problems, end" in limits(outcomes=(primary,), study=builders.study(outcomes=bare))


def test_a_difference_in_the_wrong_direction_is_said_with_the_worst_end_of_its_interval():
    lower = builders.outcome(effect=builders.estimate(0.30, 0.2, p=0.14))
    higher = builders.outcome("prosocial", better="higher", effect=builders.estimate(0.30, 0.2, p=0.14))
    assert is_adverse(lower, 0) and not is_adverse(higher, 0)
    results = builders.results(outcomes=(lower, higher))
    rows = adverse_table(results.outcomes, setting(results)).rows
    assert [row.cells[2].text for row in rows] == ["adverse", "wanted"]
    assert [row.cells[3].text for row in rows] == ["0.70", "−0.10"]  # two standard errors of 0.2 to the worse side
    said = " ".join(plain(part.text) for part in harms(results, setting(results)).blocks[0].parts)
    assert "not told apart from chance: Conduct problems" in said and "Prosocial" not in said.split("chance:")[1]


def test_the_box_of_enrolment_adds_up():
    results = builders.results()
    rows = {row.cells[0].text: [int((each.text or "0").replace(",", "").replace("–", "0")) for each in row.cells[1:]]
            for row in enrolment_table(results.flow, setting(results)).rows}  # fmt: skip
    whole, drawn = rows["In the list: assessed for the trial"], rows["Drawn"]
    left_out = rows.get("– not drawn", [0, 0])
    assert [a + b for a, b in zip(drawn, left_out, strict=True)] == whole
    assert sum(arm.institutions for arm in results.flow.arms) == drawn[0]
    cohort = drawn[1] - rows["– not eligible"][1] - rows["– joined after the first round"][1]
    assert cohort == rows["Children in the cohort"][1] == sum(arm.cohort for arm in results.flow.arms)


def test_a_reference_stands_only_where_its_method_does():
    results = builders.results(outcomes=(builders.outcome(effect=builders.estimate(method="KenwardRoger")),))
    told = " ".join(row.cells[1].text for row in references_table(results, setting(results)).rows)
    assert "Kenward MG" in told and "Webb MD" not in told
