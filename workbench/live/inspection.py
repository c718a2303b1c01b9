"""What led to a value: a step run once more, with more of it fetched.

The session is brought to the state before the step, the step is run again, and the state after it
is put back as it was, so the run never notices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.core.errors import OpError
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.runtime.cache import RunSignature
from workbench.core.runtime.fetches import FetchPlan
from workbench.live.engine import Engine
from workbench.live.reports import Input, WatchStop, described_input, line_of, summary
from workbench.live.watches import Condition


def inspect(
    engine: Engine,
    condition: Condition,
    found: Mapping[Tensor, Any],
    go_back: Callable[[int], None] | None,
) -> WatchStop:
    """The report of a condition that the last step met.

    Args:
      engine: after the step.
      found: what was watched in the step.
      go_back: makes the state after so many steps the session's; None where there is no way back:
        then the report has those inputs that were watched.
    """
    value, op = found[condition.tensor], condition.tensor.op
    needed = inputs_of(op)
    inputs = tuple(described_input(t, found[t]) for t in needed if t in found)
    is_known = len(inputs) == len(needed) and not condition.finds_first
    if go_back is not None and not is_known:
        after, feed = engine.frame(), engine.last_feed
        waiting = engine.scheduled
        try:
            if condition.finds_first:
                go_back(after.step - 1)
                op = _first_not_finite(engine) or op
            go_back(after.step - 1)
            inputs = _inputs(engine, op)
        except OpError as error:
            inputs = (Input(condition.tensor.name, "", f"not known: {error}"),)
        finally:
            engine.restore(after)
            engine.schedule(waiting)
            engine.last_feed = feed
    return WatchStop(
        str(condition), condition.tensor.name, engine.step, summary(value), op.name, line_of(op),
        inputs,
    )  # fmt: skip


def inputs_of(op: Operation) -> list[Tensor]:
    """The values that go into an operation."""
    return [t for t in dict.fromkeys(op.inputs) if t.dtype.base_dtype.name != "resource"]


def _first_not_finite(engine: Engine) -> Operation | None:
    """The first operation of the next step whose result is not finite."""
    _, feed = engine.next_feed()
    session = engine.session
    signature = RunSignature(session, FetchPlan(engine.graph, engine.fetches), list(feed), True)
    try:
        session._run(signature, feed)
    except OpError as error:
        found = error.op
        return found if isinstance(found, Operation) else None
    return None


def _inputs(engine: Engine, op: Operation) -> tuple[Input, ...]:
    """What goes into an operation in the next step."""
    _, feed = engine.next_feed()
    tensors = inputs_of(op)
    found = engine.session.run([tensors, engine.fetches], feed)[0]
    return tuple(described_input(t, v) for t, v in zip(tensors, found, strict=True))
