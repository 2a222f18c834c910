"""Linear mixed models from cross-products: y = X beta + Z b + e."""
