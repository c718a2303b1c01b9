"""Programs whose steps find their order while they run: branches, frames, turns, side by side.

`structure` is what is known before, `machine` the pure state machine, `steps` what runs one
operation, `executor` the shell around them; `choice` tells which runs need all this.
"""
