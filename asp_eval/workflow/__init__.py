"""One module per verb: what a person can ask for, as a function that returns a value."""
