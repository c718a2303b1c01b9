"""Queues, barriers, stages, mutexes and accumulators: who waits for what, as plain data."""
