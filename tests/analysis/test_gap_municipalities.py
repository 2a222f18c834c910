"""What a municipality is given: dots without names, none where there are few here or elsewhere.

1. The dots are what the profiles show.  2. Few, or few elsewhere, give no dot, so that nothing follows by difference.  3.
Names only where the study allows.  4. Response rates, and why a sheet is empty.  5. The funnel's bands hold enough
institutions.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
from gap_trials import LABELS, gap_plan, make_sides, make_study, profiles_of

from asp_eval.analysis.gap_municipalities import FEWEST_DOTS, NO_STAFF
from asp_eval.analysis.gap_results import GapResults
from asp_eval.analysis.profiles import gap_profiles
from asp_eval.reporting.documents.gap_profiles import gap_municipality
from asp_eval.reporting.documents.pages import pages_of
from asp_eval.reporting.writers.html import html
from asp_eval.trial.disclosure.bands import CountBand

SIDES = make_sides()
IDS = [f"D{j:02d}" for j in range(20)]
RATES = pd.DataFrame({"staff_asked": 10, "staff_answered": 7, "children_seen": 30, "children_rated": 21}, index=IDS)


def split(*sizes: int) -> dict[str, str]:
    """Municipalities A, B, ... of these many institutions."""
    names = [chr(ord("A") + k) for k, size in enumerate(sizes) for _ in range(size)]
    return dict(zip(IDS, names, strict=False))


@cache
def results_of(*sizes: int) -> GapResults:
    return profiles_of(*SIDES, places=split(*sizes), rates=RATES)


def of_play(*sizes: int) -> GapResults:
    """The same of one dimension, where a test asks for no other."""
    one = [side.loc[side["dimension"] == "play"] for side in SIDES]
    return gap_profiles(make_study(), *one, dimensions=LABELS[:1], places=split(*sizes), rates=RATES)


def test_the_dots_are_the_gaps_of_the_profiles() -> None:  # 1
    results = results_of(12, 8)
    assert [(m.name, m.institutions, m.file_stem) for m in results.municipalities] == [
        ("A", 12, "municipality-a"),
        ("B", 8, "municipality-b"),
    ]
    for place, sheet in zip((IDS[:12], IDS[12:]), results.municipalities, strict=True):
        for label, row in zip(LABELS, sheet.dimensions, strict=True):
            shown = [e.gap for p in results.profiles if p.institution_id in place for e in p.entries if e.dimension == label.key]
            assert row.gaps == tuple(sorted(shown))
            assert len(row.gaps) == len(place)


def test_few_institutions_and_few_elsewhere_give_no_dots() -> None:  # 2
    small = of_play(16, 4)  # of the large one the four of the small could be subtracted
    assert all(row.gaps == () for sheet in small.municipalities for row in sheet.dimensions)
    assert all(sheet.funnel == () for sheet in small.municipalities)
    assert small.municipalities[1].staff_rate is None
    alone = of_play(20)  # there is no elsewhere
    assert all(len(row.gaps) == 20 for row in alone.municipalities[0].dimensions)
    enough = of_play(15, 5)
    assert all(row.gaps for sheet in enough.municipalities for row in sheet.dimensions)
    assert FEWEST_DOTS == 5


def test_institutions_that_are_withheld_have_no_dot_and_count_as_elsewhere() -> None:  # 2
    study = make_study(gap=gap_plan(arms=["intervention"]))
    arms = {one: "reference" if j < 3 else "intervention" for j, one in enumerate(IDS)}
    results = profiles_of(*SIDES, study=study, arms=arms, places=split(20), rates=RATES)
    assert results.municipalities[0].institutions == 17
    assert all(row.gaps == () for row in results.municipalities[0].dimensions)


def test_no_name_or_id_is_on_the_page_unless_the_study_says_so() -> None:  # 3
    staff, children = SIDES
    sides = (staff.loc[(staff["institution_id"] != "D03") | (staff["respondent_id"] < "3s3")], children)
    names = dict.fromkeys(IDS, "Skovbrynet")
    hidden = profiles_of(*sides, places=split(12, 8), rates=RATES, names=names)
    page = html(gap_municipality(hidden, hidden.municipalities[0], "en"))
    assert "Skovbrynet" not in page
    assert not [one for one in IDS if one in page]
    (empty,) = hidden.municipalities[0].without_numbers  # 4
    assert (empty.reason, empty.institutions, empty.names) == (NO_STAFF, 1, ())
    assert "Too few staff answered for anything to be shown." in page
    allowed = make_study(privacy={"show_institution_names": True})
    named = profiles_of(*sides, study=allowed, places=split(12, 8), rates=RATES, names=names)
    assert "Skovbrynet" in html(gap_municipality(named, named.municipalities[0], "en"))


def test_response_rates_in_whole_percent() -> None:  # 4
    (sheet, _) = results_of(12, 8).municipalities
    assert (sheet.staff_rate, sheet.child_rate) == (70, 70)


def test_the_funnel_by_how_many_staff_answered() -> None:  # 5
    results = results_of(12, 8)
    (group,) = results.municipalities[0].funnel  # all have seven
    assert group.staff == CountBand(5, None)
    own = [p for p in results.profiles if p.institution_id in IDS[:12]]
    typical = {d.key: d.mean_gap for d in results.dimensions}
    plain = sorted(e.staff - e.child - typical[e.dimension] for p in own for e in p.entries)
    assert len(group.distances) == len(plain) == 36
    assert np.allclose(group.distances, plain, atol=0.56)
    inside = sum(abs(d) <= group.limit for d in group.distances)
    assert inside >= 30


def test_its_pages_are_there_and_in_the_index() -> None:
    pages = {page.name: page for page in pages_of(results_of(12, 8), ["en"], ("html",))}
    assert "gap/municipality-a.html" in pages
    assert 'href="municipality-b.html"' in pages["gap/index.html"].made().decode()
    content = pages["gap/municipality-a.html"].made().decode()
    assert "5 or more staff" in content
    assert content.count("<path") == sum(len(d.gaps) for d in results_of(12, 8).municipalities[0].dimensions) + 36
