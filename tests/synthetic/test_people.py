"""Who is where, and who rates whom."""

import numpy as np
import pytest

from asp_eval.synthetic import population as pop
from asp_eval.synthetic.people import draw_institutions, draw_people


@pytest.fixture(scope="module")
def people():
    return draw_people(7, draw_institutions(7))


def test_the_trial_has_the_shape_of_the_real_one(people):
    institutions = people.institutions
    assert len(institutions.ids) == len(set(institutions.ids)) == 60
    assert np.bincount(institutions.municipality).tolist() == [40, 20]
    assert 2_850 <= institutions.sizes.sum() <= 3_150
    assert institutions.sizes.std() > 10
    assert institutions.raters.mean() == pytest.approx(8, abs=1)


def test_ids_are_texts_with_leading_zeros_and_names_have_danish_letters(people):
    assert all(len(each) == 3 for each in people.institutions.ids)
    assert any(each.startswith("0") for each in people.institutions.ids)
    assert all(len(each) == 5 for each in people.children.ids)
    assert len(set(people.children.ids)) == len(people.children.ids)
    assert any("ø" in name for name in people.institutions.names)
    assert len(set(people.institutions.names)) == 60


def test_every_rater_works_where_the_child_is(people):
    children, staff = people.children, people.staff
    for wave in range(3):
        there = children.joined <= wave
        np.testing.assert_array_equal(staff.institution[children.rater[wave, there]], children.institution[wave, there])


def test_movers_move_within_their_municipality_and_stay_drawn_where_they_were(people):
    children, municipality = people.children, people.institutions.municipality
    first = children.joined == 0
    moved = first & (children.institution[2] != children.institution[0])
    assert 0.01 < moved[first].mean() < 0.06
    np.testing.assert_array_equal(municipality[children.institution[2, moved]], municipality[children.institution[0, moved]])
    np.testing.assert_array_equal(children.drawn[first], children.institution[0, first])


def test_raters_change_between_waves(people):
    children = people.children
    first = children.joined == 0
    changed = (children.rater[0] != children.rater[1])[first].mean()
    expected = 1 - (1 - pop.WAVES[1].rater_left) * (1 - pop.WAVES[1].new_group)
    assert changed == pytest.approx(expected, abs=0.08)


def test_ages_at_the_start_and_of_those_who_join(people):
    children = people.children
    start = children.age[0, children.joined == 0]
    assert 2.8 < start.min() < 3 < start.max() < 6.5
    for wave in (1, 2):
        joiners = children.age[wave, children.joined == wave]
        assert len(joiners) > 30
        assert joiners.min() >= 2.9
        assert joiners.max() < 5.2


def test_the_seed_decides_and_nothing_else():
    one, same, other = (draw_people(seed, draw_institutions(seed)) for seed in (1, 1, 2))
    assert one.children.ids == same.children.ids
    np.testing.assert_array_equal(one.children.rater, same.children.rater)
    assert one.institutions.ids != other.institutions.ids
