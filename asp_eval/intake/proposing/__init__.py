"""Drafting a mapping from what a file shows."""
