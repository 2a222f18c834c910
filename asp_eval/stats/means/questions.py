"""Marginal means, contrasts of them and slopes of any fit, as the emmeans package defines them (Lenth, R).

    mean of a cell = average over the reference grid of x'beta;   contrast = C means;   slope = average of d x'beta / d x

The uncertainty is that of linear combinations of the coefficients, so each method of inference of the fit gives its own
standard errors and degrees of freedom. On the response scale a mean is turned back after averaging; differences of
logits or logs become ratios. Means of an ordinal model's probabilities are averaged as probabilities (delta method).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.core.phrases import Phrase
from asp_eval.stats.means.adjustment import adjustment_note, check_adjustment
from asp_eval.stats.means.averages import average_table
from asp_eval.stats.means.cells import Cells, mean_cells, slope_cells
from asp_eval.stats.means.comparisons import compare
from asp_eval.stats.means.estimability import Estimability
from asp_eval.stats.means.model import MeansModel, OrdinalScale
from asp_eval.stats.means.reference_grid import At
from asp_eval.stats.means.tables import EXPONENTIAL, Back, table
from asp_eval.stats.smallsample.method import Method

MEANS_SCALE = Fault("FIT-110", "means of this model have no scale {scale!r}", "Use one of: {known}.")
TWICE = Fault("FIT-111", "the variable {name!r} is named twice", "Name each variable once, in the means or in by=.")
NO_SPECS = Fault("FIT-112", "no variable is named whose means are wanted", "Name one, as in marginal_means('arm').")
RATIO_LINKS = ("logit", "log")

Names = str | Sequence[str]


class MarginalQuestions(ABC):
    """The marginal means, contrasts and slopes of a fit."""

    __slots__ = ()

    @property
    @abstractmethod
    def means_model(self) -> MeansModel:
        """What the fit brings to its marginal means."""

    def marginal_means(
        self,
        specs: Names,
        *,
        by: Names = (),
        at: At | None = None,
        weights: str = "equal",
        scale: str = "link",
        method: Method | None = None,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Return estimated marginal means, one row per combination of `specs` and `by`; random effects are zero.

        Parameters
        ----------
        specs : str or list of str
            Variables whose means are wanted.
        by : str or list of str
            Variables that contrasts would be kept apart by.
        at : mapping, optional
            Values at which variables are held: one, or a list. Else a factor, or a number with two values, stands for all
            of them, another number at its mean.
        weights : {"equal", "proportional"}
            Of the categories averaged over: all alike, or as often as they occur.
        scale : str
            "link" (default) or "response"; of an ordinal model "latent" (default), "linear.predictor", "cum.prob", "prob" or
            "mean.class", where "prob" and the two with thresholds add the category or the threshold to `by`.
        method : Method, optional
            By default the fit's own.
        level : float

        Returns
        -------
        DataFrame
            The variables, then estimate, std_error, df, statistic, p_value, conf_low, conf_high, method, note. A mean that the
            data do not determine is empty and its note says which cell has no rows.

        References
        ----------
        Searle, Speed & Milliken (1980), The American Statistician 34:216. R: ``emmeans::emmeans``.

        Examples
        --------
        >>> from asp_eval import ols
        >>> frame = pd.DataFrame({"y": [1.0, 2, 4, 5, 6, 9], "arm": list("aaabbb"), "x": [0.0, 1, 2, 1, 2, 3]})
        >>> fit = ols("y ~ arm + x", frame)
        >>> fit.marginal_means("arm")[["arm", "estimate", "df"]].round(4).values.tolist()
        [['a', 3.2083, 3.0], ['b', 5.7917, 3.0]]
        """
        ordinal, back, _ = _scale(self.means_model, scale)
        cells, _ = _means(self.means_model, specs, by, at, weights, ordinal)
        return table(self.means_model.fit, cells, method or self.means_model.method, level, back=back)

    def marginal_contrasts(
        self,
        specs: Names,
        *,
        by: Names = (),
        at: At | None = None,
        weights: str = "equal",
        scale: str = "link",
        slope: str | None = None,
        kind: str = "pairwise",
        adjust: str = "none",
        method: Method | None = None,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Return contrasts of marginal means, or of slopes, within each combination of `by`.

        Parameters
        ----------
        specs, by, at, weights, scale, method, level
            As in `marginal_means`. With scale="response" a difference of logits is shown as an odds ratio and one of
            logs as a ratio; other links keep their differences.
        slope : str, optional
            Compare slopes in this variable instead of means.
        kind : {"pairwise", "trt.vs.ctrl", "interaction"}
            Each mean less every later one; every later mean less the first; or differences of pairwise differences.
        adjust : {"none", "holm", "tukey", "bonferroni"}
            Within each combination of `by`, over the contrasts that have a number. With Holm's p-values the intervals are
            Bonferroni's.

        Returns
        -------
        DataFrame
            contrast (with an interaction, a column ``<variable>_pairwise`` for each), the variables of `by`, then the columns
            of `marginal_means`.

        Examples
        --------
        >>> from asp_eval import ols
        >>> frame = pd.DataFrame({"y": [1.0, 2, 4, 5, 6, 9], "arm": list("aaabbb"), "x": [0.0, 1, 2, 1, 2, 3]})
        >>> ols("y ~ arm + x", frame).marginal_contrasts("arm")[["contrast", "estimate"]].round(4).values.tolist()
        [['a - b', -2.5833]]
        """
        model = self.means_model
        check_adjustment(adjust, kind)
        ordinal, back, ratio = _scale(model, scale)
        if slope is None:
            cells, found = _means(model, specs, by, at, weights, ordinal)
            apart = [*_listed(by), *(c for c in cells.labels if c not in (*_listed(specs), *_listed(by)))]
        else:
            cells, found = slope_cells(model, slope, _shown(specs, by), at, weights)
            apart, ratio, back = _listed(by), False, None
        against = compare(cells.labels, _listed(specs), apart, kind, ratio=ratio)
        note = adjustment_note(adjust, max(len(f) for f in against.families))
        if back is not None and not ratio and model.link is not None and model.link.name != "identity":
            note = Phrase("Differences on the scale of the link {link}: they are no ratios.", link=model.link.name)
        return table(
            model.fit,
            cells.combined(against.C, against.labels, found),
            method or model.method,
            level,
            back=EXPONENTIAL if ratio else None,
            adjust=adjust,
            families=against.families,
            means=against.means,
            note=note,
        )

    def marginal_slopes(
        self,
        variable: str,
        specs: Names = (),
        *,
        by: Names = (),
        at: At | None = None,
        weights: str = "equal",
        method: Method | None = None,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Return the slope of the linear predictor in a numeric variable, for every combination of `specs` and `by`.

        Parameters
        ----------
        variable : str
            Its slope is taken at its mean, or where `at` holds it.
        specs, by, at, weights, method, level
            As in `marginal_means`.

        Returns
        -------
        DataFrame
            The columns of `marginal_means`.

        Notes
        -----
        R: ``emmeans::emtrends``, which takes the slope from one side; here it is taken from both, so a quadratic is exact.

        Examples
        --------
        >>> from asp_eval import ols
        >>> frame = pd.DataFrame({"y": [1.0, 2, 4, 5, 6, 9], "arm": list("aaabbb"), "x": [0.0, 1, 2, 1, 2, 3]})
        >>> ols("y ~ arm * x", frame).marginal_slopes("x", "arm")[["arm", "estimate"]].round(4).values.tolist()
        [['a', 1.5], ['b', 2.0]]
        """
        cells, _ = slope_cells(self.means_model, variable, _shown(specs, by), at, weights)
        return table(self.means_model.fit, cells, method or self.means_model.method, level)

    def average_effects(
        self,
        variable: str,
        *,
        over: str | None = None,
        population: str = "population",
        method: Method | None = None,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Return the average outcome with every row set to each category of a variable, and what the categories differ by.

        Parameters
        ----------
        variable : str
            Its categories are compared, each later one with each earlier one.
        over : str, optional
            Average over the rows that meet a filter, as ``"sex == 'boy'"``; by default over all rows analysed.
        population : {"population", "conditional"}
            Random effects integrated out; or zero, which speaks of a middling group. Without random effects, or with the
            identity link, both are the same.
        method : Method, optional
            Of the uncertainty (delta method). By default the fit's own; for `glmm` and `clmm` `Normal`, which takes the
            groups as many: `BetweenWithin` counts them, and is what a trial's report uses. `ResampledClusters` refits `glmm` and
            `clmm` to clusters drawn with replacement instead.
        level : float

        Returns
        -------
        DataFrame
            kind ("risk", for a measure "mean"; "difference"; for shares and counts "ratio"; for shares "odds_ratio"), the
            variable, contrast, for an ordinal model the outcome's category, then the columns of `marginal_means`.
            Intervals and tests of ratios are those of their logarithms.

        Notes
        -----
        A grouped binomial row counts as its trials. R: ``marginaleffects::avg_comparisons``, ``stdReg``.

        Examples
        --------
        >>> from asp_eval import ols
        >>> frame = pd.DataFrame({"y": [1.0, 2, 4, 5, 6, 9], "arm": list("aaabbb"), "x": [0.0, 1, 2, 1, 2, 3]})
        >>> ols("y ~ arm + x", frame).average_effects("arm")[["kind", "arm", "contrast", "estimate"]].round(4).values.tolist()
        [['mean', 'a', '', 3.2083], ['mean', 'b', '', 5.7917], ['difference', '', 'b vs a', 2.5833]]
        """
        return average_table(self.means_model, variable, over, population, method, level)


def _means(
    model: MeansModel, specs: Names, by: Names, at: At | None, weights: str, ordinal: OrdinalScale | None
) -> tuple[Cells, Estimability]:
    """Return the cells asked for, their labels in the order in which they were named."""
    wanted = _shown(specs, by)
    if not _listed(specs):
        NO_SPECS.refuse()
    dimension = "" if ordinal is None else ordinal.dimension
    cells, found = mean_cells(model, [n for n in wanted if n != dimension], at, weights, ordinal)
    order = [*wanted, *(n for n in cells.labels if n not in wanted)]
    labels = {n: cells.labels[n] for n in order}
    return Cells(labels, cells.value, cells.gradient, cells.full, cells.reasons, cells.linear), found


def _scale(model: MeansModel, scale: str) -> tuple[OrdinalScale | None, Back | None, bool]:
    """Return an ordinal scale, how means are turned back, and whether contrasts become ratios."""
    if model.ordinal:
        first = next(iter(model.ordinal))
        name = {"link": first, "response": "prob"}.get(scale, scale)
        if name not in model.ordinal:
            MEANS_SCALE.refuse(scale=scale, known=", ".join(model.ordinal))
        return model.ordinal[name], None, False
    if scale not in ("link", "response"):
        MEANS_SCALE.refuse(scale=scale, known="link, response")
    if scale == "link" or model.link is None:
        return None, None, False
    return None, Back(model.link.inverse, model.link.slope), model.link.name in RATIO_LINKS


def _shown(specs: Names, by: Names) -> list[str]:
    """Return the variables whose values are told apart, each once."""
    names = [*_listed(specs), *_listed(by)]
    for name in names:
        if names.count(name) > 1:
            TWICE.refuse(name=name)
    return names


def _listed(names: Names) -> list[str]:
    return [names] if isinstance(names, str) else list(names)
