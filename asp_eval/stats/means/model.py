"""What a fit brings to its marginal means: coefficients, columns, and the curve that leads from the linear predictor on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd

from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.estimate import Array
from asp_eval.stats.means.spread import Spread
from asp_eval.stats.smallsample.method import Fit, Method


class Inverse(Protocol):
    """A link, as far as means look into it."""

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def inverse(self) -> Callable[[Array], Array]: ...  # noqa: D102

    @property
    def slope(self) -> Callable[[Array], Array]: ...  # noqa: D102


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Values of a scale at linear predictors, and how they move.

    Attributes
    ----------
    value : ndarray (g, m)
        m values at each of g linear predictors: one per category, or per threshold.
    by_threshold : ndarray (g, m, t)
        Derivatives in the thresholds.
    by_predictor : ndarray (g, m)
        Derivatives in the linear predictor.
    """

    value: Array
    by_threshold: Array
    by_predictor: Array


@dataclass(frozen=True, slots=True, eq=False)
class OrdinalScale:
    """A scale of an ordinal model.

    Attributes
    ----------
    dimension : str
        The column that tells its m values apart: the outcome's name, or ``cut``; empty where m is one.
    labels : tuple of str
    curves : callable
        `Curves` at linear predictors (g,).
    """

    dimension: str
    labels: tuple[str, ...]
    curves: Callable[[Array], Curves]


@dataclass(frozen=True, slots=True, eq=False)
class MeansModel:
    """A fit as means see it.

    Attributes
    ----------
    fit : Fit
        What a method of inference wraps. An ordinal model's thresholds come first among its coefficients.
    design : Design
    kept : tuple of int
        Position of each coefficient, thresholds left out, among the columns of the design's fixed part.
    method : Method
        By default.
    link : Inverse or None
        None where the linear predictor is the mean itself.
    weights : ndarray (n,) or None
        Prior weights: trials, or how much a row counts.
    kind : {"measure", "share", "count", "bands"}
        What a mean of the outcome is.
    ordinal : dict of str to OrdinalScale
        Scales of an ordinal model, the first being the default; empty for other models.
    spread : Spread or None
        Random effects over which averages may be taken; None where a mean of a row is the same with and without them.
    refit : callable or None
        The same model on other rows of the frame; None where a fit does not know how it was made.
    """

    fit: Fit
    design: Design
    kept: tuple[int, ...]
    method: Method
    link: Inverse | None = None
    weights: Array | None = None
    kind: str = "measure"
    ordinal: Mapping[str, OrdinalScale] = field(default_factory=dict)
    spread: Spread | None = None
    refit: Callable[[pd.DataFrame], MeansModel] | None = None

    @property
    def n_thresholds(self) -> int:
        """Coefficients of the fit that are no columns."""
        return len(self.fit.estimate) - len(self.kept)

    @property
    def coefficients(self) -> Array:
        """Coefficients of the columns."""
        return np.asarray(self.fit.estimate[self.n_thresholds :], float)
