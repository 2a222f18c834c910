"""``asp-eval instruments``: list, show, check, export, as a person runs them."""

import json
from io import BytesIO

import pytest
from pyxform.xls2xform import convert

from asp_eval.cli.instruments import instruments_app
from asp_eval.cli.main import main
from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.instruments.wording import wording_template
from asp_eval.workflow.instrument_formats import FORMATS
from tests.workflow.test_own_instruments import MOOD


@pytest.fixture()
def run(capsys, tmp_path, monkeypatch):
    """Run one command in an empty folder that holds a study; return exit code, stdout, stderr."""
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.yaml").write_text("version: 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def command(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["instruments", *map(str, arguments)])
        return (ended.value.code or 0, *capsys.readouterr())

    return command


@pytest.mark.parametrize("to", sorted(set(FORMATS) - {"wording"}))
def test_an_export_is_written_where_one_stands(run, tmp_path, to):
    code, out, _ = run("export", "gap-competences-child", "--to", to)
    (written,) = [path for path in tmp_path.iterdir() if path.name != "study"]
    assert code == 0
    assert out == f"Written: {written.name}\n"
    assert written.stat().st_size > 500


def test_language_and_file_can_be_named(run, tmp_path):
    assert run("export", "gap-competences-child", "--to", "print", "--language", "en", "--out", "forms/a.html")[0] == 0
    assert "Children&#39;s competences" in (tmp_path / "forms" / "a.html").read_text(encoding="utf-8")
    code, out, _ = run("export", "gap-competences-child", "--to", "redcap", "--json")
    assert (code, json.loads(out)["file"]) == (0, "gap-competences-child.da.redcap.csv")


def test_the_way_to_a_licensed_form_is_the_one_the_refusal_tells(run, tmp_path):
    code, _, said = run("export", "sdq-teacher-4-17", "--to", "print", "--study", "study")
    assert (code, "INS-030" in said, list(tmp_path.glob("*.html"))) == (1, True, [])
    assert run("export", "sdq-teacher-4-17", "--to", "wording", "--study", "study")[0] == 0
    slots = tmp_path / "study" / "wording" / "sdq-teacher-4-17.yaml"
    assert run("export", "sdq-teacher-4-17", "--to", "print", "--study", "study")[0] == 1  # empty slots are not a wording
    assert run("export", "sdq-teacher-4-17", "--to", "wording", "--study", "study")[0] == 1  # and are not overwritten
    filled = slots.read_text(encoding="utf-8").replace('da: ""', 'da: "ord"').replace('granted_to: ""', "granted_to: os")
    slots.write_text(filled.replace('date: ""', "date: 2026-01-31"), encoding="utf-8")
    for to in ("print", "xlsform", "redcap"):
        assert run("export", "sdq-teacher-4-17", "--to", to, "--study", "study")[0] == 0
    assert "1 files of wording" in run("check", "--study", "study")[1].replace("\n", " ")
    assert run("export", "sdq-teacher-4-17", "--to", "print", "--wording", slots, "--out", "b.html")[0] == 0


def test_a_follow_up_wording_can_stand_beside_the_usual_one(run, tmp_path):
    other = tmp_path / "study" / "wording" / "sdq-teacher-4-17.follow-up.yaml"
    other.parent.mkdir()
    text = wording_template(instrument("sdq-teacher-4-17")).replace('da: ""', 'da: "seneste måned"')
    other.write_text(text.replace('granted_to: ""', "granted_to: os").replace('date: ""', "date: 2026-01-31"), encoding="utf-8")
    assert "1 files of wording" in run("check", "--study", "study")[1].replace("\n", " ")
    other.with_name("sdq-techer-4-17.yaml").write_bytes(other.read_bytes())  # of nobody, and not passed over
    assert "INS-038" in run("check", "--study", "study")[2]
    assert run("export", "sdq-teacher-4-17", "--to", "print", "--wording", other, "--out", "b.html")[0] == 0
    assert "seneste måned" in (tmp_path / "b.html").read_text(encoding="utf-8")


def test_wrong_norms_and_wording_of_a_study_are_found_by_check(run, tmp_path):
    assert run("check", "--study", "study")[0] == 0
    (tmp_path / "study" / "norms").mkdir()
    (tmp_path / "study" / "norms" / "own.yaml").write_text("id: own\n", encoding="utf-8")
    code, _, said = run("check", "--study", "study")
    assert (code, "own.yaml" in said) == (1, True)


