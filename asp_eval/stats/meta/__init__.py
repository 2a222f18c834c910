"""Statistics of statistics: shrinkage, effect sizes, multiplicity."""
