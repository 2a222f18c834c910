"""`impute`: missing values of children in institutions, filled in many times over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd

from asp_eval.core.errors import Fault
from asp_eval.stats.contrasts import whole_number
from asp_eval.stats.design.tables import as_frame
from asp_eval.stats.imputation.draws import draw
from asp_eval.stats.imputation.imputations import Imputations, imputed_variables
from asp_eval.stats.imputation.reading import ImputationPlan, read_plan
from asp_eval.stats.imputation.variables import Incomplete

COVARIANCE = Fault("IMP-029", "there is no covariance {covariance!r}", "Use 'arm' (one for each arm) or 'common' (one for all).")


def impute(
    frame: pd.DataFrame,
    variables: Mapping[str, str],
    *,
    group: str,
    arm: str | None = None,
    predictors: Sequence[str] = (),
    n: int = 50,
    seed: int,
    covariance: Literal["arm", "common"] = "arm",
    workers: int = 1,
) -> Imputations:
    """Impute missing values of rows in groups, such as children in institutions, by a joint normal two-level model.

    Every incomplete variable depends on arm and predictors, has a random effect of the group, and is correlated with every
    other, between and within groups. Draws are made by Gibbs sampling in four chains, each with its own stream of random
    numbers, that are run until they agree.

    Parameters
    ----------
    frame : DataFrame
        One row per child.
    variables : mapping of str to {"continuous", "binary", "ordinal", "categorical"}
        What is imputed, and its scale. A variable that has one value in every group is the group's, and is imputed once for each.
        Complete ones may be among them: they then serve as predictors whose relation differs between and within groups.
    group : str
        Column of the groups.
    arm : str, optional
        Column of the arm, one for each group. The rows' covariance is then one for each arm, unless these have too few rows;
        the groups' covariance only where every arm has twice as many groups as there are variables. Both are said in `notes`.
    predictors : sequence of str
        Complete columns, or terms of a formula such as ``"arm:sex"``: the interactions of the model that will be fitted belong
        here.
    n : int
        Imputations.
    seed : int
    covariance : {"arm", "common"}
        Of the rows.
    workers : int
        Threads that share the chains; the numbers do not depend on it.

    Returns
    -------
    Imputations
        ``fit(model).pool()`` gives the pooled answer; ``summary()`` and ``convergence()`` say what was done.

    Raises
    ------
    Refusal
        If a variable is unknown, constant, collinear or unobserved in an arm, a predictor is incomplete, categories are too
        many, or groups too few.

    References
    ----------
    Schafer & Yucel (2002), J Comput Graph Stat 11:437; Carpenter & Kenward (2013), ch. 9; Quartagno & Carpenter (2016), Stat Med
    35:2938; Huang & Wand (2013), Bayesian Anal 8:439 (prior). R: ``pan::pan``, ``jomo::jomo``.

    Examples
    --------
    >>> import numpy as np
    >>> from asp_eval import lmm
    >>> rng = np.random.default_rng(1)
    >>> g = np.repeat(np.arange(20), 15)
    >>> w1 = rng.normal(size=300) + 0.3 * rng.normal(size=20)[g]
    >>> w2 = 0.6 * w1 + rng.normal(size=300)
    >>> frame = pd.DataFrame({"inst": g, "arm": g % 2, "w1": w1, "w2": np.where(rng.random(300) < 0.2, np.nan, w2)})
    >>> imputed = impute(frame, {"w2": "continuous"}, group="inst", arm="arm", predictors=["w1"], n=5, seed=1)
    >>> imputed.summary()[["variable", "observed", "imputed"]].values.tolist()
    [['w2', 244, 56]]
    >>> table = imputed.fit(lambda data: lmm("w2 ~ arm + w1 + (1 | inst)", data)).pool()
    >>> table["term"].tolist(), bool((table["fmi"] > 0).all())
    (['Intercept', 'arm', 'w1'], True)
    """
    whole_number("n", n, 2)
    whole_number("seed", seed, 0)
    whole_number("workers", workers, 1)
    if covariance not in ("arm", "common"):
        COVARIANCE.refuse(covariance=covariance)
    plan = read_plan(as_frame(frame), variables, group, arm, predictors, by_arm=covariance == "arm")
    draws = draw(plan.model, _names(plan), n, seed, workers)
    return Imputations(plan.frame, imputed_variables(plan, draws), draws, plan, notes=(*plan.notes, *draws.notes))


def _names(plan: ImputationPlan) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the joint model's columns: of rows, and of groups."""

    def columns(variables: tuple[Incomplete, ...]) -> tuple[str, ...]:
        return tuple(v.name for v in variables for _ in range(v.n_columns))

    return columns(plan.rows), columns(plan.groups)
