"""The models of `imputation_coverage.py`, compiled: `asp_eval.lmm` with Kenward and Roger's method, some 20 times faster.

Written out from the formulas, not from the package: that all numbers are the same, which
``python benchmarks/imputation_coverage.py check`` shows, is a check of both.
"""

from __future__ import annotations

import math

import numpy as np
from compiled_matrices import compiled, factor_of, general_inverse, inner_product, inverse_of, solve, times

from asp_eval.stats.estimate import Array, t_quantile
from asp_eval.stats.imputation.pooling import rubin

Q = 3  # waves
GRID = np.concatenate([[0.0], np.exp(np.arange(-9.0, 12.1, 1.5))])


@compiled
def _criterion(d, n, sums, total, N):
    """Return -2 log of the restricted likelihood (up to a constant) at a ratio of variances, and its derivative in log d."""
    p = total.shape[0] - 1
    S, D, det, d_det = total.copy(), np.zeros_like(total), 0.0, 0.0
    for j in range(len(n)):
        c, slope = d / (1.0 + n[j] * d), 1.0 / (1.0 + n[j] * d) ** 2
        det += math.log(1.0 + n[j] * d)
        d_det += n[j] / (1.0 + n[j] * d)
        for i in range(p + 1):
            for k in range(p + 1):
                S[i, k] -= c * sums[j, i] * sums[j, k]
                D[i, k] -= slope * sums[j, i] * sums[j, k]
    L, low, inverse, beta = np.zeros((p, p)), np.zeros((p, p)), np.zeros((p, p)), S[:p, p].copy()
    inverse_of(S, p, L, low, inverse)
    solve(L, p, beta)
    rss, d_rss = S[p, p], D[p, p]
    for i in range(p):
        rss -= beta[i] * S[i, p]
        d_rss -= 2.0 * beta[i] * D[i, p]
        for k in range(p):
            d_rss += beta[i] * beta[k] * D[i, k]
    slope = d_det + (N - p) * d_rss / rss
    for i in range(p):
        det += 2.0 * math.log(L[i, i])
        for k in range(p):
            slope += inverse[i, k] * D[k, i]
    return det + (N - p) * math.log(rss), slope, rss, beta, inverse


@compiled
def lmm(columns, y, group, J):
    """Return estimate, standard error and degrees of freedom (Kenward-Roger) of column 1, with random institutions, by REML."""
    N, p = columns.shape
    n, sums, total = np.zeros(J), np.zeros((J, p + 1)), np.zeros((p + 1, p + 1))
    row = np.zeros(p + 1)
    shift = y.mean()
    for i in range(N):
        row[:p] = columns[i]
        row[p] = y[i] - shift
        n[group[i]] += 1.0
        for c in range(p + 1):
            sums[group[i], c] += row[c]
            for k in range(p + 1):
                total[c, k] += row[c] * row[k]
    best, lowest = 0, np.inf
    for g in range(len(GRID)):
        value = _criterion(GRID[g], n, sums, total, N)[0]
        if value < lowest:
            best, lowest = g, value
    d = 0.0
    at_zero = _criterion(0.0, n, sums, total, N)
    if best > 0 or at_zero[1] < 0.0:
        low = math.log(GRID[best - 1]) if best > 1 else math.log(1e-12)
        high = math.log(GRID[best + 1]) if best + 1 < len(GRID) else 40.0
        f_low = _criterion(math.exp(low), n, sums, total, N)[1]
        f_high = _criterion(math.exp(high), n, sums, total, N)[1]
        if f_low < 0.0 < f_high:
            side = 0
            for _ in range(200):  # false position, after Illinois
                middle = (low * f_high - high * f_low) / (f_high - f_low)
                f = _criterion(math.exp(middle), n, sums, total, N)[1]
                if abs(f) < 1e-12 * N or high - low < 1e-13:
                    break
                if f > 0:
                    high, f_high = middle, f
                    f_low = f_low / 2.0 if side == 1 else f_low
                    side = 1
                else:
                    low, f_low = middle, f
                    f_high = f_high / 2.0 if side == -1 else f_high
                    side = -1
            d = math.exp(middle)
            if best <= 1 and at_zero[1] >= 0.0 and at_zero[0] <= _criterion(d, n, sums, total, N)[0] + 1e-9:
                d = 0.0
    _, _, rss, beta, inverse = _criterion(d, n, sums, total, N)
    s2 = rss / (N - p)
    Phi = inverse * s2
    P, Qs = np.zeros((2, p, p)), np.zeros((2, 2, p, p))  # of the institutions' variance, and the children's
    trace = np.zeros((2, 2))
    for j in range(J):
        if n[j] == 0.0:
            continue
        g = 1.0 / (s2 * (1.0 + n[j] * d))
        trace[0, 0] += (n[j] * g) ** 2
        trace[0, 1] += n[j] * g * g
        trace[1, 1] += (n[j] - 1.0) / s2**2 + g * g
        for c in range(p):
            for k in range(p):
                both = sums[j, c] * sums[j, k]
                P[0, c, k] += g**2 * both
                P[1, c, k] += (g**2 - 1.0 / s2**2) / n[j] * both
                Qs[0, 0, c, k] += n[j] * g**3 * both
                Qs[0, 1, c, k] += g**3 * both
                Qs[1, 1, c, k] += (g**3 - 1.0 / s2**3) / n[j] * both
    P[1] += total[:p, :p] / s2**2
    Qs[1, 1] += total[:p, :p] / s2**3
    trace[1, 0], Qs[1, 0] = trace[0, 1], Qs[0, 1]
    return (beta[1], *kenward_roger(Phi, P, Qs, trace, 1))


