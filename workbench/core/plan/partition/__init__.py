"""A step in parts, one for each task: stages, and what goes from one to another."""
