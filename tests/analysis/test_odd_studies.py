"""The analyses that a plan declares, on odd studies: a number or a reason, never a crash.

1. An arm is gone at a wave.  2. An institution handed in nothing.  3. A constant baseline.  4. One institution in an arm.
5. Three arms.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from asp_eval.analysis.compliance import compliers
from asp_eval.analysis.data import load_data
from asp_eval.analysis.levels import levels
from asp_eval.analysis.model_checks import beside_the_model
from asp_eval.analysis.models import planned_model
from asp_eval.analysis.sets import assemble
from asp_eval.analysis.subgroups import subgroups
from asp_eval.analysis.triangulation import triangulate
from asp_eval.analysis.waves import all_waves
from asp_eval.core.errors import Unavailable
from asp_eval.stats.resampling.allocations import Allocations
from asp_eval.stats.smallsample.kenward_roger import KenwardRoger
from tests.simulated_sets import declares, simulated_frame, simulated_set, simulated_study

EVERYTHING = (
    "set: itt, waves_model: constrained-longitudinal, complier: true, levels: [room], varying: [municipality],"
    " subgroups: [{by: mother_education}]"
)


@pytest.fixture
def data(stored):
    return load_data(declares(stored, EVERYTHING))


def gone(data, lost):
    """The same data without the scores at w3 of the visits that are lost."""
    return replace(data, visits=data.visits.assign(score=data.visits["score"].where(~(lost & (data.visits["wave"] == "w3")))))


def found(data) -> tuple:
    """Everything that the plan declares of y, and how many effects of all waves there are."""
    rows = assemble(data, "y")
    (waves,) = all_waves(data)
    return compliers(data, rows), subgroups(data, rows), levels(data, rows), beside_the_model(data, rows), waves


def intervention(data):
    lot = data.allocation.set_index("institution_id")["arm"].astype(str)
    return data.visits["institution_id"].astype(str).map(lot) == "intervention"


def test_an_arm_is_gone_at_a_wave(data):  # 1
    complier, groups, between, beside, waves = found(gone(data, intervention(data)))
    assert isinstance(complier[0].effect, Unavailable) and not beside.sizes
    assert all(isinstance(one.interaction, Unavailable) for one in groups)
    assert all(isinstance(effect, Unavailable) for effect in between[0].effects)
    by = {(e.wave, e.since): e.difference for e in waves.effects}
    assert isinstance(by["w3", ""], Unavailable) and by["w2", ""].estimate < 0  # the other wave still has its effect


def test_an_institution_that_handed_in_nothing(data):  # 2
    whole, part = found(data), found(gone(data, data.visits["institution_id"].astype(str) == "D03"))
    assert part[3].realised.institutions == whole[3].realised.institutions - 1
    assert part[4].n_institutions == whole[4].n_institutions  # it is there at the other waves
    assert not isinstance(part[2][0].effects[0], Unavailable) and not isinstance(part[1][0].interaction, Unavailable)


def test_a_constant_baseline(data):  # 3
    same = data.visits.assign(score=data.visits["score"].where(data.visits["wave"] != "w1", 5.0))
    complier, _, between, beside, _ = found(replace(data, visits=same))
    assert "baseline" not in complier[0].model and len(beside.means) == 2 and between[0].effects[0].estimate < 0


def test_one_institution_in_an_arm(data):  # 4
    names = sorted(data.allocation.loc[data.allocation["arm"].astype(str) == "intervention", "institution_id"].astype(str))
    complier, groups, _, _, _ = found(gone(data, data.visits["institution_id"].astype(str).isin(names[1:])))
    assert isinstance(complier[0].effect, Unavailable)
    assert all(isinstance(one.interaction, Unavailable) and not one.levels for one in groups)


def test_three_arms():  # 5
    frame = simulated_frame(15)
    study = simulated_study()
    arms = ("reference", "intervention", "other")
    study = study.model_validate({**study.as_declared(), "arms": list(arms), "randomisation": {"ratio": [1, 1, 1]}})
    code = frame["institution"].cat.codes.to_numpy() % 3
    frame = frame.assign(arm=pd.Categorical(np.array(arms)[code], categories=list(arms)))
    data, model = simulated_set(study, frame), planned_model(study.outcomes[0])
    fit = model.fit("y ~ arm + baseline + (1 | institution)", frame)
    effects = model.compare(fit, fit, data, study.arms, KenwardRoger(), 0.95).effects
    random, ids = np.random.default_rng(1), tuple(frame["institution"].cat.categories)
    draws = np.array([random.permutation(np.arange(15) % 3) for _ in range(99)])
    rows = triangulate(study, data, fit, effects, Allocations(ids, draws, False, arms))
    assert [row.arm for row in rows] == ["intervention"] * 7 + ["other"] * 7
    lot = [row.result for row in rows if row.estimator == "permutation"]
    assert all(0 < one.p_value <= 1 and one.conf_low is None and "two arms" in one.note for one in lot)
    assert all(not isinstance(row.result, Unavailable) for row in rows)
