"""Imputation of a score at three waves, compiled: `asp_eval.impute` for the trials of `imputation_coverage.py`, 20 times faster.

It draws what the package draws, in its order, from the same streams, and judges the chains by the same rule: every number is the
package's up to rounding, which ``python benchmarks/imputation_coverage.py check`` shows. It is right for these trials alone:
three continuous scores of children, an intercept and one of two arms as predictors, every institution as large as another.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from compiled_matrices import compiled, factor_of, inverse_of, lower_inverse, solve
from scipy import special

from asp_eval.core.randomness import stream
from asp_eval.stats.estimate import Array
from asp_eval.stats.imputation.covariances import NU, bartlett_shapes, child_df, institution_df
from asp_eval.stats.imputation.draws import (
    CHAINS,
    FIRST_SWEEPS,
    LARGEST_RHAT,
    LEAST_BETWEEN,
    LEAST_EFFECTIVE,
    MOST_BETWEEN,
    MOST_SWEEPS,
)
from asp_eval.stats.imputation.gibbs import SMALL, START_VARIANCE
from asp_eval.stats.imputation.random_numbers import BLOCK, ROWS
from asp_eval.stats.imputation.unknown_cells import CommonPattern, pattern_order
from asp_eval.stats.integration.standard import standard_columns

Q = 3  # waves


@compiled
def _take(rng, block, at, n):
    """Return where the next n normal numbers stand, as `RandomNumbers` deals them: a block, its start."""
    if at + n > len(block):
        size = n if n > BLOCK // 4 else BLOCK
        block = np.empty(size)
        for i in range(size):
            block[i] = rng.standard_normal()
        at = 0
    return block, at


@compiled
def _wishart(scale, gammas, normals, A, B, L, out):
    """Put a draw of the inverse Wishart distribution into `out` (`covariances.inverse_wishart`)."""
    for i in range(Q):
        A[i, i] = math.sqrt(2.0 * gammas[i])
        for j in range(i):
            A[i, j] = normals[i * Q + j]
    lower_inverse(A, Q, B)
    factor_of(scale, Q, L)
    for i in range(Q):  # A = B L', of which `out` is A' A
        for j in range(Q):
            s = 0.0
            for k in range(min(i, j) + 1):
                s += B[i, k] * L[j, k]
            A[i, j] = s
    for i in range(Q):
        for j in range(Q):
            s = 0.0
            for k in range(Q):
                s += A[k, i] * A[k, j]
            out[i, j] = s


@compiled
def _sweeps(
    n_sweeps, rng, block, at, gamma, gamma_at, shapes, Y, B, u, Sigma, Psi, scales,
    group, row_class, code, seg_first, seg_k, complete_Y, complete_n, complete_YY, x, first, size, states,
):  # fmt: skip
    """Make sweeps of one chain in place; see `gibbs.Sampler.step`, which this follows line by line."""
    A, J, k = 2, len(u), Psi.shape[0]
    rows = len(Y)
    T, W = np.zeros((A, Q, Q)), np.zeros((A, Q, Q))
    SY, inverse = np.zeros((J, Q)), np.zeros((A, 8, Q, Q))
    mu, m = np.zeros((A, Q)), np.zeros((J, Q))
    S1, S2, S3, S4, K = np.zeros((Q, Q)), np.zeros((Q, Q)), np.zeros((Q, Q)), np.zeros((Q, Q)), np.zeros((Q, Q))
    L6, precision, weighted = np.zeros((2 * Q, 2 * Q)), np.zeros((2 * Q, 2 * Q)), np.zeros(2 * Q)
    backs, shrinks, products = np.zeros((A, Q, Q)), np.zeros((A, Q)), np.zeros((A, Q, Q))
    total, drawn, right, e, half = np.zeros(Q), np.zeros(Q), np.zeros(Q), np.zeros(Q), np.zeros(Q)
    columns, n_missing = np.zeros((8, Q), np.int64), np.zeros(8, np.int64)
    used = np.zeros((A, 8), np.bool_)
    for pattern in range(1, 8):
        for c in range(Q):
            if pattern >> c & 1:
                columns[pattern, n_missing[pattern]] = c
                n_missing[pattern] += 1
    for i in range(rows):
        used[row_class[i], code[i]] = True
    for sweep in range(n_sweeps):
        if gamma_at == ROWS:
            for i in range(ROWS):
                for j in range(len(shapes)):
                    gamma[i, j] = rng.standard_gamma(shapes[j])
            gamma_at = 0
        g = gamma[gamma_at]
        gamma_at += 1
        # B and u
        SY[:] = complete_Y
        for i in range(rows):
            for c in range(Q):
                SY[group[i], c] += Y[i, c]
        precision[:] = 0.0
        weighted[:] = 0.0
        for a in range(A):
            factor, whiten, own_psi = S1, S2, Psi[a if k > 1 else 0]
            factor_of(Sigma[a], Q, factor)
            lower_inverse(factor, Q, whiten)
            for i in range(Q):
                for j in range(Q):
                    S3[i, j] = 0.0
                    for r in range(j + 1):
                        S3[i, j] += own_psi[i, r] * whiten[j, r]
            for i in range(Q):
                for j in range(Q):
                    S4[i, j] = 0.0
                    for r in range(i + 1):
                        S4[i, j] += whiten[i, r] * S3[r, j]
            values, vectors = np.linalg.eigh(S4)
            for i in range(Q):
                for j in range(Q):
                    T[a, i, j], backs[a, i, j] = 0.0, 0.0
                    for r in range(i, Q):
                        T[a, i, j] += whiten[r, i] * vectors[r, j]
                    for r in range(j + 1):
                        backs[a, i, j] += vectors[r, i] * factor[j, r]
            for i in range(Q):
                for j in range(Q):
                    W[a, i, j] = 0.0
                    for r in range(Q):
                        W[a, i, j] += T[a, i, r] * T[a, j, r]
            n_a = first[a + 1] - first[a]
            total[:] = 0.0
            for j in range(first[a], first[a + 1]):
                for c in range(Q):
                    total[c] += SY[j, c]
            for c in range(Q):
                v = max(values[c], 0.0)
                s = v / (1.0 + size * v)
                shrinks[a, c] = s
                M = size * n_a * (1.0 - size * s)
                own = 0.0
                for i in range(Q):
                    own += total[i] * T[a, i, c]
                R = own * (1.0 - size * s)
                for i in range(Q):
                    for p in range(2):
                        weighted[2 * i + p] += T[a, i, c] * x[a, p] * R
                    for j in range(Q):
                        for p in range(2):
                            for r in range(2):
                                precision[2 * i + p, 2 * j + r] += T[a, i, c] * T[a, j, c] * M * x[a, p] * x[a, r]
        block, at = _take(rng, block, at, 2 * Q)
        factor_of(precision, 2 * Q, L6)
        for i in range(2 * Q):
            for j in range(i + 1):
                weighted[i] += L6[i, j] * block[at + j]
        at += 2 * Q
        solve(L6, 2 * Q, weighted)
        for c in range(Q):
            for p in range(2):
                B[p, c] = weighted[2 * c + p]
        for a in range(A):
            for c in range(Q):
                mu[a, c] = x[a, 0] * B[0, c] + x[a, 1] * B[1, c]
            n_a = first[a + 1] - first[a]
            block, at = _take(rng, block, at, n_a * Q)
            for j in range(first[a], first[a + 1]):
                for c in range(Q):
                    rest = 0.0
                    for i in range(Q):
                        rest += (SY[j, i] - size * mu[a, i]) * T[a, i, c]
                    drawn[c] = shrinks[a, c] * rest + math.sqrt(shrinks[a, c]) * block[at]
                    at += 1
                for c in range(Q):
                    s = 0.0
                    for i in range(Q):
                        s += drawn[i] * backs[a, i, c]
                    u[j, c] = s
        # Psi
        block, at = _take(rng, block, at, k * Q * Q)
        for b in range(k):
            low, high = (first[b], first[b + 1]) if k > 1 else (0, J)
            K[:] = 0.0
            for j in range(low, high):
                for c in range(Q):
                    for i in range(c + 1):
                        K[c, i] += u[j, c] * u[j, i]
            for c in range(Q):
                K[c, c] += 2.0 * NU / scales[b, c]
            _wishart(K, g[A * Q + b * Q : A * Q + (b + 1) * Q], block[at : at + Q * Q], S1, S2, S3, Psi[b])
            at += Q * Q
        block, at = _take(rng, block, at, k * Q)
        for b in range(k):
            whole = S4
            inverse_of(Psi[b], Q, S1, S2, whole)
            K[:] = 0.0
            right[:] = 0.0
            for a in range(A):
                if k > 1 and a != b:
                    continue
                for j in range(first[a], first[a + 1]):
                    for c in range(Q):
                        s = 0.0
                        for i in range(Q):
                            s += (SY[j, i] - size * mu[a, i]) * W[a, i, c]
                            K[c, i] += W[a, c, i] * size * u[j, c] * u[j, i]
                        right[c] += s * u[j, c]
            for c in range(Q):
                w = g[A * Q + 2 * k * Q + b * Q + c] / (1.0 + NU * whole[c, c])
                K[c, c] += 2.0 * w
            factor_of(K, Q, S1)
            for i in range(Q):
                for j in range(i + 1):
                    right[i] += S1[i, j] * block[at + j]
            at += Q
            d = right
            solve(S1, Q, d)
            low, high = (first[b], first[b + 1]) if k > 1 else (0, J)
            for j in range(low, high):
                for c in range(Q):
                    u[j, c] *= d[c]
            for c in range(Q):
                for i in range(Q):
                    Psi[b, c, i] *= d[c] * d[i]
                scales[b, c] = (NU * whole[c, c] / d[c] ** 2 + 1.0) / g[A * Q + k * Q + b * Q + c]
        # Sigma
        products[:] = complete_YY
        for a in range(A):
            for c in range(Q):
                products[a, c, c] += 1.0
        for a in range(A):
            for j in range(first[a], first[a + 1]):
                for c in range(Q):
                    m[j, c] = mu[a, c] + u[j, c]
                for c in range(Q):
                    for i in range(Q):
                        products[a, c, i] -= (
                            complete_Y[j, c] * m[j, i] + m[j, c] * complete_Y[j, i] - complete_n[j] * m[j, c] * m[j, i]
                        )
        for i in range(rows):
            j, a = group[i], row_class[i]
            e0, e1, e2 = Y[i, 0] - m[j, 0], Y[i, 1] - m[j, 1], Y[i, 2] - m[j, 2]
            products[a, 0, 0] += e0 * e0
            products[a, 1, 1] += e1 * e1
            products[a, 2, 2] += e2 * e2
            products[a, 1, 0] += e1 * e0
            products[a, 2, 0] += e2 * e0
            products[a, 2, 1] += e2 * e1
        block, at = _take(rng, block, at, A * Q * Q)
        for a in range(A):  # the upper triangle is not read
            _wishart(products[a], g[a * Q : (a + 1) * Q], block[at : at + Q * Q], S1, S2, S3, Sigma[a])
            at += Q * Q
            inverse_of(Sigma[a], Q, S1, S2, W[a])
            for pattern in range(1, 8):
                if used[a, pattern]:
                    n = n_missing[pattern]
                    for c in range(n):
                        for i in range(n):
                            S3[c, i] = W[a, columns[pattern, c], columns[pattern, i]]
                    factor_of(S3, n, S1)
                    lower_inverse(S1, n, inverse[a, pattern])
        # missing values
        for s in range(len(seg_k)):
            width = seg_k[s]
            block, at = _take(rng, block, at, (seg_first[s + 1] - seg_first[s]) * width)
            for i in range(seg_first[s], seg_first[s + 1]):
                pattern = code[i]
                j, a, n = group[i], row_class[i], n_missing[pattern]
                for c in range(Q):
                    e[c] = Y[i, c] - m[j, c]
                for r in range(n):
                    half[r] = block[at + r]
                for q in range(n):
                    column = columns[pattern, q]
                    given = W[a, column, 0] * e[0] + W[a, column, 1] * e[1] + W[a, column, 2] * e[2]
                    for r in range(q, n):
                        half[r] -= inverse[a, pattern, r, q] * given
                for q in range(n):
                    change = 0.0
                    for r in range(q, n):
                        change += half[r] * inverse[a, pattern, r, q]
                    Y[i, columns[pattern, q]] += change
                at += width
        if sweep < len(states):
            out = states[sweep]
            for p in range(2):
                for c in range(Q):
                    out[p * Q + c] = B[p, c]
            for a in range(A):
                for c in range(Q):
                    out[(2 + a) * Q + c] = Sigma[a, c, c]
            for b in range(k):
                for c in range(Q):
                    out[(4 + b) * Q + c] = max(Psi[b, c, c], SMALL)
    return block, at, gamma_at


class Chains:
    """The chains of one trial.

    Parameters
    ----------
    w : ndarray (n, 3)
        Scores, NaN where missing; n / J children of each institution, one institution after the other.
    arm : ndarray of int (J,)
    seed : int
    """

    def __init__(self, w: Array, arm: Array, seed: int) -> None:
        J, n = len(arm), len(w)
        self.size, self.w = n // J, w
        self.missing = np.isnan(w)
        self.centre, self.spread = np.nanmean(w, 0), np.nanstd(w, 0)
        order = np.argsort(arm, kind="stable")
        place = np.empty(J, np.int64)
        place[order] = np.arange(J)
        self.first = np.array([0, int((arm == 0).sum()), J])
        group, of_row = place[np.repeat(np.arange(J), self.size)], np.repeat(arm, self.size).astype(np.int64)
        Y = (w - self.centre) / self.spread
        active = np.flatnonzero(self.missing.any(1))
        own, patterns = pattern_order(self.missing[active], of_row[active], 2)
        rows = active[own]
        X = standard_columns(np.column_stack((np.ones(n), np.repeat(arm, self.size)))).X
        self.x = np.array([X[self.size * int(np.argmax(arm == a))] for a in (0, 1)])
        k = 2 if min(self.first[1], J - self.first[1]) >= 2 * Q else 1
        shapes = [bartlett_shapes(child_df(self.size * int((arm == a).sum()), Q), Q) for a in (0, 1)]
        shapes += [bartlett_shapes(institution_df(j, Q), Q) for j in (np.diff(self.first) if k > 1 else [J])]
        self.shapes = np.concatenate([*shapes, np.full(2 * k * Q, (NU + Q) / 2)])
        jobs, widths = [], []  # the rows in the order in which they get their numbers
        for found in patterns:
            if isinstance(found, CommonPattern):
                jobs.append(np.arange(found.first, found.last))
                widths.append(len(found.missing))
            else:
                jobs.append(found.rows)
                widths.append(found.patterns.shape[1])
        job = np.concatenate(jobs)
        self.rows = rows[job]
        self.seg_first, self.seg_k = np.cumsum([0, *map(len, jobs)]), np.array(widths)
        self.group, self.row_class = group[self.rows], of_row[self.rows]
        self.code = (self.missing[self.rows] * np.array([1, 2, 4])).sum(1)
        complete = np.flatnonzero(~self.missing.any(1))
        self.complete_n = np.bincount(group[complete], minlength=J).astype(float)
        self.complete_Y = np.column_stack([np.bincount(group[complete], Y[complete, c], J) for c in range(Q)])
        self.complete_YY = np.array([(m := Y[complete[of_row[complete] == a]]).T @ m for a in (0, 1)])
        self.chains = [self._chain(stream(seed, "imputation", c), Y, J, k) for c in range(CHAINS)]
        self.k = k

    def _chain(self, rng: np.random.Generator, Y: Array, J: int, k: int) -> list:
        block, at = rng.standard_normal(max(Y.size, BLOCK if Y.size <= BLOCK // 4 else 0)), Y.size
        start = np.where(self.missing, block[:at].reshape(Y.shape), Y)[self.rows]
        if at + Q > len(block):
            block, at = rng.standard_normal(BLOCK), 0
        Psi = np.tile(START_VARIANCE * np.diag(np.exp(block[at : at + Q])), (k, 1, 1))
        state = [start, np.zeros((2, Q)), np.zeros((J, Q)), np.tile(np.eye(Q), (2, 1, 1)), Psi, np.ones((k, Q))]
        return [rng, block, at + Q, np.empty((ROWS, len(self.shapes))), ROWS, state]

    def sweep(self, n: int, *, kept: bool) -> Array:
        """Make n sweeps of every chain; return the states after each (chains, n, k)."""
        out = np.empty((CHAINS, n if kept else 0, (4 + self.k) * Q))
        for chain, states in zip(self.chains, out, strict=True):
            rng, block, at, gamma, gamma_at, state = chain
            chain[1], chain[2], chain[4] = _sweeps(
                n, rng, block, at, gamma, gamma_at, self.shapes, *state, self.group, self.row_class, self.code, self.seg_first,
                self.seg_k, self.complete_Y, self.complete_n, self.complete_YY, self.x, self.first, float(self.size), states,
            )  # fmt: skip
        return out

    def imputed(self, n: int, between: int) -> list[Array]:
        """Return n completed data sets (rows, 3)."""
        out = []
        for _ in range(-(-n // CHAINS)):
            self.sweep(between, kept=False)
            for chain in self.chains:
                w = self.w.copy()
                mine = self.missing[self.rows]
                values = w[self.rows]
                values[mine] = (self.centre + self.spread * chain[5][0])[mine]
                w[self.rows] = values
                out.append(w)
        return out[:n]


@compiled
def _scores(values, normal, out):
    """Put the normal scores of values into `out`, equal values sharing their mean rank; return the median."""
    order = np.argsort(values)
    n, i = len(values), 0
    while i < n:
        j = i
        while j + 1 < n and values[order[j + 1]] == values[order[i]]:
            j += 1
        for k in range(i, j + 1):
            out[order[k]] = normal[i + j]
        i = j + 1
    return (values[order[(n - 1) // 2]] + values[order[n // 2]]) / 2.0


@compiled
def _moments(z, m, n):
    """Return the means (m,) of chains of n draws, the mean variance within them, and the variance between their means."""
    means, within = np.zeros(m), 0.0
    for c in range(m):
        for i in range(n):
            means[c] += z[c * n + i] / n
        for i in range(n):
            within += (z[c * n + i] - means[c]) ** 2 / (n - 1)
    return means, within / m, means.var() * m / (m - 1)


@compiled
def _effective(z, m, n):
    """Return the effective number of draws of m chains (`convergence.effective_draws`), to the end of Geyer's sequence."""
    means, within, between = _moments(z, m, n)
    total = within * (n - 1) / n + between
    most = max(-(-(n - 5) // 2), 1)
    kept, low, end = 0.0, np.inf, 0
    while True:
        pair, first = 0.0, 0.0
        for lag in (2 * end, 2 * end + 1):
            s = 0.0
            if lag < n:
                for c in range(m):
                    for i in range(n - lag):
                        s += (z[c * n + i] - means[c]) * (z[c * n + i + lag] - means[c])
            rho = 1.0 if lag == 0 else 1.0 - (within - s / (n * m)) / total
            first = rho if lag == 2 * end else first
            pair += rho
        if end == most or (pair < 0.0 and 2 * end + 1 < n):
            tau = -1.0 + 2.0 * kept + max(first, 0.0)
            return m * n / max(tau, 1.0 / math.log10(m * n))
        low = min(low, pair)
        kept += low
        end += 1


def agreement(states: Array) -> tuple[float, float]:
    """Return the largest R-hat and the fewest effective draws of quantities (chains, sweeps, k); as `convergence`."""
    half = states.shape[1] // 2
    split = np.concatenate((states[:, :half], states[:, -half:])).reshape(-1, states.shape[2])
    return _agreement(split.T.copy(), _normal_scores(len(split)), 2 * len(states), half)


@cache
def _normal_scores(n: int) -> Array:
    """Return the normal scores of the ranks 1, 1.5, ..., n."""
    return special.ndtri((np.arange(2 * n - 1) / 2 + 1 - 3 / 8) / (n + 1 / 4))


@compiled
def _agreement(values, normal, m, n):
    worst, least, z, folded = 0.0, np.inf, np.empty(m * n), np.empty(m * n)
    for q in range(len(values)):
        median = _scores(values[q], normal, z)
        least = min(least, _effective(z, m, n))
        _, within, between = _moments(z, m, n)
        worst = max(worst, math.sqrt((n - 1) / n + between / within))
        for i in range(m * n):
            folded[i] = abs(values[q, i] - median)
        _scores(folded, normal, z)
        _, within, between = _moments(z, m, n)
        worst = max(worst, math.sqrt((n - 1) / n + between / within))
    return worst, least


def imputed_data(trials: list[Chains], n: int) -> list[tuple[list[Array], bool]]:
    """Return for each trial n completed data sets, and whether its chains still differed; judged as `draws.draw` judges them."""
    states, out = [chains.sweep(0, kept=True) for chains in trials], [None] * len(trials)
    waiting, sweeps = list(range(len(trials))), 0
    while waiting:
        more = sweeps // 2 or FIRST_SWEEPS
        for t in waiting:
            states[t] = np.concatenate((states[t], trials[t].sweep(more, kept=True)), axis=1)
        sweeps += more
        for t in list(waiting):
            halves = states[t][:, sweeps // 2 :].copy()
            halves[:, :, 2 * Q :] = np.log(halves[:, :, 2 * Q :])
            r, effective = agreement(halves)
            agree = r <= LARGEST_RHAT and effective >= LEAST_EFFECTIVE
            if agree or sweeps >= MOST_SWEEPS:
                slowest = CHAINS * (sweeps - sweeps // 2) / effective
                between = int(np.clip(np.ceil(slowest), LEAST_BETWEEN, MOST_BETWEEN))
                out[t] = trials[t].imputed(n, between), not agree
                waiting.remove(t)
    return out
