"""The printed profiles against gap.json, and nothing on them that is nobody's business.

1. The numbers of every page, HTML and PDF, read back equal those of the file.  2. A mark in every id of a person and in the
names of institutions turns up on no page, nor in a PDF's metadata, nor in the file.
"""

from __future__ import annotations

import re
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from gap_trials import gap_plan, make_sides, make_study, profiles_of
from report_tables import told_by_poppler

from asp_eval.analysis.gap_results import GapResults
from asp_eval.reporting.documents.pages import pages_of
from asp_eval.store.result_files import as_json, load, save

POPPLER = shutil.which("pdftotext") is not None
MARK = "zqxmark"
WAVES = [{"id": "w1", "label": {"en": "start"}}, {"id": "w3", "label": {"en": "end"}}]
INTERVAL = r"(−?\d+) \((−?\d+) to (−?\d+)\)"


def marked(sides: tuple[pd.DataFrame, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    staff, children = sides
    return (
        staff.assign(respondent_id=MARK + staff["respondent_id"]),
        children.assign(child_id=MARK + children["child_id"], rater_id=MARK + children["rater_id"]),
    )


@cache
def results() -> GapResults:
    """Two rounds of eleven institutions in one municipality; one hides a dimension."""
    first = make_sides(institutions=11)
    rng = np.random.default_rng(2)
    second = tuple(side.assign(score=(side["score"] + rng.normal(0, 6, len(side))).clip(1, 99)) for side in first)
    few = (second[0]["institution_id"] == "D04") & (second[0]["respondent_id"] >= "4s4") & (second[0]["dimension"] == "play")
    ids = sorted(first[0]["institution_id"].unique())
    return profiles_of(
        *marked((second[0].loc[~few], second[1])),
        study=make_study(waves=WAVES, gap=gap_plan(follow_up="w3")),
        earlier=marked(first),
        names=dict.fromkeys(ids, MARK),
        places=dict.fromkeys(ids, "Aarhus"),
        rates=pd.DataFrame({"staff_asked": 9, "staff_answered": 7, "children_seen": 30, "children_rated": 21}, index=ids),
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> GapResults:
    """The results as gap.json gives them back."""
    path: Path = tmp_path_factory.mktemp("gap") / "gap.json"
    save(path, results())
    return load(path, GapResults, verb="gap")


@cache
def texts() -> dict[str, tuple[str, str]]:
    """What a reader of each page sees, by file, and what else the file says of itself."""
    found = {}
    for page in pages_of(results(), ["en"], ("html", "pdf")):
        if page.format == "html":
            whole = page.made().decode()
            found[page.name] = (re.sub(r"\s+", " ", re.sub(r"<style.*?</style>|<[^>]+>", " ", whole, flags=re.DOTALL)), whole)
        elif POPPLER and ("D00" in page.name.upper() or "D04" in page.name.upper() or "MUNICIPALITY" in page.name.upper()):
            content = page.made()
            seen = told_by_poppler(content, "pdftotext", "-raw").replace("\u00ad", "").replace("-\n", "")
            found[page.name] = (re.sub(r"\s+", " ", seen), told_by_poppler(content, "pdfinfo") + content.decode("latin-1"))
    return found


def numbers(found: list[tuple[str, str, str]]) -> list[tuple[int, ...]]:
    return [tuple(int(part.replace("−", "-")) for part in each) for each in found]


KINDS = ["html", pytest.param("pdf", marks=pytest.mark.skipif(not POPPLER, reason="poppler reads the PDF"))]


@pytest.mark.parametrize("kind", KINDS)
def test_the_numbers_of_the_pages_are_those_of_the_file(kept: GapResults, kind: str) -> None:  # 1
    read = 0
    for profile in kept.profiles:
        name = f"gap/{profile.file_stem}.{kind}"
        if name not in texts():
            continue
        seen = texts()[name][0]
        gaps = [(e.gap, e.conf_low, e.conf_high) for e in profile.entries if e.gap is not None]
        changes = [
            (e.before.change, e.before.low, e.before.high) for e in profile.entries if e.before and e.before.change is not None
        ]
        assert sorted(numbers(re.findall(rf"\bgap {INTERVAL}", seen))) == sorted(gaps)
        assert sorted(numbers(re.findall(rf"\bchange {INTERVAL}", seen))) == sorted(changes)
        weights = [round(100 * e.weight) for e in profile.entries if e.gap is not None]
        assert sorted(int(n) for n in re.findall(r"weight (\d+)%", seen)) == sorted(weights)
        drawn = [str(n) for e in profile.entries for n in (e.staff, e.child) if n is not None]
        assert all(re.search(rf"\b{n}\b", seen) for n in drawn)
        read += len(gaps)
    assert read >= 5


def test_the_municipalitys_dots_are_those_of_the_file(kept: GapResults) -> None:  # 1
    (sheet,) = kept.municipalities
    seen = texts()["gap/municipality-aarhus.html"][0]
    for row in sheet.dimensions:
        label = next(d.label["en"] for d in kept.dimensions if d.key == row.dimension)
        assert f"{label}: {', '.join(str(n).replace('-', '−') for n in row.gaps)}" in seen
    assert f"{sheet.staff_rate}%" in seen
    if POPPLER:
        assert f"{sheet.staff_rate}%" in texts()["gap/municipality-aarhus.pdf"][0]


def test_no_person_and_no_name_is_on_a_page_or_in_the_file(kept: GapResults) -> None:  # 2
    assert len(texts()) >= 13
    assert not [name for name, parts in texts().items() if MARK in "".join(parts).lower()]
    assert MARK not in as_json(kept)


def test_a_hidden_dimension_is_nowhere(kept: GapResults) -> None:  # 2
    profile = next(p for p in kept.profiles if p.institution_id == "D04")
    entry = next(e for e in profile.entries if e.dimension == "play")
    assert (entry.staff, entry.gap, entry.before.change) == (None, None, None)
    for kind in ("html", "pdf") if POPPLER else ("html",):
        assert "Not shown, to protect those who answered" in texts()[f"gap/{profile.file_stem}.{kind}"][0]
