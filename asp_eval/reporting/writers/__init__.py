"""What turns a document of blocks into a file: one module for each format."""
