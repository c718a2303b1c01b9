"""Replicas of a training: each has the whole graph and data of its own; all step together."""