def test_a_folder_that_is_no_study_is_refused(run):
    for verb in (["check"], ["show", "sdq-parent-4-17"], ["export", "gap-competences-child", "--to", "lavaan"]):
        code, _, said = run(*verb, "--study", "elsewhere")
        assert (code, "CLI-010" in said) == (1, True)


def test_the_codebook_is_shown_in_both_languages(run):
    assert "## Scores" in run("show", "gap-competences-child")[1]
    shown = run("show", "gap-competences-child", "--language", "da")[1]
    assert "## Scorer" in shown
    assert "Børns kompetencer" in shown


@pytest.mark.parametrize("verb", ["list", "show gap-competences-staff", "check", "check --study study"])
def test_every_verb_speaks_json(run, verb):
    assert json.loads(run(*verb.split(), "--json")[1])


def test_every_verb_is_here():
    assert [command.name for command in instruments_app.registered_commands] == [
        "list",
        "show",
        "check",
        "export",
        "draft",
        "new",
    ]


def test_an_unknown_format_is_refused(run):
    code, _, said = run("export", "gap-competences-child", "--to", "pdf")
    assert (code, "INS-035" in said) == (1, True)


def test_a_drafted_and_a_new_instrument_go_into_the_study_and_are_refused_until_filled_in(run, tmp_path):
    assert run("export", "gap-competences-child", "--to", "xlsform")[0] == 0
    assert run("draft", "gap-competences-child.xlsx", "--to", "own", "--study", "study")[0] == 0
    assert run("new", "other", "--study", "study")[0] == 0
    assert {path.name for path in (tmp_path / "study" / "instruments").iterdir()} == {"own.yaml", "other.yaml"}
    code, _, said = run("list", "--study", "study")
    assert (code, "INS-039" in said) == (1, True)
    assert "INS-037" in run("new", "other", "--study", "study")[2]
    assert "INS-042" in run("new", "Other", "--study", "study")[2]


def test_the_list_names_a_study_s_own(run, tmp_path):
    (tmp_path / "study" / "instruments").mkdir()
    (tmp_path / "study" / "instruments" / "mood.yaml").write_text(MOOD, encoding="utf-8")
    listed = {each["id"]: each["of_the_study"] for each in json.loads(run("list", "--study", "study", "--json")[1])}
    assert (listed["mood"], listed["gap-competences-child"]) == (True, False)
    assert run("show", "mood", "--study", "study")[0] == 0
    assert run("export", "mood", "--to", "print", "--study", "study")[0] == 0


WAVE = """\
version: 1
study: {id: asp, title: {da: ASP, en: ASP}}
arms: [reference, intervention]
waves: [{id: w1, label: {da: start, en: start}}]
collect: {screening: {waves: [w1], instruments: [{family: sdq-teacher}, gap-competences-child]}}
outcomes: [{id: y, score: sdq-teacher.total, role: primary, better: lower, at: w1}]
"""


@pytest.mark.parametrize("to", ["xlsform", "redcap", "print"])
def test_a_wave_is_one_form_with_the_institution_filled_in(run, tmp_path, to):
    (tmp_path / "study" / "study.yaml").write_text(WAVE, encoding="utf-8")
    assert "INS-030" in run("export", "--wave", "w1", "--to", to, "--study", "study")[2]
    for name in ("sdq-teacher-2-4", "sdq-teacher-4-17"):
        assert run("export", name, "--to", "wording", "--study", "study")[0] == 0
        slots = tmp_path / "study" / "wording" / f"{name}.yaml"
        text = slots.read_text(encoding="utf-8").replace('da: ""', 'da: "ord"').replace('granted_to: ""', "granted_to: os")
        slots.write_text(text.replace('date: ""', "date: 2026-01-31"), encoding="utf-8")
    given = ("--fill", "institution_id=i07", "--fill", "rater_id=r1")
    code, out, said = run("export", "--wave", "w1", "--to", to, "--study", "study", *given, "--json")
    assert code == 0, said
    told = json.loads(out)
    assert told["instruments"] == ["sdq-teacher-2-4", "sdq-teacher-4-17", "gap-competences-child"]
    content = (tmp_path / told["file"]).read_bytes()
    if to == "xlsform":
        assert convert(BytesIO(content)).warnings == []
    else:
        text = content.decode()
        assert "i07" in text
        assert text.count("4 til under 18") == 1
    if to == "print":
        answers = sum(len(form.codes(item)) for form in map(instrument, told["instruments"]) for item in form.items)
        assert text.count('role="checkbox"') == answers


def test_an_export_names_an_instrument_or_a_wave(run):
    assert run("export", "--to", "print")[0] == 2
    assert run("export", "gap-competences-child", "--wave", "w1", "--to", "print")[0] == 2
