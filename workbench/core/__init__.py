"""The shared execution core: graph, operations, gradients, planner and runtime."""
