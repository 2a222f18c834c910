"""Cross-products, elimination, likelihood and optimisation: what estimation needs once the columns are known."""
