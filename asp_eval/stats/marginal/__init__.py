"""Marginal models: generalised estimating equations and their small-sample standard errors."""
