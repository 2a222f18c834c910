"""Ids that a program damaged are told by name and cause, in every table.

1. numbers with an exponent, words for an empty cell and characters that are not seen are errors where every row must have the id,
   and warnings elsewhere; a code that only looks like one of them is none;
2. an institution called NA is refused until the mapping says that it is one, and is then known in the other tables too;
3. two ids of a column that differ in zeros, capitals or Unicode form are told, whatever the table;
4. damage is seen before ids become pseudonyms.
"""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems
from asp_eval.intake.checks.damaged_ids import damaged_before
from asp_eval.intake.files.raw import Dialect, RawTable, TextColumn
from asp_eval.intake.mapping.mapping import NO_MAPPING
from asp_eval.store import table
from asp_eval.workflow.import_file import import_file

ZERO_WIDTH = "\u200b"


DAMAGED = {
    "1.23450E+11": "SCR-200",
    "1,2345e+11": "SCR-200",
    "1E+05": "SCR-200",
    "NA": "SCR-201",
    "n/a": "SCR-201",
    "NULL": "SCR-201",
    "None": "SCR-201",
    "-": "SCR-201",
    "nan": "SCR-201",
    f"00{ZERO_WIDTH}1": "SCR-202",
    "00\u00a02": "SCR-202",
    "0\u00ad03": "SCR-202",
}
LOOKS_LIKE_IT = ["1E5", "12E3", "E+11", "NA1", "NAN-2", "K-7", "a b", "é-1", "1.5", "æ"]


def with_ids(visits, column, texts):
    """The first visit as often as there are texts, each in one row, and ids of their own in the other column."""
    rows = visits.iloc[[0] * len(texts)]
    return rows.assign(child_id=[f"c{row}" for row in range(len(texts))]).assign(**{column: texts})


def test_a_damaged_id_is_an_error_where_it_must_be_there_and_else_a_warning(drawn, export, visits):
    rows = pd.concat([with_ids(visits, "child_id", [*DAMAGED]), visits])
    mapped = export(rows)
    mapped.with_name(f"{mapped.name}.mapping.yaml").write_text("version: 1\nstop_at: {share_of_rows: 1}\n")
    report = import_file(drawn, mapped, "screening", wave="w1")
    assert (report.accepted, report.quarantined) == (3, len(DAMAGED))
    found = [(p.code, p.severity, p.place.row) for p in report.problems if p.place.column == "child_id" and p.severity == "error"]
    assert found == [(code, "error", row) for row, code in enumerate(DAMAGED.values(), start=2)]
    raters = import_file(drawn, export(with_ids(visits, "rater_id", [*DAMAGED]), "raters.csv"), "screening", wave="w2")
    assert raters.accepted == len(DAMAGED)
    found = [(p.code, p.severity, p.place.row) for p in raters.problems if p.place.column == "rater_id"]
    assert found == [(code, "warning", row) for row, code in enumerate(DAMAGED.values(), start=2)]


def test_a_code_that_looks_like_it_is_none(drawn, export, visits):
    report = import_file(drawn, export(with_ids(visits, "child_id", LOOKS_LIKE_IT)), "screening", wave="w1")
    assert report.accepted == len(LOOKS_LIKE_IT)
    assert not [p for p in report.problems if p.place.column == "child_id"]


def test_an_institution_called_na_is_one_once_the_mapping_says_so(study, incoming, visits, export):
    file = incoming / "list.csv"
    file.write_text("institution_id,municipality\nNA,Aarhus\nA2,Aarhus\nH1,Hvidovre\n")
    with pytest.raises(DataProblems, match="SCR-201"):
        import_file(study, file, "institutions")
    assert table(study, "institutions").empty
    (incoming / "list.csv.mapping.yaml").write_text('version: 1\nnot_missing: ["NA"]\n')
    assert import_file(study, file, "institutions").accepted == 3
    report = import_file(study, export(visits.assign(institution_id=["NA", "A2", "H1"])), "screening", wave="w1")
    assert report.accepted == 3


def test_institutions_that_differ_in_spelling_alone_are_told(study, incoming):
    file = incoming / "list.csv"
    apart = unicodedata.normalize("NFD", "Åby")
    file.write_text(f"institution_id,municipality\nÅby,Aarhus\n{apart},Aarhus\n01,Aarhus\n1,Aarhus\nNord,Aarhus\nnord,Aarhus\n")
    told = import_file(study, file, "institutions").problems
    assert [problem.code for problem in told] == ["SCR-066"] * 6


def test_damage_is_seen_before_ids_become_pseudonyms():
    columns = {"barn": TextColumn.of(["NA", "1,5E+10", "007"])}
    raw = RawTable("x.csv", "0" * 64, columns, np.arange(2, 5), Dialect("csv"), 3)
    (problem,) = damaged_before(raw, ("barn",), NO_MAPPING)
    assert (problem.code, problem.severity) == ("SCR-203", "error")
    assert "'NA', '1,5E+10'" in str(problem)
