"""Streams: the same numbers for the same seed and name on every machine, other numbers for any other."""

import numpy as np
import pytest

from asp_eval.core.randomness import stream


def test_the_numbers_are_fixed_for_ever():
    # Expectation stored on purpose: a library upgrade that changed it would change every synthetic study.
    assert stream(1, "a", 2).integers(0, 1000, 4).tolist() == [186, 775, 533, 213]


@pytest.mark.parametrize("other", [(2, "a", 2), (1, "b", 2), (1, "a", 3), (1, "a", 2, 0), (1, "a2")])
def test_every_part_of_the_name_counts(other):
    seed, *name = other
    assert not np.array_equal(stream(seed, *name).random(3), stream(1, "a", 2).random(3))
