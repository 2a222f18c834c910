"""Validation: every fault in one pass, each with its code and place; warnings stop nothing."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems, Problem, Refusal
from asp_eval.intake.checks.context import CheckContext
from asp_eval.intake.checks.validation import Sifted, sift
from asp_eval.intake.files.raw import Dialect
from asp_eval.intake.files.reading import read_raw
from asp_eval.intake.mapping.mapping import Mapping
from asp_eval.intake.pipeline import IncomingFile, read_table
from asp_eval.intake.table import Table
from asp_eval.trial.tables.schema import table_schema

KNOWN = CheckContext(
    institutions=frozenset({"A1", "A2", "H1", "H2"}),
    allocated=frozenset({"A1", "A2", "H1"}),
    reports=pd.DataFrame(
        {
            "child_id": ["001", "002", "003"],
            "wave": ["w1"] * 3,
            "institution_id": ["A1", "A2", "H1"],
            "rater_id": ["r1", "r2", "r3"],
            "sex": ["boy", "girl", None],
            "birth_month": ["2002-01", "2001-06", "2002-09"],
        }
    ).astype("string"),
    waves_before=frozenset({"", "w1"}),
)
ANY_SHARE = Mapping.model_validate({"version": 1, "stop_at": {"share_of_rows": 1}})
AT_W1 = CheckContext(institutions=KNOWN.institutions, allocated=KNOWN.allocated)


@pytest.fixture
def check(study, export):
    """Validate a frame as a wave's export; return the problems."""

    def check(frame: pd.DataFrame, wave: str = "w1", context: CheckContext | None = AT_W1, mapping=None) -> tuple[Problem, ...]:
        try:
            schema = table_schema("screening", study, wave)
            file = IncomingFile.at(export(frame), schema, mapping=mapping, study=study)
            return sift(file.map(file.protect(file.read())), schema, study=study, context=context).whole().warnings
        except DataProblems as error:
            return error.problems

    return check


def codes(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.code for problem in problems]


def set_cell(frame: pd.DataFrame, row: int, column: str, value: str) -> pd.DataFrame:
    changed = frame.copy()
    changed.loc[row, column] = value
    return changed


def test_a_sound_file_becomes_a_table(study, export, visits):
    table = read_table(export(visits), table_schema("screening", study, "w1"), study=study, context=AT_W1)
    assert (table.name, table.wave, table.source, len(table), table.accepted) == ("screening", "w1", "wave1.csv", 3, 3)
    assert table.warnings == ()
    frame = table.frame
    assert frame["child_id"].tolist() == ["001", "002", "003"]
    assert frame["wave"].tolist() == ["w1"] * 3
    assert frame["hours"].tolist() == [30.5, 37.0, 20.0]
    assert frame["sdq-teacher-4-17.tantrum"].tolist() == [1.0] * 3
    assert "sdq-teacher-2-4.tantrum" not in frame
    frame.loc[0, "child_id"] = "changed"
    assert table.frame["child_id"].iloc[0] == "001"


def test_a_table_is_made_by_validation_only(study, export, visits):
    table = read_table(export(visits), table_schema("screening", study, "w1"))
    with pytest.raises(Refusal, match="SCR-070"):
        Table(table.schema, "x", "x", table.frame, table.rows.copy(), table.answered.copy(), 3, 0, 0, Dialect("csv"), ())


@pytest.mark.parametrize(
    ("row", "column", "value", "code"),
    [
        (1, "sdq-teacher-4-17.obeys", "3", "SCR-014"),
        (1, "hours", "many", "SCR-042"),
        (1, "sex", "Boy", "SCR-043"),
        (1, "date", "2006-09-31", "SCR-047"),
        (1, "birth_month", "2006-13", "SCR-042"),
        (1, "date", "1006-09-01", "SCR-044"),
        (1, "child_id", "", "SCR-045"),
        (1, "institution_id", " ", "SCR-045"),
        (1, "institution_id", "A9", "SCR-050"),
        (1, "institution_id", "H2", "SCR-051"),
        (1, "birth_month", "2006-10", "SCR-064"),
    ],
)
def test_one_wrong_cell_is_one_error_at_its_place(check, visits, row, column, value, code):
    (problem,) = check(set_cell(visits, row, column, value))
    assert (problem.code, problem.severity) == (code, "error")
    assert (problem.place.source, problem.place.row, problem.place.column) == ("wave1.csv", row + 2, column)
    assert str(problem).endswith(".")


