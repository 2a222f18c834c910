"""Profiles and their pages, for all institutions at once.

1. Limits of disclosure that are looser than usual are told where profiles are made, on the page and in the ledger.
"""

from __future__ import annotations

import json
import shutil

import pytest

from asp_eval import open_study, table


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
