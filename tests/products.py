"""Products of parameters: a quick run takes each value of each once or more, and a slow one every combination."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pytest


def each_value(*axes: Sequence[Any]) -> list[Any]:
    """Return every combination of the values, as parameters of a test; all but a few that hold each value are marked slow."""
    quick = {tuple(k % len(axis) for axis in axes) for k in range(max(map(len, axes)))}
    every = itertools.product(*(range(len(axis)) for axis in axes))
    return [
        pytest.param(*(axis[k] for axis, k in zip(axes, at, strict=True)), marks=[] if at in quick else pytest.mark.slow)
        for at in every
    ]
