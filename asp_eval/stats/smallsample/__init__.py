"""Inference with few clusters: each method wraps a fit and never edits it."""
