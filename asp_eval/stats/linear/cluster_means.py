"""A linear model fitted to the means of its clusters, each cluster counting once.

With ybar_j and xbar_j the means of a cluster's rows, ybar_j = xbar_j'beta + e_j is fitted by least squares over the J clusters:
where the treatment was drawn for whole clusters, its coefficient is the average effect over clusters, each counting alike.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from asp_eval.core.errors import Unavailable
from asp_eval.core.phrases import Phrase
from asp_eval.stats.linear.ols import OlsFit, ols

NO_CLUSTERS = Phrase("the means of clusters need the clusters, which the fit was not given")


def cluster_means(fit: OlsFit) -> OlsFit | Unavailable:
    """Return a linear model fitted to the means of its clusters, one row each, with their own names of coefficients.

    `CR2` on it treats every cluster's mean as a cluster: it is HC2 with Bell and McCaffrey's degrees of freedom, which hold where
    the means of the arms are not equally precise.

    Parameters
    ----------
    fit : OlsFit
        With clusters, without weights.

    Returns
    -------
    OlsFit or Unavailable
        Unavailable if there are no more clusters than coefficients.

    Examples
    --------
    >>> frame = pd.DataFrame({"y": [1.0, 2, 4, 5, 6, 9, 4], "arm": list("aaabbbb"), "g": [1, 1, 2, 3, 3, 4, 4]})
    >>> means = cluster_means(ols("y ~ arm", frame, cluster="g"))
    >>> means.names, means.estimate.round(3).tolist()
    (('Intercept', 'arm[T.b]'), [2.75, 3.25])
    """
    if fit.clusters is None:
        return Unavailable(NO_CLUSTERS)
    codes, J, p = fit.clusters.codes, len(fit.clusters.levels), len(fit.names)
    if p >= J:
        return Unavailable(Phrase("there are {J} cluster means for {p} coefficients", J=J, p=p))
    size = np.bincount(codes, minlength=J)
    columns = {f"x{k}": np.bincount(codes, weights=x, minlength=J) / size for k, x in enumerate(fit.design.T)}
    frame = pd.DataFrame({"y": np.bincount(codes, weights=fit.outcome, minlength=J) / size, "cluster": np.arange(J), **columns})
    means = ols(f"y ~ 0 + {' + '.join(columns)}", frame, cluster="cluster")
    names = dict(zip(columns, fit.names, strict=True))
    return replace(
        means,
        names=tuple(names[name] for name in means.names),
        dropped=tuple(names[name] for name in means.dropped),
    )
