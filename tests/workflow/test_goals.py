"""Goals that institutions set.

1. every rule keeps its row out, or tells of it, with a code of its own, and the other rows come in; 2. a worksheet goes out in
two languages and comes back as rows, as a workbook and as CSV, and so does the form; 3. one that is sent again takes the place of
the first; 4. whatever is wrong with a file is listed, and keeps no other file out; 5. paper, spreadsheet and form ask the same.
"""

from __future__ import annotations

import csv
import json
from io import BytesIO

import pandas as pd
import pytest
from openpyxl import load_workbook
from pyxform.xls2xform import convert
from small_study import WITH_PROFILES

from asp_eval.analysis.goals import institution_goals
from asp_eval.core.errors import Refusal
from asp_eval.intake.files import workbook
from asp_eval.store import table
from asp_eval.trial.profiles.worksheet import worksheet_of_meetings
from asp_eval.trial.study.protocol import load_study
from asp_eval.trial.tables.schema import table_schema
from asp_eval.workflow.goal_worksheets import export_worksheets
from asp_eval.workflow.goals import import_goals
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


def filled(path, *lines, name="returned.xlsx", **head):
    """Fill in a worksheet as staff do, by what they read: head fields by their label, lines by their headings."""
    book = load_workbook(path)
    sheet = book.active
    rows = {sheet.cell(row, 2).value: row for row in range(1, sheet.max_row + 1) if sheet.cell(row, 2).value}
    for label, value in head.items():
        sheet.cell(rows[label], 3, value)
    top = next(row for label, row in rows.items() if str(label) in ("No.", "Nr."))
    columns = {str(sheet.cell(top, column).value).split("\n")[0]: column for column in range(3, sheet.max_column + 1)}
    for number, line in enumerate(lines, 1):
        for heading, value in line.items():
            sheet.cell(top + number, columns[heading], value)
    target = path.parent / name
    book.save(target)
    return target


PLAY = "Play and friendship"
LINE = {
    "Which gap do we choose?": PLAY,
    "Our aim": "All are asked",
    "Partial aim": "Sit with the builders",
    "When?": "2007-03-01",
}


def worksheets(study, to="xlsx", **options):
    """Return the worksheets of a study by institution."""
    found = export_worksheets(study, to, folder=study.folder.parent / "out", **options)
    return {path.name.split("-goals-")[1].partition(".")[0].upper(): path for path in found.files}


def codes(found):
    """Return the codes of what is wrong, file by file."""
    return [[problem.code for problem in each.problems] for each in found.files]


def test_a_worksheet_comes_back_as_rows(profiled):
    """Choices come back as keys; gap and aim of the line above count where they are empty; lines without words are no goals."""
    second = {"Partial aim": "Ask once more", "Who?": "JH", "How did it go?": "Partly reached"}
    lines = (LINE, second, {}, {"Which gap do we choose?": "Empathy", "Our aim": "Hugs"})
    sheet = filled(worksheets(profiled)["A2"], *lines, **{"What surprised us?": "That play is low"})
    found = import_goals(profiled, [sheet])
    assert (codes(found), found.files[0].report.accepted, found.files[0].report.part) == ([[]], 3, "a2")
    goals = institution_goals(profiled)["A2"]
    assert [(g.number, g.dimension, g.aim, g.partial_aim) for g in goals] == [
        (1, "play", "All are asked", "Sit with the builders"),
        (2, "play", "All are asked", "Ask once more"),
        (4, "empathy", "Hugs", ""),
    ]
    assert (goals[0].due, goals[0].profile_wave, goals[1].how_it_went, goals[1].who) == ("2007-03-01", "w1", "partly", "JH")
    assert {goal.surprise for goal in goals} == {"That play is low"}


def test_the_same_sheet_in_danish_and_saved_as_csv(profiled):
    path = worksheets(profiled, language="da")["H2"]
    line = {"Hvilket gab vælger vi?": "leg og venskab", "Vores mål": "Rådhusets æbler", "Hvordan gik det?": "Ikke nået"}
    sheet = load_workbook(filled(path, line)).active
    returned = path.parent / "H2.csv"
    with returned.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows(
            ["" if cell is None else cell for cell in row] for row in sheet.iter_rows(values_only=True)
        )
    assert codes(import_goals(profiled, [returned])) == [[]]
    (goal,) = institution_goals(profiled)["H2"]
    assert (goal.dimension, goal.aim, goal.how_it_went) == ("play", "Rådhusets æbler", "not_reached")


