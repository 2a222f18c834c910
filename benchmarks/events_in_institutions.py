"""Logistic models with an arm and institutions' normal effects, fitted to many simulated trials at once.

For events k_j of n in institutions j = 1..m of two arms, maximum likelihood in the logit of each arm and the standard
deviation s of the institutions: each integral over an institution's effect by 15 points of adaptive Gauss-Hermite quadrature,
the score and the observed information by Fisher's and Louis's identities (Louis 1982, J R Stat Soft B 44:226), Newton steps
in all trials together. It shares no code with `asp_eval.glmm("y ~ arm + (1 | inst)", n_quadrature=15)`, which fits the same
model one trial at a time and takes some twenty times as long; `by_glmm` has that one's answers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

import asp_eval

POINT, WEIGHT = np.polynomial.hermite_e.hermegauss(15)
LOG_WEIGHT = np.log(WEIGHT) - 0.5 * np.log(2 * np.pi) + 0.5 * POINT**2


@dataclass(frozen=True)
class Fits:
    """What was found in T trials.

    Attributes
    ----------
    effect, std_error : ndarray (T,)
        The arms' difference in logits; nan where refused.
    refused, singular : ndarray of bool (T,)
        An arm without events, or with nothing else, or institutions that are all of one kind; a variance at zero.
    """

    effect: np.ndarray
    std_error: np.ndarray
    refused: np.ndarray
    singular: np.ndarray


def fit_trials(events: np.ndarray, size: int, arm: np.ndarray) -> Fits:
    """Fit the model to each row of events (T, m), with `arm` (m,) of zeros and ones."""
    trials = len(events)
    total = np.stack([events[:, arm == a].sum(axis=1) for a in (0, 1)], axis=1)
    most = size * np.bincount(arm)
    pure = ((events == 0) | (events == size)).all(axis=1)
    refused = ((total == 0) | (total == most)).any(axis=1) | pure
    effect, error = np.full(trials, np.nan), np.full(trials, np.nan)
    some = np.flatnonzero(~refused)
    share = total[some] / most
    logit = special.logit(share)
    p = share[:, arm]
    rise = ((events[some] - size * p) ** 2 - size * p * (1 - p)).sum(axis=1)  # twice the slope in the variance at zero
    at_zero = rise <= 1e-9 * size  # it can be zero but for rounding
    effect[some] = logit[:, 1] - logit[:, 0]
    error[some] = np.sqrt((1 / (most * share * (1 - share))).sum(axis=1))
    inside = some[~at_zero]
    singular = np.zeros(trials, bool)
    singular[some[at_zero]] = True
    if len(inside):
        x, information, reached = _newton(
            events[inside], size, arm, np.column_stack([logit[~at_zero], np.full(len(inside), 0.5)])
        )
        effect[inside] = x[:, 1] - x[:, 0]
        contrast = np.array([-1.0, 1.0, 0.0])
        error[inside[reached]] = np.sqrt(contrast @ np.linalg.inv(information[reached]) @ contrast)
        lost = inside[~reached]  # events in one institution of an arm: the identities and the quadrature part where s is large
        one_by_one = by_glmm(events[lost], size, arm)
        effect[lost], error[lost] = one_by_one.effect, one_by_one.std_error
        refused[lost], singular[lost] = one_by_one.refused, one_by_one.singular
    return Fits(effect, error, refused, singular)


def _newton(k: np.ndarray, n: int, arm: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the maximum (T, 3), the observed information there (T, 3, 3), and in which trials it was reached."""
    value, slope, information = _likelihood(k, n, arm, x)
    going = np.arange(len(x))
    for _ in range(60):
        step, far = _step(slope[going], information[going])
        going, step = going[far > 1e-7], step[far > 1e-7]
        if not len(going):
            break
        for _ in range(30):
            new = _likelihood(k[going], n, arm, x[going] + step)
            worse = ~(new[0] >= value[going] - 1e-10 * np.abs(value[going]))
            if not worse.any():
                break
            step[worse] /= 2
        x[going] += step
        saddle = (np.abs(x[going, 2]) < 0.01) & (new[2][:, 2, 2] <= 0)  # the slope in s is nil at zero, which is no maximum here
        if saddle.any():
            x[going[saddle], 2] = 0.1
            new = _likelihood(k[going], n, arm, x[going])
        value[going], slope[going], information[going] = new
    return x, information, ~np.isin(np.arange(len(x)), going)


