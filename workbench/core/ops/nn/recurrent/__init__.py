"""Loops of recurrent networks: over lists, over time axes, and free ones."""