def test_a_sheet_sent_again_takes_the_place_of_the_first_and_the_same_one_changes_nothing(profiled):
    path = worksheets(profiled)["A2"]
    first = import_goals(profiled, [filled(path, LINE, LINE | {"Partial aim": "Ask"})])
    again = import_goals(profiled, [filled(path, LINE, LINE | {"Partial aim": "Ask"}, name="copy.xlsx")] * 2)
    assert first.files[0].report.accepted == 2
    assert all(each.report.superseded or each.report.already for each in again.files)
    later = filled(path, LINE | {"How did it go?": "Reached"}, LINE, name="later.xlsx")
    assert import_goals(profiled, [later]).files[0].report.part == "a2"
    assert [goal.how_it_went for goal in institution_goals(profiled)["A2"]] == ["reached", ""]
    fewer = filled(path, LINE | {"How did it go?": "Reached"}, name="fewer.xlsx")
    assert codes(import_goals(profiled, [fewer])) == [["STO-013"]], "a goal would vanish unasked"
    assert len(institution_goals(profiled)["A2"]) == 2
    assert import_goals(profiled, [fewer], replace=True).files[0].report.vanished == "1 goal"


def test_whatever_is_wrong_with_a_file_is_listed_and_keeps_no_other_out(profiled, incoming):
    sheets = worksheets(profiled)
    unfilled, right, other = sheets["A1"], filled(sheets["A2"], LINE), filled(sheets["H1"], LINE, name="h1.xlsx", Study="another")
    unknown = filled(sheets["H2"], LINE, name="renamed.xlsx", Institution="H2-new")
    free = filled(sheets["H2"], LINE, LINE | {"Which gap do we choose?": "Handwriting"}, name="own-words.xlsx")
    bare = incoming / "notes.xlsx"
    pd.DataFrame({"what": ["we did well"]}).to_excel(bare, index=False)
    broken = filled(sheets["H1"], LINE, name="broken.xlsx")
    book = load_workbook(broken)
    book.active.delete_cols(12)
    book.active.delete_cols(3)
    book.save(broken)
    found = import_goals(profiled, [unfilled, other, unknown, free, bare, broken, right, incoming / "gone.xlsx"])
    assert [each.report is not None for each in found.files] == [False, False, False, True, False, False, True, False]
    named = [set(each) - {"SCR-045"} for each in codes(found)]
    assert named[:4] == [{"SCR-265"}, {"SCR-260"}, {"SCR-050"}, {"SCR-043"}]
    assert (named[5], named[6], named[7]) == ({"SCR-267"}, set(), {"SCR-001"})
    assert named[4]
    assert {name: len(goals) for name, goals in institution_goals(profiled).items()} == {"A2": 1, "H2": 1}
    assert found.files[3].report.quarantined == 1, "the goal in own words waits for its correction"


def test_two_files_that_say_otherwise_of_one_goal_are_both_listed(profiled):
    path = worksheets(profiled)["A2"]
    one, two = filled(path, LINE), filled(path, LINE | {"Our aim": "Other"}, name="two.xlsx")
    found = import_goals(profiled, [one, two])
    assert codes(found) == [["GOA-003"], ["GOA-003"]]
    assert not institution_goals(profiled)
    three = filled(path, {}, {}, LINE, name="three.xlsx")
    assert codes(import_goals(profiled, [one, three])) == [[], []], "a second sheet may number on"
    assert [goal.number for goal in institution_goals(profiled)["A2"]] == [1, 3]


def test_a_formula_gives_its_value_and_one_without_is_refused(profiled):
    sheet = filled(worksheets(profiled)["A2"], LINE | {"Our aim": '="All"&" in"'})
    found = import_goals(profiled, [sheet])
    assert [code for each in codes(found) for code in each] == ["SCR-197"], "nothing calculated the formula"


def test_a_word_beside_the_fields_is_told_of(profiled):
    path = filled(worksheets(profiled)["A2"], LINE)
    book = load_workbook(path)
    book.active.cell(25, 15, "ring to us")
    book.save(path)
    found = import_goals(profiled, [path])
    assert (codes(found), found.files[0].problems[0].found) == ([["SCR-268"]], "'ring to us'")
    assert len(institution_goals(profiled)["A2"]) == 1


