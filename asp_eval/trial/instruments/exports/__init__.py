"""An instrument handed to the field: one module per format, each a function from a worded instrument to a file's content."""