@compiled
def kenward_roger(Phi, P, Qs, trace, of):
    """Return the standard error and degrees of freedom of one coefficient; letters as in `smallsample.kenward_roger`."""
    r, p = P.shape[0], Phi.shape[0]
    information, PhiP = np.zeros((r, r)), np.zeros((r, p, p))
    for a in range(r):
        PhiP[a] = times(Phi, P[a])
    for a in range(r):
        for b in range(r):
            s = trace[a, b]
            for i in range(p):
                for k in range(p):
                    s += PhiP[a, i, k] * PhiP[b, k, i] - 2.0 * Qs[a, b, i, k] * Phi[k, i]
            information[a, b] = s
    W = np.zeros((r, r))
    inverse_of(information, r, np.zeros((r, r)), np.zeros((r, r)), W)
    W *= 2.0
    inner = np.zeros((p, p))
    for a in range(r):
        for b in range(r):
            inner += W[a, b] * (Qs[a, b] - times(P[a], PhiP[b]))
    variance = Phi[of, of]
    for i in range(p):
        for k in range(p):
            variance += Phi[of, i] * (inner[i, k] + inner[k, i]) * Phi[k, of]
    u, A = np.zeros(r), 0.0
    for a in range(r):
        for i in range(p):
            for k in range(p):
                u[a] += Phi[of, i] * P[a, i, k] * Phi[k, of] / Phi[of, of]
    for a in range(r):
        for b in range(r):
            A += u[a] * W[a, b] * u[b]
    return math.sqrt(variance), 2.0 / A


def interval(found: tuple[float, float, float]) -> tuple[float, float, float, float]:
    """Return estimate, standard error and the limits of 95 %."""
    estimate, error, df = found
    half = float(t_quantile(np.array([0.975]), np.array([df]))[0]) * error
    return estimate, error, estimate - half, estimate + half


def pooled(data: list[Array], arm: Array, group: Array, J: int) -> tuple[float, float, float, float]:
    """Return the effect of the arm over imputed data sets, by Rubin's rules."""
    fits = np.array([lmm(np.column_stack((np.ones(len(w)), arm, w[:, 0])), w[:, 2].copy(), group, J) for w in data])
    own = rubin(fits[:, :1], fits[:, 1:2] ** 2, fits[:, 2:].mean(0))
    return interval((float(own.estimate[0]), float(own.std_error[0]), float(own.df[0])))


