"""Figures as coordinates: everything a vector drawing needs, worked out here and drawn by a template."""
