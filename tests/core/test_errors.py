"""A problem says code, place, fault, found, expected and remedy, in that order, and nothing it does not know."""

import pytest

from asp_eval.core.errors import DataProblems, Fault, Place, Refusal, Unavailable

CODE = Fault("TST-001", "the value is not allowed for {item}", "Correct the cell.")


def test_a_problem_reads_as_one_sentence_with_its_remedy():
    problem = CODE.at(Place("wave1.csv", row=212, column="sdq.obeys"), found="3", expected="0, 1, 2", item="obeys")
    assert str(problem) == (
        "[TST-001] wave1.csv row 212, column sdq.obeys: "
        "the value is not allowed for obeys; found '3', expected 0, 1, 2. Correct the cell."
    )


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        (Place("study.yaml", line=4, column="arms[1]"), "study.yaml line 4, arms[1]"),
        (Place("a.csv"), "a.csv"),
        (Place(row=3), "row 3"),
        (Place(column="x"), "column x"),
        (Place(), ""),
    ],
)
def test_a_place_names_only_what_is_known(place, shown):
    assert str(place) == shown


def test_a_refusal_carries_its_problem_and_is_raised_by_the_fault():
    with pytest.raises(Refusal) as caught:
        CODE.refuse("formula", found=1, item="x")
    assert caught.value.problems[0].code == "TST-001"


def test_all_problems_are_in_the_message():
    error = DataProblems([CODE.at("a", item="1"), CODE.at("b", item="2")])
    assert str(error).count("TST-001") == 2


def test_long_findings_are_cut():
    assert len(CODE.at(found="x" * 500, item="y").found) == 120


def test_unavailable_is_false_and_prints_its_reason():
    assert not Unavailable("one cluster")
    assert "one cluster" in str(Unavailable("one cluster"))


def test_as_dict_holds_everything_a_machine_needs():
    values = CODE.at(Place("a.csv", row=2), found="x", item="i").as_dict()
    assert values["row"] == 2
    assert values["code"] == "TST-001"
    assert values["fault"] == "the value is not allowed for i"