@pytest.mark.parametrize(
    ("row", "column", "value", "code"),
    [
        (1, "date", "2006-08-31", "SCR-054"),
        (1, "date", "2006-12-01", "SCR-054"),
        (1, "birth_month", "2004-01", "SCR-055"),
        (1, "birth_month", "1999-08", "SCR-055"),
    ],
)
def test_one_doubtful_cell_is_one_warning(check, visits, row, column, value, code):
    (problem,) = check(set_cell(visits, row, column, value))
    assert (problem.code, problem.severity, problem.place.row) == (code, "warning", row + 2)


def test_an_age_just_outside_reads_as_outside_and_what_was_found_is_in_the_cell(check, visits):
    seen = []
    for born in ("2003-09", "2003-10", "2004-01"):
        (problem,) = check(set_cell(set_cell(visits, 1, "date", "2006-09-01"), 1, "birth_month", born)) or (None,)
        if problem is not None:
            seen.append(problem)
            assert (
                problem.found == repr(born)
                and problem.details["age"] < 3
                and f"{problem.details['age']} years old" in str(problem)
            )
    assert seen and max(problem.details["age"] for problem in seen) > 2.9  # to one decimal it would read 3.0


def test_all_faults_come_at_once_in_the_order_of_the_rows(check, visits):
    wrong = set_cell(set_cell(set_cell(visits, 2, "sex", "?"), 0, "hours", "x"), 1, "institution_id", "B1")
    wrong = wrong.assign(extra="1").drop(columns="sdq-teacher-4-17.lies")
    assert codes(check(wrong)) == ["SCR-040", "SCR-041", "SCR-042", "SCR-050", "SCR-043"]


def test_rows_with_one_key_that_differ_are_all_refused_and_name_each_other(check, visits):
    rows = pd.concat([visits, visits.iloc[[0]].assign(hours="31"), visits.iloc[[0]].assign(hours="32")])
    problems = check(rows)
    assert [(p.code, p.place.row) for p in problems] == [("SCR-046", 2), ("SCR-046", 5), ("SCR-046", 6)]
    assert "001, w1 in rows 5, 6 and here" in str(problems[0])
    assert "001, w1 in rows 2, 5 and here" in str(problems[2])
    assert "another child's" in problems[0].remedy


def test_the_same_row_again_is_left_out_and_counted(study, export, visits):
    table = read_table(export(pd.concat([visits, visits, visits.iloc[[2]]])), table_schema("screening", study, "w1"))
    assert (table.rows_read, len(table), table.duplicates, table.quarantined) == (7, 3, 4, 0)
    assert table.rows.tolist() == [2, 3, 4]
    assert [(w.code, w.place.row, w.details["first"]) for w in table.warnings] == [
        ("SCR-121", 5, 2),
        ("SCR-121", 6, 3),
        ("SCR-121", 7, 4),
        ("SCR-121", 8, 4),
    ]


def test_rows_without_an_id_are_never_the_same_row(check, visits):
    nameless = visits.assign(
        child_id=["", "", "003"], institution_id="A1", rater_id="r1", sex="boy", birth_month="2002-01", hours="1"
    )
    assert [(p.code, p.place.row) for p in check(nameless)] == [("SCR-045", 2), ("SCR-045", 3)]


def test_a_row_that_differs_in_spaces_around_the_id_is_a_conflict(check, visits):
    rows = pd.concat([visits, visits.iloc[[0]].assign(child_id=" 001", hours="1")])
    assert [(p.code, p.place.row) for p in check(rows)] == [("SCR-046", 2), ("SCR-046", 5)]


