"""REFI-QDA projects: codings become rows, what is unsafe or not a project is refused, and a frame comes back as its codebook."""

import io
import zipfile
from xml.etree import ElementTree

import pytest

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files.reading import read_raw
from asp_eval.trial.process.codebook import NAMESPACE, refi_codebook
from asp_eval.trial.process.library import frame

PROJECT = """<?xml version="1.0" encoding="utf-8"?>
<Project xmlns="urn:QDA-XML:project:1.0" name="Interview" origin="by hand">
  <Users><User guid="u1" name="Åse"/><User guid="u2" name="Bo"/></Users>
  <CodeBook><Codes>
    <Code guid="c1" name="typology" isCodable="false">
      <Code guid="c2" name="aim" isCodable="false">
        <Code guid="c3" name="I" isCodable="true"/><Code guid="c4" name="II" isCodable="true"/>
      </Code>
    </Code>
    <Code guid="c5" name="Citat værd" isCodable="true"/>
  </Codes></CodeBook>
  <Variables><Variable guid="v1" name="institution_id" typeOfVariable="Text"/>
    <Variable guid="v2" name="round" typeOfVariable="Text"/></Variables>
  <Cases><Case guid="k1" name="007"><VariableValue><VariableRef targetGUID="v1"/><TextValue>007</TextValue></VariableValue>
    <SourceRef targetGUID="s1"/></Case></Cases>
  <Sources>
    <TextSource guid="s1" name="007 start" plainTextPath="internal://s1.txt">
      <VariableValue><VariableRef targetGUID="v2"/><TextValue>baseline</TextValue></VariableValue>
      <PlainTextSelection guid="p1" name="x" startPosition="0" endPosition="4">
        <Coding guid="g1" creatingUser="u1"><CodeRef targetGUID="c3"/></Coding>
        <Coding guid="g2" creatingUser="u2"><CodeRef targetGUID="c4"/></Coding>
      </PlainTextSelection>
      <PlainTextSelection guid="p2" name="y" startPosition="5" endPosition="9">
        <Coding guid="g3" creatingUser="u1"><CodeRef targetGUID="c5"/></Coding>
        <Coding guid="g4" creatingUser="u2"><CodeRef targetGUID="c3"/></Coding>
      </PlainTextSelection>
      <Vendor:Extra xmlns:Vendor="urn:somebody"/>
    </TextSource>
    <TextSource guid="s2" name="not coded" plainTextPath="internal://s2.txt"/>
  </Sources>
</Project>"""


def archive(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


def test_codings_become_a_row_for_each_document_and_coder(tmp_path):
    table = read_raw(archive(tmp_path / "coded.qdpx", ("project.qde", PROJECT), ("sources/s1.txt", "Målet var uklart 😀")))
    rows = table.frame().to_dict("records")
    assert rows == [
        {
            "document": "007 start",
            "institution_id": "007",
            "round": "baseline",
            "coder_id": "Åse",
            "aim": "I",
            "Citat værd": "present",
        },
        {
            "document": "007 start",
            "institution_id": "007",
            "round": "baseline",
            "coder_id": "Bo",
            "aim": "II; I",
            "Citat værd": "",
        },
    ]
    assert table.dialect.format == "refi"


def test_a_project_is_known_by_its_content_and_in_a_folder_of_the_archive(tmp_path):
    path = archive(tmp_path / "coded.zip", ("export/project.qde", PROJECT))
    assert read_raw(path).dialect.format == "refi"


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ([("project.qde", PROJECT), ("other/project.qde", PROJECT)], "SCR-241"),
        ([("notes.txt", "nothing")], "SCR-241"),
        ([("project.qde", PROJECT[:900])], "SCR-240"),
        ([("project.qde", PROJECT.replace('guid="c3" ', ""))], "SCR-243"),
        ([("project.qde", '<!DOCTYPE a [<!ENTITY b "c">]>' + PROJECT.partition("?>")[2])], "SCR-240"),
        ([("project.qde", PROJECT.partition("<Sources>")[0] + "</Project>")], "SCR-244"),
        ([("project.qde", b" " * 100_000_001)], "SCR-242"),
    ],
)
def test_what_is_no_sound_project_is_refused(tmp_path, members, code):
    with pytest.raises(DataProblems) as error:
        read_raw(archive(tmp_path / "bad.qdpx", *members))
    assert {problem.code for problem in error.value.problems} == {code}


def test_an_archive_cut_in_half_is_refused(tmp_path):
    whole = archive(tmp_path / "whole.qdpx", ("project.qde", PROJECT)).read_bytes()
    half = tmp_path / "half.qdpx"
    half.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataProblems, match="SCR-240"):
        read_raw(half)


@pytest.mark.parametrize("language", ["da", "en"])
def test_the_codebook_holds_every_code_once_with_its_levels(language):
    process = frame("asp-process")
    root = ElementTree.parse(io.BytesIO(refi_codebook(process, language))).getroot()
    tag = f"{{{NAMESPACE}}}Code"
    found = {each.get("name"): [level.get("name") for level in each.findall(tag)] for each in root.iter(tag)}
    for code in process.codes:
        assert found[code.key] == list(process.levels(code.key))
    guids = [each.get("guid") for each in root.iter(tag)]
    assert len(guids) == len(set(guids))
    assert process.code("aim").title[language] in ElementTree.tostring(root, encoding="unicode")


def test_a_project_coded_with_the_codebook_needs_no_mapping_of_codes(tmp_path):
    """The codes of a project, as software writes them that read our codebook, are the columns of the frame."""
    process = frame("asp-process")
    book = refi_codebook(process, "da").decode().partition("?>")[2].replace(NAMESPACE, "urn:QDA-XML:project:1.0")
    guid = next(e.get("guid") for e in ElementTree.fromstring(book).iter() if e.get("name") == "latent")
    project = PROJECT.replace(PROJECT[PROJECT.index("<CodeBook>") : PROJECT.index("</CodeBook>") + 11], book).replace("c3", guid)
    table = read_raw(archive(tmp_path / "coded.qdpx", ("project.qde", project)))
    assert set(process.keys) <= set(table.columns)
    assert table.columns["external_control"].cell(0) == "latent"


def test_a_codebook_is_no_project(tmp_path):
    path = tmp_path / "book.qdc"
    path.write_bytes(refi_codebook(frame("asp-process"), "en"))
    with pytest.raises(DataProblems, match="SCR-247"):
        read_raw(path)