@compiled
def level_of(pull, share):
    """Return the level at which a share of scores is missing, in a logistic model with these pulls."""
    low, high = -12.0, 12.0
    for _ in range(50):
        middle, total = (low + high) / 2.0, 0.0
        for i in range(len(pull)):
            total += 1.0 / (1.0 + math.exp(-middle - pull[i]))
        if total / len(pull) < share:
            low = middle
        else:
            high = middle
    return low


@compiled
def _by_pattern(w, group, J):
    """Return of each institution and pattern of what was seen: children, sums of scores, of squared totals, and of squares."""
    n, sums, totals, squares = np.zeros((J, 8)), np.zeros((J, 8, Q)), np.zeros((J, 8)), np.zeros((J, 8))
    for i in range(len(w)):
        pattern, total = 0, 0.0
        for c in range(Q):
            if not np.isnan(w[i, c]):
                pattern += 1 << c
        j = group[i]
        n[j, pattern] += 1.0
        for c in range(Q):
            if pattern >> c & 1:
                sums[j, pattern, c] += w[i, c]
                squares[j, pattern] += w[i, c] ** 2
                total += w[i, c]
        totals[j, pattern] += total**2
    return n, sums, totals, squares


@compiled
def _same(n, along, across, out):
    """Add to `out` the sum over children of `across` (I - 11'/m) + `along` 11'/m, in the waves seen; both by m."""
    for pattern in range(1, 8):
        if n[pattern] > 0.0:
            m = (pattern & 1) + (pattern >> 1 & 1) + (pattern >> 2 & 1)
            off = n[pattern] * (along[m] - across) / m
            for c in range(Q):
                if pattern >> c & 1:
                    out[c, c] += n[pattern] * across
                    for i in range(Q):
                        if pattern >> i & 1:
                            out[c, i] += off


