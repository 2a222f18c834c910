r"""How an institution's gap changed from one round to the next, and the sampling variance of that change.

With :math:`G = \bar s - \bar x` at each round, and the two rounds numbered 1 and 2,

.. math:: V(G_2 - G_1) = V(G_1) + V(G_2) - 2\, Cov(G_1, G_2)

The errors of two rounds go together as far as the same people answered: who is sure of himself, or mild with the children, is so
again. A gap is a sum over people k of :math:`z_k / m - w_k \bar x_k`, where :math:`w_k` is the share of the children that k
rated; so

.. math:: Cov(G_1, G_2) = \textstyle\sum_{p, q} \pm \sigma_{pq} \sum_k w_{pk} w_{qk}

over the two parts of round 1 and the two of round 2, own answer and mean given, with the sum over those who stand in both. The
:math:`\sigma_{pq}` are pooled covariances within institutions, as in `asp_eval.trial.profiles.sampling`. That a child was rated
by another person in each round is not counted: the variance is then somewhat too large.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.trial.profiles.sampling import FEWEST_LINKS

Floats = NDArray[np.float64]
Sides = tuple[pd.DataFrame, pd.DataFrame]

CLOSEST = 0.95  # correlation of the two rounds' errors beyond which it is taken for an accident of the estimate

NOT_RECOGNISED = Unavailable(
    Phrase(
        "too few of the staff can be recognised from one round to the other, so that a change is reckoned as if other people "
        "had answered; its interval is then too wide rather than too narrow"
    )
)


def change_variances(first: Floats, second: Floats, shared: Floats | Unavailable) -> Floats:
    """Return the sampling variances of changes, (m,).

    Parameters
    ----------
    first, second : ndarray, shape (m,)
        Sampling variances of the gaps at the two rounds.
    shared : ndarray, shape (m,), or Unavailable
        Covariances of their errors; taken as 0 where they are unavailable.
    """
    if isinstance(shared, Unavailable):
        return first + second
    limit = CLOSEST * np.sqrt(first * second)
    return np.asarray(first + second - 2 * np.clip(shared, -limit, limit))


def round_covariances(first: Sides, second: Sides, ids: pd.Index) -> Floats | Unavailable:
    """Return the covariance of the errors of an institution's gaps at two rounds, in the order of `ids`.

    Parameters
    ----------
    first, second : (DataFrame, DataFrame)
        Staff and children of one dimension at each round, as in `asp_eval.trial.profiles.gap.profile_means`.
    ids : Index
        Institutions; rows of others are left aside.

    Returns
    -------
    ndarray, shape (m,), or Unavailable
        Unavailable where fewer than ten degrees of freedom link people of the first round to those of the second.
    """
    parts = [_parts(*(side[side["institution_id"].isin(ids)] for side in sides)) for sides in (first, second)]
    found = [_linked(one, other) for one, other in product(*(each.values() for each in parts))]
    known = [each for each in found if each is not None]
    if not known:
        return NOT_RECOGNISED
    signs = [1 if one == other else -1 for one, other in product(*(each.keys() for each in parts))]
    total = pd.Series(0.0, index=ids)
    for sign, each in zip(signs, found, strict=True):
        if each is not None:
            total = total.add(sign * each.reindex(ids, fill_value=0.0))
    return np.asarray(total, dtype=np.float64)


def _parts(staff: pd.DataFrame, children: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    """Return each person's part in the two means: what he or she answered, or gave on average, and with which weight."""
    own = staff.assign(person=staff["respondent_id"].astype("str")).set_index(["institution_id", "person"])[["score"]]
    size = own.groupby(level=0, observed=True)["score"].transform("size")
    known = children.dropna(subset=["rater_id"]).assign(person=lambda rows: rows["rater_id"].astype("str"))
    given = known.groupby(["institution_id", "person"], observed=True)["score"].agg(["size", "mean"])
    totals = children.groupby("institution_id", observed=True).size()
    share = given["size"] / totals.reindex(given.index.get_level_values(0)).to_numpy()
    return {
        "own": pd.DataFrame({"value": own["score"], "weight": 1 / size}),
        "given": pd.DataFrame({"value": given["mean"], "weight": share}),
    }


def _linked(one: pd.DataFrame, other: pd.DataFrame) -> pd.Series | None:
    """Return the covariance of two parts' errors, by institution; None where too few people stand in both."""
    both = one.add_suffix("_one").join(other.add_suffix("_other"), how="inner")
    groups = both.groupby(level=0, observed=True)
    df = len(both) - groups.ngroups
    if df < FEWEST_LINKS:
        return None
    apart = both[["value_one", "value_other"]] - groups[["value_one", "value_other"]].transform("mean")
    pooled = float((apart["value_one"] * apart["value_other"]).sum() / df)
    return pooled * (both["weight_one"] * both["weight_other"]).groupby(level=0, observed=True).sum()
