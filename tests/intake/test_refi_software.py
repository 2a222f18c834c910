"""REFI-QDA files made by other software (pyrefiqda, whose models are made from the standard's own schema), with Danish letters.

1. a project that it wrote comes in, coders apart, and its selections as excerpts by code points; 2. it reads our codebook;
3. elements the standard does not have are counted and told; 4. archives beyond the limits are refused.
"""

import uuid
import zipfile

import pandas as pd
import pytest
from pyrefiqda.models import (
    CasesType,
    CaseType,
    CodeRefType,
    CodingType,
    PlainTextSelectionType,
    Project,
    ProjectCodeBookType,
    ProjectCodesType,
    ProjectCodeType,
    SourcesType,
    TextSourceType,
    UsersType,
    UserType,
)
from pyrefiqda.reficodebook import RefiCodebook
from pyrefiqda.refiproject import RefiProject

from asp_eval.core.errors import DataProblems
from asp_eval.intake.files.dialect import FileFormat
from asp_eval.intake.files.reading import read_raw
from asp_eval.trial.process.codebook import refi_codebook
from asp_eval.trial.process.library import frame

TEXT = "😀 Målet blev først klart efter sommerferien.\nSå øvede vi os på gåture i Ålborg."
CODED = (
    (2, 44, "aim_clarity", "clearer", "Åse"),
    (2, 44, "aim_clarity", "unclear", "Bodil Ø."),
    (45, 79, "new_routines", "tried", "Åse"),
)
EXCERPTS = FileFormat(dialect="refi-excerpts")


def guid(*about):
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, about))))


def project(marked=()):
    """Return a project of two coders and one interview; codings whose places are in `marked` are marked for the report."""
    codes = {}
    for _, _, code, level, _ in (*CODED, (0, 0, "print", "", "")):
        codes.setdefault(code, set()).add(level)
    book = [
        ProjectCodeType(
            guid=guid(code),
            name=code,
            is_codable=code == "print",
            code=[ProjectCodeType(guid=guid(code, level), name=level, is_codable=True) for level in sorted(filter(None, levels))],
        )
        for code, levels in codes.items()
    ]
    selections = [
        PlainTextSelectionType(
            guid=guid(place),
            name=TEXT[start:end],
            start_position=start,
            end_position=end,
            coding=[
                CodingType(guid=guid(place, "g"), creating_user=guid(coder), code_ref=CodeRefType(target_guid=guid(code, level))),
                *(
                    [
                        CodingType(
                            guid=guid(place, "p"), creating_user=guid(coder), code_ref=CodeRefType(target_guid=guid("print"))
                        )
                    ]
                    if place in marked
                    else []
                ),
            ],
        )
        for place, (start, end, code, level, coder) in enumerate(CODED)
    ]
    return Project(
        name="Ærø",
        users=UsersType(user=[UserType(guid=guid(coder), name=coder) for coder in ("Åse", "Bodil Ø.")]),
        code_book=ProjectCodeBookType(codes=ProjectCodesType(code=book)),
        cases=CasesType(case=[CaseType(guid=guid("case"), name="Blåbærhaven")]),
        sources=SourcesType(
            text_source=[
                TextSourceType(
                    guid=guid("source"),
                    name="Blåbærhaven, start",
                    plain_text_path="internal://blå.txt",
                    plain_text_selection=selections,
                )
            ]
        ),
    )


@pytest.fixture
def written(tmp_path):
    """Return a function that has pyrefiqda write a project, with its text beside it."""

    def write(of):
        sources = tmp_path / "sources"
        sources.mkdir(exist_ok=True)
        (sources / "blå.txt").write_text(TEXT, encoding="utf-8")
        path = tmp_path / "projekt.qdpx"
        RefiProject.save(of, path, source_media_dir=sources)
        return path

    return write


