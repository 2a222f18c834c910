"""Likelihoods whose random effects are integrated out: Laplace's approximation and adaptive quadrature, for any kind of row."""
