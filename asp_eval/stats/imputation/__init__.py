"""Two-level multiple imputation: draws of a joint model, imputed data, a fit on each, and the pooled answer."""
