"""What institutions are sent after an import.

1. A page for each institution with rows at fault, in the study's languages, with its own rows alone.  2. Rows whose institution
is not on the list are on the evaluator's page alone.  3. Everything is escaped; no formula runs in the CSV.  4. Pages of an
earlier import go; a correction of one institution leaves the others'.  5. A dry run writes nothing; a refused file has its own.
6. Names of institutions only where the study shows them.  7. The pages read as they did (snapshots).  8. Columns and waves are
said in words.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from small_study import three_visits

from asp_eval.core.errors import DataProblems
from asp_eval.reporting.sections.institution_questions import FOR_INSTITUTIONS
from asp_eval.trial.study.design import Study
from asp_eval.trial.study.protocol import load_study
from asp_eval.workflow.import_file import import_file

ITEM = "sdq-teacher-4-17.tantrum"
SNAPSHOTS = Path(__file__).parents[1] / "snapshots"
NASTY = "<script>alert(1)</script>"


def in_two_languages(study: Study) -> Study:
    file = study.folder / "study.yaml"
    file.write_text(file.read_text().replace("arms:", "languages: [da, en]\narms:", 1))
    return load_study(study.folder)


@pytest.fixture
def danish(drawn: Study) -> Study:
    """The study in Danish and English."""
    return in_two_languages(drawn)


@pytest.fixture
def faulty() -> pd.DataFrame:
    """A1: 001 and 011 right, 021 wrong. A2: 002 wrong. H1: 003 outside the ages. An institution that is not known, and none."""
    return faulty_rows()


def faulty_rows() -> pd.DataFrame:
    visits = three_visits()
    more = visits.iloc[[0, 0, 0, 0]].assign(child_id=["011", "021", "004", "005"], institution_id=["A1", "A1", "A11", ""])
    rows = pd.concat([visits, more], ignore_index=True)
    rows.loc[1, [ITEM, "sex", "date"]] = [NASTY, "=1+1", "2006-02-31"]
    rows.loc[2, "birth_month"] = "1990-01"
    rows.loc[4, ITEM] = "7"
    return rows


def written(study: Study, file: Path, wave: str = "w1", **options: object) -> dict[str, str]:
    """Import a file and return the pages, by name."""
    report = import_file(study, file, "screening", wave=wave, **options)  # type: ignore[arg-type]
    paths = [study.folder / page for page in report.pages]
    return {path.name: path.read_text(encoding="utf-8-sig") for path in paths}


@pytest.fixture(scope="module")
def begun_once(drawn_once: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The study in two languages after the import of the faulty file, and its pages: made once. Tests read it, or copy it."""
    folder = shutil.copytree(drawn_once, tmp_path_factory.mktemp("begun") / "study")
    file = folder.parent / "wave1.csv"
    faulty_rows().to_csv(file, index=False, lineterminator="\n")
    return folder, written(in_two_languages(load_study(folder)), file)


@pytest.fixture
def pages(begun_once: tuple[Path, dict[str, str]]) -> dict[str, str]:
    """The pages of the faulty file, by name."""
    return begun_once[1]


@pytest.fixture
def begun(begun_once: tuple[Path, dict[str, str]], tmp_path: Path) -> Study:
    """The study after the import of the faulty file, for a test to write into."""
    return load_study(shutil.copytree(begun_once[0], tmp_path / "study"))


def rows_of(page: str) -> list[list[str]]:
    body = "".join(re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL))
    return [re.findall(r"<t[dh][^>]*>([^<]*)", row) for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)]


def folder(study: Study) -> list[str]:
    return sorted(path.relative_to(study.folder / "output").as_posix() for path in study.folder.glob("output/problems/*/*"))


