"""What every fitted model offers, whatever its kind: coefficients, contrasts of them, predictions, and what to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import pandas as pd

from asp_eval.core.phrases import Phrase
from asp_eval.stats.estimate import Array, Estimate
from asp_eval.stats.smallsample.method import Fit, Method


class Fitted(Fit, Protocol):
    """A fitted model: what a method of inference needs (`names`, `estimate`, `dropped`), and what people ask of it.

    Attributes
    ----------
    n_obs : int
        Rows used.
    n_groups : dict of str to int
        Groups of each grouping factor, or of the clusters, in those rows.
    notes : tuple of Phrase
        What a reader of any result of this fit must know.
    """

    @property
    def n_obs(self) -> int: ...  # noqa: D102

    @property
    def n_groups(self) -> dict[str, int]: ...  # noqa: D102

    @property
    def notes(self) -> tuple[Phrase, ...]: ...  # noqa: D102

    def contrast(self, weights: Mapping[str, float] | Array, method: Method | None = None, level: float = 0.95) -> Estimate:
        """Return the estimate of one linear combination of coefficients."""
        ...

    def predict(self, frame: pd.DataFrame) -> Array:
        """Return predictions of new rows, shape (rows of `frame`,)."""
        ...

    def icc(self, level: float = 0.95) -> Estimate:
        """Return the intraclass correlation, without a number where the model has none."""
        ...
