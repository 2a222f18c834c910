"""The process evaluation: coding frames, what coders found in interviews, and the rule for an institution's type."""
