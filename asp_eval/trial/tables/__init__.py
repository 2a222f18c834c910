"""What each table holds: fields, schemas and their published descriptors."""
