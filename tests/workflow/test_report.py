"""``asp-eval report`` in a study folder.

1. Every format that is asked for, in every language.  2. What has not changed is not written again, and stays in the manifest.
3. What shows results that are no longer so goes; what a person changed stays.  4. A format that cannot be
written leaves the others.  5. A folder that cannot be written to is said in words, and an unknown part is refused.
"""

from __future__ import annotations

import json
import shutil

import pytest

from asp_eval import open_study, table
from asp_eval.core.errors import Refusal
from asp_eval.reporting.writers import formats


@pytest.fixture(scope="module")
def reported(small_demo, tmp_path_factory):
    """A copy of the small demo's study, with every page."""
    folder = tmp_path_factory.mktemp("reported") / "study"
    shutil.copytree(small_demo.folder, folder)
    return open_study(folder)


def manifest(study) -> dict:
    return json.loads((study.folder / "output" / "manifest.json").read_text(encoding="utf-8"))


def test_the_demo_has_every_format(demo):
    output = demo.folder / "output"
    assert all((output / f"evaluation{code}.{kind}").is_file() for code in ("", ".en") for kind in formats.FORMATS)
    assert len(list((output / "gap").glob("*.pdf"))) == 2 * (30 + 2)  # the intervention's institutions, and the municipalities


def test_what_has_not_changed_is_not_written_again(reported):
    before = {path: path.stat().st_mtime_ns for path in reported.folder.glob("output/**/*") if path.suffix in {".pdf", ".html"}}
    written = reported.report(("html", "pdf"), ["results"])
    assert [path.name for path in written.pages] == [
        "evaluation.html",
        "evaluation.pdf",
        "evaluation.en.html",
        "evaluation.en.pdf",
    ]
    assert (written.written, written.problems) == (0, ())
    assert {path: path.stat().st_mtime_ns for path in before} == before
    listed = manifest(reported)["outputs"]
    assert {f"output/{path.relative_to(written.folder).as_posix()}" for path in before if "problems" not in path.parts} <= set(
        listed
    )


def test_a_page_that_is_gone_is_written_again_and_one_that_a_person_changed_is_kept(reported):
    output = reported.folder / "output"
    (output / "evaluation.pdf").unlink()
    (output / "evaluation.docx").write_bytes(b"mine")
    written = reported.report(("pdf", "docx"), ["results"])
    assert written.written == 1
    assert [(problem.code, problem.place.source) for problem in written.problems] == [("REP-019", "output/evaluation.docx")]
    assert (output / "evaluation.docx").read_bytes() == b"mine"
    (output / "evaluation.docx").unlink()
    assert reported.report(("docx",), ["results"]).problems == ()


def test_a_page_of_other_results_goes(reported):
    output = reported.folder / "output"
    profiles = output / "gap.json"
    content = profiles.read_text(encoding="utf-8")
    profiles.write_text(
        content.replace('"show_names":false', '"show_names":true').replace('"show_names": false', '"show_names": true')
    )
    assert profiles.read_text(encoding="utf-8") != content
    reported.report(("html",), ["results"])
    assert not list(output.glob("gap/*.html"))
    assert not [name for name in manifest(reported)["outputs"] if name.startswith("output/gap/")]
    profiles.write_text(content, encoding="utf-8")


def test_a_format_that_cannot_be_written_leaves_the_others(reported, monkeypatch, run):
    monkeypatch.setattr(formats, "find_spec", lambda name: None if name == "typst" else object())
    (reported.folder / "output" / "evaluation.html").unlink()
    said = run("report", "--study", reported.folder, "--format", "html,pdf", "--part", "results", "--json")
    assert said.code == 1
    answer = json.loads(said.out)
    assert answer["pages"] == ["evaluation.html", "evaluation.en.html"]
    assert [(problem["code"], problem["source"]) for problem in answer["problems"]] == [("REP-010", "pdf")]
    assert (reported.folder / "output" / "evaluation.html").is_file()
    said = run("report", "--study", reported.folder, "--format", "pdf", "--part", "results", "--language", "da")
    assert (said.code, said.out) == (1, "")
    assert "kræver pakken typst" in said.err


def test_what_is_wrong_with_the_question_is_said(reported, run):
    for options, code in (
        (("--format", "odt"), "REP-016"),
        (("--part", "all"), "REP-017"),
        (("--theme", "none.yaml"), "DOC-001"),
    ):
        said = run("report", "--study", reported.folder, *options)
        assert said.code == 1
        assert code in said.err
    with pytest.raises(Refusal, match="REP-017"):
        reported.report(parts=["all"])


def test_a_folder_that_cannot_be_written_to_is_said_in_words(reported, run, monkeypatch):
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied", str(reported.folder / "output"))

    monkeypatch.setattr("asp_eval.core.file_sets.tempfile.mkdtemp", refuse)
    said = run("report", "--study", reported.folder, "--part", "results")
    assert said.code == 1
    assert "CLI-005" in said.err
    assert "Traceback" not in said.err


def test_the_ledger_says_whose_profiles_were_made(reported):
    entered, lots = table(reported, "ledger"), table(reported, "allocation")
    body = json.loads(entered.loc[entered["kind"] == "gap", "body"].iloc[-1])
    arms = dict(zip(lots["institution_id"].astype(str), lots["arm"].astype(str), strict=True))
    assert {arms[one] for one in body["made"]} == {"intervention"}
    assert {arms[one] for one in body["withheld"]} == {"reference"}