@pytest.mark.parametrize(
    ("name", "content", "cure"),
    [
        ("institutions", "institution_id,municipality\nA1,Aarhus\nA1,Aarhus\n", "'one_row_per: institution_id'"),
        ("allocation", "institution_id,arm\nA1,reference\nA1,reference\n", "'one_row_per: institution_id'"),
        ("children", "child_id,institution_id\n1,A1\n1,A2\n", "another child's"),
    ],
)
def test_the_cure_of_a_duplicate_fits_the_unit(study, incoming, name, content, cure):
    (incoming / "x.csv").write_text(content)
    with pytest.raises(DataProblems, match="SCR-046") as caught:
        read_table(incoming / "x.csv", table_schema(name, study))
    errors = [p for p in caught.value.problems if p.severity == "error"]
    assert [p.place.row for p in errors] == [2, 3]
    assert all(cure in p.remedy and ("child's" in p.remedy) == (name == "children") for p in errors)


def test_unknown_and_missing_columns_suggest_each_other(check, visits):
    problems = check(visits.rename(columns={"institution_id": "instituton_id"}))
    assert codes(problems) == ["SCR-040", "SCR-041"]
    assert "Did you mean 'institution_id'" in str(problems[0])
    assert "Did you mean 'instituton_id'" in str(problems[1])


def test_an_unknown_institution_suggests_the_near_one(check, visits):
    (problem,) = check(set_cell(visits, 0, "institution_id", "A11"))
    assert "Did you mean 'A1'" in problem.remedy


def test_an_institution_that_a_spreadsheet_took_the_zeros_from(check, visits):
    known = CheckContext(institutions=frozenset({"001", "010"}))
    (problem,) = check(visits.iloc[[0]].assign(institution_id="1"), context=known)
    assert "Did you mean '001'" in problem.remedy


def test_a_file_without_the_instrument(check, visits):
    assert codes(check(visits[["child_id", "institution_id", "mother_education", "hours"]])) == ["SCR-062"]


def test_before_institutions_are_imported(check, visits):
    assert codes(check(visits, context=CheckContext())) == ["SCR-052"]


def test_before_the_draw_no_institution_is_asked_for_its_arm(check, visits):
    assert check(set_cell(visits, 0, "institution_id", "H2"), context=CheckContext(institutions=KNOWN.institutions)) == ()


def test_a_row_without_answers_is_kept_apart(study, export, visits):
    blank = visits.copy()
    blank.loc[1, [name for name in visits if name.startswith("sdq")]] = ""
    table = read_table(export(blank), table_schema("screening", study, "w1"))
    assert (table.accepted, table.unanswered) == (2, 1)
    assert [(w.code, w.place.row) for w in table.warnings] == [("SCR-059", 3)]


def test_a_row_of_answers_that_cannot_be_read_is_not_called_a_row_without(check, visits):
    labels = visits.assign(**{name: "Passer godt" for name in visits if name.startswith("sdq")})
    assert set(codes(check(labels))) == {"SCR-014"}


@pytest.mark.parametrize("other", ["1", "0001", "0 01", "\uff10\uff10\uff11"])
def test_ids_that_differ_in_their_spelling_alone_are_pointed_at(study, export, visits, other):
    """Rows 2 and 3 are one child, or two: nobody but the evaluator can tell."""
    alike = set_cell(visits, 1, "child_id", other)
    found = read_table(export(alike), table_schema("screening", study, "w1")).warnings
    assert [(w.code, w.place.row) for w in found] == [("SCR-066", 2), ("SCR-066", 3)]


def test_one_letter_written_in_two_ways_is_one_id_misspelled(study, export, visits):
    composed, apart = "\u00c51", "A\u030a1"
    alike = set_cell(set_cell(visits, 0, "child_id", composed), 1, "child_id", apart)
    assert [w.code for w in read_table(export(alike), table_schema("screening", study, "w1")).warnings] == ["SCR-066"] * 2


