"""Dose, who received the intervention, and contacts between the arms, by hand."""

from __future__ import annotations

import pandas as pd
import pytest
from pydantic import ValidationError

from asp_eval.core.errors import Refusal
from asp_eval.trial.flow.contamination import Contamination, ExternalProjects, Shared, contamination, shared
from asp_eval.trial.flow.dose import doses, is_known, reached, receivers
from asp_eval.trial.study.collection import ReceivedRule

IDS = pd.Series(["A", "B", "C", "D"])
LOG = pd.DataFrame(
    [
        ("C", "course", 12.0, 8),
        ("C", "own_work", 8.0, 3),
        ("C", "external_project", 50.0, 9),
        ("D", "meeting", 19.5, 5),
        ("D", "course", None, 4),
        ("A", "meeting", 2.0, 2),
        ("B", "external_project", 30.0, 7),
    ],
    columns=["institution_id", "kind", "hours", "participants"],
)
LOTS = pd.DataFrame({"institution_id": IDS, "arm": ["reference", "reference", "intervention", "intervention"]})
ARMS = ("reference", "intervention")


def test_hours_are_summed_without_external_projects():
    assert doses(None, LOG, IDS).to_dict() == {"A": 2.0, "B": 0.0, "C": 20.0, "D": 19.5}
    assert doses(ReceivedRule(sum="participants", at_least=1), LOG, IDS).to_dict() == {"A": 2.0, "B": 0.0, "C": 11.0, "D": 9.0}


def test_who_received_it_reaches_the_limit_or_lies_on_it():
    assert receivers(ReceivedRule(at_least=20), LOG, IDS) == {"C"}
    assert receivers(ReceivedRule(at_least=19.5), LOG, IDS) == {"C", "D"}
    assert receivers(ReceivedRule(at_least=2), LOG, IDS) == {"A", "C", "D"}


def test_without_a_rule_or_a_log_nobody_is_counted():
    assert receivers(None, LOG, IDS) is None
    assert receivers(ReceivedRule(at_least=20), LOG.iloc[:0], IDS) is None


@pytest.mark.parametrize("column", ["minutes", "kind"])
def test_a_rule_that_sums_no_numbers_is_refused(column):
    with pytest.raises(Refusal, match="FLO-008"):
        receivers(ReceivedRule(sum=column, at_least=20), LOG, IDS)


def test_contacts_by_hand():
    """r1 rates in A and C, r2 in A and B (one arm), r3 in C and in E, which was not drawn; s1 works in B and D."""
    visits = pd.DataFrame(
        [("A", "r1"), ("C", "r1"), ("C", "r1"), ("A", "r2"), ("B", "r2"), ("C", "r3"), ("E", "r3"), ("D", None), (None, "r4")],
        columns=["institution_id", "rater_id"],
    )
    staff = pd.DataFrame([("s1", "B"), ("s1", "D"), ("s2", "A")], columns=["staff_id", "institution_id"])
    assert contamination(ARMS, LOTS, visits, staff, LOG) == Contamination(
        raters=Shared(people=3, shared=1, institutions=2),
        staff=Shared(people=2, shared=1, institutions=2),
        projects=(ExternalProjects("reference", 2, 1), ExternalProjects("intervention", 2, 1)),
    )


def test_what_was_not_recorded_is_none_and_not_zero():
    visits = pd.DataFrame({"institution_id": ["A"], "rater_id": [None]})
    nothing = contamination(ARMS, LOTS, visits, pd.DataFrame({"staff_id": [], "institution_id": []}), LOG.iloc[:0])
    assert nothing == Contamination(None, None, None)
    assert shared(pd.DataFrame({"institution_id": ["A"]}), "rater_id", LOTS.set_index("institution_id")["arm"]) is None


def test_a_limit_for_each_element_must_be_reached_as_well():
    log = pd.DataFrame(
        [
            ("A", "course", "knowledge", 8.0),
            ("A", "meeting", "reflection", 4.0),
            ("B", "course", "knowledge", 20.0),
            ("C", "course", "knowledge", 7.9),
            ("C", "meeting", "reflection", 9.0),
            ("D", "external_project", "reflection", 9.0),
            ("D", "course", "knowledge", 9.0),
        ],
        columns=["institution_id", "kind", "element", "hours"],
    )
    rule = ReceivedRule(by_element={"knowledge": 8, "reflection": 4})
    assert receivers(rule, log, IDS) == {"A"}
    found = reached(rule, log, IDS)
    assert found["knowledge"].to_dict() == {"A": True, "B": True, "C": False, "D": True}
    assert found["reflection"].to_dict() == {"A": True, "B": False, "C": True, "D": False}
    assert receivers(ReceivedRule(at_least=13, by_element={"knowledge": 8}), log, IDS) == {"B"}
    assert receivers(ReceivedRule(at_least=12), log.drop(columns="element"), IDS) == {"A", "B", "C"}


def test_a_rule_without_any_limit_is_refused():
    with pytest.raises(ValidationError, match="by_element"):
        ReceivedRule()


GOALS = pd.DataFrame({"institution_id": ["C", "C", "D", "A", "E"], "goal": ["1", "2", "1", "1", "1"]})


def test_goals_are_counted_beside_the_log_and_alone():
    """By hand: C set two and had 20 hours, D one and 19.5, A one and 2; B set none; E was not drawn."""
    assert receivers(ReceivedRule(goals=1), LOG, IDS, GOALS) == {"A", "C", "D"}
    assert receivers(ReceivedRule(goals=2), LOG, IDS, GOALS) == {"C"}
    assert receivers(ReceivedRule(at_least=19.5, goals=1), LOG, IDS, GOALS) == {"C", "D"}
    assert receivers(ReceivedRule(at_least=19.5, goals=2), LOG, IDS, GOALS) == {"C"}
    found = reached(ReceivedRule(at_least=20, goals=1), LOG, IDS, GOALS)
    assert found["goals"].to_dict() == {"A": True, "B": False, "C": True, "D": True}
    assert found[""].to_dict() == {"A": False, "B": False, "C": True, "D": False}


def test_nobody_is_counted_where_what_the_rule_takes_was_not_imported():
    none, no_log = GOALS.iloc[:0], LOG.iloc[:0]
    assert receivers(ReceivedRule(goals=1), LOG, IDS, none) is None
    assert receivers(ReceivedRule(goals=1), LOG, IDS) is None
    assert receivers(ReceivedRule(goals=1), no_log, IDS, GOALS) == {"A", "C", "D"}
    assert receivers(ReceivedRule(at_least=2, goals=1), no_log, IDS, GOALS) is None
    assert is_known(ReceivedRule(at_least=2), LOG) and not is_known(ReceivedRule(at_least=2, goals=1), LOG)


@pytest.mark.parametrize("goals", [0, -1, 1.5, "many"])
def test_a_number_of_goals_that_is_none_is_refused(goals):
    with pytest.raises(ValidationError, match="goals"):
        ReceivedRule(goals=goals)
