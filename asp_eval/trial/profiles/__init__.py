"""GAP-profiles as observed: means, standard errors, suppression. No model."""
