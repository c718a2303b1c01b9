"""Loops as machine code."""