def test_the_form_for_the_field_comes_back_without_a_mapping(profiled, export):
    content = worksheets(profiled, "xlsform")["A2"].read_bytes()
    survey = pd.read_excel(BytesIO(content), sheet_name="survey", dtype=str, engine="openpyxl").set_index("name")
    assert survey.loc["institution_id", "default"] == "A2"
    assert survey.loc["study", "calculation"] == "'small'"
    assert "<dimension/>" in convert(BytesIO(content)).xform
    asked = [name for name in survey.index if name in table_schema("goals", profiled).names]
    sent = pd.DataFrame({name: [""] for name in asked}).assign(
        institution_id="A2", goal="1", study="small", dimension="play", aim="All", start="x", _id="7", _uuid="u", one_by_one=""
    )
    found = import_goals(profiled, [export(sent, "kobo.csv")])
    assert (codes(found), found.files[0].report.accepted) == ([[]], 1)
    again = import_goals(profiled, [export(sent.assign(strategi="x", _id="8"), "more.csv")])
    assert again.refused, "a column that the form does not have is told of, not dropped"


def test_only_those_who_are_given_a_profile_have_a_worksheet(profiled):
    path = profiled.folder / "study.yaml"
    path.write_text(path.read_text().replace(", release: {reference: w2}", ""))
    found = export_worksheets(load_study(profiled.folder))
    assert (len(found.files), found.withheld) == (2, 2)
    assert found.files[0].parent == profiled.folder / "output" / "forms" / "small-goals"
    for wrong, code in (({"to": "docx"}, "INS-035"), ({"wave": "w9"}, "GOA-001"), ({"language": "sv"}, "INS-036")):
        with pytest.raises(Refusal, match=code):
            export_worksheets(profiled, **wrong)
    with pytest.raises(Refusal, match="GAP-010"):
        export_worksheets(without_gap(profiled))


def without_gap(study):
    path = study.folder / "study.yaml"
    path.write_text(path.read_text().rpartition("gap:")[0])
    return load_study(study.folder)


def test_paper_spreadsheet_and_form_ask_the_columns_of_the_table(profiled):
    keys = {question.key for question in worksheet_of_meetings().questions}
    assert keys | {"institution_id", "goal", "study", "profile_wave"} == set(table_schema("goals", profiled).names)
    outcomes = {each.key for each in worksheet_of_meetings().outcomes}
    assert outcomes == set(table_schema("goals", profiled).field("how_it_went").allowed)
    assert all(set(question.text) == {"da", "en"} for question in worksheet_of_meetings().questions)


def test_the_command_lists_what_waits_and_says_so_by_its_code(profiled, run):
    sheets = worksheets(profiled)
    done = run("goals", "import", filled(sheets["A2"], LINE), sheets["H2"], "--study", profiled.folder)
    assert done.code == 1
    assert "SCR-265" in done.err
    assert "1 of 2 files are in, with 1 goals; 1 refused, 0 rows wait in quarantine." in " ".join(done.out.split())
    told = json.loads(run("goals", "import", sheets["H2"], "--study", profiled.folder, "--json").out)
    assert [problem["code"] for problem in told["files"][0]["problems"]] == ["SCR-265"]
    assert run("goals", "export", "--study", profiled.folder).code == 0


def test_every_door_reads_a_worksheet_alike_and_a_trial_run_stores_nothing(profiled):
    sheet = filled(worksheets(profiled)["A2"], LINE, {"Partial aim": "Later", "When?": "after Easter"})
    found = import_goals(profiled, [sheet], dry_run=True)
    whole = import_file(profiled, sheet, "goals", dry_run=True)
    assert codes(found) == [[problem.code for problem in whole.problems]] == [["SCR-042"]]
    assert (found.files[0].report.accepted, whole.accepted, len(table(profiled, "goals"))) == (1, 1, 0)


def workbook_of_all(study, **options):
    """Return the one workbook that is handed out."""
    (path,) = export_worksheets(study, folder=study.folder.parent / "out", together=True, **options).files
    return path


def fill_in(path, **lines):
    """Fill in sheets of a workbook by their names, the first line of each."""
    book = load_workbook(path)
    for name, line in lines.items():
        sheet = book[name]
        top = next(row for row in range(1, sheet.max_row + 1) if sheet.cell(row, 2).value == "No.")
        columns = {str(sheet.cell(top, column).value).split("\n")[0]: column for column in range(3, sheet.max_column + 1)}
        for heading, value in line.items():
            sheet.cell(top + 1, columns[heading], value)
    return book


