"""Records to tensors: examples, sequence examples and lines of CSV."""