def test_two_forms_of_a_family_in_one_row(check, visits):
    both = visits.assign(**{name.replace("4-17", "2-4"): "" for name in visits if name.startswith("sdq")})
    form = "sdq-teacher-2-4"
    both = both.rename(columns={f"{form}.lies": f"{form}.argues", f"{form}.steals": f"{form}.spite"})
    assert check(both) == ()
    (problem,) = check(set_cell(both, 2, "sdq-teacher-2-4.tantrum", "0"))
    assert (problem.code, problem.place.row, problem.severity) == ("SCR-060", 4, "error")
    assert "Keep the answers of the form that was used" in problem.remedy


def test_a_declared_column_that_is_not_there_is_a_warning(check, visits):
    assert codes(check(visits.drop(columns="hours"))) == ["SCR-061"]


def test_a_column_not_collected_can_be_said_so(check, visits):
    missing = visits.drop(columns="sdq-teacher-4-17.lies")
    from asp_eval.intake.mapping.mapping import Mapping

    said = Mapping.model_validate({"version": 1, "constants": {"sdq-teacher-4-17.lies": None}})
    assert codes(check(missing)) == ["SCR-041"]
    assert check(missing, mapping=said) == ()


def test_against_the_wave_before(check, visits):
    now = visits.assign(date="2007-09-01", rater_id=["r1", "r9", "r3"], institution_id=["A1", "A2", "A1"])
    new = now.iloc[[0]].assign(child_id="004")
    problems = check(pd.concat([now, new]), "w2", KNOWN)
    assert [(p.code, p.place.row, p.severity) for p in problems] == [
        ("SCR-057", 3, "warning"),
        ("SCR-056", 4, "warning"),
        ("SCR-058", 5, "warning"),
    ]


def test_a_child_that_changes_sex_or_birth_month_is_an_error(check, visits):
    now = visits.assign(date="2007-09-01", sex=["girl", "girl", "girl"], birth_month=["2002-01", "2001-07", ""])
    problems = check(now, "w2", KNOWN)
    assert [(p.code, p.place.row, p.place.column, p.expected) for p in problems] == [
        ("SCR-053", 2, "sex", "boy"),
        ("SCR-053", 3, "birth_month", "2001-06"),
    ]
    assert "at w1" in str(problems[0])


def test_the_last_wave_before_counts(check, visits):
    register = KNOWN.reports.assign(wave="", rater_id="r0", institution_id="H1")
    known = replace(KNOWN, reports=pd.concat([register, KNOWN.reports], ignore_index=True))
    assert check(visits.assign(date="2007-09-01"), "w2", known) == ()
    (problem,) = check(set_cell(visits.assign(date="2007-09-01"), 0, "rater_id", "r0"), "w2", known)
    assert (problem.code, problem.expected) == ("SCR-057", "r1")


@pytest.mark.parametrize("spelling", ["1", "01", " 0 01"])
def test_a_known_id_in_another_spelling_is_an_error(check, visits, spelling):
    now = visits.iloc[[0]].assign(date="2007-09-01", child_id=spelling)
    errors = [(p.code, p.expected) for p in check(now, "w2", KNOWN) if p.severity == "error"]
    assert errors == [("SCR-065", "'001'")]


def test_a_decimal_comma_and_day_first_dates_are_found(study, export, visits):
    danish = visits.assign(hours=["30,5", "37", "20"], date=["14-09-2006", "01-10-2006", "14-09-2006"])
    frame = read_table(export(danish, sep=";", encoding="cp1252"), table_schema("screening", study, "w1")).frame
    assert frame["hours"].tolist() == [30.5, 37.0, 20.0]
    assert frame["date"].dt.strftime("%Y-%m-%d").tolist() == ["2006-09-14", "2006-10-01", "2006-09-14"]


@pytest.mark.parametrize("form", [{"thousands": "."}, {"thousands": ".", "decimal": ","}])
def test_marks_between_thousands_that_the_mapping_declares(study, export, visits, form):
    mapping = Mapping.model_validate({"version": 1, "format": form})
    file = export(visits.assign(hours=["1.234,5", "1.234", "20"]), sep=";")
    frame = read_table(file, table_schema("screening", study, "w1"), mapping=mapping).frame
    assert frame["hours"].tolist() == [1234.5, 1234.0, 20.0]


