"""Optimizers: they compute gradients and apply them."""
