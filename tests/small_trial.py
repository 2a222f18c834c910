"""A small trial in memory: institutions of one size in every arm, an outcome, municipalities and pairs; and its declaration."""

from __future__ import annotations

import numpy as np
import pandas as pd

from asp_eval.analysis.sets import AnalysisSet
from asp_eval.trial.flow.counts import AnalysedFlow, NotScreened
from asp_eval.trial.study.design import Study

NOBODY = NotScreened(0, 0, 0, 0)


def small_plan(arms: tuple[str, ...] = ("reference", "intervention"), **more) -> Study:
    """A study of one imported score at one wave; `more` are keys of study.yaml."""
    declared = {
        "version": 1,
        "study": {"id": "mini", "title": {"en": "Mini"}},
        "arms": list(arms),
        "strata": ["municipality"],
        "waves": [{"id": "w1", "label": {"en": "w1"}}],
        "collect": {"screening": {"waves": ["w1"]}},
        "randomisation": {"ratio": [1] * len(arms)},
        "outcomes": [{"id": "y", "column": "screening.y", "role": "primary", "better": "lower", "at": "w1"}],
    }
    return Study.model_validate({**declared, **more})


def small_rows(plan: Study, per_arm: dict[str, int], size: int = 6, pairs: str = "", **columns) -> AnalysisSet:
    """Institutions of one size, in the order of the arms; the k-th of every arm form pair k."""
    random = np.random.default_rng(4)
    homes = [(arm, k) for arm, n in per_arm.items() for k in range(n)]
    frame = pd.DataFrame(
        [(f"{arm}{k}", arm, f"p{k}") for arm, k in homes for _ in range(size)], columns=["institution", "arm", "pair"]
    )
    frame["arm"] = pd.Categorical(frame["arm"], categories=list(plan.arms))
    frame["pair"] = pd.Categorical(frame["pair"])
    frame["municipality"] = pd.Categorical(np.where(frame["pair"].cat.codes % 2, "A", "B"))
    shared = dict(zip(frame["institution"].unique(), random.normal(size=len(homes)), strict=True))
    frame["y"] = frame["institution"].map(shared) + random.normal(size=len(frame))
    frame["child_id"] = [f"c{k}" for k in range(len(frame))]
    frame = frame.assign(**columns)
    flow = []
    for arm in plan.arms:
        mine = frame[frame["arm"] == arm]
        homes_of = mine["institution"].nunique()
        flow.append(AnalysedFlow("y", "w1", arm, homes_of, len(mine), 0, NOBODY, 0, 0, 0, len(mine), homes_of))
    covariates = ("municipality", *columns)
    return AnalysisSet(plan.outcomes[0], "w1", frame, covariates, tuple(flow), (), pairs)
