"""Linear models without random effects."""
