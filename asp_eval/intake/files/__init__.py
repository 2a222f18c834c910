"""Reading: from an export, however it was written, to a table of text."""
