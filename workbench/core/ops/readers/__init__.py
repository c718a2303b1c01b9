"""Readers: records out of files whose names come from a queue."""
