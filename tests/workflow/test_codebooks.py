"""``asp-eval frames compare``: codebooks of other software against a frame.

1. our own codebook matches whole, in either language; 2. so does one that pyrefiqda wrote, with Danish letters; 3. codes that are
missing, unknown, spelled otherwise or there twice are listed; 4. what is no codebook is refused in words.
"""

import json
import uuid

import pytest
from pyrefiqda.models import CodeBook, CodebookCodesType, CodebookCodeType
from pyrefiqda.reficodebook import RefiCodebook

from asp_eval.core.errors import DataProblems, Refusal
from asp_eval.trial.process.codebook import NAMESPACE, refi_codebook
from asp_eval.trial.process.library import frame
from asp_eval.workflow.codebooks import UnknownCode, compare_codebook

PROCESS = frame("asp-process")
EVERY = [f"{code.key}: {level}" for code in PROCESS.codes for level in PROCESS.levels(code.key)]


@pytest.mark.parametrize("language", ["da", "en"])
def test_our_own_codebook_matches_whole(tmp_path, language):
    path = tmp_path / "kodebog.qdc"
    path.write_bytes(refi_codebook(PROCESS, language))
    found = compare_codebook(path, "asp-process")
    assert list(found.matched) == EVERY
    assert (found.levels, found.missing, found.unknown, found.twice, found.notes) == (len(EVERY), (), (), (), ())


def guid(*about):
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(about)))


def code(name, *below, above=""):
    return CodebookCodeType(guid=guid(above, name), name=name, is_codable=True, code=list(below))


def levels(name, *keys):
    return code(name, *(code(key, above=name) for key in keys))


def written(path, *codes):
    """Have pyrefiqda write a codebook."""
    RefiCodebook.save(CodeBook(origin="Ærø", codes=CodebookCodesType(code=list(codes))), path)
    return path


def test_what_pyrefiqda_read_and_wrote_again_matches_whole(tmp_path):
    (tmp_path / "ours.qdc").write_bytes(refi_codebook(PROCESS, "da"))
    again = tmp_path / "igen.qdc"
    RefiCodebook.save(RefiCodebook.load(tmp_path / "ours.qdc"), again)
    assert "Målet" in again.read_text(encoding="utf-8")
    assert list(compare_codebook(again, "asp-process").matched) == EVERY


def test_codes_that_are_missing_or_not_of_the_frame_are_listed(tmp_path):
    path = written(
        tmp_path / "kodebog.qdc",
        code(
            "Overskrift på dansk",
            levels("aim", "I", "II"),
            levels("Arbejdet med målet", "III afvisende"),
            levels("turnover", "NONE", "some", "much"),
            levels("Blåbær og rødgrød", "sødt"),
        ),
        code("print"),
        code("Citat værd"),
    )
    found = compare_codebook(path, "asp-process")
    assert found.matched == ("aim: I", "aim: II", "turnover: some", "turnover: much")
    assert {"aim: III", "turnover: none", "management_relation"} <= set(found.missing)
    assert "aim" not in found.missing and "management_relation: I" not in found.missing
    assert found.unknown == (
        UnknownCode("Arbejdet med målet", "III afvisende", "aim: III"),
        UnknownCode("turnover", "NONE", "turnover: none"),
        UnknownCode("Blåbær og rødgrød", "sødt", ""),
        UnknownCode("Citat værd", "present", ""),
    )


def book(*codes, tail="", namespace=NAMESPACE):
    return f'<?xml version="1.0"?><CodeBook xmlns="{namespace}"><Codes>{"".join(codes)}</Codes>{tail}</CodeBook>'


AIM = '<Code guid="a" name="aim"><Code guid="b" name="I"/>{}</Code>'


def test_a_level_that_stands_twice_is_told_and_so_is_what_no_standard_has(tmp_path):
    path = tmp_path / "x.qdc"
    path.write_text(book(AIM.format('<Code guid="c" name="I"/>'), tail="<Mood/>", namespace="urn:another:1.5"), encoding="utf-8")
    found = compare_codebook(path, "asp-process")
    assert (found.matched, found.twice) == (("aim: I",), ("aim: I",))
    assert [note.code for note in found.notes] == ["SCR-245"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "SCR-248"),
        ("PK\x03\x04 an archive", "SCR-248"),
        ("<CodeBook><Codes>", "SCR-248"),
        ("<Project/>", "SCR-248"),
        ('<!DOCTYPE x [<!ENTITY a "aaaa">]>' + book(AIM.format("")).partition("?>")[2], "SCR-248"),
        (book(), "SCR-249"),
        (book('<Code name="aim"/>'), "SCR-243"),
    ],
    ids=["empty", "archive", "cut short", "project", "entities", "no codes", "no guid"],
)
def test_what_is_no_codebook_is_refused(tmp_path, text, code):
    path = tmp_path / "x.qdc"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataProblems, match=code):
        compare_codebook(path, "asp-process")


def test_a_frame_that_there_is_not_is_refused(tmp_path):
    with pytest.raises(Refusal, match="FRM-020"):
        compare_codebook(written(tmp_path / "x.qdc", levels("aim", "I")), "asp-proces")


def test_the_command_says_the_same(tmp_path, run):
    path = written(tmp_path / "kodebog.qdc", levels("aim", "I", "II", "III"), levels("Udskiftning", "much"))
    told = run("frames", "compare", str(path), "asp-process")
    assert told.code == 0
    assert "3 of" in told.out and "missing: turnover" in told.out
    as_json = json.loads(run("frames", "compare", str(path), "asp-process", "--json").out)
    assert as_json["matched"] == ["aim: I", "aim: II", "aim: III"]
    with pytest.raises(DataProblems, match="SCR-001"):
        compare_codebook(tmp_path / "none.qdc", "asp-process")
