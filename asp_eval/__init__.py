"""Evaluation of cluster-randomised trials in daycare and education."""
