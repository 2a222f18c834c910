"""The bridge: the only rooms that turn a trial value into a statistical call."""
