"""Propositions as interactions of staff's answers: against cell means and statsmodels; declared coding errors, exactly."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from asp_eval.analysis.process.joint_display import effects_by_type
from asp_eval.analysis.process.propositions import FIRST, ON, SECOND, interaction
from asp_eval.core.errors import Unavailable
from asp_eval.core.randomness import stream
from asp_eval.stats.meta.misclassification import errors_as_declared


def staff(n=120, institutions=12, slope=0.3, cross=0.004, seed=1):
    """Return answers of staff: a slope of `on` on the first scale that grows by `cross` for each point of the second."""
    random = stream(seed, "staff")
    where = np.arange(n) % institutions
    first, second = random.uniform(0, 100, n), random.uniform(0, 100, n)
    level = random.normal(0, 6, institutions)[where]
    on = 20 + level + slope * first + 0.1 * second + cross * first * second + random.normal(0, 8, n)
    return pd.DataFrame({FIRST: first, SECOND: second, ON: on, "institution": [f"i{k}" for k in where]})


def test_slopes_are_those_of_the_model_that_statsmodels_fits():
    frame = staff()
    low, high, both = interaction(frame)
    centred = frame.rename(columns={FIRST: "a", SECOND: "b", ON: "y"})
    centred[["a", "b"]] = (centred[["a", "b"]] - centred[["a", "b"]].mean()) / 10  # in tens, so that its optimizer gets there
    other = smf.mixedlm("y ~ a * b", centred, groups="institution").fit(reml=True, method="powell").params
    spread = frame[SECOND].std() / 10
    assert low.estimate == pytest.approx(other["a"] - spread * other["a:b"], abs=1e-3)
    assert high.estimate == pytest.approx(other["a"] + spread * other["a:b"], abs=1e-3)
    assert both.estimate == pytest.approx(other["a:b"], abs=1e-3)
    assert both.conf_low < 0.4 < both.conf_high


def test_of_answers_that_are_low_or_high_it_is_the_difference_of_differences():
    """Four cells in every institution: the interaction is the difference of the differences of cell means, whatever the model."""
    random = stream(2, "cells")
    cells = [(a, b) for a in (0.0, 100.0) for b in (0.0, 100.0)]
    rows = [(a, b, f"i{k}", random.normal(0, 5)) for k in range(10) for a, b in cells]
    frame = pd.DataFrame(rows, columns=[FIRST, SECOND, "institution", ON])
    means = frame.groupby([FIRST, SECOND])[ON].mean()
    by_hand = means[100, 100] - means[0, 100] - means[100, 0] + means[0, 0]
    assert interaction(frame)[2].estimate == pytest.approx(by_hand / 100, abs=1e-9)  # for 10 x 10 points of 100 x 100


def test_few_answers_or_answers_all_alike_have_none():
    assert {str(each.reason) for each in interaction(staff(n=19))} == {"fewer than 20 members of staff answered all three scales"}
    assert not any(isinstance(each, Unavailable) for each in interaction(staff(n=30)))
    assert all(isinstance(each, Unavailable) for each in interaction(staff(n=30), fewest=31))
    assert all(isinstance(each, Unavailable) for each in interaction(staff().assign(**{SECOND: 50.0})))


CONFUSION = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.2, 0.0, 0.8]])
EFFECTS = np.array([-1.0, 0.0, 2.0])


def counted():
    """Return a trial in which every type is coded exactly as often as declared: no chance, so the correction is exact."""
    rows = [
        (true, code, arm)
        for arm in (0, 1)
        for true, of in enumerate((40, 30, 30))
        for code in range(3)
        for _ in range(round(of * CONFUSION[true, code]))
    ]
    names = [f"i{k:03d}" for k in range(len(rows))]
    types, codes, arms = (np.array(column) for column in zip(*rows, strict=True))
    means = pd.Series(EFFECTS[types] * arms, index=names)
    words = pd.DataFrame({"k1": np.array(["I", "II", "III"])[codes]}, index=names)
    return means, {name: ("r", "i")[arm] for name, arm in zip(names, arms, strict=True)}, words, codes


def test_declared_errors_give_the_shares_and_the_effects_back_exactly():
    means, arms, words, codes = counted()
    np.testing.assert_allclose(errors_as_declared(CONFUSION, codes).shares, [0.4, 0.3, 0.3], atol=1e-12)
    nobody = pd.Series(dtype="str")
    found = effects_by_type(means, arms, ("r", "i"), words, nobody, ["I", "II", "III"], declared=CONFUSION, level=0.95)
    assert {each.errors_from for each in found} == {"declared"}
    np.testing.assert_allclose([each.corrected.estimate for each in found], EFFECTS, atol=1e-9)
    assert found[2].as_coded.estimate < 2 and found[0].corrected.conf_low < -1 < found[0].corrected.conf_high


def test_declared_errors_that_hardly_tell_the_types_apart_give_no_number():
    means, arms, words, codes = counted()
    blind = np.full((3, 3), 1 / 3) + 0.02 * (np.eye(3) - 1 / 3)
    assert "nearly singular" in errors_as_declared(blind, codes).reason
    nobody = pd.Series(dtype="str")
    found = effects_by_type(means, arms, ("r", "i"), words, nobody, ["I", "II", "III"], declared=blind, level=0.95)
    assert all("nearly singular" in each.corrected.reason for each in found)
