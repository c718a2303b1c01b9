"""Layers: parts of a network that make and keep their own variables."""