def test_one_mark_cannot_stand_for_both(tmp_path, study, visits):
    with pytest.raises(ValueError, match="one mark for decimals"):
        Mapping.model_validate({"version": 1, "format": {"thousands": ".", "decimal": "."}})
    visits.assign(hours="1.234").to_excel(tmp_path / "w1.xlsx", index=False)  # its numbers have a point
    mapping = Mapping.model_validate({"version": 1, "format": {"thousands": "."}})
    with pytest.raises(DataProblems) as caught:
        read_table(tmp_path / "w1.xlsx", table_schema("screening", study, "w1"), mapping=mapping)
    assert "SCR-048" in codes(caught.value.problems)


def test_numbers_and_dates_that_could_be_read_in_two_ways_are_refused(check, visits):
    assert codes(check(visits.assign(hours=["30,5", "30.5", "1"]))) == ["SCR-048"]
    assert codes(check(visits.assign(date="01-10-2006"))) == ["SCR-049"]


def test_more_than_a_thousand_of_a_kind_are_counted(check, visits):
    many = pd.concat([visits.iloc[[0]]] * 1_200, ignore_index=True).assign(sex="?")
    many["child_id"] = [f"{i:05d}" for i in range(1_200)]
    problems = check(many)
    assert len(problems) == 1_002
    assert {problem.code for problem in problems} == {"SCR-043", "SCR-018", "SCR-196"}


@pytest.fixture
def sifted(study, export):
    """Sift a frame as a wave's export."""

    def sifted(frame: pd.DataFrame, context: CheckContext | None = AT_W1) -> Sifted:
        schema = table_schema("screening", study, "w1")
        return sift(read_raw(export(frame)), schema, study=study, context=context, mapping=ANY_SHARE)

    return sifted


def test_rows_at_fault_are_refused_whole_and_the_others_are_accepted(sifted, visits):
    found = sifted(set_cell(set_cell(visits, 1, "sex", "?"), 1, "hours", "x"))
    assert found.table.frame["child_id"].tolist() == ["001", "003"]
    assert found.table.rows.tolist() == [2, 4]
    assert (found.table.rows_read, len(found.table), found.table.quarantined) == (3, 2, 1)
    assert found.refused.rows.tolist() == [3]
    assert found.refused.columns["child_id"].cells().tolist() == ["002"]
    assert [[(p.code, p.place.column) for p in reasons] for reasons in found.reasons()] == [
        [("SCR-043", "sex"), ("SCR-042", "hours")]
    ]
    assert dict(found.institutions) == {3: "A2"}


def test_warnings_are_those_of_the_rows_accepted(sifted, visits):
    late = visits.assign(date="2006-12-24")
    found = sifted(set_cell(late, 1, "sex", "?"))
    assert [(p.code, p.place.row) for p in found.problems] == [("SCR-054", 2), ("SCR-043", 3), ("SCR-054", 4)]
    assert [p.code for p in found.table.warnings] == ["SCR-054"] * 2


def test_a_file_of_which_no_row_can_be_accepted_is_refused(sifted, visits):
    with pytest.raises(DataProblems) as caught:
        sifted(visits.assign(sex="?"))
    assert codes(caught.value.problems) == ["SCR-043"] * 3


def test_what_is_wrong_with_a_column_refuses_the_file_with_the_faults_of_its_rows(sifted, visits):
    with pytest.raises(DataProblems) as caught:
        sifted(set_cell(visits.assign(extra="1"), 1, "sex", "?"))
    assert codes(caught.value.problems) == ["SCR-040", "SCR-043"]


@pytest.mark.parametrize("name", ["institutions", "allocation"])
def test_the_short_lists_are_taken_whole_or_not_at_all(study, incoming, name):
    column, value = ("municipality", "Aarhus") if name == "institutions" else ("arm", "reference")
    (incoming / "x.csv").write_text(f"institution_id,{column}\nA1,{value}\n,{value}\n")
    with pytest.raises(DataProblems, match="SCR-045"):
        sift(read_raw(incoming / "x.csv"), table_schema(name, study))


