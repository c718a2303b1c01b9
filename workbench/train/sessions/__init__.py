"""Sessions that are watched over: hooks, recovery, checkpoints and summaries on the side."""
