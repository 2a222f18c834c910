"""The population values: two ways of working them out, and an analysis that finds them."""

import numpy as np
import pytest

from asp_eval.core.randomness import stream
from asp_eval.synthetic import population as pop
from asp_eval.synthetic.calibration import score_sd
from asp_eval.synthetic.children import draw_sdq, score_values
from asp_eval.synthetic.fieldwork import draw_rated
from asp_eval.synthetic.people import draw_institutions, draw_people
from asp_eval.synthetic.truth import closed_form_effect, population_values, true_effects

MOST_ERRORS = 4.5  # ten comparisons, standard errors from about five batches
SKIPPED_MAY_MOVE = 0.005  # points of a score from 0 to 10; a trial's standard error is about 0.1


@pytest.fixture(scope="module")
def simulated():
    return {(effect.scale, effect.wave): effect for effect in true_effects(100_000)}


def test_simulation_and_closed_form_agree(simulated):
    assert set(simulated) == {(scale, wave) for scale in pop.SCALE_KEYS for wave in ("w2", "w3")}
    for effect in simulated.values():
        assert effect.monte_carlo_error < 0.006
        assert abs(effect.value - effect.closed_form) < MOST_ERRORS * effect.monte_carlo_error


def test_the_values_that_a_demo_ends_with_are_those_of_both_ways(simulated):
    """They are drawn once with a million children, and kept; a tenth as many are drawn here."""
    kept = population_values()
    assert kept.keys() == {effect.outcome for effect in simulated.values()}
    for effect in simulated.values():
        error = effect.monte_carlo_error
        assert abs(kept[effect.outcome] - effect.closed_form) < MOST_ERRORS * error / 10**0.5
        assert abs(kept[effect.outcome] - effect.value) < MOST_ERRORS * error


@pytest.mark.slow
def test_the_values_that_a_demo_ends_with_are_what_the_simulation_gives():
    assert population_values() == {effect.outcome: pytest.approx(effect.value, abs=1e-10) for effect in true_effects()}


def test_effects_are_the_published_ones_in_standard_deviations(simulated):
    for declared in pop.SCALES:
        effect = simulated[declared.key, "w3"]
        assert effect.value / score_sd(declared, 2) == pytest.approx(declared.effect_end.number, abs=0.008)
        assert effect.standardised == pytest.approx(declared.effect_end.number, abs=1e-8)


def test_by_hand_the_closed_form_of_conduct_is_about_a_fifth_of_its_sd():
    assert closed_form_effect("conduct", "w3") == pytest.approx(-0.20 * score_sd(pop.SCALES[1], 2), abs=1e-8)
    assert closed_form_effect("peer", "w2") > 0


def test_skipped_items_hardly_move_the_population_values(simulated):
    """Same random numbers, with skipped items, prorating and rounding."""
    skipped = true_effects(100_000, skipped=True)
    moved = [effect.value - simulated[effect.scale, effect.wave].value for effect in skipped]
    assert 0 < max(np.abs(moved)) < SKIPPED_MAY_MOVE


def test_the_same_seed_gives_the_same_values_and_outcomes_have_the_studys_names():
    one, same, other = (true_effects(1, seed=seed) for seed in (1, 1, 2))
    assert one == same != other
    assert [effect.outcome for effect in one[:4]] == ["emotion_midway", "emotion", "conduct_midway", "conduct"]


@pytest.mark.slow
def test_an_analysis_of_covariance_estimates_the_population_value():
    """Large trials with absence, movers and changes of rater: the mean estimate is the population value."""
    estimates = np.asarray([ancova(seed) for seed in range(30)])
    mean, error = estimates.mean(axis=0), estimates.std(axis=0, ddof=1) / np.sqrt(len(estimates))
    expected = [closed_form_effect(scale, wave) for scale in pop.SCALE_KEYS for wave in ("w2", "w3")]
    assert np.all(np.abs(mean - expected) < 3.5 * error)
    assert np.all(error < 0.015)


def ancova(seed):
    """Estimates for all scales and waves from a trial of 600 institutions, by least squares."""
    people = draw_people(seed, draw_institutions(seed, 10))
    children = people.children
    treated = stream(seed, "test").permutation(np.arange(600) % 2 == 0)[children.drawn]
    scores = score_values(draw_sdq(seed, people).values(treated))
    rated = draw_rated(seed, people, treated)
    found = []
    for scale in scores:
        for wave in (1, 2):
            cohort = (children.joined == 0) & (children.months >= 36) & rated[0] & rated[wave]
            design = np.column_stack([np.ones(len(treated)), treated, scale[0], children.boy, children.age[0]])[cohort]
            found.append(np.linalg.lstsq(design, scale[wave, cohort], rcond=None)[0][1])
    return found
