"""A small trial with informative sizes, made by hand: institutions of 5 and 25 children."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from asp_eval.analysis.outcomes import analyse_outcome
from asp_eval.analysis.results import OutcomeResult
from asp_eval.analysis.sets import AnalysisSet
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from asp_eval.trial.flow.counts import AnalysedFlow, NotScreened
from asp_eval.trial.study.design import Study

ARMS = ["reference", "intervention"]
SIZES = (5, 25)


def study(average: str, scale: str = "continuous", **analysis: Any) -> Study:
    """Declare it."""
    return Study.model_validate(
        {
            "version": 1,
            "study": {"id": "mini", "title": {"en": "Mini"}},
            "arms": ARMS,
            "waves": [{"id": "w1", "label": {"en": "w1"}}],
            "collect": {"screening": {"waves": ["w1"]}},
            "estimand": {"average": average},
            "analysis": analysis,
            "outcomes": [{"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w1", "scale": scale}],
        }
    )


def rows(plan: Study, institutions: int = 24, one: str = "") -> AnalysisSet:
    """Institutions of 5 and 25 in both arms; the small ones gain a point, the large ones nothing."""
    random = np.random.default_rng(3)
    size = np.tile(np.repeat(SIZES, 2), institutions // 4)
    arm = np.tile([0, 1], institutions // 2)
    house = np.repeat(np.arange(institutions), size)
    y = random.normal(size=institutions)[house] / 3 + (size == SIZES[0])[house] * arm[house] + random.normal(size=len(house))
    if plan.outcomes[0].scale == "binary":
        y = (y > 0).astype(float)
    frame = pd.DataFrame({"institution": [f"h{k}" for k in house], "y": y})
    frame["child_id"] = [f"c{k}" for k in range(len(frame))]
    frame["arm"] = pd.Categorical.from_codes(arm[house], ARMS)
    if one:
        frame = frame[(frame["arm"] != one) | (frame["institution"] == frame.loc[frame["arm"] == one, "institution"].iloc[0])]
    none = NotScreened(0, 0, 0, 0)
    flow = []
    for name in ARMS:
        mine = frame[frame["arm"] == name]
        homes = mine["institution"].nunique()
        flow.append(AnalysedFlow("y", "w1", name, homes, len(mine), 0, none, 0, 0, 0, len(mine), homes))
    return AnalysisSet(plan.outcomes[0], "w1", frame.reset_index(drop=True), (), tuple(flow))


def analysed(average: str, scale: str = "continuous", **more: Any) -> tuple[OutcomeResult, AnalysisSet]:
    """Return the trial analysed, and its rows."""
    plan = study(average, scale)
    data = rows(plan, **more)
    chances = pd.DataFrame(0.5, index=[f"h{k}" for k in range(100)], columns=ARMS)
    return analyse_outcome(plan, data, KenwardRoger(), None, chances), data
