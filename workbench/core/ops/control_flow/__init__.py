"""Conditionals and loops: operations whose attributes are bodies, and the functions that make them."""