def _step(slope: np.ndarray, information: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Newton's step (T, 3), uphill everywhere and no longer than 1, and its largest part before it was cut."""
    values, vectors = np.linalg.eigh(information)
    values = np.maximum(np.abs(values), 1e-6 * np.abs(values).max(axis=1, keepdims=True))
    step = np.einsum("tij,tj,tkj,tk->ti", vectors, 1 / values, vectors, slope)
    far = np.abs(step).max(axis=1)
    return step * np.minimum(1.0, 1.0 / np.maximum(far, 1e-300))[:, None], far


def _likelihood(k: np.ndarray, n: int, arm: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log likelihood (T,), slope (T, 3) and observed information (T, 3, 3)."""
    fixed, s = x[:, :2][:, arm], x[:, 2:]
    u = np.zeros_like(fixed)
    for _ in range(40):
        p = special.expit(fixed + s * u)
        step = (s * (k - n * p) - u) / (1 + s**2 * n * p * (1 - p))
        u += np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-7:
            break
    p = special.expit(fixed + s * u)
    spread = (1 + s**2 * n * p * (1 - p)) ** -0.5
    U = u[..., None] + spread[..., None] * POINT
    eta = fixed[..., None] + s[..., None] * U
    p = special.expit(eta)
    height = k[..., None] * eta - n * np.logaddexp(0.0, eta) - 0.5 * U**2 + LOG_WEIGHT
    top = height.max(axis=-1, keepdims=True)
    P = np.exp(height - top)
    mass = P.sum(axis=-1)
    P /= mass[..., None]
    value = (np.log(mass) + top[..., 0] + np.log(spread)).sum(axis=1)
    r, w = k[..., None] - n * p, n * p * (1 - p)
    g, h = (P * r).sum(axis=-1), (P * r * U).sum(axis=-1)
    own = (P * (w - r**2)).sum(axis=-1) + g**2
    cross = (P * (w - r**2) * U).sum(axis=-1) + g * h
    last = ((P * (w - r**2) * U**2).sum(axis=-1) + h**2).sum(axis=1)
    slope, information = np.empty_like(x), np.zeros((len(x), 3, 3))
    slope[:, 2], information[:, 2, 2] = h.sum(axis=1), last
    for a in (0, 1):
        mine = arm == a
        slope[:, a], information[:, a, a] = g[:, mine].sum(axis=1), own[:, mine].sum(axis=1)
        information[:, a, 2] = information[:, 2, a] = cross[:, mine].sum(axis=1)
    return value, slope, information


def by_glmm(events: np.ndarray, size: int, arm: np.ndarray) -> Fits:
    """Fit the same by `asp_eval.glmm`, trial by trial."""
    found = Fits(
        np.full(len(events), np.nan), np.full(len(events), np.nan), np.zeros(len(events), bool), np.zeros(len(events), bool)
    )
    for t, row in enumerate(events):
        frame = pd.DataFrame({"inst": np.arange(len(row)), "arm": arm.astype(float), "y": row / size, "n": float(size)})
        try:
            fit = asp_eval.glmm("y ~ arm + (1 | inst)", frame, n_quadrature=15, weights="n")
        except asp_eval.Refusal:
            found.refused[t] = True
            continue
        row_of_arm = fit.contrast("arm")
        found.effect[t], found.std_error[t], found.singular[t] = row_of_arm.estimate, row_of_arm.std_error, fit.singular
    return found
