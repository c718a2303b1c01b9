"""Runs that workers of a pool run: the worker's side, and what the kernel has of them."""
