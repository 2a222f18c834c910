"""What was planned, how the numbers were made, and the limits.

1. What depends on who rated the children is said only where it is so.  2. Of imported scores nothing is said of items.
3. The estimand is the one that can be declared.
"""

from __future__ import annotations

import builders
import pytest

from asp_eval.reporting.language import words_for
from asp_eval.reporting.numbers import Numbers
from asp_eval.reporting.sections.limits import limit_words
from asp_eval.reporting.sections.methods import method_fields
from asp_eval.reporting.sections.plan import plan_fields
from asp_eval.reporting.setting import Setting


def said(*informants: str, language: str = "en") -> str:
    """Method and limits of a study in which these rated the children."""
    results = builders.results(informants=informants)
    setting = Setting(results, Numbers(words_for(language)))
    facts = [field.value for field in method_fields(setting)]
    return " ".join([*facts, *limit_words(results, setting)])


STAFF = ("staff rate many of them", "The raters are staff", "Raters may have changed")
PARENTS = ("even where each is rated by its own parents", "Parents rated the children.")
SCORED = ("A scale is scored if enough of its items were answered",)
IMPORTED = ("The scores were imported ready-made", "Who rated the children is not recorded here")


@pytest.mark.parametrize(
    ("informants", "told", "left_out"),
    [
        (("teacher",), STAFF + SCORED, PARENTS + IMPORTED),
        (("staff",), STAFF + SCORED, PARENTS + IMPORTED),
        (("parent",), PARENTS + SCORED, STAFF + IMPORTED),
        (("parent", "teacher"), (*STAFF, *SCORED, "Parents rated the children."), IMPORTED),
        ((), (*IMPORTED, "Children of one institution resemble each other. The linear"), STAFF + PARENTS + SCORED),
    ],
)
def test_what_depends_on_the_raters_is_said_where_it_is_so(informants, told, left_out):
    words = said(*informants)
    assert [sentence for sentence in told if sentence not in words] == []
    assert [sentence for sentence in left_out if sentence in words] == []


def test_imported_scores_are_said_to_be_imported_in_danish():
    words = said(language="da")
    assert "Scorerne er hentet ind færdigt udregnet" in words
    assert "En skala opgøres" not in words


def test_the_estimand_is_the_cohort_as_drawn():
    setting = Setting(builders.results(), Numbers(words_for("en")))
    facts = {field.label: field.value for field in plan_fields(builders.results(), setting)}
    assert facts["Whom the effect is about"] == (
        "The children who were there at the start, institutions counting by how precisely the mixed model knows them. A child "
        "who moves stays, in the analysis, with the institution it belonged to at the draw. Children who joined later are not "
        "part of it."
    )