@compiled
def _waves_at(phi, data, arm, everything):
    """Return -2 log of the restricted likelihood of all waves and, if asked, gradient, information, and what its KR needs.

    phi: variances of institutions (all waves, each wave), of children, and of scores. Institution effects have the covariance
    G = phi_0 11' + diag; with N = Z'R^-1 Z of an institution, V^-1 Z = R^-1 Z F where F = (I + G N)^-1. In every institution
    of an arm X = Z K_a.
    """
    n, sums, totals, squares = data
    J, c2, s2 = len(arm), phi[4], phi[5]
    m_of = np.arange(4.0)
    across, along = 1.0 / s2, 1.0 / (s2 + m_of * c2)
    K = np.zeros((2, Q, 5))
    for a in range(2):
        K[a, :, 0] = 1.0
        K[a, 1, 1] = K[a, 2, 2] = 1.0
        K[a, 1, 3] = K[a, 2, 4] = a
    G = np.full((Q, Q), phi[0])
    for c in range(Q):
        G[c, c] += phi[1 + c]
    Ns, Fs, z = np.zeros((J, Q, Q)), np.zeros((J, Q, Q)), np.zeros((J, Q))
    HH, right, value = np.zeros((2, Q, Q)), np.zeros((2, Q)), 0.0
    for j in range(J):
        _same(n[j], along, across, Ns[j])
        for pattern in range(1, 8):
            if n[j, pattern] > 0.0:
                m = (pattern & 1) + (pattern >> 1 & 1) + (pattern >> 2 & 1)
                total = sums[j, pattern].sum()
                for c in range(Q):
                    if pattern >> c & 1:
                        z[j, c] += across * sums[j, pattern, c] + (along[m] - across) / m * total
                value += across * squares[j, pattern] + (along[m] - across) / m * totals[j, pattern]
                value += n[j, pattern] * ((m - 1) * math.log(s2) - math.log(along[m]))
        I_GN = times(G, Ns[j])
        for c in range(Q):
            I_GN[c, c] += 1.0
        F, det = general_inverse(I_GN)
        Fs[j] = F
        value += math.log(det) - (z[j] * (times(times(F, G), z[j].copy().reshape(Q, 1))[:, 0])).sum()
        HH[arm[j]] += times(Ns[j], F)
        for c in range(Q):
            for i in range(Q):
                right[arm[j], c] += F[i, c] * z[j, i]
    M, b = np.zeros((5, 5)), np.zeros(5)
    for a in range(2):
        M += times(times(K[a].T, HH[a]), K[a])
        for p in range(5):
            for c in range(Q):
                b[p] += K[a, c, p] * right[a, c]
    L, low, Phi = np.zeros((5, 5)), np.zeros((5, 5)), np.zeros((5, 5))
    inverse_of(M, 5, L, low, Phi)
    beta = b.copy()
    solve(L, 5, beta)
    value -= (beta * b).sum()
    for p in range(5):
        value += 2.0 * math.log(L[p, p])
    gradient, trace = np.zeros(6), np.zeros((6, 6))
    P, Qs = np.zeros((6, 5, 5)), np.zeros((6, 6, 5, 5))
    if not everything:
        return value, gradient, trace, Phi, P, Qs, trace, beta
    P3, Q3 = np.zeros((2, 6, Q, Q)), np.zeros((2, 6, 6, Q, Q))
    D, own, mid = np.zeros((4, Q, Q)), np.zeros((6, Q, Q)), np.zeros((6, Q, Q))
    D[0] = 1.0
    for c in range(Q):
        D[1 + c, c, c] = 1.0
    mu = np.zeros((2, Q))
    for a in range(2):
        for c in range(Q):
            for p in range(5):
                mu[a, c] += K[a, c, p] * beta[p]
    N_c, N_s, N_cc, N_cs, N_ss = np.zeros((5, Q, Q))
    pair, nu, v, left = np.zeros((Q, Q)), np.zeros(Q), np.zeros(Q), np.zeros(Q)
    for j in range(J):
        a, N, F = arm[j], Ns[j], Fs[j]
        U, H = times(F, G), times(N, F)
        for out in (N_c, N_s, N_cc, N_cs, N_ss):
            out[:] = 0.0
        _same(n[j], m_of * along**2, 0.0, N_c)
        _same(n[j], along**2, across**2, N_s)
        _same(n[j], m_of**2 * along**3, 0.0, N_cc)
        _same(n[j], m_of * along**3, 0.0, N_cs)
        _same(n[j], along**3, across**3, N_ss)
        for c in range(Q):
            left[c] = z[j, c]
            for i in range(Q):
                left[c] -= N[c, i] * mu[a, i]
        for c in range(Q):
            v[c], nu[c] = 0.0, mu[a, c]
            for i in range(Q):
                v[c] += F[i, c] * left[i]
                nu[c] += U[c, i] * left[i]
        for r in range(4):
            mid[r] = D[r]  # what stands between H's
            own[r] = times(times(H, D[r]), H)
            gradient[r] += inner_product(H, D[r])
            for c in range(Q):
                for i in range(Q):
                    gradient[r] -= v[c] * D[r, c, i] * v[i]
        own[4], own[5] = times(times(F.T.copy(), N_c), F), times(times(F.T.copy(), N_s), F)
        gradient[4] -= inner_product(U, N_c)
        gradient[5] -= inner_product(U, N_s)
        for pattern in range(1, 8):
            if n[j, pattern] > 0.0:
                m = (pattern & 1) + (pattern >> 1 & 1) + (pattern >> 2 & 1)
                at, cross, norm, total = 0.0, 0.0, 0.0, 0.0
                for c in range(Q):
                    if pattern >> c & 1:
                        at += nu[c]
                        cross += nu[c] * sums[j, pattern, c]
                        norm += nu[c] ** 2
                        total += sums[j, pattern, c]
                squared = totals[j, pattern] - 2.0 * at * total + n[j, pattern] * at**2
                whole = squares[j, pattern] - 2.0 * cross + n[j, pattern] * norm
                gradient[4] += n[j, pattern] * m * along[m] - squared * along[m] ** 2
                gradient[5] += n[j, pattern] * ((m - 1) * across + along[m])
                gradient[5] -= across**2 * (whole - squared / m) + along[m] ** 2 * squared / m
                trace[4, 4] += n[j, pattern] * (m * along[m]) ** 2
                trace[4, 5] += n[j, pattern] * m * along[m] ** 2
                trace[5, 5] += n[j, pattern] * ((m - 1) * across**2 + along[m] ** 2)
        for r in range(6):
            P3[a, r] += own[r]
            for s in range(r, 6):
                if s < 4:
                    both = times(times(own[r], D[s]), H)
                    trace[r, s] += inner_product(times(times(H, D[r]), H), D[s])
                elif r < 4:
                    both = times(times(H, D[r]), own[s])
                    trace[r, s] += inner_product(D[r], own[s])
                else:
                    N_r, N_t = N_c if r == 4 else N_s, N_c if s == 4 else N_s
                    pair = N_cc if s == 4 else (N_cs if r == 4 else N_ss)
                    UN = times(N_r, U)
                    both = times(times(F.T.copy(), pair - times(UN, N_t)), F)
                    trace[r, s] += inner_product(times(U, UN), N_t) - 2.0 * inner_product(U, pair)
                Q3[a, r, s] += both
    information = np.zeros((6, 6))
    for r in range(6):
        for a in range(2):
            P[r] += times(times(K[a].T, P3[a, r]), K[a])
            for s in range(r, 6):
                Qs[r, s] += times(times(K[a].T, Q3[a, r, s]), K[a])
    for r in range(6):
        gradient[r] -= (Phi * P[r]).sum()
        for s in range(r, 6):
            trace[s, r], Qs[s, r] = trace[r, s], Qs[r, s].T
            own_trace = 0.0
            first, second = times(Phi, P[r]), times(Phi, P[s])
            for p in range(5):
                for q in range(5):
                    own_trace += first[p, q] * second[q, p]
            information[r, s] = information[s, r] = trace[r, s] - 2.0 * (Phi * Qs[r, s].T).sum() + own_trace
    return value, gradient, information, Phi, P, Qs, trace, beta


