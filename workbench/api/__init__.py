"""The public names: which module each comes from, one table for each namespace."""
