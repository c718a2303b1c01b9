"""Changes of the replicas of a run, in words for its users."""

from __future__ import annotations

from workbench.live.events import Event
from workbench.pool.runs.replicas.board import Word


def change_text(word: Word) -> str | None:
    """What a word says of the replicas; None where it says nothing of them.

    >>> change_text({"kind": "left", "name": "worker 1", "why": "is gone", "count": 1})
    'worker 1 is gone: 1 replica'
    """
    if word["kind"] not in ("joined", "left"):
        return None
    count = word["count"]
    how = "takes part" if word["kind"] == "joined" else word["why"]
    return f"{word['name']} {how}: {count} {'replica' if count == 1 else 'replicas'}"


def change_event(word: Word, step: int) -> Event | None:
    """The same as an event of the run's history."""
    text = change_text(word)
    return None if text is None else Event(step, "log", text)
