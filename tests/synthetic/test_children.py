"""The answers: distributions, variance shares, potential outcomes, and the competences' halo."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from asp_eval.synthetic import population as pop
from asp_eval.synthetic.children import draw_answered, draw_sdq, score_values
from asp_eval.synthetic.competences import CHILD, STAFF, draw_competences
from asp_eval.synthetic.people import draw_institutions, draw_people
from asp_eval.trial.instruments.library import instrument
from asp_eval.trial.instruments.scoring import score


@pytest.fixture(scope="module")
def large():
    """Ten trials' worth of institutions, about 30,000 children."""
    people = draw_people(3, draw_institutions(3, 10))
    return people, draw_sdq(3, people)


@pytest.fixture(scope="module")
def start_scores(large):
    people, sdq = large
    cohort = (people.children.joined == 0) & (people.children.months >= 36)
    nobody = np.zeros(len(cohort), dtype=bool)
    return dict(zip(pop.SCALE_KEYS, score_values(sdq.values(nobody))[:, 0, cohort], strict=True)), cohort


def test_scores_have_the_published_means_and_sds(start_scores):
    scores, _ = start_scores
    for declared in pop.SCALES:
        # Standard error of a mean with this clustering: about .04 SD.
        assert scores[declared.key].mean() == pytest.approx(declared.mean.number, abs=0.12 * declared.sd.number), declared.key
        assert scores[declared.key].std() == pytest.approx(declared.sd.number, rel=0.05), declared.key


def test_scores_are_skewed_with_a_floor_and_never_normal(start_scores):
    scores, _ = start_scores
    for key in ("emotion", "conduct", "peer"):
        assert stats.skew(scores[key]) > 1.2
        assert (scores[key] == 0).mean() > 0.40
    assert stats.skew(scores["hyper"]) > 0.6
    assert stats.skew(scores["prosocial"]) < -0.6


def test_total_and_tails_are_near_what_is_published(start_scores):
    """Total 6.2 (5.7); Swedish preschool teachers: 90th percentile of the total 12, of conduct and peer 4, of emotion 3."""
    scores, _ = start_scores
    total = sum(scores[key] for key in ("emotion", "conduct", "hyper", "peer"))
    assert total.mean() == pytest.approx(6.2, abs=0.5)
    assert total.std() == pytest.approx(5.7, abs=0.8)
    assert np.quantile(total, 0.9) == pytest.approx(12, abs=2)
    assert np.quantile(scores["emotion"], 0.9) == pytest.approx(3, abs=1)
    assert np.quantile(scores["conduct"], 0.9) == pytest.approx(4, abs=1)


def shared(y, groups):
    """Mean product of two different members of a group, and the number of such pairs."""
    frame = pd.DataFrame({"y": y, "square": y**2, "n": 1.0}).groupby(groups).sum()
    return (frame["y"] ** 2 - frame["square"]).sum(), (frame["n"] * (frame["n"] - 1)).sum()


def test_institutions_and_raters_have_their_declared_shares_of_the_scores(large, start_scores):
    (people, _), (scores, cohort) = large, start_scores
    institution, rater = people.children.institution[0, cohort], people.children.rater[0, cohort]
    for declared in pop.SCALES:
        y = scores[declared.key]
        y = (y - y.mean()) / y.std()
        same_house, house_pairs = shared(y, institution)
        same_rater, rater_pairs = shared(y, rater)
        between_raters = (same_house - same_rater) / (house_pairs - rater_pairs)
        assert between_raters == pytest.approx(declared.institution_share.number, abs=0.015), declared.key
        both = declared.institution_share.number + declared.rater_share.number
        assert same_rater / rater_pairs == pytest.approx(both, abs=0.02), declared.key


def test_scores_are_stable_between_waves(large):
    people, sdq = large
    cohort = people.children.joined == 0
    scores = score_values(sdq.values(np.zeros(len(cohort), dtype=bool)))[..., cohort]
    for position in range(len(pop.SCALES)):
        near = np.corrcoef(scores[position, 0], scores[position, 1])[0, 1]
        far = np.corrcoef(scores[position, 0], scores[position, 2])[0, 1]
        assert 0.30 < far < near < 0.75