def test_each_institution_has_a_page_with_its_own_rows_alone(pages):
    assert sorted(pages) == [
        "a1.en.html",
        "a1.html",
        "a2.en.html",
        "a2.html",
        "all.en.html",
        "all.html",
        "faults.csv",
    ]  # H1 has a warning and nothing to correct
    owners = {"001": "a1", "011": "a1", "021": "a1", "002": "a2", "003": "all", "004": "all", "005": "all"}
    for name, page in pages.items():
        own = name.partition(".")[0]
        if own in ("a1", "a2"):
            shown = set(re.findall(r"\b0\d\d\b", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)))
            assert shown <= {child for child, owner in owners.items() if owner == own}, name
            assert set(re.findall(r"\b[AH]\d+\b", page.partition("<main")[2])) == {own.upper()}, name
    assert [(row[0], row[1]) for row in rows_of(pages["a1.html"])] == [("6", "021")]
    assert [row[0] for row in rows_of(pages["a2.en.html"])] == ["3", "3", "3"]
    assert "2 af jeres rækker er med. 1 række venter, til den er rettet." in pages["a1.html"]
    assert "2 rows of yours are in. 1 row waits until it is corrected." in pages["a1.en.html"]
    assert {"A11", "004", "005"} <= set(re.findall(r"\w+", pages["all.html"]))


def test_a_question_is_called_by_its_number_and_the_files_own_names(danish, export, faulty):
    renamed = faulty.rename(columns={ITEM: "q5", "sex": "køn"}).replace({"køn": {"boy": "dreng", "girl": "pige"}})
    path = export(renamed)
    path.with_suffix(".mapping.yaml").write_text(
        f"version: 1\nrename: {{q5: {ITEM}, køn: sex}}\nrecode: {{sex: {{dreng: boy, pige: girl}}}}\n", encoding="utf-8"
    )
    page = written(danish, path)["a2.html"]
    assert "Spørgsmål 5" in page
    assert "i filen: q5" in page
    assert "dreng, pige" in page
    assert "tantrum" not in page


def test_nothing_runs(pages):
    assert "&lt;script&gt;" in pages["a2.html"]
    assert not any(NASTY in page for name, page in pages.items() if name.endswith(".html"))
    table = list(csv.DictReader(pages["faults.csv"].splitlines(), delimiter=";"))
    assert list(table[0]) == [
        "code",
        "severity",
        "file",
        "row",
        "column",
        "found",
        "expected",
        "text",
        "remedy",
        "institution_id",
        "child_id",
    ]
    assert {(row["code"], row["row"], row["institution_id"], row["child_id"]) for row in table} >= {
        ("SCR-014", "3", "A2", "002"),
        ("SCR-043", "3", "A2", "002"),
        ("SCR-014", "6", "A1", "021"),
        ("SCR-055", "4", "H1", "003"),
    }
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in table for cell in row.values())


def test_a_child_that_moved_does_not_name_the_institution_it_left(danish, export, visits):
    written(danish, export(visits))
    later = visits.assign(date="2007-09-01", institution_id=["A2", "A2", "H1"], rater_id=["r9", "r2", "r3"])
    later.loc[1, ITEM] = "7"
    pages = written(danish, export(later, "wave2.csv"), "w2")
    page = pages["a2.en.html"].partition("<main")[2]
    assert "The child was in another institution at start." in page
    assert "Barnet var i en anden institution i start." in pages["a2.html"]
    assert "i w1" not in pages["all.html"]
    assert "A1" not in page
    assert "r1" not in page
    assert "A1" in pages["all.en.html"]


def test_the_evaluator_reads_a_column_in_words_and_as_the_study_writes_it(pages):
    danish, english = pages["all.html"], pages["all.en.html"]
    for page, words in ((danish, ("Fødselsmåned", "Spørgsmål 5")), (english, ("Month of birth", "Question 5"))):
        for word, name in zip(words, ("birth_month", ITEM), strict=True):
            assert re.search(rf"{word}<.*?>{name}<", page)


def test_a_language_without_words_stops_no_import(danish, export, faulty):
    file = danish.folder / "study.yaml"
    file.write_text(file.read_text().replace("languages: [da, en]", "languages: [sv, da]"))
    pages = written(load_study(danish.folder), export(faulty))
    assert '<html lang="da">' in pages["all.html"]
    assert not [name for name in pages if ".en." in name or ".sv." in name]


def test_pages_of_an_earlier_import_are_removed(begun, export, visits):
    assert len(folder(begun)) == 7
    written(begun, export(visits.assign(birth_month="2002-01"), "whole.csv"), replace=True)
    assert folder(begun) == [
        f"problems/screening-w1/{name}" for name in ("all.en.html", "all.html", "faults.csv")
    ]  # H2 is absent
    everyone = pd.concat([visits, visits.iloc[[0]].assign(child_id="004", institution_id="H2")])
    written(begun, export(everyone.assign(birth_month="2002-01"), "everyone.csv"))
    assert folder(begun) == []


