"""Input pipelines of queues: producers of work items, and batches of examples."""