def test_more_than_a_thousand_refused_rows_all_keep_their_reasons(sifted, visits):
    many = pd.concat([visits.iloc[[0]]] * 1_500, ignore_index=True).assign(sex=["boy"] + ["?"] * 1_499)
    many["child_id"] = [f"{i:05d}" for i in range(1_500)]
    found = sifted(many)
    assert (found.table.quarantined, len(found.reasons()), {len(reasons) for reasons in found.reasons()}) == (1_499, 1_499, {1})
    assert len([p for p in found.problems if p.code == "SCR-043"]) == 1_000
    assert [p.details["count"] for p in found.problems if p.code == "SCR-018"] == [499]


def test_more_than_a_thousand_warnings_refuse_nothing(check, visits):
    many = pd.concat([visits.iloc[[0]]] * 1_200, ignore_index=True).assign(date="2006-12-24", rater_id="")
    many["child_id"] = [f"{i:05d}" for i in range(1_200)]
    problems = check(many)
    assert {p.severity for p in problems} == {"warning"}
    assert [p.details["count"] for p in problems if p.code == "SCR-122"] == [200]


def test_a_rater_who_gives_one_answer_to_everything_is_named(check, visits):
    items = [name for name in visits if name.startswith("sdq")]
    many = pd.concat([visits.iloc[[0]]] * 6, ignore_index=True).assign(rater_id=["r1"] * 4 + ["r2"] * 2)
    many["child_id"] = [f"{i:03d}" for i in range(6)]
    many.loc[0, items[0]] = "2"
    (problem,) = check(many)
    assert (problem.code, problem.severity) == ("SCR-123", "warning")
    assert "rater 'r1' gave one and the same answer to every item of sdq-teacher-4-17 for 3 of 4 children" in str(problem)
    few = many.copy()
    few.loc[1:, items[7:]] = ""
    assert check(few) == ()
    (problem,) = check(many.assign(rater_id=""))
    assert "institution 'A1'" in str(problem)
    assert "5 of 6" in str(problem)


def test_a_correction_does_not_bring_what_is_stored(sifted, visits):
    found = sifted(visits, replace(AT_W1, stored_keys=frozenset({"002"})))
    assert [(p.code, p.place.row) for p in found.problems] == [("SCR-120", 3)]
    assert found.table.frame["child_id"].tolist() == ["001", "003"]


def test_remedies_name_the_columns_of_the_file_and_the_labels_met(check, visits):
    frame = visits.rename(columns={"sdq-teacher-4-17.obeys": "Q 7", "sex": "Køn", "birth_month": "født"}).assign(Bem="x")
    frame.loc[0, "Q 7"], frame.loc[1, "Køn"], frame.loc[2, "født"], frame.loc[3, "date"] = "ja, tit", "P", "2002-09-14", "i går"
    frame.loc[4, "institution_id"] = ""
    mapping = {"version": 1, "rename": {"Q 7": "sdq-teacher-4-17.obeys", "Køn": "sex", "født": "birth_month"}}
    told = {problem.code: str(problem) for problem in check(frame, mapping=Mapping.model_validate(mapping))}
    assert "Correct the cell in the file's column 'Q 7', or leave" in told["SCR-014"]
    assert '\'recode: {"sdq-teacher-4-17.obeys": {"ja, tit": CODE}}\'' in told["SCR-014"]
    assert "in the file's column 'Køn', or recode the label in the mapping: 'recode: {sex: {P: OURS}}'" in told["SCR-043"]
    assert "'truncate: {birth_month: month}'" in told["SCR-184"]
    assert "Correct the cell; a word that means missing is declared in the mapping: 'missing: [\"i går\"]'" in told["SCR-042"]
    assert "Fill it in, or take the row out" in told["SCR-045"]
    assert "'rename: {Bem: OURS}') or that it is left out ('ignore: [Bem]')" in told["SCR-040"]
    lacking = {problem.code: str(problem) for problem in check(visits.drop(columns="child_id"))}
    assert "'rename: {COLUMN: child_id}'" in lacking["SCR-041"]
    assert "'constants: {child_id: null}'" in lacking["SCR-041"]
