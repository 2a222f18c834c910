"""Effects on the participant average and on the cluster average, from a frame."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy as np
import pandas as pd

from asp_eval.core.errors import Fault, Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.design.model_frame import Design, read_design
from asp_eval.stats.design.tables import as_frame
from asp_eval.stats.design.updating import updated_formula
from asp_eval.stats.estimands.marginal_means import (
    CLUSTER,
    CONSTANT_WITHIN,
    PARTICIPANT,
    MarginalMeans,
    Trial,
    marginal_means,
)
from asp_eval.stats.estimands.working_models import Family, Working
from asp_eval.stats.estimate import ESTIMATE_COLUMNS, Array, Estimate
from asp_eval.stats.linear.ols import read_clusters

Scale = Literal["RD", "RR", "OR"]

NO_SUCH = Fault("FIT-161", "there is no {what} {name!r}", "Use one of: {known}.")
WITH_ARM = Fault(
    "FIT-162",
    "a covariate of the working model goes with the arm",
    "Leave the arm and its interactions out of the formula: the effect is an average whatever it depends on.",
)
SPLIT = Fault("FIT-163", "a cluster has rows of more than one arm", "Give each cluster the arm that it was drawn to.")
PROBABILITY = Fault(
    "FIT-164",
    "the probabilities of the arms are not between 0 and 1 for every cluster, or are of other clusters",
    "Give one number of the second arm, or a row for every cluster and a column for every arm.",
)
ONE_ARM = Fault("FIT-165", "there is one arm only", "Give the rows of all arms.")

AVERAGES: Mapping[str, Callable[[Array], Array]] = {
    "cluster": lambda effects: effects[..., CLUSTER],
    "participant": lambda effects: effects[..., PARTICIPANT],
    "difference": lambda effects: effects[..., CLUSTER] - effects[..., PARTICIPANT],
}


def standardised_effects(
    formula: str,
    frame: pd.DataFrame,
    *,
    cluster: str,
    arm: str,
    probability: float | pd.DataFrame = 0.5,
    working: Working = "lm",
    scale: Scale = "RD",
    family: Family | None = None,
    decomposed: bool = True,
    pair: str | None = None,
    df: int | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return effects averaged over clusters, over participants, and the difference of the two, with their jackknife.

    Parameters
    ----------
    formula : str
        Outcome and covariates: ``"y ~ x + girl + size"``. ``cluster(size)`` of R's MRStdCRT may be written too: a column that
        does not vary within clusters is known as the clusters'. The arm may be left out.
    frame : pandas.DataFrame
        Rows with a missing value in a column of the model are left out.
    cluster, arm : str
        Columns of the clusters, and of the arm that each was drawn to; its first category, or lowest value, is the reference.
    probability : float or DataFrame
        Of the second arm by the lot; or a row for every cluster (indexed by it) and a column for every arm.
    working : {"lm", "lmm", "gee_ind", "gee_exch"}
        Least squares of cluster means; a random intercept; estimating equations, independent or exchangeable.
    scale : {"RD", "RR", "OR"}
        Difference, ratio, or ratio of odds of the means.
    family : {"gaussian", "binomial", "poisson"}, optional
        Of the estimating equations; binomial for an outcome of zeros and ones, else gaussian.
    decomposed : bool
        Whether a covariate that varies within clusters enters as the cluster's mean and the deviation from it.
    pair : str, optional
        Column of the pairs within which the lot was drawn: the jackknife then leaves out pairs.
    df : int, optional
        Degrees of freedom of t; by default the clusters less the rank of the columns that do not vary within clusters; of
        pairs, their number less one and less the covariates that do not vary within clusters.
    level : float

    Returns
    -------
    DataFrame
        average (cluster, participant, difference: cluster less participant), and the columns of `Estimate`; `term` names the
        arm. An effect that cannot be had is a row with a note.

    Raises
    ------
    Refusal
        FIT-160 to FIT-165.

    References
    ----------
    Li, Tong, Fang, Cheng, Kahan & Wang (2025), Statistics in Medicine 44. R: ``MRStdCRT``, jackknife 1.

    Examples
    --------
    >>> sizes = [2, 4, 2, 4, 2, 4, 2, 4]
    >>> rows = [(g, g % 2, 1.0 * g + k) for g, n in enumerate(sizes) for k in range(n)]
    >>> frame = pd.DataFrame(rows, columns=["inst", "arm", "y"])
    >>> standardised_effects("y ~ 1", frame, cluster="inst", arm="arm")[["average", "estimate", "df"]].round(3)
           average  estimate   df
    0      cluster       2.0  6.0
    1  participant       2.0  6.0
    2   difference       NaN  NaN
    """
    if working not in get_args(Working):
        NO_SUCH.refuse(what=Phrase("working model"), name=working, known=", ".join(get_args(Working)))
    if scale not in get_args(Scale):
        NO_SUCH.refuse(what=Phrase("scale"), name=scale, known=", ".join(get_args(Scale)))
    means, arms = standardised_means(
        formula,
        frame,
        cluster=cluster,
        arm=arm,
        probability=probability,
        working=working,
        family=family,
        decomposed=decomposed,
        pair=pair,
    )
    if isinstance(means, MarginalMeans) and df is not None:
        means = MarginalMeans(means.means, means.left_out, df)
    rows = [
        (average, _effect(f"{arm}[T.{arms[k]}]", means, k, scale, average, level))
        for k in range(1, len(arms))
        for average in AVERAGES
    ]
    return pd.DataFrame(
        [(average, *(getattr(e, name) for name in ESTIMATE_COLUMNS)) for average, e in rows],
        columns=["average", *ESTIMATE_COLUMNS],
    )


