"""Queues that threads fill: a run starts no such threads, and would wait for ever."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.operation import Operation
from workbench.core.plan.reach import needed_operations
from workbench.live.spec import RunSpec


def check_queues(spec: RunSpec, is_sent: bool) -> None:
    """ValueError where a step takes what queue runners enqueue, in a session that has none.

    `is_sent`: a worker of a pool runs it.
    """
    filled = {_operation(runner.queue) for runner in _runners(spec.graph)}
    if not filled:
        return
    for op in needed_operations(list(spec.tracked.values()), spec.targets, ()):
        if op.type.startswith("QueueDequeue") and op.inputs[0].op in filled:
            advice = (
                "Workers of a pool have none: take the data of a tf.data.Dataset, or feed "
                "wb.batches(...)"
                if is_sent
                else "Start them in a session, tf.train.start_queue_runners(session), and pass "
                "that: wb.run(..., session=session). Or take the data of a tf.data.Dataset"
            )
            raise ValueError(
                f"A step takes elements of the queue {op.inputs[0].op.name!r}, which the threads "
                f"of queue runners fill. {advice}"
            )


def _runners(graph: Any) -> list[Any]:
    return [each for each in graph.get_collection(GraphKeys.QUEUE_RUNNERS) if each.queue]


def _operation(queue: Any) -> Operation:
    """The operation that makes a queue; a runner that was imported has no more of it."""
    found: Operation = queue.queue_ref.op if hasattr(queue, "queue_ref") else queue
    return found
