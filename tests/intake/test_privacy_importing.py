"""Files with persons in them, imported: what is stored, what is kept in ``data/``, and what the ledger says.

1. no personal number is in any file of the study afterwards, whatever the format of the export; 2. the same person has the same
pseudonym at every wave; 3. the kept copy is the same import, also in a new study with the same key; 4. what is refused leaves
nothing behind.
"""

from __future__ import annotations

import hashlib
import json
import shutil

import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.intake.pipeline import read_table
from asp_eval.intake.privacy.keys import create_key
from asp_eval.intake.privacy.pseudonyms import pseudonym
from asp_eval.intake.proposing.drafting import draft
from asp_eval.intake.proposing.proposing import propose
from asp_eval.store import table
from asp_eval.trial.study.protocol import load_study
from asp_eval.trial.tables.schema import table_schema
from asp_eval.workflow.import_file import import_file

NUMBERS = ["010203-4567", "020304-4567", "030405-4567"]
RULES = """\
version: 1
rename: {CPR-nr.: child_id}
ignore: [Barnets navn, e-mail]
"""


@pytest.fixture
def secret(drawn, tmp_path, monkeypatch):
    """The drawn study with pseudonyms of children and raters, and its key."""
    monkeypatch.setenv("ASP_EVAL_KEYS", str(tmp_path / "keys"))
    key, _ = create_key(drawn.folder)
    with (drawn.folder / "study.yaml").open("a") as file:
        file.write(f"privacy: {{pseudonymise: [child_id, rater_id], key: {key.id}}}\n")
    return load_study(drawn.folder), key


@pytest.fixture
def named(visits):
    """Three visits as an export has them that nobody cleaned."""
    frame = visits.drop(columns="child_id").assign(**{"Barnets navn": ["Anna A", "Bo B", "Cai C"], "e-mail": "a@example.org"})
    return frame.assign(**{"CPR-nr.": NUMBERS})


@pytest.fixture
def sent(export, incoming):
    """Write an export and its mapping."""

    def sent(frame, name="wave1.csv", rules=RULES, **options):
        (incoming / f"{name}.mapping.yaml").write_text(rules)
        if name.endswith(".xlsx"):
            frame.to_excel(incoming / name, index=False)
            return incoming / name
        return export(frame, name, **options)

    return sent


def everything(study):
    """Every byte of the study folder, and every text in its database."""
    parts = [path.read_bytes() for path in study.folder.rglob("*") if path.is_file()]
    return b"\n".join(parts)


def digits(number):
    return [number.encode(), number.replace("-", "").encode()]


@pytest.mark.parametrize(
    ("name", "options"),
    [("wave1.csv", {}), ("wave1.csv", {"sep": ";", "encoding": "cp1252", "decimal": ","}), ("wave1.xlsx", {})],
)
def test_no_person_is_in_the_study_afterwards(secret, sent, named, name, options):
    study, key = secret
    report = import_file(study, sent(named, name, **options), "screening", wave="w1")
    assert (report.accepted, report.kept) == (3, "wave1.protected/wave1.protected.csv")
    ids = [pseudonym(number, "child", key) for number in NUMBERS]
    assert table(study, "screening")["child_id"].tolist() == ids
    assert table(study, "children")["child_id"].tolist() == sorted(ids)
    assert table(study, "screening")["rater_id"].tolist() == [pseudonym(rater, "staff", key) for rater in ("r1", "r2", "r3")]
    whole = everything(study)
    for secret_text in [
        *(text for number in NUMBERS for text in digits(number)),
        b"Anna A",
        b"a@example.org",
        key.secret.hex().encode(),
    ]:
        assert secret_text not in whole
    assert b"Barnets navn" in whole


def test_a_person_has_one_pseudonym_at_every_wave(secret, sent, named):
    study, _ = secret
    import_file(study, sent(named), "screening", wave="w1")
    later = named.assign(**{"CPR-nr.": [number.replace("-", "") for number in NUMBERS], "date": "2007-09-01"})
    report = import_file(study, sent(later, "wave2.csv"), "screening", wave="w2")
    assert not [p for p in report.warnings if p.code in ("SCR-056", "SCR-057", "SCR-058")]
    assert table(study, "screening").groupby("child_id")["wave"].nunique().tolist() == [2, 2, 2]


