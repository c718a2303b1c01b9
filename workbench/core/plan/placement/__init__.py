"""Where each operation runs: devices, what must stay together, and the choice."""
