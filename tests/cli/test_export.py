"""``asp-eval export``: files that describe themselves, hold what they say, and hold no names.

1. Frictionless finds the demo's export valid, and its numbers are those of the store; 2. faults put into it are found by it and
by this package in the same cells; 3. no name and no text in one's own words goes out unless study.yaml says so; 4. what a
spreadsheet would run is guarded and numbers are not; 5. the three formats hold the same; 6. nothing foreign is overwritten.
"""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import duckdb
import pandas as pd
import pytest

import asp_eval
from asp_eval.core.csv_text import unguard_formula
from asp_eval.core.errors import DataProblems
from asp_eval.core.file_sets import file_set
from asp_eval.intake.checks.context import CheckContext
from asp_eval.intake.pipeline import read_table
from asp_eval.store import Store, ledger, table
from asp_eval.store.layout import change
from asp_eval.trial.study.protocol import load_study
from asp_eval.trial.tables.descriptor import file_schemas
from asp_eval.workflow.analysis_files import analysis_files
from asp_eval.workflow.export_files import typed_frame, write_analysis_files, write_schemas


@pytest.fixture(scope="module")
def study(small_demo):
    """The small demo's study."""
    return load_study(small_demo.folder)


@pytest.fixture(scope="module")
def exported(study, tmp_path_factory):
    """The demo's analysis files."""
    folder = tmp_path_factory.mktemp("exported")
    found = analysis_files(study)
    with file_set(folder) as new:
        write_analysis_files(study, found.files, new)
    return folder, found


def write_files(study, files, folder: Path, form="csv") -> None:
    """Write analysis files, as the command does: all appear together."""
    with file_set(folder) as new:
        write_analysis_files(study, files, new, form)


def of_three_institutions(package: Path, folder: Path) -> Path:
    """Copy a data package with the rows of its first three institutions alone, which it is read in a fifth of the time."""
    shutil.copytree(package, folder)
    tables = {path: pd.read_csv(path, dtype=str, keep_default_na=False) for path in folder.glob("*.csv")}
    homes = tables[folder / "children.csv"].set_index("child_id")["institution_id"]
    few = tables[folder / "institutions.csv"]["institution_id"].iloc[:3]
    children = homes.index[homes.isin(few)]
    for path, rows in tables.items():
        for column, kept in (("institution_id", few), ("child_id", children)):
            rows = rows[rows[column].isin(kept)] if column in rows else rows
        assert len(rows) or not len(tables[path]), path
        rows.to_csv(path, index=False)
    return folder


def frictionless(package: Path, only: str | None = None):
    """Return what Frictionless says of a data package, or of one of its files: resource, row, column and kind of error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from frictionless import validate

        report = validate(str(package), **({"resource_name": only} if only else {}))
    assert not report.errors, report.errors
    return {
        (task.name, getattr(error, "row_number", None), getattr(error, "field_name", None), error.type)
        for task in report.tasks
        for error in task.errors
    }


# --- the export is what it says -----------------------------------------------------------------------------------------


def test_frictionless_finds_every_file_valid(exported, tmp_path):
    """By the rows of three institutions: what refers to one of their children or institutions is there with it."""
    folder, found = exported
    assert frictionless(of_three_institutions(folder, tmp_path / "few") / "datapackage.json") == set()
    listed = json.loads((folder / "datapackage.json").read_text())["resources"]
    assert [resource["path"] for resource in listed] == [f"{file.name}.csv" for file in found.files]
    assert {path.name for path in folder.iterdir()} == {*(resource["path"] for resource in listed), "datapackage.json"}
    assert found.notes == ()


@pytest.mark.slow
def test_frictionless_finds_every_row_valid(exported):
    assert frictionless(exported[0] / "datapackage.json") == set()


def test_the_numbers_are_those_of_the_store(exported, study):
    """Read back as text and compared with the store's own tables, joined by hand."""
    folder, _ = exported
    for wave in study.wave_ids:
        read = pd.read_csv(folder / f"screening_{wave}.csv", dtype=str, keep_default_na=False).set_index("child_id")
        for form in ("sdq-teacher-2-4", "sdq-teacher-4-17", "gap-competences-child"):
            answers = table(study, f"screening_{form}")
            mine = answers.loc[answers["wave"] == wave].astype({"child_id": "str"}).set_index("child_id")
            items = [column for column in mine if column.startswith(f"{form}.")]
            if mine.empty and not set(items) & set(read):  # a form that is not collected at this wave
                continue
            expected = mine[items].map(lambda value: "" if pd.isna(value) else str(int(value)))
            pd.testing.assert_frame_equal(read.loc[mine.index, items], expected, check_dtype=False)
            assert (read.drop(index=mine.index)[items] == "").all(axis=None)
    scores = pd.read_csv(folder / "scores.csv", dtype={"unit_id": str})
    assert scores["score"].sum() == table(study, "scores")["score"].sum()
    assert len(scores) == len(table(study, "scores"))


