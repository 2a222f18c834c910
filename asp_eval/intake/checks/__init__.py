"""What a file's rows are checked against: the schema, the study, its other files."""
