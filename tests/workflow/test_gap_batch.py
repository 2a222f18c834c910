"""Profiles and their pages, for all institutions at once.

1. Limits of disclosure that are looser than usual are told where profiles are made, on the page and in the ledger.  2. A page
that cannot be made is listed, with its reason, and the others are made.  3. Of many documents one is held at a time.
4. New goals are on the follow-up sheet of a plain report, whatever is old beside it.  5. What a report was not asked for stays
if it is still so; else it goes, and that is told.  6. A page that a person changed is never written over.
"""

from __future__ import annotations

import json
import shutil

import builders
import pytest

from asp_eval import open_study, table
from asp_eval.core.errors import Refusal
from asp_eval.reporting.documents import pages as printing
from asp_eval.reporting.documents.pages import pages_of


@pytest.fixture
def complete(complete_once, tmp_path):
    """A study in which every verb has something to do."""
    return open_study(shutil.copytree(complete_once, tmp_path / "study"))


@pytest.mark.parametrize(("sets", "looser"), [(4, {"disclosure.answer_sets": "4"}), (20, {})])
def test_looser_limits_are_told_at_the_door_on_the_page_and_in_the_ledger(complete, run, sets, looser):  # 1
    declared = complete.folder / "study.yaml"
    declared.write_text(declared.read_text() + f"privacy: {{disclosure: {{answer_sets: {sets}}}}}\n")
    said = run("gap", "--study", complete.folder)
    assert ("privacy.disclosure.answer_sets: 4" in said.out + said.err) == bool(looser)
    entered = table(complete, "ledger")
    assert json.loads(entered.loc[entered["kind"] == "gap", "body"].iloc[-1])["looser"] == looser
    assert json.loads((complete.folder / "output" / "gap.json").read_text())["limits"]["answer_sets"] == sets
    open_study(complete.folder).report(("html",), ["gap"])
    pages = [path.read_text() for path in complete.folder.glob("output/gap/[ah][12]*.html")]
    assert pages
    assert all(("at least 4 sets of answers" in page or "mindst 4 sæt svar" in page) == bool(looser) for page in pages)


def test_one_institution_that_fails_is_listed_and_the_others_are_printed(complete, monkeypatch):  # 2
    assert complete.report(("html",), ["gap"]).problems == ()
    folder = complete.folder / "output" / "gap"
    both = [folder / "a1.html", folder / "a1.en.html"]
    before = {path.name for path in folder.glob("*.html")}
    for path in folder.glob("*.html"):
        path.unlink()
    whole = printing.gap_profile

    def fails(results, profile, *rest):
        return whole(results, None if profile.institution_id == "A1" else profile, *rest)

    monkeypatch.setattr(printing, "gap_profile", fails)
    found = complete.report(("html",), ["gap"])
    places = {problem.place.source for problem in found.problems}
    assert places == {f"output/gap/{path.name}" for path in both if path.name in before}
    assert {problem.code for problem in found.problems} == {"REP-023"}
    assert "AttributeError" in str(found.problems[0])
    assert {path.name for path in folder.glob("*.html")} == before - {path.name for path in both}
    monkeypatch.undo()
    again = complete.report(("html",), ["gap"])
    assert (again.written, again.problems) == (len(places), ())


def test_what_the_machine_does_not_give_stops_the_report(complete, monkeypatch):  # 2
    def no_memory(*_):
        raise MemoryError

    monkeypatch.setattr(printing, "gap_profile", no_memory)
    with pytest.raises(MemoryError):
        complete.report(("html",), ["gap"])


def test_of_many_documents_one_is_held_at_a_time(monkeypatch):  # 3
    composed = []
    whole = printing.gap_profile
    monkeypatch.setattr(printing, "gap_profile", lambda *given: composed.append(given[1].institution_id) or whole(*given))
    results = builders.gap_results(tuple(builders.gap_profile(f"H{i}", f"inst-{i:02d}") for i in range(5)))
    pages = pages_of(results, ["en"], ("html", "xlsx"))
    assert composed == []
    for page in pages:
        assert page.made_from
        assert page.made()
    assert composed == [f"inst-{i:02d}" for i in range(5)]  # once each, for both formats
    (desk,) = {id(page.draft._desk): page.draft._desk for page in pages}.values()
    assert len(desk) == 1


def test_new_goals_are_on_the_follow_up_sheet_of_a_plain_report(complete, tmp_path):  # 4
    complete.process()
    output, file = complete.folder / "output", tmp_path / "goals.csv"
    for aim in ("A hand in play", "Two hands in play"):
        file.write_text(f"institution_id,goal,profile_wave,dimension,aim\nA1,1,w1,play,{aim}\n")
        assert complete.import_goals([file]).refused == ()
        found = complete.report(("html",))
        assert {problem.code for problem in found.problems} == {"PRO-002"}  # the evaluation counts goals, and is old
        assert aim in (output / "gap" / "follow-up" / "a1.html").read_text()
        assert not (output / "evaluation.html").exists()
    with pytest.raises(Refusal, match="PRO-002"):
        complete.report(("html",), ["results"])


def test_a_part_that_is_not_asked_for_does_not_stay_with_older_goals(complete, tmp_path):  # 5
    def set_goal(aim):
        file = tmp_path / "goals.csv"
        file.write_text(f"institution_id,goal,profile_wave,dimension,aim\nA1,1,w1,play,{aim}\n")
        assert complete.import_goals([file]).refused == ()
        complete.process()

    output = complete.folder / "output"
    set_goal("A hand in play")
    assert complete.report(("html", "xlsx")).problems == ()
    sheets, profiles = (set(output.glob(f"gap/{each}a1*.*")) for each in ("follow-up/", ""))
    assert len(sheets) == len(profiles) == 2
    assert complete.report(("html",), ["results"]).problems == (), "what is still so stays, and is not told of"
    assert all(path.exists() for path in sheets | profiles)
    set_goal("Two hands in play")
    found = complete.report(("html",), ["results"])
    assert [(each.code, each.severity) for each in found.problems] == [("REP-024", "warning")] * 2
    assert found.problems[0].place.source == "output/evaluation.xlsx", "it counts goals: another process evaluation"
    assert found.problems[1].place.source.startswith("output/gap/follow-up/a1.")
    assert not any(path.exists() for path in sheets)
    assert all(path.exists() for path in profiles), "a first round shows no goals"
    assert (output / "gap" / "index.html").exists()
    listed = json.loads((output / "manifest.json").read_text())["outputs"]
    assert not [name for name in listed if "follow-up" in name]
    assert complete.report(("html", "xlsx")).problems == ()
    assert all("Two hands in play" in path.read_text() for path in sheets if path.suffix == ".html")


def test_an_evaluation_does_not_stay_with_an_older_process_evaluation(complete):  # 5
    complete.report(("html",))
    complete.process()
    found = complete.report(("html",), ["gap"])
    assert [(each.code, each.place.source) for each in found.problems] == [("REP-024", "output/evaluation.html")]
    assert not (complete.folder / "output" / "evaluation.html").exists()
    complete.report(("html",))
    assert complete.report(("html",), ["gap"]).problems == ()


def test_a_page_that_a_person_changed_stays_however_often_the_report_is_given(complete):  # 6
    page = complete.folder / "output" / "evaluation.html"
    complete.report(("html",), ["results"])
    page.write_text("mine")
    for _ in range(2):
        assert [each.code for each in complete.report(("html",), ["results"]).problems] == ["REP-019"]
        assert page.read_text() == "mine"
