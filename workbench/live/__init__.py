"""A run: what it publishes, what it obeys, what it records, how it rewinds and forks."""
