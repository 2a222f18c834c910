"""Words for people.

1. A phrase prints in English and is told in another language, its phrases and numbers with it; data stay as they are.  2. What is
kept of a phrase gives it back: as plain values, as JSON of a result, pickled.  3. Several notes are one; none are the empty
phrase.  4. What is wrong at several places is one reason.
"""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from asp_eval.core.errors import Fault, Refusal, Unavailable
from asp_eval.core.phrases import (
    NO_NOTE,
    Phrase,
    Translation,
    all_of,
    any_of,
    as_phrase,
    as_plain,
    from_plain,
    listed,
    notes_in_one,
)
from asp_eval.stats.estimate import Estimate

DANISH = Translation(
    {
        "no interval: {draws:,} draws cannot give a p-value below {alpha:.3g}": "intet interval: p under "
        "{alpha:.3g} kræver flere end {draws:,}",
        "{share:.0%} are lost: {why}": "{share:.0%} er væk: {why}",
        "the lot": "lodtrækningen",
        "{one} and {other}": "{one} og {other}",
        "{one} or {other}": "{one} eller {other}",
        "too few in {arm}": "for få i {arm}",
    },
    decimal=",",
    thousands=".",
    percent="\u00a0%",
)
FEW = Phrase("no interval: {draws:,} draws cannot give a p-value below {alpha:.3g}", draws=1999, alpha=0.0125)
NESTED = Phrase("{share:.0%} are lost: {why}", share=np.float64(0.124), why=Phrase("the lot"))


def test_numbers_are_shown_with_the_marks_of_the_language():
    assert FEW == "no interval: 1,999 draws cannot give a p-value below 0.0125"
    assert FEW.told(DANISH) == "intet interval: p under 0,0125 kræver flere end 1.999"
    assert NESTED == "12% are lost: the lot"
    assert NESTED.told(DANISH) == "12\u00a0% er væk: lodtrækningen"


@pytest.mark.parametrize(
    ("value", "danish"), [(2.9, "2,9"), (np.float32(0.5), "0,5"), (np.int64(2026), "2026"), ("2.9", "2.9"), (True, "True")]
)
def test_text_is_data_and_a_number_is_not(value, danish):
    assert as_phrase(value) == str(value)
    assert as_phrase(value).told(DANISH) == danish


def test_what_was_found_and_expected_is_in_the_language_too():
    fault = Fault("TST-001", "the value {limit} is too small", "Correct it.")
    danish = Translation(
        {
            "found {value}": "fundet {value}",
            "expected {value}": "forventet {value}",
            "Correct it.": "Ret den.",
            "the value {limit} is too small": "værdien {limit} er for lille",
        },
        decimal=",",
    )
    problem = fault.at("w1.csv", found=2.9, expected=3.25, limit=1.5)
    assert problem.found == "2.9"
    assert problem.told(danish) == "[TST-001] w1.csv: værdien 1,5 er for lille; fundet 2,9, forventet 3,25. Ret den."
    assert problem.within(danish).as_dict()["fault"] == "værdien 1,5 er for lille"
    assert (
        fault.at("w1.csv", found="2.9", limit=1).told(danish).startswith("[TST-001] w1.csv: værdien 1 er for lille; fundet '2.9'")
    )


@dataclass(frozen=True)
class Held:
    note: Phrase
    numbers: tuple[float | Unavailable, ...]


@pytest.mark.parametrize(
    "phrase", [FEW, NESTED, NO_NOTE, Phrase("the lot"), listed(["a", FEW]), Phrase("{name!r} is {{odd}}", name="x")]
)
def test_a_phrase_comes_back_from_json_and_from_a_pickle(phrase):
    adapter = TypeAdapter(Held)
    written = adapter.dump_json(Held(phrase, (1.5, Unavailable(phrase))))
    again = adapter.validate_json(written)
    copies = [
        again.note,
        again.numbers[1].reason,
        from_plain(json.loads(json.dumps(as_plain(phrase)))),
        pickle.loads(pickle.dumps(phrase)),
    ]
    for one in [*copies, copy.deepcopy(phrase)]:
        assert type(one) is Phrase
        assert (one, one.template, one.told(DANISH)) == (phrase, phrase.template, phrase.told(DANISH))
    assert again.numbers[0] == 1.5


def test_json_of_a_result_reads_as_english():
    held = json.loads(TypeAdapter(Held).dump_json(Held(FEW, (Unavailable(Phrase("the lot")),))))
    assert held["note"]["text"] == str(FEW)
    assert held["note"]["fields"] == {"draws": 1999, "alpha": 0.0125}
    assert held["numbers"] == [{"reason": "the lot"}]


def test_text_with_braces_is_read_as_data_and_what_is_no_text_is_refused():
    assert TypeAdapter(Phrase).validate_python("{not a field}") == "{not a field}"
    with pytest.raises(ValidationError):
        TypeAdapter(Phrase).validate_python(3)


def test_several_notes_are_one():
    lot, few = Phrase("the lot"), Phrase("too few in {arm}", arm="a")
    assert notes_in_one([lot, NO_NOTE, few, lot]) == "the lot; too few in a"
    assert notes_in_one([lot, few]).told(DANISH) == "lodtrækningen; for få i a"
    assert notes_in_one([lot]) is lot
    assert notes_in_one([]) == NO_NOTE == all_of([]) == any_of([])
    assert all_of(["1", lot, "3"]).told(DANISH) == "1 og lodtrækningen og 3"
    assert any_of(["1", lot]).told(DANISH) == "1 eller lodtrækningen"
    assert not NO_NOTE


def test_a_refusal_is_one_reason():
    fault = Fault("TST-002", "too few in {arm}", "Get more.")
    reason = Refusal([fault.at("x", arm="a"), fault.at("y", arm="a"), fault.at("x", arm="b")]).reason
    assert (reason, reason.told(DANISH)) == ("too few in a; too few in b", "for få i a; for få i b")


def test_an_estimate_prints_its_note():
    assert str(Estimate.unavailable("x", FEW)) == f"x: {FEW}"
    assert Estimate("x", 1.0, None, None, None, None, None, None, "m").note is NO_NOTE