def test_a_correction_of_one_institution_leaves_the_others(begun, export):
    path = begun.folder / "output/quarantine/screening-w1.csv"
    waits = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    part = waits[waits["child_id"] == "021"].assign(**{ITEM: "1"})
    pages = written(begun, export(part, "answer.csv"))
    assert "a1.html" not in pages
    assert [row[0] for row in rows_of(pages["a2.html"])] == ["3", "3", "3"]


def test_a_dry_run_writes_nothing(danish, export, faulty):
    assert written(danish, export(faulty), dry_run=True) == {}
    assert folder(danish) == []


def test_a_refused_file_has_pages_beside_those_of_what_waits(begun, export, faulty):
    before = folder(begun)
    with pytest.raises(DataProblems) as caught:
        import_file(begun, export(faulty.assign(date="2006-02-31"), "bad.csv"), "screening", wave="w1")
    assert caught.value.pages[0] == "output/problems/screening-w1-refused/faults.csv"
    assert set(folder(begun)) - set(before) >= {
        "problems/screening-w1-refused/a1.html",
        "problems/screening-w1-refused/all.html",
    }
    page = (begun.folder / "output/problems/screening-w1-refused/a1.en.html").read_text()
    assert "Nothing of it has been taken in yet" in page
    assert set(re.findall(r"\b00\d\b", page.partition("<main")[2])) == {"001"}


def test_names_are_shown_where_the_study_shows_them(danish, export, faulty):
    frame = pd.DataFrame({"institution_id": ["A1", "A2", "H1", "H2"], "municipality": ["Aarhus"] * 2 + ["Hvidovre"] * 2})
    import_file(danish, export(frame.assign(name=["Solsikken", "Bøgen", "Elmen", "Asken"]), "list.csv"), "institutions")
    assert "Solsikken" not in written(danish, export(faulty))["a1.html"]
    file = danish.folder / "study.yaml"
    file.write_text(file.read_text() + "privacy: {show_institution_names: true}\n")
    pages = written(load_study(danish.folder), export(faulty.assign(hours="31"), "again.csv"))
    assert "<h1>Solsikken</h1>" in pages["a1.html"]
    assert "Bøgen" not in pages["a1.html"]


def test_what_an_institution_is_asked_repeats_nothing_that_stands_elsewhere():
    fields = {name for asked in FOR_INSTITUTIONS.values() for name in re.findall(r"\{(\w+)\}", asked.text + asked.remedy)}
    assert fields == {"kind", "column", "wave"}
    assert not any(FOR_INSTITUTIONS[code].allowed for code in ("SCR-046", "SCR-053", "SCR-056", "SCR-057", "SCR-065", "SCR-120"))


@pytest.mark.parametrize("language", ["da", "en"])
def test_the_page_reads_as_it_did(pages, language):
    page = pages["a2.html" if language == "da" else "a2.en.html"]
    main = page.partition("<header")[2].partition('<p class="foot">')[0]
    found = "<header" + main
    path = SNAPSHOTS / f"problems.{language}.html"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        path.write_text(found, encoding="utf-8", newline="\n")
    assert found == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("given", "variable"), [(["--language", "da"], ""), ([], "da"), (["--language=da"], "en")])
def test_the_screen_speaks_danish_if_it_is_asked_to(danish, export, faulty, given, variable, monkeypatch, run):
    monkeypatch.setenv("ASP_EVAL_LANGUAGE", variable)
    options = ["--study", danish.folder, *given]
    done = run("import", export(faulty), "--table", "screening", "--wave", "w1", *options)
    assert done.code == 1
    said = " ".join((done.out + done.err).split())
    assert "wave1.csv række 6, kolonne sdq-teacher-4-17.tantrum: værdien er ikke en af de tilladte koder" in said
    assert "4 rækker er i karantæne: ret output/quarantine/screening-w1.csv" in said
    assert "output/problems/screening-w1" in said
    checked = run("check", *options)
    said = " ".join((checked.out + checked.err).split())
    assert "Næste skridt: " in said
    assert "i karantæne. Ret output/quarantine" in said