@compiled
def all_waves(w, group, arm):
    """Return estimate, standard error and degrees of freedom (Kenward-Roger) of the effect at the last wave, from all waves.

    REML by Fisher scoring; a variance of zero that would rather be negative stays there.
    """
    data = _by_pattern(w - np.nanmean(w), group, len(arm))
    spread = np.nanvar(w)
    phi = spread * np.array([0.05, 0.03, 0.03, 0.03, 0.45, 0.45])
    found = _waves_at(phi, data, arm, True)
    for _ in range(500):
        value, gradient, information = found[0], found[1], found[2]
        free = np.array([r for r in range(6) if phi[r] > 0.0 or gradient[r] < 0.0])
        k = len(free)
        A, L, step = np.zeros((k, k)), np.zeros((k, k)), np.zeros(k)
        for r in range(k):
            step[r] = -gradient[free[r]]
            for s in range(k):
                A[r, s] = information[free[r], free[s]]
        factor_of(A, k, L)
        solve(L, k, step)
        gain = 0.0
        for r in range(k):
            gain -= step[r] * gradient[free[r]]
        if gain < 1e-14:
            break
        size, better = 1.0, False
        for _ in range(40):
            trial = phi.copy()
            for r in range(k):
                trial[free[r]] = max(phi[free[r]] + size * step[r], 0.0)
            if trial[5] > 0.0 and _waves_at(trial, data, arm, False)[0] < value:
                better = True
                break
            size /= 2.0
        if not better:
            break
        phi = trial
        found = _waves_at(phi, data, arm, True)
    std_error, df = kenward_roger(found[3], found[4], found[5], found[6], 4)
    return found[7][4], std_error, df
