"""The process evaluation: what happened in the institutions, and how it goes together with the outcome."""