def test_one_workbook_holds_the_sheet_of_each_institution_as_it_is_alone(profiled):
    together, alone = load_workbook(workbook_of_all(profiled)), worksheets(profiled)
    assert together.sheetnames == sorted(alone)
    for name, path in alone.items():
        one, other = together[name], load_workbook(path).active
        assert list(one.values) == list(other.values)
        assert [(v.sqref, v.formula1) for v in one.data_validations.dataValidation] == [
            (v.sqref, v.formula1) for v in other.data_validations.dataValidation
        ]
        assert one.protection.sheet
    with pytest.raises(Refusal, match="GOA-004"):
        export_worksheets(profiled, "xlsform", together=True)


def test_more_institutions_than_sheets_are_read_take_more_workbooks(profiled, monkeypatch):
    monkeypatch.setattr("asp_eval.workflow.goal_worksheets.MOST_SHEETS", 3)
    found = export_worksheets(profiled, folder=profiled.folder.parent / "out", together=True)
    assert [path.name for path in found.files] == ["small-w1-goals.xlsx", "small-w1-goals-2.xlsx"]
    assert [load_workbook(path).sheetnames for path in found.files] == [["A1", "A2", "H1"], ["H2"]]
    assert found.institutions == 4


def test_every_sheet_of_a_workbook_is_read_and_one_at_fault_keeps_no_other_out(profiled):
    path = workbook_of_all(profiled)
    book = fill_in(path, A1=LINE | {"Who?": '="J"&"H"'}, A2=LINE | {"Our aim": 'Semi; colon, "quoted"\nnext line'}, H2=LINE)
    book["H2"]["A1"] = None  # no longer says what it is
    book.create_sheet("empty")
    returned = path.with_name("returned.xlsx")
    book.save(returned)
    found = import_goals(profiled, [returned], dry_run=True)
    assert len(table(profiled, "goals")) == 0
    found = import_goals(profiled, [returned])
    assert [(each.file, [p.code for p in each.problems]) for each in found.files] == [
        ("returned.xlsx (A1)", ["SCR-197"]),
        ("returned.xlsx (A2)", []),
        ("returned.xlsx (H1)", ["SCR-265"]),
        ("returned.xlsx (H2)", ["SCR-269"]),
    ]
    assert {problem.place.source for each in found.refused for problem in each.problems} == {each.file for each in found.refused}
    assert (found.files[1].report.part, found.files[1].report.file) == ("a2", "returned.xlsx (A2)")
    (goal,) = institution_goals(profiled)["A2"]
    assert goal.aim == 'Semi; colon, "quoted"\nnext line'


def test_a_sheet_of_a_workbook_is_what_it_is_alone_and_one_that_comes_again_unchanged_changes_nothing(profiled):
    path = workbook_of_all(profiled)
    alone = import_goals(profiled, [filled(worksheets(profiled)["A2"], LINE)])
    as_alone = institution_goals(profiled)
    fill_in(path, A2=LINE, H1=LINE).save(path)
    first = import_goals(profiled, [path])
    assert (codes(alone), institution_goals(profiled)["A2"]) == ([[]], as_alone["A2"])
    assert [each.report and each.report.part for each in first.files] == [None, "a2", "h1", None]
    fill_in(path, H1=LINE | {"How did it go?": "Reached"}).save(path)
    again = import_goals(profiled, [path])
    assert [(each.report.already, bool(each.report.superseded)) for each in again.files[1:3]] == [(True, False), (False, True)]
    assert institution_goals(profiled)["H1"][0].how_it_went == "reached"


def test_two_sheets_that_say_otherwise_of_one_institution_are_both_listed(profiled):
    path = workbook_of_all(profiled)
    book = fill_in(path, A1=LINE, A2=LINE | {"Our aim": "Other"}, H1=LINE)
    row = next(row for row in range(1, 40) if book["A2"].cell(row, 1).value == "institution_id")
    book["A2"].cell(row, 3, "A1")
    book.save(path)
    found = import_goals(profiled, [path])
    assert codes(found) == [["GOA-003"], ["GOA-003"], [], ["SCR-265"]]
    assert f"{path.name} (A2)" in str(found.files[0].problems[0])


def test_a_worksheet_is_parsed_once(profiled, monkeypatch):
    sheet = filled(worksheets(profiled)["A2"], LINE)
    read, opened = [], workbook._opened
    monkeypatch.setattr(workbook, "_opened", lambda export: read.append(export.source) or opened(export))
    import_goals(profiled, [sheet])
    assert read == [sheet.name]
