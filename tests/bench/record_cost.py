"""What a run's record costs: history, events for TensorBoard, states to go back to, checkpoints.

    python tests/bench/record_cost.py [--seconds 20] [--limit 0.02]

For networks whose steps take about 1 and 5 ms a run goes on for a while as users have it, with a
checkpoint every five seconds, which is more often than by default. Measured is the processor's
time, which a busy machine disturbs little: of the steps themselves, of what their thread does
between two of them, and of all other threads, which write the folder. The answer is what is not
steps, as a share of the steps. The same for a run without a folder, with few states, tells how much
of it is the loop alone. Ends with status 1 above the limit.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from typing import Any, NamedTuple

from observer_cost import PATIENCE, WORKLOADS, network

import workbench as wb
from workbench.live.commands import Call


class Shares(NamedTuple):
    """Of the time of the steps: what goes by between them, and what other threads work."""

    between: float
    beside: float
    #: Milliseconds.
    step: float


def shares(workload: int, seconds: float, **options: Any) -> Shares:
    """Lets a run go on for a while."""
    with wb.Graph().as_default():
        feed, loss, train = network(*WORKLOADS[workload])
        with wb.run(train, feed=feed, track={"loss": loss}, **options) as run:
            advance, spent = run._loop.engine.advance, [0.0]

            def timed(observer: Any = None) -> Any:
                began = time.thread_time()
                results = advance(observer)
                spent[0] += time.thread_time() - began
                return results

            def now() -> tuple[int, float, float, float]:
                value: tuple[int, float, float, float] = (
                    run.submit(
                        Call(
                            lambda: (
                                run.step_number,
                                spent[0],
                                time.thread_time(),
                                time.process_time(),
                            )
                        )
                    )
                    .result(PATIENCE)
                    .value
                )
                return value

            run._loop.engine.advance = timed
            run.wait(PATIENCE, step=50)
            first = now()
            time.sleep(seconds)
            last = now()
    count, steps, thread, process = (b - a for a, b in zip(first, last, strict=True))
    return Shares((thread - steps) / steps, (process - thread) / steps, steps / count * 1e3)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each run (default 20)")
    parser.add_argument("--limit", type=float, default=0.02, help="highest share (default 0.02)")
    arguments = parser.parse_args()
    worst = 0.0
    for workload in (1, 5):
        bare = shares(workload, arguments.seconds / 4, folder=None, snapshot_bytes=1)
        with tempfile.TemporaryDirectory() as folder:
            full = shares(workload, arguments.seconds, folder=folder, checkpoint_seconds=5.0)
        worst = max(worst, full.between + full.beside)
        print(
            f"{full.step:.2f} ms a step: {full.between:.2%} between the steps and "
            f"{full.beside:.2%} in other threads, together {full.between + full.beside:.2%} "
            f"(limit {arguments.limit:.0%}); without a folder {bare.between + bare.beside:.2%}",
            flush=True,
        )
    return int(worst > arguments.limit)


if __name__ == "__main__":
    sys.exit(main())