def test_the_analysis_sets_are_those_that_are_analysed(exported, study):
    folder, _ = exported
    read = pd.read_csv(folder / "analysis_conduct.csv", dtype={"child_id": str})
    frame = asp_eval.analysis_set(study, "conduct")
    assert read["child_id"].tolist() == frame["child_id"].tolist()
    assert read["conduct"].tolist() == frame["conduct"].tolist()
    assert read["arm"].tolist() == frame["arm"].astype(str).tolist()


def test_the_flow_counts_what_the_sets_hold(exported, study):
    folder, _ = exported
    flow = pd.read_csv(folder / "flow.csv", keep_default_na=False)
    read = pd.read_csv(folder / "analysis_conduct.csv")
    counted = flow.loc[(flow["outcome"] == "conduct") & (flow["count"] == "analysed")].set_index("arm")["n"]
    assert counted.to_dict() == read["arm"].value_counts().to_dict()
    drawn = flow.loc[(flow["outcome"] == "") & (flow["wave"] == "") & (flow["count"] == "institutions"), "n"]
    assert drawn.sum() == len(table(study, "allocation"))
    assert {"not_screened.unlisted", "not_screened.institution_closed"} <= set(flow["count"])


def test_the_codebook_lists_every_column(exported):
    folder, found = exported
    codebook = pd.read_csv(folder / "codebook.csv", keep_default_na=False)
    for file in found.files[:-1]:
        read = pd.read_csv(folder / f"{file.name}.csv", dtype=str, keep_default_na=False)
        mine = codebook.loc[codebook["file"] == file.name]
        assert mine["column"].tolist() == list(read.columns) == [field.name for field in file.fields]
        assert mine["values"].tolist() == (read != "").sum().tolist()
        assert (mine["values"] + mine["missing"]).eq(len(read)).all()


def test_an_export_can_be_imported_again(exported, study):
    folder, _ = exported
    for name, schema in file_schemas(study):
        if not (folder / f"{name}.csv").exists():
            continue
        own = pd.read_csv(folder / f"{name}.csv", dtype=str, nrows=1).columns
        rules = folder.parent / f"{name}.mapping.yaml"
        extra = [column for column in own if column not in schema.names]
        empty = {field.name: None for field in schema.base if field.required and field.name not in own}
        rules.write_text(json.dumps({"version": 1, "ignore": extra, "constants": empty}))
        assert len(read_table(folder / f"{name}.csv", schema, mapping=rules)) > 0


# --- both find the same faults ------------------------------------------------------------------------------------------

FAULTS = [
    ("screening_w1", 3, "date", "1 September 2006", "type-error", "SCR-042"),
    ("screening_w1", 4, "sdq-teacher-4-17.tantrum", "x", "type-error", "SCR-014"),
    ("screening_w1", 5, "sdq-teacher-4-17.tantrum", "3", "constraint-error", "SCR-014"),
    ("screening_w1", 6, "sdq-teacher-2-4.tantrum", "0.5", "type-error", "SCR-014"),
    ("screening_w1", 7, "date", "1850-09-01", "constraint-error", "SCR-044"),
    ("screening_w1", 8, "child_id", "", "constraint-error", "SCR-045"),
    ("screening_w1", 9, "wave", "w2", "constraint-error", "SCR-043"),
    ("screening_w1", 10, "child_id", "=2", "primary-key", "SCR-046"),
    ("screening_w1", 11, "institution_id", "nowhere", "foreign-key", "SCR-050"),
    ("screening_w1", 12, "institution_id", "", "constraint-error", "SCR-045"),
    ("children", 3, "birth_month", "2002-13", "type-error", "SCR-042"),
    ("children", 4, "birth_month", "1899-12", "constraint-error", "SCR-044"),
    ("children", 5, "sex", "male", "constraint-error", "SCR-043"),
    ("children", 6, "hours_per_week", "many", "type-error", "SCR-042"),
    ("children", 7, "child_id", "=2", "primary-key", "SCR-046"),
    ("children", 8, "institution_id", "nowhere", "foreign-key", "SCR-050"),
    ("institutions", 3, "institution_id", "=2", "primary-key", "SCR-046"),
    ("institutions", 4, "municipality", "", "constraint-error", "SCR-045"),
    ("institutions", 5, "places", "12.5", "type-error", "SCR-042"),
    ("staff_survey_w1", 4, "gap-competences-staff.s01", "9", "constraint-error", "SCR-014"),
    ("staff_survey_w1", 5, "respondent_id", "", "constraint-error", "SCR-045"),
    ("staff", 3, "role", "boss", "constraint-error", "SCR-043"),
    ("staff", 4, "hours", "81", "constraint-error", "SCR-044"),
    ("staff", 5, "start_date", "2006-02-30", "type-error", "SCR-047"),
    ("implementation", 3, "participants", "-1", "constraint-error", "SCR-044"),
    ("implementation", 4, "kind", "party", "constraint-error", "SCR-043"),
    ("implementation", 5, "event_id", "=2", "primary-key", "SCR-046"),
]


