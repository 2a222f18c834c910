"""What identifies a person directly: found, replaced by pseudonyms, left out, or refused without being repeated.

1. columns are known by their names, and other names are left alone; 2. personal numbers and e-mail addresses are found in any
cell, however they are written, and what only looks a little like one is not; 3. pseudonyms are HMAC-SHA256 and the same in
every file; 4. no message repeats what it found; 5. the copy that is kept is the import it stands for.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import shutil
import subprocess

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files.protected import origin_of, protected_copy
from asp_eval.intake.files.reading import read_raw
from asp_eval.intake.identifiers import named_identifier
from asp_eval.intake.mapping.mapping import Mapping
from asp_eval.intake.personal_numbers import holding_personal_numbers
from asp_eval.intake.privacy.protection import protect
from asp_eval.intake.privacy.pseudonyms import PseudonymKey, key_of, pseudonym
from asp_eval.trial.study.privacy import PersonColumn
from asp_eval.trial.tables.schema import IMPORTABLE, base_schema, table_schema

KEY = PseudonymKey.of(bytes(range(32)))
OTHER = PseudonymKey.of(bytes(32))
CPR = "010203-4567"  # 1 February 2003, a person that there is not


def mapping(**parts):
    return Mapping.model_validate({"version": 1, **parts})


@pytest.fixture
def asked(study):
    """The small study, with pseudonyms of children and staff."""
    privacy = study.privacy.model_copy(update={"pseudonymise": ("child_id", "rater_id"), "key": KEY.id})
    return study.model_copy(update={"privacy": privacy})


@pytest.fixture
def guard(incoming, study):
    """Protect a frame written as an export; return what became of it."""

    def guard(frame, rules=None, *, table="children", of=None, key=KEY, wave=None, name="export.csv"):
        frame.to_csv(incoming / name, index=False, lineterminator="\n")
        return protect(read_raw(incoming / name), rules or mapping(), table_schema(table, of or study, wave), key)

    return guard


@pytest.fixture
def faults(guard):
    """Return the problems of a frame, and check that none repeats what it found."""

    def faults(frame, rules=None, secrets=(CPR, "0102034567"), **where):
        with pytest.raises(DataProblems) as raised:
            guard(frame, rules, **where)
        assert not any(
            secret in str(problem) + json.dumps(problem.as_dict()) for problem in raised.value.problems for secret in secrets
        )
        return [(p.code, p.place.row, p.place.column) for p in raised.value.problems]

    return faults


def children(**columns):
    return pd.DataFrame({"child_id": ["c1", "c2", "c3"], "institution_id": ["A1", "A2", "H1"]} | columns, dtype="str")


# --- columns by their names ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "cpr",
        "CPR",
        "CPR-nr.",
        "cpr_nr",
        "cprnr",
        "Barnets CPR-nummer",
        "personnummer",
        "navn",
        "Navn",
        "fornavn",
        "Efternavn",
        "name",
        "Name",
        "Barnets navn",
        "child_name",
        "ChildName",
        "first_name",
        "firstname",
        "LastName",
        "full name",
        "email",
        "e-mail",
        "E-mail",
        "mail",
        "Mailadresse",
        "RecipientEmail",
        "RecipientFirstName",
        "IPAddress",
        "telefon",
        "Tlf.",
        "phone",
        "mobil",
        "Mobilnr",
        "adresse",
        "Address",
        "bopæl",
        "Mors telefon",
        "Hvad er barnets navn?",
    ],
)
def test_a_column_that_says_it_identifies_is_known(name):
    assert named_identifier(name) is not None


@pytest.mark.parametrize(
    "name",
    [
        "institution_name",
        "Institutionens navn",
        "filename",
        "variable name",
        "mail_sent",
        "mobile_use",
        "CPR training",
        "addressed",
        "sex",
        "child_id",
        "rater_id",
        "telefonvaner",
        "naming",
        "sdq-teacher-4-17.kind",
        "phone_minutes_per_day",
        "nameless",
        "",
    ],
)
def test_other_names_are_left_alone(name):
    assert named_identifier(name) is None


def test_no_column_of_the_shipped_tables_is_taken_for_a_person_s_but_the_name_of_an_institution():
    named = [(table, field.name) for table in IMPORTABLE for field in base_schema(table).fields if named_identifier(field.name)]
    assert named == [("institutions", "name")]
    assert named_identifier("name", of_a_place=True) is None


@pytest.mark.parametrize("column", ["navn", "CPR", "E-mail", "Mors telefon"])
def test_an_identifying_column_is_refused_unless_it_is_left_out(faults, guard, column):
    frame = children(**{column: ["x", "y", "z"]})
    assert faults(frame) == [("SCR-140", None, column)]
    for ignore in ([column], "others"):
        kept = guard(frame, mapping(ignore=ignore))
        assert kept.emptied == (column,)
        assert set(kept.columns[column].cells()) == {""}
    assert not guard(frame, mapping(not_personal=[column])).changed


def test_an_identifying_column_is_not_hidden_by_a_new_name(faults, guard):
    frame = children(V7=["x", "y", "z"], Navn=["x", "y", "z"])
    assert faults(frame, mapping(rename={"V7": "email", "Navn": "mother_education"})) == [
        ("SCR-140", None, "V7"),
        ("SCR-140", None, "Navn"),
    ]
    assert guard(frame, mapping(rename={"V7": "email"}, ignore=["email", "Navn"])).emptied == ("V7", "Navn")


def test_an_institution_has_a_name_an_address_and_a_telephone(guard, faults):
    frame = pd.DataFrame(
        {"institution_id": ["A1"], "name": ["Solsikken"], "municipality": ["A"], "Adresse": ["Vej 1"], "Tlf": ["1"]}
    )
    assert not guard(frame, table="institutions").changed
    assert faults(frame.assign(Lederens_navn="A"), table="institutions") == [("SCR-140", None, "Lederens_navn")]
    assert faults(frame.assign(email="a"), table="institutions") == [("SCR-140", None, "email")]


def test_what_the_export_says_of_its_columns_counts(guard, faults, incoming, study, monkeypatch):
    from dataclasses import replace

    frame = children(q7=["x", "y", "z"])
    frame.to_csv(incoming / "a.csv", index=False)
    raw = read_raw(incoming / "a.csv")
    schema = table_schema("children", study)
    for told, code in (({"identifiers": frozenset({"q7"})}, "SCR-141"), ({"titles": {"q7": "Barnets CPR-nummer"}}, "SCR-140")):
        with pytest.raises(DataProblems) as raised:
            protect(replace(raw, **told), mapping(), schema, None)
        assert [(p.code, p.place.column) for p in raised.value.problems] == [(code, "q7")]
        assert protect(replace(raw, **told), mapping(ignore="others"), schema, None).emptied == ("q7",)


def test_labels_of_what_is_replaced_or_emptied_go_with_it(incoming, asked):
    from dataclasses import replace

    children(navn=["1", "2", "3"], mother_education=["1", "1", "2"]).to_csv(incoming / "a.csv", index=False)
    labels = {"navn": {"1": "Anna A"}, "child_id": {"c1": "Bo B"}, "mother_education": {"1": "short"}}
    raw = replace(read_raw(incoming / "a.csv"), labels=labels)
    kept = protect(raw, mapping(ignore=["navn"]), table_schema("children", asked), KEY)
    assert kept.labels == {"mother_education": {"1": "short"}}
    assert b"Anna A" not in protected_copy(kept, incoming / "a.csv").origin


# --- values -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["mother_education", "institution_id", "child_id", "free"])
def test_a_personal_number_in_a_stored_cell_is_refused_at_its_place(faults, guard, column):
    frame = children(mother_education=["short"] * 3, free=[""] * 3)
    frame.loc[1, column] = f"mother is {CPR}"
    assert faults(frame) == [("SCR-142", 3, column)]
    assert not guard(frame, mapping(not_personal=[column])).changed


def test_an_e_mail_address_in_a_stored_cell_is_refused(faults):
    frame = children(mother_education=["short", "anna@example.org", "x"])
    assert faults(frame, secrets=["anna@example.org"]) == [("SCR-143", 3, "mother_education")]


def test_a_personal_number_in_a_column_that_is_left_out_is_not_kept(guard):
    frame = children(remark=["", f"see {CPR}", "fine"], status=["done"] * 3)
    kept = guard(frame, mapping(ignore="others"))
    assert kept.emptied == ("remark",)
    assert list(kept.columns["status"].cells()) == ["done"] * 3


@pytest.mark.parametrize("where", ["name", "header", "mapping", "recode"])
def test_a_personal_number_outside_the_cells_is_refused_and_not_repeated(faults, where):
    frame = children()
    rules, name = mapping(), "export.csv"
    match where:
        case "name":
            name = f"{CPR}.csv"
        case "header":
            frame[CPR] = "1"
        case "mapping":
            rules = mapping(missing=[CPR])
        case "recode":
            rules = mapping(recode={"institution_id": {CPR: "A1"}})
    assert [code for code, _, _ in faults(frame, rules, name=name)] == ["SCR-146"]


def test_not_personal_names_columns_of_the_file(faults):
    assert [code for code, _, _ in faults(children(), mapping(not_personal=["remarks"]))] == ["SCR-144"]


# --- pseudonyms ---------------------------------------------------------------------------------------------------------


def test_the_columns_that_study_yaml_may_name_are_those_the_schemas_mark():
    marked = {field.name for table in IMPORTABLE for field in base_schema(table).fields if field.person}
    assert marked == set(PersonColumn.__args__)


def test_a_pseudonym_is_what_hmac_says():
    """By Python's own HMAC, by its definition from SHA-256 (RFC 2104, FIPS 198-1), and by OpenSSL where that is there."""
    expected = hmac.new(KEY.secret, b"child:0102034567", hashlib.sha256).hexdigest()
    assert pseudonym(CPR, "child", KEY) == f"{KEY.id}-{expected[:32]}"
    block = KEY.secret.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + b"child:0102034567").digest()
    assert hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).hexdigest() == expected
    if shutil.which("openssl"):
        command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{KEY.secret.hex()}"]
        said = subprocess.run(command, input=b"child:0102034567", capture_output=True, check=True).stdout.decode()
        assert said.split()[-1] == expected


