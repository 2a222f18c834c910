"""Marginal means, slopes and average effects of any fit: the quantities people read instead of coefficients."""
