"""One fold for every comparison of names: ids, categories, arms and labels."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asp_eval.core.errors import Refusal
from asp_eval.core.filters import parse_filter
from asp_eval.core.spelling import folded, numeral, several_spellings, twins, without_zeros
from asp_eval.intake.checks.duplicates import plain_id

AARHUS = "Århus"
SPELLINGS = [
    AARHUS,
    unicodedata.normalize("NFD", AARHUS),
    "århus",
    "ÅRHUS",
    " Århus ",
    "År\u00adhus",
    "\u200eÅrhus",
    "Århus\u200b",
    "Å\u2060rhus",
    unicodedata.normalize("NFD", "århus"),
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_name_is_the_same_in_every_spelling(spelling: str) -> None:
    assert folded(spelling) == folded(AARHUS) == "århus"
    assert plain_id(spelling) == plain_id(AARHUS)


@pytest.mark.parametrize(("one", "other"), [("D1", "D 1"), ("Århus", "Arhus"), ("Ørsted", "Orsted"), ("A-1", "A1"), ("1", "l")])
def test_other_names_stay_apart(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@given(st.text())
def test_folding_again_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert folded(unicodedata.normalize("NFD", text)) == folded(unicodedata.normalize("NFC", text))


def test_wide_digits_and_ligatures_are_the_plain_ones() -> None:
    assert folded("Ｄ０１") == folded("d01")
    assert folded("STRASSE") == folded("straße")
    assert folded("\u00a0A\u2003B ") == "a b"


@pytest.mark.parametrize(
    ("text", "plain"), [("007", "7"), ("7.0", "7"), ("D007", "d7"), ("0", "0"), ("00", "0"), ("10", "10"), ("1.05", "1.05")]
)
def test_zeros_that_a_spreadsheet_adds(text: str, plain: str) -> None:
    assert without_zeros(text) == plain


def test_the_spellings_of_a_name_are_found_with_their_places() -> None:
    assert several_spellings(["B", "A", "b", "", "A", "b"]) == [{"B": [0], "b": [2, 5]}]
    assert several_spellings(["07", "7", "8"], without_zeros) == [{"07": [0], "7": [1]}]
    assert twins(["a", "A", "b", "a"]) == ["A", "a"]


@pytest.mark.parametrize("text", ["0_1", "1_000", "٣", "３", "nan", "inf", "Infinity", "3,9", "", " 1", "1 ", "0x1", "1e", "--1"])
def test_what_no_person_typed_as_a_number(text: str) -> None:
    assert numeral(text) is None


def test_numbers() -> None:
    assert [numeral(text) for text in ("1", "-2.50", ".5", "3.", "1e3", "+4")] == [
        Decimal(text) for text in ("1", "-2.5", "0.5", "3", "1000", "4")
    ]


def test_a_filter_does_not_pass_over_another_spelling() -> None:
    frame = pd.DataFrame({"municipality": ["århus", "Odense"]})
    with pytest.raises(Refusal) as refused:
        parse_filter("municipality == Århus").mask(frame)
    assert refused.value.problems[0].code == "DOC-024" and "'århus'" in str(refused.value)
    with pytest.raises(Refusal):
        parse_filter("municipality != Århus").mask(frame)
    assert parse_filter("municipality == odens").mask(frame).tolist() == [False, False]
