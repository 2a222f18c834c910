"""Schemas: the shipped tables are sound, and a study adds its columns, strata and items to them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from asp_eval.core.errors import Refusal
from asp_eval.core.resources import shipped_folder
from asp_eval.trial.study.protocol import load_study
from asp_eval.trial.tables.descriptor import schema_descriptor
from asp_eval.trial.tables.schema import IMPORTABLE, base_schema, table_schema

ROOT = Path(__file__).resolve().parents[2]
TYPES = {"string", "integer", "number", "date", "yearmonth"}


@pytest.mark.parametrize("name", [*IMPORTABLE, "scores"])
def test_a_shipped_table_is_a_sound_table_schema(name):
    document = json.loads((shipped_folder("data_schema") / f"{name}.json").read_text())
    names = [field["name"] for field in document["fields"]]
    assert len(names) == len(set(names))
    assert {field["type"] for field in document["fields"]} <= TYPES
    assert all(field["title"] and field["description"].endswith(".") for field in document["fields"])
    assert set(document["primaryKey"]) <= set(names)
    required = {field["name"] for field in document["fields"] if field.get("constraints", {}).get("required")}
    assert set(document["primaryKey"]) <= required
    assert all(set(key["fields"]) <= set(names) for key in document.get("foreignKeys", []))


def test_the_package_lists_every_table_and_its_references():
    folder = shipped_folder("data_schema")
    package = json.loads((folder / "datapackage.json").read_text())
    listed = {resource["name"]: resource["schema"] for resource in package["resources"]}
    assert listed == {path.stem: path.name for path in folder.glob("*.json") if path.stem in (*IMPORTABLE, "scores")}
    for schema in listed.values():
        keys = json.loads((folder / schema).read_text()).get("foreignKeys", [])
        assert {key["reference"]["resource"] for key in keys} <= set(listed)


def test_a_wave_has_its_own_columns_and_every_form_of_a_family(study):
    schema = table_schema("screening", study, "w1")
    assert schema.alternatives == (("sdq-teacher-2-4", "sdq-teacher-4-17"),)
    assert len(schema.items("sdq-teacher-4-17")) == len(schema.items("sdq-teacher-2-4")) == 25
    assert schema.field("sdq-teacher-4-17.tantrum").allowed == ("0", "1", "2")
    assert schema.child_columns == ("sex", "birth_month", "mother_education")
    assert schema.field("hours").kind == "number"
    assert schema.field("wave").allowed == ("w1",)


def test_strata_and_arms_come_from_the_study(study):
    assert table_schema("institutions", study).field("municipality").required
    assert table_schema("allocation", study).field("arm").allowed == ("reference", "intervention")
    other = study.model_copy(update={"strata": ("district",)})
    assert table_schema("institutions", other).field("district").required


def test_what_a_child_is_said_to_be_is_expected_at_the_first_wave_only(study):
    assert table_schema("screening", study, "w1").declared == ("mother_education", "hours")
    assert table_schema("screening", study, "w2").declared == ("hours",)


def test_the_digest_follows_the_schema(study):
    first = table_schema("screening", study, "w1").digest
    assert first == table_schema("screening", study, "w1").digest
    assert first != table_schema("screening", study, "w2").digest


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nothing",), "SCR-030"),
        (("screening",), "SCR-031"),
        (("institutions", "w1"), "SCR-032"),
        (("screening", "w9"), "SCR-033"),
        (("staff_survey", "w2"), "SCR-033"),
    ],
)
def test_what_is_not_collected_is_refused(study, arguments, code):
    name, *wave = arguments
    with pytest.raises(Refusal, match=code):
        table_schema(name, study, *wave)


@pytest.mark.parametrize("name", ["hours: number, Hours", "rater_id", "Date", "sex"])
def test_a_column_that_is_there_already_is_refused(study, name):
    file = study.folder / "study.yaml"
    file.write_text(file.read_text().replace("hours: number", f"{name}: number"))
    with pytest.raises(Refusal, match="SCR-034"):
        table_schema("screening", load_study(study.folder), "w1")


def test_base_schemas_need_no_study():
    assert base_schema("scores").key == ("unit", "unit_id", "wave", "instrument", "scale")


def test_the_documented_list_of_tables_is_complete():
    spec = importlib.util.spec_from_file_location("list_tables", ROOT / "docs" / "list_tables.py")
    list_tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(list_tables)
    written = list_tables.PAGE.read_text(encoding="utf-8")
    assert written == list_tables.page(), "run: python docs/list_tables.py"
    for name in (*IMPORTABLE, "scores"):
        section = written.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
        assert all(f"| `{field.name}` |" in section for field in base_schema(name).fields)


def test_only_ids_of_people_have_a_person_and_only_text_is_kept_back():
    fields = {(name, field.name): field for name in IMPORTABLE for field in base_schema(name).fields}
    persons = {column: field.person for (_, column), field in fields.items() if field.person}
    assert persons == {
        "child_id": "child",
        "rater_id": "staff",
        "respondent_id": "staff",
        "staff_id": "staff",
        "coder_id": "coder",
    }
    kept_back = {key for key, field in fields.items() if not field.exported}
    assert {("institutions", "name"), ("allocation", "source"), ("implementation", "note")} <= kept_back
    assert all(fields[key].kind == "string" for key in kept_back)


def test_a_study_s_schema_asks_for_pseudonyms_only_where_it_wants_them(study):
    assert table_schema("screening", study, "w1").pseudonym_key is None
    privacy = study.privacy.model_copy(update={"pseudonymise": ("respondent_id",), "key": "k123456789abc"})
    asked = study.model_copy(update={"privacy": privacy})
    schema = table_schema("screening", asked, "w1")
    assert {field.name: field.person for field in schema.fields if field.person} == {"rater_id": "staff"}
    assert schema.pseudonym_key == "k123456789abc"
    assert table_schema("children", asked).pseudonym_key is None
    assert schema.digest != table_schema("screening", study, "w1").digest


@pytest.mark.parametrize("name", IMPORTABLE)
def test_a_descriptor_says_what_the_shipped_table_says(name):
    """What is written for other programs, beside the file it was read from: the same, but for what only this package reads."""
    shipped = json.loads((shipped_folder("data_schema") / f"{name}.json").read_text())
    written = schema_descriptor(base_schema(name))
    for field in shipped["fields"]:
        field.pop("exported", None)
        field.get("constraints", {}).pop("minLength", None)
    assert written["fields"] == shipped["fields"]
    assert written["primaryKey"] == shipped["primaryKey"]
    assert written.get("foreignKeys") == shipped.get("foreignKeys")
