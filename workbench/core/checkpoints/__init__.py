"""The files of checkpoints: written whole or not at all, checked when read."""
