"""Saved models: graphs with their variables, files and signatures, for others to load and serve."""
