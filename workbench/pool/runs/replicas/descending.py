"""How replicas begin with what one run, or other replicas, have done."""

from __future__ import annotations

from collections.abc import Callable

from workbench.live.descent import Descent
from workbench.live.engine import Engine
from workbench.live.run import Run
from workbench.pool.runs.replicas.engine import ReplicatedEngine
from workbench.pool.runs.replicas.positions import Positions


def positions_of(descent: Descent | None) -> Positions:
    """Which batches were taken before the first step of those who begin.

    A run of one process has taken one batch in each step.
    """
    if descent is None or descent.is_replay:
        return Positions()
    return Positions(descent.taken or ([[0, 0, 1]] if descent.step else ()))


#: A worker that was asked to take part and could not yet, or whose answer was late, is awaited for
#: so long where what the replicas repeat needs it, in seconds.
_LATE_SECONDS = 30.0


def begin_together(
    run: Run, engine: ReplicatedEngine, descent: Descent, open_board: Callable[[], int]
) -> None:
    """In the thread of the run that leads: brings all replicas to where they start.

    Args:
      run: the run.
      engine: its engine, to which nothing was done yet.
      descent: what it begins with.
      open_board: has the other replicas take part, with the state that the engine has then; how
        many there will be with those that were asked to.

    Raises:
      NoWayBackError: it is to repeat what more replicas did than there are.
    """
    frame = descent.frame
    if not descent.taken and not descent.is_replay and frame.step < descent.step:
        # One alone has come from there to here: it alone comes again to the same.
        alone = Engine(
            engine.session, engine.targets, engine.tracked, engine.source, engine.known, descent.log
        )
        descent.begin(alone)
        frame = alone.frame()
    before = Positions(engine.positions.rows)
    engine.restore(frame)
    asked = open_board()
    if descent.is_replay:
        engine.repeat_with(descent.replicas, _LATE_SECONDS if asked >= descent.replicas else 0.0)
        engine.values.update(descent.initial)
        engine.schedule(descent.changes)
        return
    engine.return_to(frame, descent.step, descent.changes)
    steps = range(frame.step, descent.step + 1)
    is_same = all(before.batch(n) == engine.positions.batch(n) for n in steps)
    if len(steps) > 1 and not (is_same and engine.in_step):
        run._loop.record(
            "log",
            f"steps {frame.step + 1} to {descent.step} were taken again, by other replicas or in "
            "another order: what came of them may differ from what is recorded",
        )
