"""The distributed runtime: tasks, the wire between them, and steps that run on many."""
