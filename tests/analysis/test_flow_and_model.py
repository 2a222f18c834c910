"""The flow's last row and the model: the same children and institutions, or nothing is reported."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from asp_eval.analysis.outcomes import OTHER_ROWS, analyse_outcome
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.core.errors import Refusal
from asp_eval.stats.estimate import Estimate
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.trial.flow.counts import AnalysedFlow, NotScreened
from asp_eval.trial.study.design import Study

STUDY = Study.model_validate(
    {
        "version": 1,
        "study": {"id": "mini", "title": {"en": "Mini"}},
        "arms": ["reference", "intervention"],
        "waves": [{"id": "w1", "label": {"en": "w1"}}],
        "collect": {"screening": {"waves": ["w1"]}},
        "outcomes": [{"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w1"}],
    }
)


@pytest.fixture
def rows() -> AnalysisSet:
    """Ten institutions of six children each, five to an arm."""
    random = np.random.default_rng(2)
    house = np.repeat(np.arange(10), 6)
    arm = pd.Categorical(np.where(house < 5, "reference", "intervention"), categories=list(STUDY.arms))
    y = random.normal(size=60) + random.normal(size=10)[house]
    frame = pd.DataFrame({"child_id": [f"c{k}" for k in range(60)], "institution": [f"h{k}" for k in house], "arm": arm, "y": y})
    why = NotScreened(0, 0, 0, 2)
    flow = tuple(AnalysedFlow("y", "w1", arm, 6, 33, 0, why, 1, 0, 0, 30, 5) for arm in STUDY.arms)
    return AnalysisSet(STUDY.outcomes[0], "w1", frame, (), flow)


def test_a_model_of_the_children_the_flow_counts_is_reported(rows):
    found = analyse_outcome(STUDY, rows, KenwardRoger())
    assert isinstance(found.effects[0].difference, Estimate)
    assert (found.n_children, found.n_institutions) == (60, 10)


def test_a_model_of_other_children_is_refused(rows):
    with pytest.raises(Refusal) as caught:
        analyse_outcome(STUDY, replace(rows, frame=rows.frame.iloc[1:]), KenwardRoger())
    (problem,) = caught.value.problems
    assert problem.code == OTHER_ROWS.code == "ANA-050"
    said = str(caught.value)
    assert "59 children in 10 institutions" in said and "60 children in 10 institutions" in said


def test_a_model_of_other_institutions_is_refused(rows):
    moved = rows.frame.assign(institution=rows.frame["institution"].replace("h9", "h8"))
    with pytest.raises(Refusal, match="ANA-050"):
        analyse_outcome(STUDY, replace(rows, frame=moved), KenwardRoger())


def test_a_child_whose_outcome_is_missing_after_all_is_noticed(rows):
    """The model drops the row by itself; the flow had counted it as analysed."""
    frame = rows.frame.copy()
    frame.loc[3, "y"] = np.nan
    with pytest.raises(Refusal, match="ANA-050"):
        analyse_outcome(STUDY, replace(rows, frame=frame), KenwardRoger())