def test_the_key_s_name_is_the_beginning_of_its_digest():
    assert OTHER.id == "k66687aadf862"  # sha256sum of 32 zero bytes
    assert "00" * 32 not in repr(OTHER)


@pytest.mark.parametrize(
    "text", ["0102034567", " 010203-4567 ", "010203 4567", "01.02.03-4567", "0102034567.0", "\u00a0010203-4567"]
)
def test_one_personal_number_is_one_person(text):
    assert pseudonym(text, "child", KEY) == pseudonym(CPR, "child", KEY)


@pytest.mark.parametrize("text", ["7", "07", "007", "7.0", "A7", "a7", "010203-4568"])
def test_other_ids_are_other_people(text):
    others = {"7", "07", "007", "7.0", "A7", "a7", "010203-4568", CPR} - {text}
    assert pseudonym(text, "child", KEY) not in {pseudonym(other, "child", KEY) for other in others}


def test_kinds_and_keys_are_apart():
    assert len({pseudonym("7", kind, key) for kind in ("child", "staff", "coder") for key in (KEY, OTHER)}) == 6


def test_ids_are_replaced_and_the_same_in_every_file(guard, asked):
    frame = children(CPR=[CPR, "020304-4567", ""])
    kept = guard(frame, mapping(rename={"CPR": "child_id", "child_id": "nr"}, ignore=["nr"]), of=asked)
    cells = list(kept.columns["CPR"].cells())
    assert cells == [pseudonym(CPR, "child", KEY), pseudonym("0203044567", "child", KEY), ""]
    assert kept.pseudonymised == ("CPR",)
    again = guard(children(child_id=["0102034567", "020304 4567", " "]), of=asked, name="other.csv")
    assert list(again.columns["child_id"].cells())[:2] == cells[:2]


