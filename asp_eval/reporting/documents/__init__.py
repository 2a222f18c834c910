"""Which sections make a document, and how its files are named."""
