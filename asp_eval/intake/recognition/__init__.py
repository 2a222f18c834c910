"""What a file shows of itself: which columns are which of ours, by their names, titles and cells, and what words mean."""
