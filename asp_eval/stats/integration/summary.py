"""A fit with latent effects in print, in the order of lme4's summary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd


def summary_text(
    title: str,
    formula: str,
    glance: pd.DataFrame,
    components: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    n_groups: Mapping[str, int],
    notes: Sequence[str],
) -> str:
    """Return the criterion, random effects, numbers of groups, tables of coefficients and notes.

    Parameters
    ----------
    title : str
        What was fitted, and how.
    formula : str
    glance, components : DataFrame
        As the fit returns them.
    tables : mapping of str to DataFrame
        Headings with rows of `tidy`.
    n_groups : mapping of str to int
    notes : sequence of Phrase
    """
    g = glance.iloc[0]
    lines = [title, f"Formula: {formula}", f"logLik {g['log_likelihood']:.4f}  AIC {g['aic']:.2f}  BIC {g['bic']:.2f}", ""]
    variances = components[components["term2"] == ""]
    random = pd.DataFrame(
        {
            "Groups": variances["group"],
            "Name": variances["term1"],
            "Variance": variances["variance"],
            "Std.Dev.": np.sqrt(variances["variance"]),
        }
    )
    pairs = components[components["term2"] != ""]
    for group, first, second, r in zip(pairs["group"], pairs["term1"], pairs["term2"], pairs["correlation"], strict=True):
        random.loc[(random["Groups"] == group) & (random["Name"] == second), f"Corr {first}"] = r
    groups = "; ".join(f"{f}, {m}" for f, m in n_groups.items())
    lines += ["Random effects:", _table(random), f"Number of obs: {g['n_obs']}, groups: {groups}"]
    shown = {"": "term", "Estimate": "estimate", "Std. Error": "std_error", "z value": "statistic"}
    for heading, rows in tables.items():
        lines += ["", f"{heading}:", _table(pd.DataFrame({k: rows[v] for k, v in shown.items()}))]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def _table(frame: pd.DataFrame) -> str:
    """Return a frame as aligned text."""
    return frame.to_string(index=False, na_rep="", float_format=lambda v: f"{v:.5g}")