def empty_key(schema, column: str, code: str) -> bool:
    """Whether a row has no key at all, which Frictionless counts as a second fault."""
    return code == "SCR-045" and schema.key == (column,)


def test_faults_are_found_in_the_same_cells(exported, study, tmp_path):
    """Every fault of the list, one row each, put into the export; `=2` repeats the value of row 2."""
    folder = shutil.copytree(exported[0], tmp_path / "wrong")
    with file_set(folder) as new:
        write_schemas(study, new)  # the schemas of what is imported, with foreign keys, in the place of those of the export
    known = CheckContext(institutions=frozenset(table(study, "institutions")["institution_id"]))
    schemas = dict(file_schemas(study))
    for name in dict.fromkeys(fault[0] for fault in FAULTS):
        expected, path = set(), folder / f"{name}.csv"
        right = path.read_bytes()
        frame = pd.read_csv(path, dtype=str, keep_default_na=False).drop(columns="first_wave", errors="ignore")
        for _, row, column, value, kind, code in (fault for fault in FAULTS if fault[0] == name):
            column = next((c for c in frame if c.startswith("gap-competences-staff.")), column) if "gap" in column else column
            frame.loc[row - 2, column] = frame.loc[0, column] if value == "=2" else value
            expected.add((row, column, kind, code))
        frame.to_csv(path, index=False)
        theirs = frictionless(folder / "datapackage.json", only=name)
        with pytest.raises(DataProblems) as raised:
            read_table(path, schemas[name], study=study, context=known if name != "institutions" else None)
        path.write_bytes(right)
        ours = {(p.place.row, p.place.column, p.code) for p in raised.value.problems if p.severity == "error"}
        ours = {(row, column, code) for row, column, code in ours if (row, code) != (2, "SCR-046")}  # the first of two alike
        assert ours == {(row, column, code) for row, column, _, code in expected}
        whole_row = {"primary-key", "foreign-key"}  # of which Frictionless names the row, not the column
        said = {(name.lower(), row, None if kind in whole_row else column, kind) for row, column, kind, _ in expected}
        said |= {
            (name.lower(), row, None, "primary-key")
            for row, column, _, code in expected
            if empty_key(schemas[name], column, code)
        }
        assert theirs == said


def test_the_schemas_of_a_study_are_sound_and_know_its_items(study, tmp_path):
    with file_set(tmp_path) as new:
        write_schemas(study, new)
    paths = [new.place(name) for name in new.names]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from frictionless import Package, Schema

        assert Package.validate_descriptor(str(paths[-1])).valid
        for path in paths[:-1]:
            assert Schema.validate_descriptor(str(path)).valid, path
    first = json.loads((tmp_path / "screening_w1.schema.json").read_text())
    tantrum = next(field for field in first["fields"] if field["name"] == "sdq-teacher-4-17.tantrum")
    assert tantrum["constraints"] == {"enum": [0, 1, 2]}
    assert first["primaryKey"] == ["child_id"]


# --- names, text and formulas -------------------------------------------------------------------------------------------


def test_no_name_and_no_own_words_go_out(exported, study):
    folder, found = exported
    assert {"institutions.name", "allocation.source", "implementation.note", "children.mother_education"} <= set(found.left_out)
    whole = "".join(path.read_text() for path in folder.iterdir())
    names = table(study, "institutions")["name"]
    assert len(names) == 12
    assert not [name for name in names if name in whole]
    assert not [note for note in table(study, "implementation")["note"].dropna().unique() if note in whole]


def test_study_yaml_lets_a_text_column_out(study):
    asked = study.model_copy(update={"privacy": study.privacy.model_copy(update={"export": ("mother_education",)})})
    asked._folder = study.folder
    found = analysis_files(asked)
    children = next(file for file in found.files if file.name == "children")
    assert "mother_education" in children.frame
    assert "children.mother_education" not in found.left_out


