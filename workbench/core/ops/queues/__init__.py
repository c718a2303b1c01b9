"""Queues, barriers, staging areas, accumulators and mutexes."""