def test_a_rater_a_respondent_and_a_member_of_staff_are_one_person(guard, asked):
    survey = pd.DataFrame({"respondent_id": ["007"], "institution_id": ["A1"]}, dtype="str")
    staff = pd.DataFrame({"staff_id": ["007"], "institution_id": ["A1"]}, dtype="str")
    visits = pd.DataFrame({"child_id": ["1"], "institution_id": ["A1"], "rater_id": ["007"]}, dtype="str")
    tables = (
        ("staff_survey", "w1", survey, "respondent_id"),
        ("staff", None, staff, "staff_id"),
        ("screening", "w1", visits, "rater_id"),
    )
    found = {
        guard(frame, table=name, wave=wave, of=asked, name=f"{name}.csv").columns[column].cell(0)
        for name, wave, frame, column in tables
    }
    assert found == {pseudonym("007", "staff", KEY)}
    interviews = pd.DataFrame({"institution_id": ["A1"], "round": ["baseline"], "coder_id": ["007"]}, dtype="str")
    assert not guard(interviews, table="interviews", of=asked).changed


def test_what_means_missing_stays(guard, asked):
    kept = guard(children(child_id=["c1", "-9", ""]), mapping(missing=[-9]), of=asked)
    assert list(kept.columns["child_id"].cells())[1:] == ["-9", ""]


def test_pseudonyms_of_this_key_pass_and_of_another_do_not(guard, asked, faults):
    ids = [pseudonym(name, "child", KEY) for name in ("c1", "c2", "c3")]
    assert not guard(children(child_id=ids), of=asked).changed
    ids[1] = pseudonym("c2", "child", OTHER)
    assert faults(children(child_id=ids), of=asked) == [("SCR-148", 3, "child_id")]
    assert key_of(ids[0]) == KEY.id


