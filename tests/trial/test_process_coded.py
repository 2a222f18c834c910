"""What coders found: standings, the work list, and the type by the coders' word or the rule, by hand."""

import pandas as pd
import pytest

from asp_eval.core.errors import Unavailable
from asp_eval.trial.process.coded import by_code, codes_of_coders, decided, disagreements, of_frame
from asp_eval.trial.process.library import frame
from asp_eval.trial.process.types import institution_types, transitions, unused_cells

PROCESS = frame("asp-process")


def sheet(*rows):
    """Return a coded sheet of (institution, round, coder, kind, codes)."""
    table = pd.DataFrame([{"institution_id": i, "round": r, "coder_id": c, "kind": k} | codes for i, r, c, k, codes in rows])
    return table.reindex(columns=["institution_id", "round", "coder_id", "kind", *PROCESS.keys])


SHEET = sheet(
    ("A", "baseline", "k1", "coder", {"aim": "I", "management_relation": "I", "external_pressure": "I", "turnover": "some"}),
    ("A", "baseline", "k2", "coder", {"aim": "I", "management_relation": "II", "external_pressure": "I"}),
    ("A", "baseline", "k1", "consensus", {"management_relation": "I"}),
    ("B", "baseline", "k1", "coder", {"aim": "III", "management_relation": "II", "external_pressure": "II", "type": "III"}),
    ("B", "baseline", "k2", "coder", {"aim": "III", "management_relation": "II", "external_pressure": "II", "type": "III"}),
    ("A", "one_year", "k1", "coder", {"aim": "II"}),
    ("A", "one_year", "k2", "coder", {"aim": "III"}),
)
FOUND = decided(SHEET, PROCESS)


def standing(institution, round_, code):
    row = FOUND.query("institution_id == @institution and round == @round_ and code == @code").iloc[0]
    return (row["value"] if isinstance(row["value"], str) else None, row["standing"], row["coders"])


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (("A", "baseline", "aim"), ("I", "agreed", 2)),
        (("A", "baseline", "management_relation"), ("I", "consensus", 2)),
        (("A", "baseline", "turnover"), ("some", "one_coder", 1)),
        (("A", "one_year", "aim"), (None, "open", 2)),
    ],
)
def test_each_code_has_its_standing(where, expected):
    assert standing(*where) == expected


def test_the_work_list_says_what_each_coder_found():
    assert disagreements(SHEET, PROCESS).to_numpy().tolist() == [["A", "one_year", "aim", "k1: II; k2: III"]]


def test_a_consensus_overwrites_nobody():
    assert set(by_code(SHEET, PROCESS).query("code == 'management_relation' and institution_id == 'A'")["value"]) == {"I", "II"}
    assert codes_of_coders(SHEET, "management_relation")[["k1", "k2"]].iloc[0].tolist() == ["I", "II"]


def test_the_type_is_the_coders_word_or_the_rule_s():
    types = {(one.institution_id, one.round): one for one in institution_types(FOUND, PROCESS)}
    a, b, later = types["A", "baseline"], types["B", "baseline"], types["A", "one_year"]
    assert (a.type, a.source, a.confidence, a.overridden) == ("I", "rule", "clear", False)
    assert (b.type, b.source, b.by_rule, b.overridden) == ("III", "coders", "II", True)
    assert (later.source, isinstance(later.type, Unavailable)) == ("none", True)


def test_the_change_of_type_counts_institutions_with_a_type_in_both_rounds():
    later = sheet(
        ("A", "one_year", "k1", "coder", {"type": "II"}),
        ("B", "one_year", "k1", "coder", {"type": "III"}),
        ("C", "one_year", "k1", "coder", {"type": "I"}),
    )
    types = institution_types(decided(pd.concat([SHEET.query("round == 'baseline'"), later]), PROCESS), PROCESS)
    table = transitions(types, ("baseline", "one_year"), ("I", "II", "III"))
    assert table.to_numpy().tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1]]


def test_lines_of_the_rule_that_no_interview_fell_on_are_told():
    used = set(range(len(PROCESS.type.cells))) - set(unused_cells(FOUND, PROCESS))
    assert used == {0, PROCESS.type.cells.index(PROCESS.type.decide(("II", "III", "II")))}


def test_rows_belong_to_their_frame_and_those_without_a_name_to_the_only_one():
    rows = pd.DataFrame({"frame": ["asp-process", None, "learning-sources"]})
    assert of_frame(rows, PROCESS).index.tolist() == [0, 1]
