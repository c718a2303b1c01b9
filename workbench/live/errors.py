"""What can go wrong when a run is told to do something."""

from __future__ import annotations


class RunEndedError(RuntimeError):
    """The run has ended, and the command needs one that goes on."""


class NoWayBackError(RuntimeError):
    """An earlier state of the run cannot be had again; the message says why."""


class TakenOverError(RuntimeError):
    """Another process has the run now: here it is at its end, and nothing is wrong with it."""
