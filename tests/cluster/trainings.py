"""Trainings in processes of their own, whose processes can be killed, stopped and started again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cluster.processes import Processes


class Training(Processes):
    """The processes of `tests.cluster.replica`.

    Args:
      folder: where checkpoints, and what the processes print, go.
      steps, mode: what the program is told.
      jobs: how many tasks each job has.
    """

    def __init__(self, folder: Path, steps: int, mode: str, **jobs: int) -> None:
        arguments = [folder / "checkpoints", steps, mode]
        super().__init__("tests.cluster.replica", arguments, folder, **jobs)

    def await_steps(self, steps: int) -> None:
        """Waits until the first worker has seen so many global steps."""
        self.wait_until(
            lambda: self.last_line("worker", 0).get("steps", 0) >= steps, f"step {steps}"
        )

    def await_end(self, seconds: float = 90.0) -> list[dict[str, Any]]:
        """Waits until all workers have ended well; what they found."""
        self.await_exit("worker", seconds)
        return [self.last_line("worker", i) for i in range(len(self.spec["worker"]))]
