"""What the loop does for each command. All checks come before the first change."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.reach import needed_operations
from workbench.core.runtime import failures
from workbench.live import commands as c
from workbench.live import machine as m
from workbench.live.descent import Descent
from workbench.live.effects import changing_operations
from workbench.live.hyperparameters import checked_values
from workbench.live.together import check_fork, told_terms

if TYPE_CHECKING:
    from workbench.live.loop import Loop


def obey(loop: Loop, command: c.Command) -> Any:
    """Does what a command says, and gives what it asks for.

    Raises what keeps it from being done; then nothing has changed.
    """
    for kind, function in _TABLE:
        if isinstance(command, kind):
            return function(loop, command)
    raise TypeError(f"{command!r} is no command of a run")


def _pause(loop: Loop, command: c.Pause) -> None:
    loop.tell(m.PauseAsked())


def _resume(loop: Loop, command: c.Resume) -> None:
    loop.tell(m.ResumeAsked())


def _step(loop: Loop, command: c.Step) -> None:
    loop.tell(m.StepsAsked(command.count))


def _stop(loop: Loop, command: c.Stop) -> None:
    loop.tell(m.StopAsked())


def _interrupt(loop: Loop, command: c.Interrupt) -> None:
    loop.tell(m.ProcessEnds())


def _set(loop: Loop, command: c.Set) -> None:
    loop.tell(m.ChangeAsked("set"))
    engine = loop.engine
    values = checked_values(engine.known, command.values)
    if not values:
        raise ValueError("set needs the new value of a hyperparameter, such as set(lr=0.01)")
    text = ", ".join(f"{n} {engine.values[n]!r} -> {v!r}" for n, v in values.items())
    # Changes that were recorded before a kill or a rewind give way to what the user does now.
    engine.schedule([])
    engine.set(values)
    loop.record("set", text, values)


def _watch(loop: Loop, command: c.Watch) -> str:
    loop.tell(m.ChangeAsked("watch"))
    tensor = loop.engine.graph.as_graph_element(command.tensor, allow_operation=False)
    condition = loop.watching.next_condition(tensor, command.when, command.threshold)
    _check_watched(loop, tensor)
    loop.watching.add(condition)
    loop.record("log", f"watching whether {condition}")
    return condition.name


def _check_watched(loop: Loop, tensor: Tensor) -> None:
    """A tensor can be watched where the step has all it needs, and where it changes nothing."""
    engine = loop.engine
    try:
        feed = engine.last_feed or engine.source.look(engine.step)
    except StopIteration:  # no step will be run
        return
    fed = [*feed[0], *engine.fed_values()]
    order = needed_operations([tensor], [], fed)
    error = failures.missing_feeds_error(order, [tensor], fed)
    if error is not None:
        raise error
    own = engine.own_part
    tensors = [each for each in own if isinstance(each, Tensor)]
    operations = [each for each in own if isinstance(each, Operation)]
    step = set(needed_operations(tensors, operations, fed))
    changing = changing_operations(op for op in order if op not in step)
    if changing:
        raise ValueError(
            f"{tensor.name!r} is no part of the step, and computing it would change the run: it "
            f"needs {changing[0].name!r} of type {changing[0].type}"
        )


def _unwatch(loop: Loop, command: c.Unwatch) -> None:
    watches = loop.watching.conditions
    if command.watch not in watches:
        listed = ", ".join(watches) or "none"
        raise ValueError(f"There is no watch {command.watch!r}; the run has {listed}")
    loop.watching.remove(command.watch)
    loop.note()


def _peek(loop: Loop, command: c.Peek) -> Any:
    engine = loop.engine
    return engine.peek(engine.graph.as_graph_element(command.tensor, allow_operation=False))


def _evaluate(loop: Loop, command: c.Evaluate) -> Any:
    changes = loop.engine.would_change(command.fetches, command.feed)
    try:
        return loop.engine.evaluate(command.fetches, command.feed)
    finally:
        if changes:
            _note_barrier(loop)


def _note_barrier(loop: Loop) -> None:
    """The user changed the state: later steps come back only from a frame taken after that."""
    step = loop.engine.step
    loop.past.barriers = [b for b in loop.past.barriers if b != step] + [step]
    frame = loop.past.take()
    if frame is not None:
        loop.keep(frame, pinned=True, checkpoint=not loop.machine.has_ended)
    loop.record("log", "run.eval changed the state")


def _snapshot(loop: Loop, command: c.Snapshot) -> int:
    loop.tell(m.ChangeAsked("snapshot"))
    loop.past.check()
    frame = loop.engine.frame()
    loop.keep(frame, pinned=True, checkpoint=True)
    if loop.writer is not None:
        loop.writer.flush()
    return frame.step


def _rewind(loop: Loop, command: c.Rewind) -> None:
    step = _whole_number(command.step, "step")
    loop.past.check()
    if 0 <= step <= loop.machine.step:
        loop.past.frame_for(step)
    loop.tell(m.RewindAsked(step))


def _fork(loop: Loop, command: c.Fork) -> Any:
    check_fork(command, None, told_terms(loop.engine.terms))
    if command.worker is not None:
        raise ValueError("A fork on workers needs their pool: fork(..., pool=pool)")
    made = loop.offspring.make(_forked(loop, command))
    _note_fork(loop, made)
    return made


def _note_fork(loop: Loop, made: Any) -> None:
    loop.record("fork", f"forked at step {made.parent['step']} as {made.name!r}")


def _forked(loop: Loop, command: c.Fork) -> Descent:
    machine, engine = loop.machine, loop.engine
    step = machine.step if command.step is None else _whole_number(command.step, "step")
    if not 0 <= step <= machine.step:
        raise ValueError(
            f"The run can be forked at a step from 0 to {machine.step}, but got {step}"
        )
    values = checked_values(engine.known, command.values)
    loop.past.check()
    if step == machine.step and machine.sound:
        frame = engine.frame()
    else:
        frame = loop.past.frame_for(step)
    made: Descent = loop.offspring.forked(frame, step, command.name, values, command.paused)
    return made


def _replay(loop: Loop, command: c.Replay) -> Any:
    return loop.offspring.make(_replayed(loop, command))


def _descend(loop: Loop, command: c.Descend) -> Descent:
    if isinstance(command.of, c.Replay):
        return _replayed(loop, command.of)
    made = _forked(loop, command.of)
    _note_fork(loop, made)
    return made


def _replayed(loop: Loop, command: c.Replay) -> Descent:
    loop.past.check()
    if loop.past.barriers:
        raise ValueError(
            f"The run cannot be replayed: run.eval changed its state at step "
            f"{loop.past.barriers[0]}"
        )
    if not loop.machine.step:
        raise ValueError("There is nothing to replay: the run has done no step")
    made: Descent = loop.offspring.replayed(loop.past.frame_for(0), loop.machine.step, command.name)
    return made


def _call(loop: Loop, command: c.Call) -> Any:
    return command.function()


def _whole_number(value: Any, what: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{what} must be a whole number, but got {value!r}")
    return int(value.__index__())


_TABLE: tuple[tuple[type[c.Command], Callable[[Any, Any], Any]], ...] = (
    (c.Pause, _pause),
    (c.Resume, _resume),
    (c.Step, _step),
    (c.Stop, _stop),
    (c.Interrupt, _interrupt),
    (c.Set, _set),
    (c.Watch, _watch),
    (c.Unwatch, _unwatch),
    (c.Peek, _peek),
    (c.Evaluate, _evaluate),
    (c.Snapshot, _snapshot),
    (c.Rewind, _rewind),
    (c.Fork, _fork),
    (c.Replay, _replay),
    (c.Descend, _descend),
    (c.Call, _call),
)
