"""Outcomes of a generalised linear mixed model: what a family can have, and what it is refused for."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np

from asp_eval.core.errors import Fault
from asp_eval.stats.design.model_frame import Design
from asp_eval.stats.design.variables import Categories
from asp_eval.stats.estimate import Array
from asp_eval.stats.glmm.families import FAMILIES

FAMILY = Fault("FIT-082", "there is no family {family!r}", "Use one of: {known}.")
LINK = Fault("FIT-083", "the family {family} has no link {link!r}", "Use one of: {known}.")
NOT_BINARY = Fault(
    "FIT-084",
    "a binomial outcome without trials holds zeros and ones, or two categories",
    "Give the number of trials with weights=, choose a cut, or use another family.",
)
NOT_A_SHARE = Fault(
    "FIT-085", "a proportion lies between 0 and 1", "Give successes divided by trials, and the trials with weights=."
)
FRACTION = Fault(
    "FIT-086",
    "proportion times trials is not a whole number of successes",
    "Check that the column of weights holds the trials that the proportion was computed from.",
)
TRIALS = Fault("FIT-087", "a number of trials is a whole number", "Give the number of trials of each row.")
NOT_A_COUNT = Fault("FIT-088", "a count is a whole number, zero or more", "Use a linear model, or correct the values.")
ONE_VALUE = Fault(
    "FIT-089",
    "every outcome is the same, so there is nothing to model",
    "Report the number itself; a difference between arms cannot be estimated.",
)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """An outcome that its family allows.

    Attributes
    ----------
    y : ndarray (n,)
        Successes, or counts.
    weights : ndarray (n,) or None
        Trials, or how often a row counts.
    event : str
        The category whose probability is modelled, where the outcome has categories.
    """

    y: Array
    weights: Array | None
    event: str = ""


def check_family(family: object, link: object) -> tuple[str, str]:
    """Return the family's and the link's names.

    Raises
    ------
    Refusal
        If the family is unknown, or has no such link.
    """
    known = ", ".join(FAMILIES)
    name = str(family).lower().replace("_", "-") if isinstance(family, str) else family
    if not isinstance(name, str) or name not in FAMILIES:
        near = difflib.get_close_matches(str(family), FAMILIES, n=1)
        FAMILY.refuse(family=family, known=f"{near[0]}, {known}" if near and near[0] != "binomial" else known)
    links = FAMILIES[str(name)]
    if link is None:
        return str(name), links[0]
    if not isinstance(link, str) or link not in links:
        LINK.refuse(family=name, link=link, known=", ".join(links))
    return str(name), str(link)


def read_outcome(design: Design, family: str, name: str) -> Outcome:
    """Return the outcome of a design.

    Parameters
    ----------
    design : Design
    family : str
    name : str
        The response as the formula writes it.

    Raises
    ------
    Refusal
        If the family cannot have these values, or all are the same.
    """
    if family == "binomial":
        return _binomial(design, name)
    y = design.data.numeric(name) if isinstance(design.outcome, Categories) else design.outcome.numbers
    bad = (y < 0) | (y != np.floor(y))
    if bool(bad.any()):
        NOT_A_COUNT.refuse(name, found=_number(y[bad][0]))
    if not bool((y > 0).any()):
        ONE_VALUE.refuse(name, found="0")
    return Outcome(y, design.weights)


def _binomial(design: Design, name: str) -> Outcome:
    """Return zeros and ones, or successes with their trials."""
    outcome, trials = design.outcome, design.weights
    if isinstance(outcome, Categories):
        if len(outcome.levels) + len(outcome.absent) > 2 or len(outcome.levels) > 2:
            NOT_BINARY.refuse(name, found=", ".join(str(v) for v in outcome.levels[:5]))
        if len(outcome.levels) < 2:
            ONE_VALUE.refuse(name, found=str(outcome.levels[0]))
        return _varied(Outcome(outcome.codes.astype(float), trials, str(outcome.levels[1])), name)
    y = outcome.numbers
    if trials is None:
        bad = (y != 0) & (y != 1)
        if bool(bad.any()):
            NOT_BINARY.refuse(name, found=_number(y[bad][0]))
        return _varied(Outcome(y, None), name)
    outside = (y < 0) | (y > 1)
    if bool(outside.any()):
        NOT_A_SHARE.refuse(name, found=_number(y[outside][0]))
    broken = trials != np.floor(trials)
    if bool(broken.any()):
        TRIALS.refuse(found=_number(trials[broken][0]))
    successes = np.round(y * trials)
    off = np.abs(y * trials - successes) > 1e-6 * np.maximum(trials, 1.0)
    if bool(off.any()):
        FRACTION.refuse(name, found=f"{y[off][0]:.6g} x {trials[off][0]:g} = {(y * trials)[off][0]:.6g}")
    return _varied(Outcome(successes, trials), name)


def _varied(outcome: Outcome, name: str) -> Outcome:
    """Return the outcome, or refuse one that is the same everywhere."""
    total = float(len(outcome.y) if outcome.weights is None else outcome.weights.sum())
    successes = float(outcome.y.sum())
    if successes in (0.0, total):
        ONE_VALUE.refuse(name, found="1" if successes else "0")
    return outcome


def _number(value: float) -> str:
    """Return a value as the reader wrote it."""
    return f"{value:g}"
