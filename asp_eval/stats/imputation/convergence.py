"""Whether chains agree: rank-normalised split R-hat, and the effective number of draws.

References
----------
Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Bayesian Anal 16:667, eq. 3, 4, 10, 11, 14. R: ``posterior::rhat``,
``posterior::ess_bulk``.
"""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from asp_eval.stats.estimate import Array


def rhat(draws: Array) -> Array:
    """Return rank-normalised split R-hat (k,): the larger of that of the draws and that of their distances from the median.

    Parameters
    ----------
    draws : ndarray (chains, iterations, k)

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> bool((rhat(rng.normal(size=(4, 250, 3))) < 1.02).all())
    True
    """
    split = _split(draws)
    folded = np.abs(split - np.median(split, axis=(0, 1)))
    return np.maximum(_plain_rhat(_normal_scores(split)), _plain_rhat(_normal_scores(folded)))


def effective_draws(draws: Array) -> Array:
    """Return the bulk effective number of draws (k,).

    Parameters
    ----------
    draws : ndarray (chains, iterations, k)

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> bool((effective_draws(rng.normal(size=(4, 250, 3))) > 500).all())
    True
    """
    z = _normal_scores(_split(draws))
    chains, n, k = z.shape
    centred = z - z.mean(1, keepdims=True)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(centred, size, axis=1)
    covariance = np.fft.irfft(spectrum * np.conj(spectrum), size, axis=1)[:, :n] / n
    within = covariance[:, 0].mean(0) * n / (n - 1)
    total = within * (n - 1) / n + (z.mean(1).var(0, ddof=1) if chains > 1 else 0.0)
    correlation = 1 - (within - covariance.mean(0)) / total  # (n, k)
    correlation[0] = 1.0
    return np.array([_from_correlation(correlation[:, j], chains * n) for j in range(k)])


def _from_correlation(rho: Array, total: int) -> float:
    """Return the effective number by Geyer's initial monotone sequence."""
    pairs = rho[: len(rho) // 2 * 2].reshape(-1, 2).sum(1)
    most = max(-(-(len(rho) - 5) // 2), 1)  # the last lags are known from a few draws only
    end = min(int(np.argmax(pairs < 0)) if bool((pairs < 0).any()) else most, most)
    kept = np.minimum.accumulate(pairs[:end])
    tau = -1 + 2 * float(kept.sum()) + max(float(rho[2 * end]), 0.0)
    return float(total / max(tau, 1 / np.log10(total)))


def _split(draws: Array) -> Array:
    """Return each chain as its two halves."""
    half = draws.shape[1] // 2
    return np.concatenate((draws[:, :half], draws[:, -half:]))


def _normal_scores(draws: Array) -> Array:
    chains, n, k = draws.shape
    ranks = stats.rankdata(draws.reshape(-1, k), axis=0)
    return np.asarray(special.ndtri((ranks - 3 / 8) / (chains * n + 1 / 4)), float).reshape(chains, n, k)


def _plain_rhat(draws: Array) -> Array:
    n = draws.shape[1]
    within, between = draws.var(1, ddof=1).mean(0), draws.mean(1).var(0, ddof=1)
    return np.asarray(np.sqrt((n - 1) / n + between / within), float)