def test_text_is_guarded_and_numbers_are_not(exported, study, tmp_path):
    from dataclasses import replace

    _, found = exported
    children = next(file for file in found.files if file.name == "children")
    frame = children.frame.head(3).copy()
    frame["child_id"] = ["=cmd|' /C calc'!A0", "-0,3", "@x"]
    frame["hours_per_week"] = [-0.3, 1.5, float("nan")]
    write_files(study, [replace(children, frame=frame)], tmp_path)
    read = pd.read_csv(tmp_path / "children.csv", dtype=str, keep_default_na=False)
    assert read["child_id"].tolist() == ["'=cmd|' /C calc'!A0", "-0,3", "'@x"]
    assert [unguard_formula(text) for text in read["child_id"]] == frame["child_id"].tolist()
    assert read["hours_per_week"].tolist() == ["-0.3", "1.5", ""]


# --- formats and folders ------------------------------------------------------------------------------------------------


def test_the_formats_hold_the_same(exported, study, tmp_path):
    _, found = exported
    files = [file for file in found.files if file.name in ("institutions", "children", "screening_w1", "analysis_conduct")]
    write_files(study, files, tmp_path / "excel", "excel")
    write_files(study, files, tmp_path / "parquet", "parquet")
    assert frictionless(tmp_path / "excel" / "datapackage.json") == set()
    for file in files:
        wanted = typed_frame(file)
        told = {"dtype": {field.name: str for field in file.fields if not field.numeric}, "sep": ";", "decimal": ","}
        excel = pd.read_csv(tmp_path / "excel" / f"{file.name}.csv", encoding="utf-8-sig", **told)
        parquet = duckdb.sql(f"SELECT * FROM '{tmp_path / 'parquet' / file.name}.parquet'").df()
        for read in (excel, parquet):
            for field in file.fields:
                left, right = read[field.name].reset_index(drop=True), wanted[field.name].reset_index(drop=True)
                if field.numeric:
                    assert (left.astype("Float64") == right.astype("Float64")).fillna(True).all()
                else:
                    assert (
                        left.astype("string").str[:10].fillna("").tolist() == right.astype("string").str[:10].fillna("").tolist()
                    )
                assert left.isna().tolist() == right.isna().tolist()
    assert (tmp_path / "excel" / "children.csv").read_bytes().startswith(b"\xef\xbb\xbfchild_id;")


def test_an_export_takes_the_place_of_the_one_before(exported, study, tmp_path):
    _, found = exported
    write_files(study, found.files, tmp_path)
    (tmp_path / "mine.txt").write_text("kept")
    write_files(study, found.files[:2], tmp_path, "parquet")
    assert {path.name for path in tmp_path.iterdir()} == {
        "mine.txt",
        "datapackage.json",
        f"{found.files[0].name}.parquet",
        f"{found.files[1].name}.parquet",
    }


def test_the_verb_writes_into_the_study_folder_or_where_it_is_told(small_demo, run, tmp_path):
    study = shutil.copytree(small_demo.folder, tmp_path / "study")
    done = run("export", "--json", cwd=study)
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert {*told["files"]} == {path.name for path in (study / "output" / "export").iterdir()}
    assert "institutions.name" in told["left_out"]
    plain = run("export", "--schemas", "--to", tmp_path / "schemas", cwd=study)
    assert plain.code == 0
    assert (tmp_path / "schemas" / "datapackage.json").exists()


def test_without_scores_and_results_it_says_what_to_do(small_demo, run, tmp_path):
    study = shutil.copytree(small_demo.folder, tmp_path / "study")
    (study / "output" / "results.json").unlink()
    with Store(study).writing() as connection:
        change(connection, "scores", "DROP TABLE scores")
        ledger.append(connection, ledger.DrawBody(arms={}))
    done = run("export", cwd=study)
    assert done.code == 0, done.err
    assert "asp-eval score" in done.out
    assert "asp-eval analyse" in done.out
    assert not (study / "output" / "export" / "scores.csv").exists()


@pytest.mark.parametrize("code", ["CLI-011", "CLI-012", "CLI-013"])
def test_what_cannot_be_written_is_refused(small_demo, run, tmp_path, code):
    study = small_demo.folder
    to = tmp_path / "there"
    match code:
        case "CLI-011":
            to.write_text("a file")
        case "CLI-012":
            to.mkdir()
            (to / "datapackage.json").write_text('{"name": "another"}')
        case _:
            run("init", tmp_path / "empty")
            study = tmp_path / "empty"
    refused = run("export", "--to", to, "--study", study)
    assert refused.code == 1
    assert code in refused.err
