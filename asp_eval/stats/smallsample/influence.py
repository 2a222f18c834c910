"""What each cluster does to the coefficients: the estimate without it, and Cook's distance, in one pass.

With the variance parameters held, the estimate without cluster j needs no refit. In the basis in which X'V^-1 X is the
identity (`asp_eval.stats.smallsample.cluster_blocks`), with G_j = X_j'V_j^-1 X_j and s_j = X_j'V_j^-1 e_j,

    beta_(j) - beta = -(I - G_j)^-1 s_j,        D_j = |beta_(j) - beta|^2 / (p sigma^2)

(Cook 1977, Technometrics 19:15, for groups of rows; Demidenko & Stukel 2005, Stat Med 24:893, for mixed models). Where the
clusters are independent of each other this is exact but for the variance parameters.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from asp_eval.core.phrases import NO_NOTE, Phrase
from asp_eval.stats.estimate import Array
from asp_eval.stats.smallsample.cluster_blocks import ClusterBlocks

ALONE = 1e-9
"""A cluster without which so little is left of a direction determines it alone."""
DETERMINES = Phrase("without this cluster the data do not determine every coefficient")


def influence_table(
    blocks: ClusterBlocks,
    sigma2: float,
    names: Sequence[str],
    estimate: Array,
    labels: pd.Index,
    sizes: npt.NDArray[np.signedinteger],
) -> pd.DataFrame:
    """Return cluster, n_obs, cooks_distance, the estimates without the cluster, and note: one row per cluster.

    Parameters
    ----------
    blocks : ClusterBlocks
    sigma2 : float
        Residual variance, of which the blocks' covariances are multiples.
    names : sequence of str
        The p coefficients.
    estimate : ndarray (p,)
    labels : pandas.Index
        The J clusters.
    sizes : ndarray of int (J,)
        Their rows.
    """
    G = np.einsum("jrp,jrq->jpq", blocks.x, blocks.wx)
    s = np.einsum("jrp,jr->jp", blocks.wx, blocks.residuals)
    rest = np.eye(blocks.n_coefficients) - (G + G.transpose(0, 2, 1)) / 2
    alone = np.linalg.eigvalsh(rest)[:, 0] < ALONE
    rest[alone] = np.eye(blocks.n_coefficients)
    change = -np.linalg.solve(rest, s[..., None])[..., 0]
    change[alone] = np.nan
    without = estimate + change @ blocks.back.T
    table = {"cluster": labels.to_numpy() if labels.nlevels == 1 else [":".join(map(str, v)) for v in labels], "n_obs": sizes}
    table["cooks_distance"] = (change**2).sum(axis=1) / (blocks.n_coefficients * sigma2)
    table |= {name: without[:, k] for k, name in enumerate(names)}
    return pd.DataFrame({**table, "note": [DETERMINES if a else NO_NOTE for a in alone]})