def test_boys_and_girls_differ_as_declared(large, start_scores):
    (people, _), (scores, cohort) = large, start_scores
    boy = people.children.boy[cohort]
    for declared in pop.SCALES:
        difference = scores[declared.key][boy].mean() - scores[declared.key][~boy].mean()
        assert np.sign(difference) == np.sign(declared.boys) or declared.boys == 0


def test_only_the_treated_change_and_only_after_the_start(large):
    people, sdq = large
    treated = people.children.drawn % 2 == 0
    nobody, some = sdq.values(np.zeros_like(treated)), sdq.values(treated)
    np.testing.assert_array_equal(some[:, 0], nobody[:, 0])
    np.testing.assert_array_equal(some[:, :, ~treated], nobody[:, :, ~treated])
    for position, declared in enumerate(pop.SCALES):
        change = some[position, 2][treated].astype(int) - nobody[position, 2][treated]
        assert np.all(change * np.sign(declared.effect_end.number) >= 0)  # monotone: nobody moves the other way
        assert np.any(change != 0)


def test_children_of_well_educated_mothers_gain_most(large):
    people, sdq = large
    everyone = np.ones(len(people.children.ids), dtype=bool)
    latent = sdq.multiplier[[np.flatnonzero(people.children.education == step)[0] for step in range(3)]]
    assert latent[0] < latent[1] < latent[2]
    assert sdq.values(everyone).max() == 2


def test_prorating_and_rounding_by_hand():
    values = np.array([[1, 1, 0, 0, 2], [2, 0, 0, 0, 2], [2, 2, 2, 0, 0], [1, 0, 1, 2, 2]], dtype=np.int8)
    answered = np.array([[1, 1, 1, 1, 0], [1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 1, 1]], dtype=bool)
    # 2/4 * 5 = 2.5, up to 3; 2/3 * 5 = 3.33, down to 3; two answers only; complete
    np.testing.assert_array_equal(score_values(values, answered), [3, 3, np.nan, 6])
    np.testing.assert_array_equal(score_values(values), [4, 4, 6, 6])


def test_scores_agree_with_the_scorer_of_the_instruments():
    rng = np.random.default_rng(2)
    form = instrument("sdq-teacher-4-17")
    items = form.scale("peer").items
    values = rng.integers(0, 3, (2_000, 5)).astype(np.int8)
    answered = rng.random((2_000, 5)) < 0.8
    frame = pd.DataFrame(np.nan, index=range(2_000), columns=list(form.item_keys))
    for position, key in enumerate(items):
        item = next(item for item in form.items if item.key == key)
        raw = 2 - values[:, position] if item.reverse else values[:, position]
        frame[key] = np.where(answered[:, position], raw, np.nan)
    np.testing.assert_array_equal(score_values(values, answered), score(form, frame)["peer"].to_numpy(dtype=float))


def test_few_items_are_skipped_and_a_few_forms_lack_many():
    answered = draw_answered(np.random.default_rng(1), (3, 4_000), 52)
    assert 0.97 < answered.mean() < 0.99
    missing = (~answered).mean(axis=-1)
    assert 0.01 < (missing > 0.15).mean() < 0.03


def test_competences_carry_the_halo_of_the_rater(large):
    people, sdq = large
    child, staff = draw_competences(3, people, sdq.own)
    first = people.children.joined == 0
    rated = pd.Series(child[0, first].mean(axis=1)).groupby(people.children.rater[0, first]).mean()
    own = pd.Series(staff.mean(axis=1))
    house = pd.Series(people.staff.institution)
    both = pd.DataFrame({"rated": rated, "own": own, "house": house}).dropna()
    within = both[["rated", "own"]] - both.groupby("house")[["rated", "own"]].transform("mean")
    assert 0.10 < within.corr().iloc[0, 1] < 0.50


def test_competences_answer_the_instruments_items_and_differ_between_institutions(large):
    people, sdq = large
    child, staff = draw_competences(3, people, sdq.own)
    assert child.shape == (3, len(people.children.ids), len(instrument(CHILD).items))
    assert staff.shape == (len(people.staff.ids), len(instrument(STAFF).items))
    for codes, form in ((child, instrument(CHILD)), (staff, instrument(STAFF))):
        assert set(np.unique(codes)) == set(form.codes(form.items[0]))
    at_start = people.staff.at_start
    y = staff[at_start].mean(axis=1)
    covariance, pairs = shared(y - y.mean(), people.staff.institution[at_start])
    assert 0.03 < covariance / pairs / y.var() < 0.30
