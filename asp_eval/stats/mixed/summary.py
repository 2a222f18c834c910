"""A fit in print, in the order of lme4's summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd


def summary_text(
    formula: str,
    deviance: float,
    components: pd.DataFrame,
    fixed: pd.DataFrame,
    *,
    reml: bool,
    n_obs: int,
    n_groups: Mapping[str, int],
    notes: Sequence[str],
) -> str:
    """Return criterion, random effects, numbers of groups, fixed effects with standard errors and t, and notes.

    Parameters
    ----------
    formula : str
    deviance : float
    components : DataFrame
        As `MixedFit.variance_components` returns them.
    fixed : DataFrame
        Coefficients under the headings to show.
    reml : bool
    n_obs : int
    n_groups : mapping of str to int
    notes : sequence of Phrase
    """
    lines = [f"Linear mixed model fit by {'REML' if reml else 'maximum likelihood'}", f"Formula: {formula}"]
    lines += [f"{'REML criterion at convergence' if reml else 'Deviance'}: {deviance:.4f}", ""]
    groups = "; ".join(f"{f}, {m}" for f, m in n_groups.items())
    lines += ["Random effects:", _table(_random(components)), f"Number of obs: {n_obs}, groups: {groups}", ""]
    lines += ["Fixed effects:", _table(fixed)]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def _random(components: pd.DataFrame) -> pd.DataFrame:
    """Return variances, standard deviations and correlations side by side."""
    variances = components[components["term2"] == ""]
    out = pd.DataFrame(
        {
            "Groups": variances["group"],
            "Name": variances["term1"],
            "Variance": variances["variance"],
            "Std.Dev.": np.sqrt(variances["variance"]),
        }
    )
    pairs = components[components["term2"] != ""]
    for group, first, second, r in zip(pairs["group"], pairs["term1"], pairs["term2"], pairs["correlation"], strict=True):
        out.loc[(out["Groups"] == group) & (out["Name"] == second), f"Corr {first}"] = r
    return out


def _table(frame: pd.DataFrame) -> str:
    """Return a frame as aligned text."""
    return frame.to_string(index=False, na_rep="", float_format=lambda v: f"{v:.5g}")
