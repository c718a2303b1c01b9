"""A process with a run, for the tests to kill: it trains until then.

    python -m tests.live.worker FOLDER [resume | tiers CHECKPOINT]

It says "started" when the run has begun, and "saved" when a checkpoint that a later life can go on
from is on the disk.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import workbench as wb
from tests.live.support import end_with_parent, make_model, nothing_compiled
from workbench.live.folder import RunFolder

SEED = 7
STEPS = 100_000


def main(folder: str, life: str = "first", checkpoint: str = "0") -> None:
    """Trains, with changes of the learning rate on the way."""
    end_with_parent()
    project = Path(folder)
    if life == "tiers":
        change_tier(folder, int(checkpoint))
    elif life == "resume":
        run = wb.resume(project / "killed")
    else:
        run = make_model().run(
            STEPS, name="killed", folder=folder, seed=SEED, checkpoint_seconds=0.05, paused=True
        )
        run.step(10)
        run.set(lr=0.05)
        run.step(10)
        run.set(lr=0.01)
        run.resume()
        # What was set is on the disk, so it counts for all lives.
        run._loop.writer.flush()
    if life != "tiers":
        print("started", flush=True)
    place = RunFolder(str(project / "killed"))
    while not place.checkpoint_paths():
        time.sleep(0.001)
    print("saved", flush=True)
    # The main thread idles: the run has threads of its own.
    while True:
        time.sleep(1.0)


def change_tier(folder: str, checkpoint: int) -> None:
    """Does 100 steps, the first 40 interpreted, and keeps the state after `checkpoint` of them."""
    run = make_model().run(
        STEPS, name="killed", folder=folder, seed=SEED, checkpoint_seconds=1e6, paused=True
    )
    with nothing_compiled():
        if checkpoint <= 40:
            run.step(checkpoint)
            run.snapshot()
        run.step(40 - run.step_number)
    if checkpoint > 40:
        run.step(checkpoint - 40)
        run.snapshot()
    run.step(100 - run.step_number)
    assert run.status().tier == "compiled"
    run._loop.writer.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
