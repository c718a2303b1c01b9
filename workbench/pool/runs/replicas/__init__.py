"""Runs that several workers train together: one leads, and has the run; the others follow it."""