def test_what_it_wrote_comes_in_with_the_coders_apart(written):
    rows = read_raw(written(project())).frame().set_index("coder_id")
    assert rows.loc["Åse", ["aim_clarity", "new_routines"]].tolist() == ["clearer", "tried"]
    assert rows.loc["Bodil Ø.", ["aim_clarity", "new_routines"]].tolist() == ["unclear", ""]
    assert set(rows["document"]) == {"Blåbærhaven, start"}


def test_its_selections_are_the_text_between_their_code_points(written):
    found = read_raw(written(project(marked={2})), EXCERPTS).frame()
    assert found["text"].tolist() == [TEXT[start:end] for start, end, *_ in CODED]
    assert found["text"].iloc[2] == "Så øvede vi os på gåture i Ålborg."
    assert found[["code", "level", "coder_id"]].to_numpy().tolist() == [[c, v, who] for _, _, c, v, who in CODED]
    assert found["number"].tolist() == ["1", "2", "3"]
    assert found["print"].tolist() == ["no", "no", "yes"]
    assert "print" not in read_raw(written(project(marked={2}))).columns


def test_what_it_reads_and_writes_again_is_what_we_read(written, tmp_path):
    before = read_raw(written(project())).frame()
    again = tmp_path / "igen.qdpx"
    RefiProject.save(RefiProject.load(written(project()), tmp_path / "out"), again, source_media_dir=tmp_path / "out" / "sources")
    pd.testing.assert_frame_equal(read_raw(again).frame(), before)


@pytest.mark.parametrize("language", ["da", "en"])
def test_it_reads_our_codebook(tmp_path, language):
    process = frame("asp-process")
    path = tmp_path / "kodebog.qdc"
    path.write_bytes(refi_codebook(process, language))
    found, below = {}, list(RefiCodebook.load(path).codes.code)
    while below:
        code = below.pop()
        found[code.name] = code
        below += code.code
    for code in process.codes:
        assert code.title[language] in found[code.key].description
        assert [level.name for level in found[code.key].code] == list(process.levels(code.key))


def repacked(path, change, *, more=()):
    """Return the archive with its project changed, and more members."""
    with zipfile.ZipFile(path) as archive:
        members = {part.filename: archive.read(part) for part in archive.infolist()}
    members["project.qde"] = change(members["project.qde"])
    other = path.with_name("changed.qdpx")
    with zipfile.ZipFile(other, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (*members.items(), *more):
            archive.writestr(name, content)
    return other


def test_elements_of_no_standard_are_counted_and_told(written):
    changed = repacked(written(project()), lambda xml: xml.replace(b"</Project>", b'<Weight of="a"/><Weight/><Mood/></Project>'))
    (note,) = read_raw(changed).notes
    assert (note.code, note.severity, note.details["n"]) == ("SCR-245", "warning", 3)
    assert str(note.details["names"]) == "Mood, Weight"
    assert not read_raw(written(project())).notes


def test_a_text_that_unpacks_to_two_hundred_times_its_size_is_refused(written):
    path = written(project())
    with zipfile.ZipFile(path) as archive:
        xml = archive.read("project.qde")
    bomb = path.with_name("bomb.qdpx")
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("project.qde", xml)
        archive.writestr("sources/blå.txt", "å" * 1_000_000)
    assert len(read_raw(bomb)) == 2  # the texts are not opened for the codings
    with pytest.raises(DataProblems, match="SCR-242"):
        read_raw(bomb, EXCERPTS)


def test_an_archive_of_very_many_members_is_refused(written):
    many = repacked(written(project()), lambda xml: xml, more=[(f"sources/{n}", b"") for n in range(20_001)])
    with pytest.raises(DataProblems, match="SCR-242"):
        read_raw(many)


def test_a_project_without_its_texts_has_no_excerpts(written, tmp_path):
    path = tmp_path / "bare.qdpx"
    RefiProject.save(project(), path)
    with pytest.raises(DataProblems, match="SCR-246"):
        read_raw(path, EXCERPTS)
