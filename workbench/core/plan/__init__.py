"""From a graph, its feeds and its fetches to a program that can be run."""
