"""Sums per group that are made where the rows are: DuckDB asked directly, other warehouses by a statement that is printed."""
