"""A task's part of a step."""
