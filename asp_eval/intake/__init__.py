"""A foreign file becomes rows that are in order, or is answered with every fault it has."""
