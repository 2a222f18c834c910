"""Matrices and models: groups, coefficients, covariances. No children."""