def test_nine_digits_among_personal_numbers_lack_their_zero(guard, asked, faults):
    assert faults(children(child_id=["1112034567", "102034567", "c3"]), of=asked, secrets=["102034567"]) == [
        ("SCR-147", 3, "child_id")
    ]
    assert guard(children(child_id=["100000001", "102034567", "c3"]), of=asked).changed


def test_the_mapping_cannot_use_what_is_replaced(faults, asked):
    frame = children(email=["a", "b", "c"])
    rules = mapping(keep_rows='child_id != "c1" and email != "a"', recode={"child_id": {"c1": "c9"}}, ignore=["email"])
    assert faults(frame, rules, of=asked) == [
        ("SCR-145", None, "child_id"),
        ("SCR-145", None, "email"),
        ("SCR-145", None, "child_id"),
    ]


def test_a_file_without_persons_is_left_as_it_is(guard):
    kept = guard(children(mother_education=["short"] * 3))
    assert not kept.changed
    assert list(kept.columns) == ["child_id", "institution_id", "mother_education"]


# --- the copy that is kept ----------------------------------------------------------------------------------------------

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=8).filter(
    lambda text: text == text.strip()
)


@given(st.lists(st.tuples(texts, st.sampled_from(["x", "", "a,b", 'say "hi"', "two\nlines", "-0,3"])), min_size=1, max_size=6))
def test_the_copy_reads_as_what_it_is_of(tmp_path_factory, rows):
    from asp_eval.intake.files.dialect import misread

    frame = pd.DataFrame(rows, columns=["remark", "free"]).assign(child_id=[f"c{n}" for n in range(len(rows))], mail="a@b.dk")
    if any(misread(text) or "@" in text for text in frame["remark"]) or any(holding_personal_numbers([*frame["remark"]])):
        return
    folder = tmp_path_factory.mktemp("copy")
    frame.to_csv(folder / "export.csv", index=False, sep=";", lineterminator="\n")
    raw = read_raw(folder / "export.csv", mapping(format={"delimiter": ";"}).format)
    schema = base_schema("children")
    kept = protect(raw, mapping(ignore="others"), schema, None)
    assert kept.emptied == ("mail",)
    copy, _ = protected_copy(kept, folder / "export.csv").write(folder)
    again = read_raw(copy)
    assert again.frame().equals(kept.frame())
    assert list(again.rows) == list(raw.rows)
    assert (again.sha256, again.dialect.delimiter, again.rows_read) == (raw.sha256, ";", raw.rows_read)
    assert not protect(again, mapping(ignore="others"), schema, None).changed


def test_the_copy_keeps_the_numbers_of_the_rows(incoming, study):
    (incoming / "a.csv").write_text("child_id,institution_id,navn\nc1,A1,x\n\n,,\nc2,A2,y\n")
    raw = read_raw(incoming / "a.csv")
    kept = protect(raw, mapping(ignore=["navn"]), table_schema("children", study), None)
    copy, _ = protected_copy(kept, incoming / "a.csv").write(incoming)
    assert list(read_raw(copy).rows) == list(raw.rows) == [2, 5]
    assert copy.read_text() == "child_id,institution_id,navn\nc1,A1,\n\n\nc2,A2,\n"


def test_an_edited_copy_is_a_file_of_its_own(incoming, study):
    (incoming / "a.csv").write_text("child_id;institution_id;navn\nc1;A1;x\nc2;A2;y\n")
    raw = read_raw(incoming / "a.csv")
    kept = protect(raw, mapping(ignore=["navn"]), table_schema("children", study), None)
    copy, origin = protected_copy(kept, incoming / "a.csv").write(incoming)
    copy.write_text(copy.read_text().replace("c2", "c7").replace(",", ";"), encoding="cp1252")
    edited = read_raw(copy)
    assert edited.sha256 == hashlib.sha256(copy.read_bytes()).hexdigest() != raw.sha256
    assert list(edited.columns["child_id"].cells()) == ["c1", "c7"]
    copy.write_text("child_id,institution_id,navn\nc1,A1\n")
    with pytest.raises(DataProblems, match="SCR-006"):
        read_raw(copy)
    for damage in ("{", "[]", "{}"):
        origin.write_text(damage)
        with pytest.raises(DataProblems, match="SCR-151"):
            read_raw(copy)
    origin_of(copy).unlink()
    with pytest.raises(DataProblems, match="SCR-150"):
        read_raw(copy)
