"""One declaration per operation, one file per family."""
