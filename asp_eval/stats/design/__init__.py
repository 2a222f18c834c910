"""From a formula and a frame to the columns and groups of a model: shared by every model."""
