"""Columns of a study's own: limits, codes that mean missing, and values far outside their wave.

1. a code for missing that nobody declared is told at the import, at check and in the results; 2. declared, it is empty and
counted; 3. a value outside the limits waits; 4. what is declared in two ways is one declaration; 5. what cannot be meant is
refused; 6. which values are far, by hand; 7. labels: what a file says of its codes, against what study.yaml calls them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from asp_eval.core.errors import DataProblems
from asp_eval.trial.study.collection import OwnColumn
from asp_eval.trial.study.design import Study
from asp_eval.trial.tables.far_values import far_values
from asp_eval.workflow.open_study import StudyFolder, open_study

STUDY = """\
version: 1
study: {id: own, title: {en: Own columns}, synthetic: true}
arms: [reference, intervention]
randomisation: {scheme: simple}
waves: [{id: w1, label: {en: start}}, {id: w2, label: {en: end}}]
columns: {screening: {score: COLUMN}}
collect: {screening: {waves: [w1, w2]}}
outcomes: [{id: y, column: screening.score, role: primary, better: higher, at: w2, baseline: w1}]
"""
CODED = [2, 39, 16]  # rows with -99 in place of a score


def rows(wave: int) -> pd.DataFrame:
    """96 children of 8 institutions; three have -99 at the end."""
    score = [(7 * i + i // 8 + wave) % 11 for i in range(96)]
    frame = pd.DataFrame({"child_id": [f"c{i:02d}" for i in range(96)], "institution_id": [f"i{i % 8}" for i in range(96)]})
    return frame.assign(score=[-99 if wave == 2 and i in CODED else value for i, value in enumerate(score)])


@pytest.fixture
def begun(tmp_path):
    """Make a study of a score that is declared as given, with its first wave."""

    def begun(column: str) -> StudyFolder:
        (tmp_path / "own").mkdir()
        (tmp_path / "own" / "study.yaml").write_text(STUDY.replace("COLUMN", column))
        study = open_study(tmp_path / "own")
        (tmp_path / "institutions.csv").write_text("institution_id\n" + "".join(f"i{k}\n" for k in range(8)))
        study.import_(tmp_path / "institutions.csv", table="institutions")
        study.randomise(seed=7)
        for wave in (1, 2):
            rows(wave).to_csv(tmp_path / f"w{wave}.csv", index=False)
        assert study.import_(tmp_path / "w1.csv", table="screening", wave="w1").problems == ()
        return study

    return begun


def told(problems, code: str) -> list[str]:
    return [str(problem) for problem in problems if problem.code == code]


def test_a_code_that_nobody_declared_is_told_everywhere(begun, tmp_path):
    study = begun("number")
    said = told(study.import_(tmp_path / "w2.csv", table="screening", wave="w2").problems, "SCR-213")
    assert len(said) == 1
    assert "3 of 96 values lie far outside the others: -99" in said[0]
    assert "missing: [-99]" in said[0]
    assert len(told(study.check().problems, "SCR-213")) == 1
    (outcome,) = study.analyse().outcomes
    assert "3 of 96 values of screening.score lie far outside the others, and are in the estimate: -99." in outcome.notes


def test_a_declared_code_is_empty_and_counted(begun, tmp_path):
    study = begun("{type: number, min: 0, max: 120, missing: [-99, 999]}")
    report = study.import_(tmp_path / "w2.csv", table="screening", wave="w2")
    assert [(p.code, "3 cells hold a code" in str(p)) for p in report.problems if p.place.column == "score"] == [
        ("SCR-212", True)
    ]
    assert (report.accepted, report.unanswered) == (93, 3)
    stored = study.table("screening").query("wave == 'w2'").set_index("child_id")["score"]
    assert stored.tolist() == [value for value in rows(2)["score"] if value != -99]
    assert not told(study.check().problems, "SCR-213")
    (outcome,) = study.analyse().outcomes
    assert outcome.n_children == 93
    assert not [note for note in outcome.notes if "far outside" in note]


def test_a_value_outside_the_limits_waits(begun, tmp_path):
    study = begun("{type: number, min: 0, max: 120}")
    report = study.import_(tmp_path / "w2.csv", table="screening", wave="w2")
    assert (report.accepted, report.waiting) == (93, 3)
    assert [(p.place.row, p.expected) for p in report.problems if p.code == "SCR-044"] == [
        (row + 2, "a number from 0 to 120") for row in sorted(CODED)
    ]


def test_a_type_alone_declares_the_same_column():
    assert OwnColumn.model_validate({"type": "number"}) == OwnColumn(type="number")
    document = {
        "version": 1,
        "study": {"id": "own", "title": {"en": "Own"}},
        "arms": ["a", "b"],
        "waves": [{"id": "w1", "label": {"en": "one"}}],
        "collect": {"screening": {"waves": ["w1"]}},
        "outcomes": [{"id": "y", "column": "screening.x", "role": "primary", "better": "lower", "at": "w1"}],
    }
    short, long = (
        Study.model_validate(document | {"columns": {"screening": {"x": column}}}) for column in ("number", {"type": "number"})
    )
    assert short.as_declared() == long.as_declared() == document | {"columns": {"screening": {"x": "number"}}}
    limited = document | {"columns": {"screening": {"x": {"type": "number", "min": 0, "missing": [-99]}}}}
    assert Study.model_validate(Study.model_validate(limited).as_declared()) == Study.model_validate(limited)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"type": "string", "min": 0}, "with the type integer or number"),
        ({"type": "number", "min": 2, "max": 1}, "not below"),
        ({"type": "number", "min": 0, "max": 120, "missing": [99]}, "where 99 is a value"),
    ],
)
def test_what_cannot_be_meant(parts, message):
    with pytest.raises(ValueError, match=message):
        OwnColumn.model_validate(parts)


@pytest.mark.parametrize(
    ("values", "skewed", "far"),
    [
        ([*range(1, 10), 35.2], False, True),  # median 5.5, MAD 2.5: up to 5.5 + 8 x 1.4826 x 2.5 = 35.152
        ([*range(1, 10), 35.1], False, False),
        ([0.0] * 7 + [1.0] * 4 + [5.9], False, False),  # MAD 0, IQR 1: 8 / 1.349 = 5.930
        ([0.0] * 7 + [1.0] * 4 + [6.0], False, True),
        ([3.0] * 11 + [99.0], False, False),  # nothing to compare with
        ([*range(1, 9), 90.0], False, False),  # too few
        ([*np.expm1(range(1, 10)), np.expm1(35.1)], True, False),
        ([*np.expm1(range(1, 10)), np.expm1(35.2)], True, True),
    ],
)
def test_which_values_are_far(values, skewed, far):
    found = far_values([*values, np.nan], skewed=skewed)
    assert found[:-2].sum() == 0
    assert found.tolist()[-2:] == [far, False]


LABELLED = "{type: integer, labels: {1: {da: Ja, en: 'Yes'}, 2: {da: Nej, en: 'No'}, 3: Ved ikke}}"


def labelled(begun, folder, labels: dict[int, str], column: str = LABELLED) -> tuple[StudyFolder, Path]:
    """A study whose column has labels, and a file of its second wave that declares others, or the same."""
    study = begun(column)
    file = folder / "w2.sav"
    pyreadstat.write_sav(rows(2).assign(score=[i % 3 + 1 for i in range(96)]), file, variable_value_labels={"score": labels})
    return study, file


def test_labels_that_the_file_gives_to_other_values_refuse_it(begun, tmp_path):
    study, file = labelled(begun, tmp_path, {1: "nej", 2: "JA", 3: "ved ikke"})
    with pytest.raises(DataProblems) as caught:
        study.import_(file, table="screening", wave="w2")
    (said,) = told(caught.value.problems, "SCR-190")
    assert "1 is called 'nej', which is 2, and is stored as 1; 2 is called 'JA', which is 1, and is stored as 2" in said
    assert "'recode: {score: {1: 2, 2: 1, 3: 3}}'" in said
    file.with_name("w2.sav.mapping.yaml").write_text("version: 1\nrecode: {score: {1: 2, 2: 1, 3: 3}}\n")
    assert study.import_(file, table="screening", wave="w2").accepted == 96
    stored = study.table("screening").query("wave == 'w2'").set_index("child_id")["score"].sort_index()
    assert stored.tolist() == [(2, 1, 3)[i % 3] for i in range(96)]


ALSO = [pytest.param(labels, marks=pytest.mark.slow) for labels in ({1: "Ja"}, {})]


@pytest.mark.parametrize("labels", [{1: "Ja", 2: "No", 3: "ved ikke"}, {1: "somewhat"}, *ALSO])
def test_labels_that_agree_or_say_nothing(begun, tmp_path, labels):
    study, file = labelled(begun, tmp_path, labels)
    report = study.import_(file, table="screening", wave="w2")
    assert (report.accepted, told(report.problems, "SCR-190")) == (96, [])


def test_a_draft_recodes_labels_of_own_columns(begun, tmp_path):
    study, file = labelled(begun, tmp_path, {1: "nej", 2: "JA", 3: "ved ikke"})
    found = study.propose(file, wave="w2")
    assert found.complete
    assert study.import_(file, "screening", "w2").accepted == 96
    stored = study.table("screening").query("wave == 'w2'").set_index("child_id")["score"].sort_index()
    assert stored.tolist() == [(2, 1, 3)[i % 3] for i in range(96)]


def test_labels_in_cells_are_drafted_and_values_without_a_label_stay(begun, tmp_path):
    study = begun("{type: integer, labels: {1: slet ikke, 7: meget}}")
    texts = {1: "Slet ikke", 7: "Meget"}
    frame = rows(2).assign(score=[texts.get(i % 7 + 1, i % 7 + 1) for i in range(96)])
    frame.to_csv(tmp_path / "w2.csv", index=False)
    assert study.propose(tmp_path / "w2.csv", wave="w2").complete
    assert study.import_(tmp_path / "w2.csv", "screening", "w2").accepted == 96
    stored = study.table("screening").query("wave == 'w2'").set_index("child_id")["score"].sort_index()
    assert stored.tolist() == [i % 7 + 1 for i in range(96)]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"type": "date", "labels": {"2027-09-01": "start"}}, "another type than date"),
        ({"type": "integer", "labels": {"ja": "yes"}}, "'ja' is not"),
        ({"type": "integer", "labels": {1.5: "yes"}}, "'1.5' is not"),
        ({"type": "string", "labels": {"a": "Yes", "b": {"en": "yes"}}}, "a and b have the same"),
    ],
)
def test_labels_that_cannot_be_meant(parts, message):
    with pytest.raises(ValueError, match=message):
        OwnColumn.model_validate(parts)
