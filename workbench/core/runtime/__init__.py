"""Sessions, the executor of plans, and the state that outlives a step."""
