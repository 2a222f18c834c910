"""Cumulative link mixed models for ordered outcomes."""
