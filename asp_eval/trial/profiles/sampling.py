r"""Sampling variances of an institution's two means, and the covariance of their errors.

With institution j, person k on its staff, child i rated by k, the two sides of one dimension are

.. math:: s_{jk} = S_j + a_{jk}, \qquad x_{jki} = C_j + r_{jk} + e_{jki}

so that, with :math:`n_{jk}` children of :math:`n_j` rated by k, and :math:`m_j` staff who answered,

.. math::

    V(\bar s_j) = \sigma_a^2 / m_j, \quad
    V(\bar x_j) = \sigma_r^2 \textstyle\sum_k n_{jk}^2 / n_j^2 + \sigma_e^2 / n_j, \quad
    Cov(\bar s_j, \bar x_j) = \sigma_{ar} \textstyle\sum_k n_{jk} / (m_j n_j)

the last sum over those who stand on both sides. The components are estimated once for all institutions, by equating mean
squares to their expectations (Searle, Casella & McCulloch 1992, Variance Components, ch. 3 and 5: nested, unequal numbers).
They are pooled because an institution's own variance rests on five to ten people: its root would be off by a quarter either
way, the shrinkage would take that for knowledge, and would trust most the institutions that by chance varied least (Bell 2008,
Proceedings of the Survey Research Methods Section, American Statistical Association: estimated sampling variances in area
models). The price is the assumption that people vary equally within all institutions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase

Floats = NDArray[np.float64]

FEWEST_LINKS = 10  # degrees of freedom below which a covariance of raters is noise; a convention

NO_RATERS = Unavailable(Phrase("who rated the children is not recorded, so that the raters' part of the error is unknown"))
ONE_RATER = Unavailable(
    Phrase("one person rated all children of each institution, so that rater and institution cannot be told apart")
)
NOT_LINKED = Unavailable(
    Phrase(
        "too few of the staff who answered can be recognised among the raters of the children, so that the covariance of the "
        "two sides' errors cannot be estimated"
    )
)
NO_SPREAD = Unavailable(Phrase("there are too few answers to estimate how people differ within an institution"))


@dataclass(frozen=True, slots=True)
class RaterComponents:
    """Variances within institutions: between raters, and between children of the same rater."""

    rater: float
    child: float


def pooled_variance(scores: pd.Series, institution: pd.Series) -> float | Unavailable:
    """Return the mean square within institutions."""
    groups = scores.groupby(institution, observed=True)
    df = len(scores) - groups.ngroups
    if df < 1:
        return NO_SPREAD
    return float(((scores - groups.transform("mean")) ** 2).sum() / df)


def rater_components(children: pd.DataFrame) -> RaterComponents | Unavailable:
    """Estimate the two variances within institutions from the nested analysis of variance.

    Parameters
    ----------
    children : DataFrame
        institution_id, rater_id, score; rows without a rater are left out.

    Returns
    -------
    RaterComponents or Unavailable
        A negative rater component is set to 0. Where each rater rated one child the two cannot be, and need not be, told
        apart: all variance is then put down to the child.
    """
    known = children.dropna(subset=["rater_id"])
    if known.empty:
        return NO_RATERS
    raters = known.groupby(["institution_id", "rater_id"], observed=True)["score"].agg(["size", "mean"]).reset_index()
    sizes, means = raters["size"].to_numpy(np.float64), raters["mean"].to_numpy(np.float64)
    institution = raters["institution_id"]
    totals = raters["size"].groupby(institution, observed=True).transform("sum").to_numpy(np.float64)
    n_institutions = institution.nunique()
    df_rater, df_child = len(raters) - n_institutions, len(known) - len(raters)
    if df_rater < 1:
        return ONE_RATER
    centre = (raters["size"] * raters["mean"]).groupby(institution, observed=True).transform("sum").to_numpy(np.float64) / totals
    between = float((sizes * (means - centre) ** 2).sum()) / df_rater
    if df_child == 0:
        return RaterComponents(0.0, between)
    own_mean = known.groupby(["institution_id", "rater_id"], observed=True)["score"].transform("mean")
    within = float(((known["score"] - own_mean) ** 2).sum()) / df_child
    per_rater = (len(known) - float((sizes**2 / totals).sum())) / df_rater
    return RaterComponents(max(0.0, (between - within) / per_rater), within)


def child_mean_variances(children: pd.DataFrame, components: RaterComponents) -> pd.Series:
    """Return the sampling variance of each institution's mean over children, indexed by institution.

    Children of unknown raters count as rated by one person: the most cautious reading.
    """
    rater = children["rater_id"].astype("str").where(children["rater_id"].notna(), "")
    sizes = children.groupby(["institution_id", rater], observed=True)["score"].size()
    totals = sizes.groupby(level=0, observed=True).sum().astype(np.float64)
    squares = (sizes.astype(np.float64) ** 2).groupby(level=0, observed=True).sum()
    return components.rater * squares / totals**2 + components.child / totals


def error_covariances(
    staff: pd.DataFrame, children: pd.DataFrame, staff_variance: float, components: RaterComponents
) -> pd.Series | Unavailable:
    """Return the covariance of the errors of the two means, indexed by institution.

    Estimated from the people who answered for themselves and rated children: the pooled covariance, within institutions, of
    their own score and the mean they gave. Kept within what the two variances allow.

    Parameters
    ----------
    staff : DataFrame
        institution_id, respondent_id, score.
    children : DataFrame
        institution_id, rater_id, score.
    staff_variance : float
    components : RaterComponents
    """
    given = children.dropna(subset=["rater_id"]).assign(person=lambda rows: rows["rater_id"].astype("str"))
    given = given.groupby(["institution_id", "person"], observed=True)["score"].agg(["size", "mean"]).reset_index()
    own = staff.assign(person=staff["respondent_id"].astype("str"))[["institution_id", "person", "score"]]
    linked = own.merge(given, on=["institution_id", "person"], how="inner", validate="one_to_one")
    groups = linked.groupby("institution_id", observed=True)
    df = len(linked) - groups.ngroups
    if df < FEWEST_LINKS:
        return NOT_LINKED
    deviations = linked[["score", "mean"]] - groups[["score", "mean"]].transform("mean")
    limit = float(np.sqrt(staff_variance * components.rater))
    covariance = float(np.clip((deviations["score"] * deviations["mean"]).sum() / df, -limit, limit))
    shared = groups["size"].sum()
    n_staff = staff.groupby("institution_id", observed=True).size()
    n_children = children.groupby("institution_id", observed=True).size()
    share = shared.reindex(n_staff.index, fill_value=0) / (n_staff * n_children.reindex(n_staff.index))
    return covariance * share
