"""Small matrices, compiled; needs ``pip install numba``."""

from __future__ import annotations

import math

import numba
import numpy as np

compiled = numba.njit(cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz", "arcp"})


@compiled
def factor_of(A, n, L):
    """Put the lower factor of a positive definite matrix (n, n) into L, whose upper triangle is not touched."""
    for i in range(n):
        for j in range(i + 1):
            s = A[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            L[i, j] = math.sqrt(s) if i == j else s / L[j, j]


@compiled
def lower_inverse(L, n, out):
    """Put the inverse of a lower triangular matrix into `out`, zeros above it included."""
    for j in range(n):
        for i in range(j):
            out[i, j] = 0.0
        out[j, j] = 1.0 / L[j, j]
        for i in range(j + 1, n):
            s = 0.0
            for k in range(j, i):
                s += L[i, k] * out[k, j]
            out[i, j] = -s / L[i, i]


@compiled
def inverse_of(A, n, L, low, out):
    """Put the inverse of a positive definite matrix into `out`; L and `low` are overwritten."""
    factor_of(A, n, L)
    lower_inverse(L, n, low)
    for i in range(n):
        for j in range(i + 1):
            s = 0.0
            for k in range(i, n):
                s += low[k, i] * low[k, j]
            out[i, j] = out[j, i] = s


@compiled
def solve(L, n, x):
    """Put the solution of L L' y = x in the place of x."""
    for i in range(n):
        for k in range(i):
            x[i] -= L[i, k] * x[k]
        x[i] /= L[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            x[i] -= L[k, i] * x[k]
        x[i] /= L[i, i]


@compiled
def times(A, B):
    out = np.zeros((A.shape[0], B.shape[1]))
    for i in range(A.shape[0]):
        for k in range(A.shape[1]):
            for j in range(B.shape[1]):
                out[i, j] += A[i, k] * B[k, j]
    return out


@compiled
def general_inverse(A):
    """Return the inverse of a 3 by 3 matrix, and its determinant."""
    out = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            a, b, c, d = (i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3
            out[j, i] = A[a, c] * A[b, d] - A[a, d] * A[b, c]
    det = A[0, 0] * out[0, 0] + A[0, 1] * out[1, 0] + A[0, 2] * out[2, 0]
    return out / det, det


@compiled
def inner_product(A, B):
    """Return the trace of A B, for symmetric B."""
    s = 0.0
    for i in range(3):
        for j in range(3):
            s += A[i, j] * B[i, j]
    return s
