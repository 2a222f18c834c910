"""Inference by repetition: allocations that could have come instead, outcomes that could have been seen instead."""
