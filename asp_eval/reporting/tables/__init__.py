"""The report's tables, as cells of ready text."""
