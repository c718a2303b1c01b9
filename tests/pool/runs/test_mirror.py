"""What a client knows of a run, whatever comes in whatever order."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from workbench.live.events import Event, Happened, Rewound, StateChanged, Stepped
from workbench.live.status import RunStatus
from workbench.pool.runs.mirror import Mirror


def answer(
    step: int, revision: int, first: int = 0, epoch: int = 0, life: str = "a", **more: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """A worker's answer to a client that has `first` rows: of each step one row, and one event."""
    status = RunStatus("r", "n", "running", step, None, values={"loss": float(step)}, epoch=epoch)
    fields = {
        "life": life,
        "revision": revision,
        "status": {n: getattr(status, n) for n in RunStatus.__dataclass_fields__},
        "state": "running",
        "settled": False,
        "resting": False,
        "watches": {},
        "error": None,
        "first_row": first,
        "first_event": first,
        "events": [Event(i, "log", str(i)).to_json() for i in range(first + 1, step + 1)],
        "more": False,
    }
    steps = np.arange(first + 1, step + 1)
    arrays = {"steps": steps, "values": steps[None].astype(float)} if steps.size else {}
    return {**fields, **more}, arrays


def test_answers_in_any_order_make_the_same() -> None:
    answers = [answer(3, 1), answer(5, 2), answer(8, 3, first=3), answer(9, 4, first=5)]
    for order in itertools.permutations(range(1, 4)):
        mirror = Mirror("r", "n", ["loss"])
        mirror.apply(*answers[0])
        told = [mirror.apply(*answers[i]) for i in order]
        # What begins behind what is known is of no use yet, and is asked for again.
        mirror.apply(*answer(9, 5, first=mirror.history.count))
        assert mirror.history.steps.tolist() == list(range(1, 10))
        assert [e.step for e in mirror.history.events] == list(range(1, 10))
        assert mirror.status.step == 9
        happened = [e.event.step for each in told for e in each if isinstance(e, Happened)]
        assert happened == sorted(set(happened))


def test_a_rewind_takes_back_and_older_epochs_are_dropped() -> None:
    mirror = Mirror("r", "n", ["loss"])
    mirror.apply(*answer(5, 1))
    held = mirror.history
    told = mirror.apply(*answer(2, 3, epoch=1))
    assert any(isinstance(e, Rewound) and e.epoch == 1 for e in told)
    assert mirror.apply(*answer(6, 2, first=5)) == []
    assert mirror.history is held and held.steps.tolist() == [1, 2]
    assert [e.step for e in held.events] == [1, 2] and mirror.status.step == 2


def test_a_replaced_process_begins_anew() -> None:
    mirror = Mirror("r", "n", ["loss"])
    mirror.apply(*answer(5, 90))
    mirror.apply(*answer(3, 1, epoch=1, life="b"))
    assert mirror.life == "b" and mirror.status.step == 3 and mirror.history.count == 3


def test_listeners_are_told_of_states_and_steps() -> None:
    mirror = Mirror("r", "n", ["loss"])
    told = mirror.apply(*answer(0, 1, state="paused"))
    assert told == [StateChanged("r", 0, "paused")]
    told = mirror.apply(*answer(1, 2, state="paused"))
    assert [type(e) for e in told] == [Happened, Stepped]
