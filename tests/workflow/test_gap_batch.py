"""Profiles and their pages, for all institutions at once.

1. Limits of disclosure that are looser than usual are told where profiles are made, on the page and in the ledger.  2. A page
that cannot be made is listed, with its reason, and the others are made.  3. Of many documents one is held at a time.
4. New goals are on the follow-up sheet of a plain report, whatever is old beside it.
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
