"""Conditionals and loops: operations whose attributes are bodies, and what makes them."""
