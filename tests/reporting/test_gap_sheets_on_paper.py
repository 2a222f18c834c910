"""A profile on paper: two pages A4 whatever it says, and what staff were asked in the two forms' own words.

1. PDF and, printed by a browser, HTML: first and second round, both languages, names of a hundred letters, every dimension
clear and changed.  2. A page is made smaller only where more is said than it holds.  3. Both sides' questions are on both.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import builders
import pytest
from report_tables import told_by_poppler

from asp_eval.analysis.gap_results import GapResults
from asp_eval.analysis.gap_rounds import GapBefore
from asp_eval.analysis.goals import Goal
from asp_eval.reporting.documents.pages import Page, pages_of
from asp_eval.reporting.writers import crowding
from asp_eval.reporting.writers import html as html_writer
from asp_eval.reporting.writers import pdf as pdf_writer
from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.profiles.sampling import NO_RATERS

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
POPPLER = shutil.which("pdfinfo") is not None
NAME = "Den selvejende daginstitution Børnehuset Solsikkevej og Skovbørnehaven Bøgelunden, afdeling Nord"
AIM = "Alle børn kan komme med i en leg, også dem der ellers står udenfor og ser på"
ABOVE_FOOT = 283  # of 297 millimetres
CASES = ["first", "named", "second", "crowded"]


def asked(form: str, dimension: str) -> tuple[dict[str, str], ...]:
    """The questions of a dimension, as a shipped form has them."""
    definition = instrument(form)
    scale = next(each for each in definition.scales if each.key == dimension)
    return tuple({**definition.item(key).text} for key in scale.items)


@cache
def results(case: str) -> GapResults:
    """A first round, the same of a long name, a second round, and one of which as much is said as can be."""
    dimensions = tuple(
        replace(
            d,
            staff_questions=asked("gap-competences-staff", d.key),
            child_questions=asked("gap-competences-child", d.key),
            open_question={"da": "Hvornår så vi sidst et barn turde noget nyt?", "en": "When did we last see a child dare it?"},
        )
        for d in builders.gap_dimensions()
    )
    profile, second = builders.gap_profile(NAME if case == "named" else "Solsikken"), case in ("second", "crowded")
    if second:
        beside = {"self_worth": GapBefore(62, 58, 9, 6, 12, 5, 19, "staff-higher")}
        profile = replace(profile, entries=tuple(replace(e, before=beside.get(e.dimension)) for e in profile.entries))
    if case == "crowded":
        words = ("clearly-staff-higher", "clearly-child-higher"), ("staff-higher", "child-higher")
        entries = [builders.gap_entry(d.key, 81 - i, 52 + i, 21, words[0][i % 2]) for i, d in enumerate(dimensions)]
        last = [GapBefore(62, 58, 9, 6, 12, 5, 19, words[1][i % 2]) for i in range(len(entries))]
        entries = [replace(entry, before=before) for entry, before in zip(entries, last, strict=True)]
        profile = replace(profile, name=NAME, entries=tuple(entries), departure="cooperation")
    more = {"wave": "w3", "earlier_wave": "w1", "earlier_wave_label": builders.WAVES["w1"]} if second else {}
    return builders.gap_results((profile,), dimensions=dimensions, covariance_note=NO_RATERS.reason, **more)


def page(case: str, language: str, kind: str) -> Page:
    goals = tuple(Goal(n, "w1", dimension=d, aim=AIM) for n, d in enumerate(("play", "language", "empathy"), 1))
    pages = pages_of(results(case), [language], [kind], goals={"inst-01": goals} if case == "crowded" else None)
    return next(each for each in pages if each.name == f"gap/inst-01.{kind}")


def pages_in(pdf: bytes) -> int:
    return int(re.search(r"Pages:\s+(\d+)", told_by_poppler(pdf, "pdfinfo"))[1])


@pytest.mark.skipif(not POPPLER, reason="poppler counts the pages")
@pytest.mark.parametrize("language", ["da", "en"])
@pytest.mark.parametrize("case", CASES)
def test_the_pdf_has_two_pages_and_nothing_runs_over_their_edge(case, language):  # 1
    made = page(case, language, "pdf").made()
    assert pages_in(made) == 2
    assert max(lowest(made)) < ABOVE_FOOT


def lowest(pdf: bytes) -> list[float]:
    """How far down, in millimetres, the words of each page reach, those of its foot apart."""
    found = []
    for each in told_by_poppler(pdf, "pdftotext", "-bbox").split("<page ")[1:]:
        words = [(float(y) * 25.4 / 72, word) for y, word in re.findall(r'yMax="([\d.]+)">([^<]*)<', each)]
        foot = next(y for y, word in words if word == "asp_eval" and y > ABOVE_FOOT)
        found.append(max(y for y, _ in words if abs(y - foot) > 1))
    return found


def printed(content: str, folder: Path) -> int:
    """On how many pages a browser prints a page."""
    (folder / "page.html").write_text(content, encoding="utf-8")
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    command += ["--no-pdf-header-footer", f"--print-to-pdf={folder / 'page.pdf'}", (folder / "page.html").as_uri()]
    subprocess.run(command, capture_output=True, check=True, timeout=180)
    return pages_in((folder / "page.pdf").read_bytes())


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None or not POPPLER, reason="needs chromium and poppler")
@pytest.mark.parametrize("language", ["da", "en"])
@pytest.mark.parametrize("case", CASES)
def test_a_browser_prints_two_pages(case, language, tmp_path):  # 1
    assert printed(page(case, language, "html").made().decode(), tmp_path) == 2


@pytest.mark.skipif(not POPPLER, reason="poppler counts the pages")
@pytest.mark.parametrize(("holds", "runs_over"), [({}, False), ({"gap_profile": (4200, 6300)}, True)])
def test_the_pdf_would_have_more_pages_or_run_over_where_less_were_made_smaller(monkeypatch, holds, runs_over):  # 1
    monkeypatch.setattr(pdf_writer, "HOLDS", holds)
    made = page("crowded", "da", "pdf").made()
    assert pages_in(made) > 2 or runs_over
    assert max(lowest(made)) > ABOVE_FOOT or not runs_over


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None or not POPPLER, reason="needs chromium and poppler")
def test_the_count_has_teeth(tmp_path, monkeypatch):  # 1
    monkeypatch.setattr(html_writer, "HOLDS", {})
    assert printed(page("crowded", "da", "html").made().decode(), tmp_path) > 2


def test_only_a_crowded_page_is_made_smaller():  # 2
    usual, crowded = (page(case, "en", "html").made().decode() for case in ("first", "crowded"))
    assert "--fit: " not in usual.split("</style>")[1]
    sizes = [float(each) for each in re.findall(r'<div class="leaf" style="--fit: ([\d.]+)">', crowded)]
    assert len(sizes) == 2
    assert all(0.85 < size < 1 for size in sizes)
    assert crowding.sizes_on_paper(replace(page("first", "da", "html").document, sections=()), (99,)) == (1.0,)


@pytest.mark.parametrize("kind", ["html", pytest.param("pdf", marks=pytest.mark.skipif(not POPPLER, reason="no poppler"))])
def test_what_was_asked_of_both_sides_stands_on_page_and_paper(kind):  # 3
    content = page("first", "en", kind).made()
    seen = content.decode() if kind == "html" else told_by_poppler(content, "pdftotext", "-raw")
    seen = re.sub(r"\s+", " ", seen.replace("\u00ad", "").replace("-\n", ""))
    for dimension in ("self_worth", "curiosity"):
        for form in ("gap-competences-staff", "gap-competences-child"):
            for question in asked(form, dimension):
                assert question["en"] in seen


def test_questions_whose_wording_is_not_the_package_s_leave_no_mark():  # 3
    (dimension, *rest) = results("first").dimensions
    without = replace(results("first"), dimensions=(replace(dimension, child_questions=()), *rest))
    content = next(p for p in pages_of(without, ["en"]) if p.name == "gap/inst-01.html").made().decode()
    asked_of = content.split('id="behind"')[1]
    assert asked_of.count("● ") == 9
    assert asked_of.count("□ ") == 8
