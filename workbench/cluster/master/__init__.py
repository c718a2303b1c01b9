"""The side of a step that plans it, starts it on the tasks and collects what was asked for."""