def standardised_means(
    formula: str,
    frame: pd.DataFrame,
    *,
    cluster: str,
    arm: str,
    probability: float | pd.DataFrame,
    working: Working,
    family: Family | None,
    decomposed: bool,
    pair: str | None = None,
) -> tuple[MarginalMeans | Unavailable, tuple[str, ...]]:
    """Return the standardised means under every arm, of which effects are made, and the names of the arms.

    Parameters
    ----------
    formula, frame, cluster, arm, probability, working, family, decomposed, pair
        See `standardised_effects`.
    """
    table = as_frame(frame)
    text = updated_formula(re.sub(r"\bcluster\(([^()]*)\)", r"\1", formula), f"~ . - {arm}")
    design = read_design(text, table, random=False, besides=tuple(name for name in (cluster, arm, pair) if name), categories=True)
    kind: Family = family or ("binomial" if set(np.unique(design.response)) <= {0.0, 1.0} else "gaussian")
    trial, arms = _trial(design, cluster, arm, pair, probability, decomposed=decomposed and working != "lm")  # its rows are means
    return marginal_means(trial, working, kind), arms


def _effect(term: str, means: MarginalMeans | Unavailable, k: int, scale: str, average: str, level: float) -> Estimate:
    """Return one effect."""
    if isinstance(means, Unavailable):
        return Estimate.unavailable(term, means.reason)
    null = 0.0 if scale == "RD" or average == "difference" else 1.0
    return means.estimate(term, lambda mu: AVERAGES[average](compared(mu, k, scale)), level, null)


def compared(means: Array, k: int, scale: str) -> Array:
    """Return arm k against the first of both averages, (..., 2), from means (..., 2, arms)."""
    one, reference = means[..., k], means[..., 0]
    if scale == "RD":
        return np.asarray(one - reference)
    with np.errstate(all="ignore"):
        if scale == "OR":
            one, reference = one / (1.0 - one), reference / (1.0 - reference)
        return np.asarray(np.where((one > 0) & (reference > 0), one / reference, np.nan))


def _trial(
    design: Design, cluster: str, arm: str, pair: str | None, probability: float | pd.DataFrame, *, decomposed: bool
) -> tuple[Trial, tuple[str, ...]]:
    """Return the rows of the trial, and the names of its arms."""
    clusters = read_clusters(design.frame, cluster, design)
    rows = design.frame if design.data.keep is None else design.frame.iloc[design.data.keep]
    given = rows[arm] if isinstance(rows[arm].dtype, pd.CategoricalDtype) else rows[arm].astype("category")
    categories = [str(name) for name in given.cat.categories]
    if len(categories) < 2:
        ONE_ARM.refuse(arm)
    codes = given.cat.codes.to_numpy()
    first = np.unique(clusters.codes, return_index=True)[1]
    if not (codes == codes[first][clusters.codes]).all():
        SPLIT.refuse(arm)
    X = design.fixed_matrix()
    if not design.layout.has_intercept:
        X = np.column_stack([np.ones(len(X)), X])
    if any(arm in re.split(r"[:\[\]*]", name) for name in design.layout.fixed_names):
        WITH_ARM.refuse(found=", ".join(design.layout.fixed_names))
    pi = _probabilities(probability, [str(one) for one in clusters.levels], categories)
    units = None if pair is None else pd.factorize(rows[pair])[0][first]
    units = None if units is None else np.unique(units, return_inverse=True)[1]
    trial = Trial(design.response, X, clusters.codes, codes[first].astype(np.intp), pi, units)
    return (_decomposed(trial) if decomposed else trial), tuple(categories)


def _probabilities(given: float | pd.DataFrame, clusters: list[str], arms: list[str]) -> Array:
    """Return the probability of every arm for every cluster, (J, arms)."""
    if isinstance(given, pd.DataFrame):
        table = given.set_axis(given.index.astype(str), axis=0).set_axis(given.columns.astype(str), axis=1)
        found = table.reindex(index=clusters, columns=arms).to_numpy(dtype=float)
    elif len(arms) == 2:
        found = np.tile([1.0 - float(given), float(given)], (len(clusters), 1))
    else:
        return PROBABILITY.refuse(found=str(given), expected=Phrase("{n} arms", n=len(arms)))
    if not ((found > 0) & (found < 1)).all():
        PROBABILITY.refuse(found=str(given) if isinstance(given, float) else None)
    return found


def _decomposed(trial: Trial) -> Trial:
    """Return the trial with every column that varies within clusters as the cluster's mean and the deviation from it."""
    means, _ = trial.of_means()
    spread = means.X[trial.clusters]
    varies = ((trial.X - spread) ** 2).mean(axis=0) > CONSTANT_WITHIN * (trial.X**2).mean(axis=0)
    X = np.column_stack([spread, (trial.X - spread)[:, varies]])
    return Trial(trial.y, X, trial.clusters, trial.arms, trial.probabilities, trial.units)
