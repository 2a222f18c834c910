"""Excerpts of interviews: they stay in the study, are exported never, and printed only if they are marked for it.

1. from sheets and from a REFI-QDA project; 2. what is wrong with one is listed and waits; 3. pseudonyms, export, report.
"""

import zipfile

import pandas as pd
import pytest

from asp_eval.core.errors import DataProblems
from asp_eval.store import table
from asp_eval.store.provenance import state_of
from asp_eval.trial.study.protocol import load_study
from asp_eval.trial.tables.schema import table_schema
from asp_eval.workflow.check import check_ledger
from asp_eval.workflow.export import export as export_study
from asp_eval.workflow.import_file import import_file
from asp_eval.workflow.process import process

INTERVIEWS = pd.DataFrame({"institution_id": ["A1", "A2"], "round": "baseline", "coder_id": "k1", "turnover": ["much", "some"]})
EXCERPTS = pd.DataFrame(
    {
        "institution_id": ["A1", "A1", "A2"],
        "round": "baseline",
        "number": ["1", "2", "1"],
        "coder_id": "k1",
        "code": ["turnover", "aim", "turnover"],
        "level": ["much", "", "some"],
        "text": ["Tre på et år – så begynder man forfra.", "Vi strøg halvdelen.", "Én gik på barsel."],
        "print": ["yes", "no", ""],
    }
)


@pytest.fixture
def stored(drawn, export):
    """The drawn study with interviews and excerpts."""
    import_file(drawn, export(INTERVIEWS, "interviews.csv"), "interviews")
    import_file(drawn, export(EXCERPTS, "excerpts.csv"), "excerpts")
    return drawn


def test_only_what_is_marked_is_in_the_results(stored):
    (found,) = process(stored).frames
    assert [(each.code, each.level, each.text) for each in found.excerpts] == [("turnover", "much", EXCERPTS["text"][0])]
    written = (stored.folder / "output" / "process.json").read_text(encoding="utf-8")
    assert "Tre på et år" in written and "Vi strøg halvdelen" not in written and "barsel" not in written


def test_excerpts_are_never_exported(stored, tmp_path):
    found = export_study(stored, tmp_path / "out")
    assert "excerpts.text" in found.left_out
    assert not any("excerpts" in path.name for path in found.files)
    for path in found.files:
        assert "strøg halvdelen" not in path.read_text(encoding="utf-8")


def test_coders_of_excerpts_are_pseudonyms_where_those_of_interviews_are(drawn):
    asked = {**drawn.as_declared(), "privacy": {"pseudonymise": ["coder_id"], "key": "k000000000000"}}
    schemas = [table_schema(name, drawn.model_validate(asked)) for name in ("interviews", "excerpts")]
    assert {schema.field("coder_id").person for schema in schemas} == {"coder"}
    assert {schema.pseudonym_key for schema in schemas} == {"k000000000000"}


def test_new_excerpts_make_the_process_stale_and_nothing_else(stored, export):
    effects, of_process = state_of(stored), state_of(stored, "process")
    import_file(stored, export(EXCERPTS.assign(print="yes"), "again.csv"), "excerpts")
    assert state_of(stored) == effects
    assert state_of(stored, "process") != of_process


def test_what_is_wrong_with_an_excerpt_keeps_it_waiting(drawn, export):
    wrong = pd.DataFrame(
        {
            "institution_id": "A1",
            "round": ["baseline", "baseline", "later", "baseline", "baseline"],
            "number": ["10", "11", "12", "0", "13"],
            "code": ["turnover", "turnover", "turnover", "turnover", "weather"],
            "level": ["III", "much", "much", "much", ""],
            "text": "x",
            "start": ["", "9", "", "", ""],
            "end": ["", "3", "", "", ""],
        }
    )
    right = pd.concat([EXCERPTS] * 8).assign(number=[str(n) for n in range(20, 44)])
    report = import_file(drawn, export(pd.concat([right, wrong]), "excerpts.csv"), "excerpts")
    errors = {(p.code, p.place.column) for p in report.problems if p.severity == "error"}
    assert errors == {
        ("SCR-257", "level"),
        ("SCR-256", "end"),
        ("SCR-043", "round"),
        ("SCR-043", "number"),
        ("SCR-043", "code"),
    }
    assert (report.accepted, report.quarantined) == (24, 5)


def test_a_personal_number_in_an_excerpt_is_refused(drawn, export):
    with pytest.raises(DataProblems, match="SCR-14"):
        import_file(drawn, export(EXCERPTS.assign(text="hans nummer er 010170-1234"), "excerpts.csv"), "excerpts")


PROJECT = """<Project xmlns="urn:QDA-XML:project:1.0" name="P">
<Users><User guid="u1" name="Åse"/></Users>
<CodeBook><Codes><Code guid="c0" name="turnover" isCodable="false"><Code guid="c1" name="much" isCodable="true"/></Code>
<Code guid="c2" name="print" isCodable="true"/></Codes></CodeBook>
<Variables><Variable guid="v1" name="institution_id"/><Variable guid="v2" name="round"/></Variables>
<Sources><TextSource guid="s1" name="A1" plainTextPath="internal://s1.txt">
<VariableValue><VariableRef targetGUID="v1"/><TextValue>A1</TextValue></VariableValue>
<VariableValue><VariableRef targetGUID="v2"/><TextValue>baseline</TextValue></VariableValue>
<PlainTextSelection guid="p1" startPosition="0" endPosition="11">
<Coding guid="g1" creatingUser="u1"><CodeRef targetGUID="c1"/></Coding>
<Coding guid="g2" creatingUser="u1"><CodeRef targetGUID="c2"/></Coding></PlainTextSelection></TextSource></Sources></Project>"""


def test_one_project_gives_the_codings_and_the_excerpts(drawn, tmp_path):
    path = tmp_path / "project.qdpx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("project.qde", PROJECT)
        archive.writestr("Sources/S1.TXT", "Tre på et å😀r.")
    study = load_study(drawn.folder)
    assert import_file(study, path, "interviews").accepted == 1
    report = import_file(study, path, "excerpts")
    assert (report.accepted, report.quarantined) == (1, 0)
    assert table(study, "excerpts")["text"].tolist() == ["Tre på et å"]
    assert process(study).frames[0].excerpts[0].text == "Tre på et å"
    assert check_ledger(study, deep=True).problems == ()
