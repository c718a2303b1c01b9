"""What a replica tells of its pace: of the steps that it takes itself."""

from __future__ import annotations

import queue
import time
from typing import Any

from workbench.pool.runs.replicas.pulse import Pulse


class Engine:
    """As much of one as is looked at."""

    def __init__(self) -> None:
        self.step = self.own_steps = 0
        self.doing = "computes", time.monotonic()


class Board:
    """Keeps what it is told."""

    run = "a"

    def __init__(self) -> None:
        self.told: queue.Queue[dict[str, Any]] = queue.Queue()

    def pace(self, told: dict[str, Any]) -> None:
        self.told.put(told)


def test_a_past_that_others_have_made_is_no_pace() -> None:
    engine, board = Engine(), Board()
    pulse = Pulse(engine, board)  # type: ignore[arg-type]
    pulse.start()
    try:
        assert board.told.get(timeout=30)["rate"] == 0.0
        # It joins a run of long standing, and takes a step.
        engine.own_steps, engine.step = 1, 7000
        told = board.told.get(timeout=30)
        while told["step"] != 7000:
            told = board.told.get(timeout=30)
        assert told["rate"] <= 2.0, "one in half a second at most"
        assert told["state"] == "computes"
    finally:
        pulse.close()
