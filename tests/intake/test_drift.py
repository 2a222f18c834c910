"""What changes its meaning between waves is said, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.core.errors import Problem
from asp_eval.intake.files.raw import Dialect, RawTable, TextColumn
from asp_eval.intake.mapping.applying import apply_mapping
from asp_eval.intake.mapping.drift import ColumnMeaning, ColumnMeanings, column_meanings, drift
from asp_eval.intake.mapping.mapping import Mapping
from asp_eval.store import Store
from asp_eval.store.labels import label_drift, meanings_at
from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.tables.schema import table_schema
from asp_eval.workflow.import_file import import_file

FORM = instrument("sdq-teacher-4-17")
OLDER = FORM.columns
LABELS = {"0": "Nej", "1": "Lidt", "2": "Ja"}


def told(
    study, cells: list[str], *, titles: dict[str, str] | None = None, labels: dict[str, str] | None = None, **mapping
) -> ColumnMeanings:
    """What a file tells of which all items have these cells and labels."""
    columns = {"child_id": [str(n) for n in range(len(cells))]} | dict.fromkeys(OLDER, cells)
    raw = RawTable(
        "wave.csv",
        "0" * 64,
        {name: TextColumn.of(texts) for name, texts in columns.items()},
        np.arange(2, len(cells) + 2),
        Dialect("csv"),
        rows_read=len(cells),
        titles=titles or {},
        labels=dict.fromkeys(OLDER, labels) if labels else {},
    )
    schema = table_schema("screening", study, "w1")
    return column_meanings(apply_mapping(raw, Mapping.model_validate({"version": 1, **mapping}), schema.names), schema)


def said(before: ColumnMeanings, now: ColumnMeanings) -> list[Problem]:
    return drift(before, now, "wave2.csv", "w1")


def codes(before: ColumnMeanings, now: ColumnMeanings) -> list[str]:
    return [problem.code for problem in said(before, now)]


def test_the_same_file_has_not_drifted(study):
    for labels in (None, LABELS):
        same = told(study, ["0", "1", "2", ""], labels=labels, titles={OLDER[0]: "Q1"})
        assert said(same, same) == []


def test_capitals_and_spaces_are_no_drift(study):
    other = {"0": "nej ", "1": "LIDT", "2": "  ja"}
    assert said(told(study, ["0", "1", "2"], labels=LABELS), told(study, ["0", "1", "2"], labels=other)) == []


def test_a_code_whose_label_changed(study):
    (problem,) = said(told(study, ["0", "2"], labels=LABELS), told(study, ["0", "2"], labels=LABELS | {"2": "Passer godt"}))
    assert (problem.code, problem.severity, problem.place.column) == ("SCR-170", "warning", FORM.id)
    assert problem.text.startswith(
        "what is stored as 2 was called 'Ja' at w1, and is called 'Passer godt' here, in 25 columns: consid"
    )


def test_a_label_that_has_another_code(study):
    turned = {"0": "Ja", "1": "Lidt", "2": "Nej"}
    before = told(study, ["0", "1", "2"], labels=LABELS)
    found = said(before, told(study, ["0", "1", "2"], labels=turned))
    assert [problem.code for problem in found] == ["SCR-171", "SCR-171"]
    assert found[0].text.startswith("the answer 'nej' was stored as 0 at w1, and is stored as 2 here")
    compensated = told(study, ["0", "1", "2"], labels=turned, recode={FORM.id: {0: 2, 1: 1, 2: 0}})
    assert codes(before, compensated) == ["SCR-175", "SCR-175"]  # the labels agree; only the recode differs


def test_another_recode_between_waves(study):
    """0, 1, 2 at one wave and 1, 2, 3 at the other: 1 means two things."""
    before = told(study, ["0", "1", "2"])
    found = said(before, told(study, ["1", "2", "3"], recode={FORM.id: {1: 0, 2: 1, 3: 2}}))
    assert [problem.code for problem in found] == ["SCR-175", "SCR-175"]
    assert found[0].text.startswith("'1' was stored as 1 at w1, and is stored as 0 here, in 25 columns")
    forgotten = {1: 0, 2: 1, 3: 2}
    assert "SCR-175" in codes(told(study, ["1", "2"], recode={FORM.id: forgotten}), told(study, ["1", "2"]))


def test_labels_in_the_cells_are_labels(study):
    before = told(study, ["nej", "ja"], recode={FORM.id: {"nej": 0, "lidt": 1, "ja": 2}})
    assert codes(before, told(study, ["0", "2"], labels=LABELS)) == []
    assert codes(before, told(study, ["nej", "ja"], recode={FORM.id: {"nej": 2, "lidt": 1, "ja": 0}})) == ["SCR-171", "SCR-171"]
    assert codes(before, told(study, ["nej", "jo"], recode={FORM.id: {"nej": 0, "lidt": 1, "jo": 2}})) == ["SCR-170"]
    assert codes(before, told(study, ["0", "2"])) == []  # nothing is known of what 0 and 2 mean


def test_a_label_that_is_new_or_gone(study):
    two = {"0": "Nej", "2": "Ja"}
    before, now = told(study, ["0", "2"], labels=LABELS), told(study, ["0", "2"], labels=two)
    assert (codes(before, now), codes(now, before)) == (["SCR-173"], ["SCR-172"])


def test_a_question_that_changed(study):
    before, now = (told(study, ["0"], titles={OLDER[0]: title, "child_id": title}) for title in ("Q 1", "Q one"))
    (problem,) = said(before, now)
    assert (problem.code, problem.place.column) == ("SCR-174", OLDER[0])
    assert said(before, told(study, ["0"])) == []


def test_items_of_one_wave_only(study):
    whole = told(study, ["0"])
    part = {name: column for name, column in whole.items() if name not in OLDER[:2]}
    (problem,) = said(whole, part)
    assert (problem.code, problem.place.column) == ("SCR-176", FORM.id)
    assert problem.text == f"2 items (consid, restles) of {FORM.id} are in the file of w1 and not in this one"
    assert said(part, whole)[0].text.endswith("are in this file and not in that of w1")


def test_one_item_that_differs_is_named(study):
    before = told(study, ["0", "2"], labels=LABELS)
    other = dict(before) | {OLDER[3]: ColumnMeaning("", {"0": "0", "1": "1", "2": "2"}, LABELS | {"1": "Måske"})}
    (problem,) = said(before, other)
    assert (problem.code, problem.place.column) == ("SCR-170", OLDER[3])


def test_cells_that_fit_nothing_are_not_kept(study):
    column = told(study, ["0", "010203-4567", "Anna"])[OLDER[0]]
    assert column.stored == {"0": "0"}


CODES = st.permutations(["0", "1", "2"])
WORDS = st.lists(st.sampled_from(["nej", "lidt", "ja", "måske", "altid"]), min_size=3, max_size=3, unique=True)


@given(CODES, CODES, WORDS, WORDS)
def test_no_warning_of_labels_exactly_if_every_code_means_the_same(small_study, codes_before, codes_now, words_before, words_now):
    """Each file codes its words in its own way and recodes them in its own way: what counts is what is stored as what."""

    def column(codes_: list[str], words: list[str]) -> ColumnMeanings:
        texts = [str(int(code) + 5) for code in "012"]
        return {OLDER[0]: ColumnMeaning("", dict(zip(texts, codes_, strict=True)), dict(zip(texts, words, strict=True)))}

    meaning = [dict(zip(c, w, strict=True)) for c, w in ((codes_before, words_before), (codes_now, words_now))]
    found = set(codes(column(codes_before, words_before), column(codes_now, words_now)))
    assert bool(found & {"SCR-170", "SCR-171", "SCR-172", "SCR-173"}) == (meaning[0] != meaning[1])


@pytest.fixture(scope="module")
def small_study(drawn_once):
    return drawn_once


def test_a_wave_s_labels_are_stored_and_the_next_wave_is_compared(rated, export, visits, incoming):
    later = visits.assign(date="2007-09-14", **dict.fromkeys(OLDER, "1"))
    file = export(later, "wave2.csv")
    (incoming / "wave2.csv.mapping.yaml").write_text(f"version: 1\nrecode: {{{FORM.id}: {{1: 0, 2: 1, 3: 2}}}}\n")
    for dry_run in (True, False):
        report = import_file(rated, file, "screening", wave="w2", dry_run=dry_run)
        assert [(p.code, p.place.column) for p in report.warnings if p.code.startswith("SCR-17")] == [("SCR-175", FORM.id)]
    with Store(rated.folder).reading() as connection:
        first, second = (meanings_at(connection, "screening", wave) for wave in ("w1", "w2"))
    assert (first[OLDER[0]].stored, second[OLDER[0]].stored) == ({"1": "1"}, {"1": "0", "2": "1", "3": "2"})
    assert [(p.code, str(p.place)) for p in label_drift(rated)] == [("SCR-175", f"screening at w2, column {FORM.id}")]


def test_a_corrected_file_takes_the_place_of_the_labels_too(rated, export, visits, incoming):
    first = visits.assign(date="2007-09-14")
    file = export(first, "wave2.csv")
    (incoming / "wave2.csv.mapping.yaml").write_text(f"version: 1\nrecode: {{{FORM.id}: {{1: 0}}}}\n")
    import_file(rated, file, "screening", wave="w2")
    assert label_drift(rated)
    import_file(rated, export(first, "right.csv"), "screening", wave="w2", replace=True)
    assert label_drift(rated) == ()


def test_the_first_wave_is_compared_with_nothing(drawn, export, visits):
    report = import_file(drawn, export(visits), "screening", wave="w1")
    assert not [problem for problem in report.warnings if problem.code.startswith("SCR-17")]


def test_a_wave_imported_late_is_compared_with_the_one_after_it(drawn, export, visits):
    import_file(drawn, export(visits.assign(date="2007-09-14"), "wave2.csv"), "screening", wave="w2")
    file = export(visits, "wave1.csv")
    file.with_name("wave1.csv.mapping.yaml").write_text(f"version: 1\nrecode: {{{FORM.id}: {{1: 2}}}}\n")
    report = import_file(drawn, file, "screening", wave="w1")
    (problem,) = [problem for problem in report.warnings if problem.code == "SCR-175"]
    assert problem.text.startswith("'1' was stored as 1 at w2, and is stored as 2 here")
