"""From results to documents: sections return blocks, documents choose sections, writers write. Nothing is estimated here."""
