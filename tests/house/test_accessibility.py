"""Pages in a browser, asked by axe-core for what keeps people out: no violation at the width of a laptop and of a phone.

Needs chromium, and npm to bring axe-core; without either it is skipped, and says so. Run it with
``pytest -m slow tests/house/test_accessibility.py``.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import builders
import gap_trials
import pytest

from asp_eval.analysis.goals import Goal
from asp_eval.reporting.blocks import Column, Document, Row, Section, Table, cell, paragraphs
from asp_eval.reporting.documents.instrument_form import print_form
from asp_eval.reporting.documents.pages import pages_of
from asp_eval.reporting.writers.html import html as page_of
from asp_eval.trial.instruments.library import instrument

AXE = "axe-core@4.14.1"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
WIDTHS = (1280, 390)
ASK = """
<script>{axe}</script><script>
axe.run(document, {{resultTypes: ["violations"]}}).then(found => parent.postMessage(JSON.stringify([
  innerWidth,
  found.violations.map(v => v.id + ": " + v.nodes.map(n => n.target + " " + n.html.slice(0, 90)).slice(0, 3).join(" | "))
]), "*"));
</script></body>"""
FRAME = """<!DOCTYPE html><iframe width="{width}" height="900" style="border:0" src="page.html"></iframe>
<pre id="told"></pre><script>
onmessage = event => document.getElementById("told").textContent = event.data;
</script>"""  # a browser's own window is never narrower than 500


@pytest.fixture(scope="module")
def axe(tmp_path_factory) -> str:
    """The text of axe-core."""
    folder = tmp_path_factory.mktemp("axe")
    if CHROMIUM is None:
        pytest.skip("there is no chromium to look at pages with")
    npm = shutil.which("npm")
    done = npm and subprocess.run([npm, "pack", AXE, "--silent"], cwd=folder, capture_output=True, text=True, check=False)
    archives = list(folder.glob("*.tgz"))
    if not done or not archives:
        pytest.skip("npm does not bring axe-core")
    with tarfile.open(archives[0]) as archive:
        member = archive.extractfile("package/axe.min.js")
        return member.read().decode() if member else pytest.fail("axe-core has no axe.min.js")


def violations(page: str, axe: str, width: int, folder: Path) -> list[str]:
    """Return what axe finds wrong with a page in a window of some width."""
    path = folder / "page.html"
    path.write_text(page.replace("</body>", ASK.format(axe=axe)), encoding="utf-8")
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    frame = folder / "frame.html"
    frame.write_text(FRAME.format(width=width), encoding="utf-8")
    command += ["--window-size=1400,900", "--virtual-time-budget=20000", "--dump-dom", frame.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=180)
    told = re.search(r'<pre id="told">(.+?)</pre>', done.stdout, re.DOTALL)
    assert told, done.stdout[-500:]
    seen_at, found = json.loads(html.unescape(told[1]))
    assert seen_at == width
    return list(found)


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["evaluation.html", "gap/index.html", "gap/inst-01.html", "gap/follow-up/inst-01.html"])
def test_a_page_keeps_nobody_out(axe, tmp_path, kind, width):
    goals = {
        "inst-01": (Goal(1, date="2007-02-01", dimension="play", aim="Ro", partial_aim="To på gulvet", how_it_went="partly"),)
    }
    both = builders.results(), builders.gap_results()
    every = [page for results in both for page in pages_of(results, ["da", "en"], goals=goals)]
    page = next(page for page in every if page.name == kind)
    assert violations(page.made().decode(), axe, width, tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("kind", ["gap/d03.html", "gap/municipality-a.html"])
def test_a_second_round_and_a_municipalitys_sheet_keep_nobody_out(axe, tmp_path, kind, width):
    waves = [{"id": "w1", "label": {"en": "start"}}, {"id": "w3", "label": {"en": "end"}}]
    study = gap_trials.make_study(waves=waves, gap=gap_trials.gap_plan(follow_up="w3"))
    first, second = gap_trials.make_sides(institutions=12), gap_trials.make_sides(institutions=12, seed=4)
    places = {f"D{j:02d}": "A" for j in range(12)}
    results = gap_trials.profiles_of(*second, study=study, earlier=first, places=places)
    page = next(page for page in pages_of(results, ["en"]) if page.name == kind)
    assert violations(page.made().decode(), axe, width, tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_a_questionnaire_and_a_page_of_problems_keep_nobody_out(axe, tmp_path, width):
    form = print_form(instrument("governance-npm-npg"), "da")
    table = Table("rows", "Rækker", (Column("Række"), Column("Fund")), (Row((cell("7"), cell("uden for 0 til 2"))),))
    sections = (Section("answer", "Sådan svarer du", (paragraphs("Ret filen."),)), Section("", "Rækkerne", (table,)))
    problems = Document("problems", "da", "Svar der mangler", "Screening", "Syntetiske data", "asp_eval", sections)
    assert [violations(page, axe, width, tmp_path) for page in (form, page_of(problems))] == [[], []]


@pytest.mark.slow
def test_the_question_has_teeth(axe, tmp_path):
    page = (
        '<!DOCTYPE html><html lang="en"><head><title>T</title></head><body><main><h1>T</h1><img src="x.png"></main></body></html>'
    )
    assert [found.split(":")[0] for found in violations(page, axe, WIDTHS[0], tmp_path)] == ["image-alt"]
