"""Cronbach's alpha by its formula, what stands beside it, and items turned round as the instrument says."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from asp_eval.analysis.psychometrics import _of_scale, _reliability, keyed
from asp_eval.core.errors import Unavailable
from asp_eval.stats.meta.reliability import FEWEST_ANSWERS
from asp_eval.trial.instruments.library import instrument

SDQ = instrument("sdq-teacher-4-17")


def answers(n, seed=1):
    rng = np.random.default_rng(seed)
    trait = rng.normal(size=(n, 1))
    items = np.clip(np.round(1 + 0.7 * trait + 0.6 * rng.normal(size=(n, len(SDQ.columns)))), 0, 2)
    return pd.DataFrame(items, columns=list(SDQ.columns)).assign(wave="w1", institution=np.arange(n) % 25)


def test_the_reversed_item_of_conduct_is_turned_round():
    frame = answers(5)
    turned = keyed(SDQ, "conduct", frame)
    assert list(turned.columns) == ["tantrum", "obeys", "fights", "lies", "steals"]
    assert turned["obeys"].tolist() == (2 - frame["sdq-teacher-4-17.obeys"]).tolist()
    assert turned["lies"].tolist() == frame["sdq-teacher-4-17.lies"].tolist()


def test_an_impact_item_counts_what_it_counts():
    impact = instrument("sdq-teacher-impact")
    key = next(
        item.key for item in impact.items if set(impact.points(item).values()) == {0, 1, 2} and len(impact.points(item)) == 4
    )
    scale = next(s.key for s in impact.scales if key in s.items)
    frame = pd.DataFrame(0.0, index=range(4), columns=list(impact.columns))
    frame[f"{impact.id}.{key}"] = sorted(impact.points(impact.item(key)))
    assert keyed(impact, scale, frame)[key].tolist() == [0, 0, 1, 2]


def found_of(frame, level=0.95):
    return _reliability(keyed(SDQ, "conduct", frame), frame["institution"], level)


def test_alpha_is_that_of_the_formula():
    frame = answers(200)
    items = keyed(SDQ, "conduct", frame)
    k = items.shape[1]
    by_formula = k / (k - 1) * (1 - items.var().sum() / items.sum(axis=1).var())
    alpha, _, _ = found_of(frame)
    assert alpha.estimate == pytest.approx(by_formula)
    assert alpha.conf_low < alpha.estimate < alpha.conf_high


def test_only_complete_answers_of_a_wave_and_an_arm_count():
    frame = pd.concat([answers(100), answers(100, 2), answers(3, 3).assign(wave="w2")], ignore_index=True)
    frame["arm"] = np.where(frame.index % 2, "one", "other")
    frame.loc[[0, 100, 200], f"{SDQ.id}.steals"] = np.nan
    study = SimpleNamespace(wave_ids=("w1", "w2", "w3"), arms=("one", "other"), analysis=SimpleNamespace(level=0.95))
    found = list(_of_scale(study, SDQ, "conduct", keyed(SDQ, "conduct", frame), frame))
    assert [(each.wave, each.arm, each.n) for each in found] == [
        ("w1", "", 198),
        ("w1", "one", 100),
        ("w1", "other", 98),
        ("w2", "", 2),
        ("w2", "one", 1),
        ("w2", "other", 1),
    ]
    mine = frame.loc[(frame["wave"] == "w1") & (frame["arm"] == "other")].drop(index=[0, 100])
    assert found[2].alpha == found_of(mine)[0]


def test_too_few_complete_answers_give_a_reason():
    assert all(isinstance(number, Unavailable) for number in found_of(answers(FEWEST_ANSWERS - 1)))


def test_a_higher_level_has_a_wider_interval():
    frame = answers(400)
    low, high = (found_of(frame, level)[0] for level in (0.90, 0.99))
    assert high.conf_low < low.conf_low < low.conf_high < high.conf_high
    assert low.method == "ClusterBootstrap"


def test_omega_and_ordinal_alpha_stand_beside_and_one_answer_has_none():
    frame = answers(400)
    alpha, omega, ordinal_alpha = found_of(frame)
    assert alpha.estimate < ordinal_alpha < 1  # answers of three categories hold less than what they are cut from
    assert alpha.estimate < omega < 1  # one item was turned round, so that the items weigh very unequally
    same = frame.assign(**{f"{SDQ.id}.steals": 0.0})
    assert isinstance(found_of(same)[2], Unavailable)
