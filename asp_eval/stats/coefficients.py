"""What every fit answers of its coefficients, by its usual method of inference or by another."""

from __future__ import annotations

from abc import abstractmethod
from typing import cast

import pandas as pd

from asp_eval.core.errors import Unavailable
from asp_eval.stats import contrasts
from asp_eval.stats.estimate import Array, Estimate, JointTest
from asp_eval.stats.familiar_names import FamiliarNames
from asp_eval.stats.smallsample.method import Fit, Method


class Coefficients(FamiliarNames):
    """The table, the contrasts and the covariance of the coefficients of a `Fit`: it has names, estimate and dropped."""

    __slots__ = ()

    @property
    @abstractmethod
    def usual_method(self) -> Method:
        """The method of inference where none is given."""

    @property
    @abstractmethod
    def own_covariance(self) -> Array | Unavailable:
        """The model's own covariance matrix of the coefficients, shape (p, p)."""

    def tidy(self, method: Method | None = None, level: float = 0.95) -> pd.DataFrame:
        """Return one row per coefficient: term, estimate, std_error, df, statistic, p_value, conf_low, conf_high, method, note.

        Parameters
        ----------
        method : Method, optional
            By default `usual_method`.
        level : float
            Of the confidence intervals.
        """
        return contrasts.tidy(cast(Fit, self), self.method_or_usual(method), level)

    def contrast(self, weights: contrasts.Weights, method: Method | None = None, level: float = 0.95) -> Estimate:
        """Return the estimate of one linear combination of coefficients.

        Parameters
        ----------
        weights : mapping of str to float, array (p,), or str
            Names with their weights, one weight per coefficient, or the name of one coefficient.
        method : Method, optional
            By default `usual_method`.
        level : float
            Of the confidence interval.
        """
        return contrasts.contrast(cast(Fit, self), weights, self.method_or_usual(method), level)

    def joint_test(self, contrast: contrasts.Rows, method: Method | None = None) -> JointTest:
        """Return the test that several coefficients, or contrasts of them, are zero together."""
        return contrasts.joint_test(cast(Fit, self), contrast, self.method_or_usual(method))

    def vcov(self, method: Method | None = None) -> pd.DataFrame | Unavailable:
        """Return the covariance matrix of the coefficients, named: the model's own, or a method's, as ``CR2()``."""
        return contrasts.covariance(cast(Fit, self), method, lambda: self.own_covariance)

    def method_or_usual(self, method: Method | None) -> Method:
        """Return the method that is given, or the usual one."""
        return contrasts.method_or(method, self.usual_method)
