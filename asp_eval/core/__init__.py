"""The ground floor: errors, resources, documents, tables, randomness. Imports nothing of the house."""