def test_the_ledger_has_the_digest_of_the_file_and_of_the_copy(secret, sent, named):
    study, _ = secret
    file = sent(named)
    report = import_file(study, file, "screening", wave="w1")
    copy = study.folder / "data" / report.kept
    entry = table(study, "import_ledger").iloc[-1]
    assert entry["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert entry["kept_sha256"] == hashlib.sha256(copy.read_bytes()).hexdigest() != entry["sha256"]
    first = table(study, "import_ledger").iloc[0]
    assert first["kept_sha256"] == first["sha256"]


def test_the_copy_and_the_export_are_the_same_import(secret, sent, named, fingerprint, tmp_path):
    study, _ = secret
    file = sent(named, sep=";", encoding="cp1252", rules=RULES + "format: {delimiter: ';', encoding: cp1252}\n")
    report = import_file(study, file, "screening", wave="w1")
    before = fingerprint(study)
    copy = study.folder / "data" / report.kept
    assert import_file(study, file, "screening", wave="w1").already
    assert import_file(study, copy, "screening", wave="w1").already
    moved = shutil.copytree(copy.parent, tmp_path / "moved") / copy.name
    assert import_file(study, moved, "screening", wave="w1").already
    assert fingerprint(study) == before


def test_the_study_is_made_again_from_its_copies(secret, sent, named):
    study, _ = secret
    report = import_file(study, sent(named), "screening", wave="w1")
    before = {name: table(study, name) for name in ("children", "screening", "screening_sdq-teacher-4-17")}
    digest = table(study, "import_ledger").iloc[-1]["sha256"]
    for path in ("study.duckdb", "output/ledger.csv", "output/allocation.csv"):
        (study.folder / path).unlink()
    import_file(study, study.folder / "data" / "institutions.csv", "institutions")
    import_file(study, study.folder / "data" / report.kept, "screening", wave="w1")
    for name, frame in before.items():
        pd.testing.assert_frame_equal(table(study, name), frame)
    assert table(study, "import_ledger").iloc[-1]["sha256"] == digest


def test_asking_for_pseudonyms_later_is_another_import_of_the_same_file(drawn, export, visits, tmp_path, monkeypatch):
    file = export(visits)
    import_file(drawn, file, "screening", wave="w1")
    monkeypatch.setenv("ASP_EVAL_KEYS", str(tmp_path / "keys"))
    key, _ = create_key(drawn.folder)
    with (drawn.folder / "study.yaml").open("a") as handle:
        handle.write(f"privacy: {{pseudonymise: [child_id], key: {key.id}}}\n")
    study = load_study(drawn.folder)
    with pytest.raises(Refusal, match="STO-013"):
        import_file(study, file, "screening", wave="w1")
    import_file(study, file, "screening", wave="w1", replace=True)
    assert table(study, "children")["child_id"].str.startswith(f"{key.id}-").all()


def test_a_file_with_persons_must_not_lie_in_the_study(secret, sent, named, fingerprint):
    study, _ = secret
    file = sent(named)
    inside = [
        shutil.copy(path, study.folder / "data" / path.name) for path in (file, file.with_name(f"{file.name}.mapping.yaml"))
    ]
    before = fingerprint(study)
    with pytest.raises(Refusal, match="SCR-149"):
        import_file(study, inside[0], "screening", wave="w1")
    assert fingerprint(study) == before


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_is_refused_leaves_nothing_behind(drawn, sent, named, fingerprint, dry_run):
    """Without pseudonyms asked for, a column of personal numbers is refused, whatever it is called in the study."""
    before = fingerprint(drawn)
    with pytest.raises(DataProblems) as raised:
        import_file(drawn, sent(named), "screening", wave="w1", dry_run=dry_run)
    assert [(p.code, p.place.column) for p in raised.value.problems] == [("SCR-140", "CPR-nr.")]
    assert fingerprint(drawn) == before


def test_a_dry_run_keeps_nothing(secret, sent, named, fingerprint):
    study, _ = secret
    before = fingerprint(study)
    assert import_file(study, sent(named), "screening", wave="w1", dry_run=True).accepted == 3
    assert fingerprint(study) == before


def test_without_its_key_nothing_with_ids_is_imported(secret, sent, named, export, tmp_path):
    study, key = secret
    (tmp_path / "keys" / f"{key.id}.key").unlink()
    with pytest.raises(Refusal, match="SCR-160"):
        import_file(study, sent(named), "screening", wave="w1")
    more = pd.DataFrame({"institution_id": ["A1", "A2", "H1", "H2", "H3"], "municipality": ["A", "A", "H", "H", "H"]})
    assert import_file(study, export(more, "more.csv"), "institutions").stored


def test_rows_in_quarantine_have_no_persons_and_come_back_as_the_same_ones(secret, sent, named):
    study, key = secret
    item = next(column for column in named if column.endswith(".tantrum"))
    wrong = named.astype({item: "str"})
    wrong.loc[1, item] = "7"
    report = import_file(study, sent(wrong), "screening", wave="w1")
    assert (report.accepted, report.quarantined) == (2, 1)
    waiting = study.folder / report.quarantine_file
    whole = everything(study)
    assert not [text for number in NUMBERS for text in digits(number) if text in whole]
    assert b"Bo B" not in whole
    assert pseudonym(NUMBERS[1], "child", key) in waiting.read_text(encoding="utf-8-sig")
    waiting.write_text(waiting.read_text(encoding="utf-8-sig").replace(",7,", ",1,").replace(";7;", ";1;"), encoding="utf-8")
    again = import_file(study, waiting, "screening", wave="w1")
    assert (again.accepted, again.waiting) == (1, 0)
    assert sorted(table(study, "screening")["child_id"]) == sorted(pseudonym(number, "child", key) for number in NUMBERS)


def test_reading_a_table_protects_it_as_well(secret, sent, named, visits, export):
    study, key = secret
    schema = table_schema("screening", study, "w1")
    file = sent(named)
    read = read_table(file, schema, mapping=file.with_name(f"{file.name}.mapping.yaml"))
    assert read.frame["child_id"].tolist() == [pseudonym(number, "child", key) for number in NUMBERS]
    with pytest.raises(DataProblems, match="SCR-142"):
        read_table(export(visits.assign(mother_education=NUMBERS), "plain.csv"), schema)


def test_the_copy_says_what_was_done(secret, sent, named):
    study, _ = secret
    report = import_file(study, sent(named), "screening", wave="w1")
    copy = study.folder / "data" / report.kept
    origin = json.loads(copy.with_name(f"{copy.name}.origin.json").read_text())
    assert origin["pseudonymised"] == ["rater_id", "CPR-nr."]
    assert origin["emptied"] == ["Barnets navn", "e-mail"]
    assert origin["file"] == "wave1.csv"
    frame = pd.read_csv(copy, dtype=str)
    assert list(frame.columns) == list(named.columns)
    assert frame["e-mail"].isna().all()


def test_init_makes_a_key_outside_the_folder_and_names_it(run, tmp_path, monkeypatch):
    monkeypatch.setenv("ASP_EVAL_KEYS", str(tmp_path / "keys"))
    started = run("init", tmp_path / "mine")
    assert started.code == 0
    key = load_study(tmp_path / "mine").privacy.key
    assert [path.name for path in (tmp_path / "keys").iterdir()] == [f"{key}.key"]
    assert f"{key}.key" in started.out.replace("\n", "").replace(" ", "")
    monkeypatch.setenv("ASP_EVAL_KEYS", str(tmp_path / "other" / "keys"))
    refused = run("init", tmp_path / "other")
    assert (refused.code, "SCR-162" in refused.err) == (1, True)
    assert not (tmp_path / "other").exists()


def _sheet(frame, folder):
    frame.to_excel(folder / "w.xlsx", sheet_name=f"Barn {NUMBERS[0]}", index=False)
    return folder / "w.xlsx"


def _question(frame, folder):
    import pyreadstat

    plain = frame.rename(columns=lambda name: name.replace(".", "_").replace("-", "_"))
    pyreadstat.write_sav(plain, folder / "w.sav", column_labels={"sex": f"Barn {NUMBERS[0]}"})
    return folder / "w.sav"


def _comment(frame, folder):
    frame.to_csv(folder / "w.csv", index=False)
    (folder / "w.csv.mapping.yaml").write_text(f"version: 1  # asked for {NUMBERS[0]}\n")
    return folder / "w.csv"


def _mistake(frame, folder):
    frame.to_csv(folder / "w.csv", index=False)
    (folder / "w.csv.mapping.yaml").write_text(f'version: 1\n"{NUMBERS[0]}": sex\n')
    return folder / "w.csv"


def _broken_letters(frame, folder):
    frame.assign(note=f"S\u00c3\u00b8nderborg {NUMBERS[0]}").to_csv(folder / "w.csv", index=False)
    return folder / "w.csv"


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (_sheet, "SCR-146"),
        (_question, "SCR-146"),
        (_comment, "SCR-146"),
        (_mistake, "SCR-146"),
        (_broken_letters, "SCR-009"),
    ],
)
def test_what_stands_beside_the_cells_is_neither_kept_nor_said(drawn, visits, incoming, fingerprint, write, code):
    file, before = write(visits, incoming), fingerprint(drawn)
    with pytest.raises(DataProblems) as caught:
        import_file(drawn, file, "screening", wave="w1")
    said = " ".join(str(problem) + repr(problem.as_dict()) for problem in caught.value.problems)
    assert code in said
    assert not any(form.decode() in said for form in digits(NUMBERS[0]))
    assert fingerprint(drawn) == before


@pytest.mark.parametrize("place", ["heading", "cell"])
def test_no_proposal_repeats_a_personal_number(drawn, visits, incoming, place):
    column = visits.columns[-1]
    visits = (
        visits.rename(columns={column: NUMBERS[0]}) if place == "heading" else visits.assign(**{column: [NUMBERS[0], "1", "2"]})
    )
    visits.to_csv(incoming / "w.csv", index=False)
    try:
        said = draft(propose(drawn, incoming / "w.csv", "screening", "w1"))
    except DataProblems as refused:
        said = str(refused)
    assert not any(form.decode() in said for form in digits(NUMBERS[0]))
