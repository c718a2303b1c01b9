"""The record of a run: what run.json says of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.live.batches import Batches
from workbench.live.data_store import LIMIT, data_size
from workbench.live.feeds import BatchFeed, ConstantFeed, FunctionFeed, IteratorFeed

if TYPE_CHECKING:
    from workbench.live.run import Run
    from workbench.live.writer import RunWriter


def lasting_document(run: Run) -> dict[str, Any]:
    """What run.json says of a run that never changes; graphs and data may be large, so once."""
    options = run.spec.options
    return {
        "id": run.id,
        "name": run.name,
        "created": run.created,
        "process": os.getpid(),
        "entropy": run.entropy,
        "targets": [op.name for op in run.spec.targets],
        "track": {name: t.name for name, t in run.spec.tracked.items()},
        "initial": run.initial,
        "feed": _feed_document(run),
        "initializers": run.initializers,
        "parent": run.parent,
        "snapshot_bytes": options.snapshot_bytes,
        "checkpoint_seconds": options.checkpoint_seconds,
        "checkpoint_steps": options.checkpoint_steps,
        "keep_checkpoints": options.keep_checkpoints,
    }


def run_document(run: Run) -> dict[str, Any]:
    """All that run.json says, from the state of the run at this moment."""
    status = run.status()
    loop = run._loop
    lasting = run._lasting_document
    feed = lasting["feed"]
    if "data" in feed:
        feed = feed | {"data": run.data_key}
    return lasting | {
        "feed": feed,
        "state": run.state,
        "step": status.step,
        "steps": status.steps,
        "seconds": status.seconds,
        "epoch": status.epoch,
        "cuts": [list(cut) for cut in loop.past.cuts],
        "barriers": list(loop.past.barriers),
        "replicas": loop.engine.terms,
        "taken": [list(row) for row in loop.engine.taken],
        "programs": loop.engine.log.to_json(loop.engine.reached),
        "hyperparameters": [h.to_json() for h in status.hyperparameters],
        "values": dict(status.values),
        "watches": loop.watching.described,
        "events": [e.to_json() for e in list(run.history.events)],
        "error": None if status.error is None else status.error.to_json(),
        "stopped_by": None if status.stopped_by is None else status.stopped_by.to_json(),
    }


def initializers(graph: Any) -> list[Any]:
    """The operations that give a new session its first values: of variables, tables, iterators."""
    from workbench.core.graph.keys import GraphKeys

    found = list(graph.variable_initializers.values())
    found += graph.get_collection(GraphKeys.TABLE_INITIALIZERS)
    makers: dict[Any, list[Any]] = {}
    for op in graph.get_operations():
        if op.type == "MakeIterator":
            makers.setdefault(op.inputs[-1], []).append(op)
    # An iterator with several initializers has none that is the right one.
    found += [each[0] for each in makers.values() if len(each) == 1]
    return found


def _feed_document(run: Run) -> dict[str, Any]:
    source = run.spec.source
    if isinstance(source, BatchFeed):
        batches: Batches = source.batches
        return {
            "kind": "batches",
            "tensors": [t.name for t in source.tensors],
            "size": batches.size,
            "shuffle": batches.shuffle,
            "seed": batches.seed,
            "drop_partial": batches.drop_partial,
            "data": None,
            "bytes": data_size(batches.arrays),
        }
    if isinstance(source, ConstantFeed):
        tensors, values = source.feed(0)
        arrays = [np.asarray(v) for v in values]
        return {
            "kind": "constant",
            "tensors": [t.name for t in tensors],
            "data": None,
            "bytes": data_size(arrays),
        }
    kinds = {FunctionFeed: "function", IteratorFeed: "iterator"}
    return {"kind": kinds[type(source)]}


def set_data_key(run: Run, writer: RunWriter) -> None:
    """Has the data of a run kept in its project's folder, where it is not too much."""
    source = run.spec.source
    arrays: list[Any] = []
    if isinstance(source, BatchFeed):
        arrays = source.batches.arrays
    elif isinstance(source, ConstantFeed):
        arrays = [np.asarray(v) for v in source.feed(0)[1]]
    if run.data_key is not None or not arrays or data_size(arrays) > LIMIT:
        return

    def done(key: str) -> None:
        run.data_key = key
        run._loop.note()

    writer.save_data(arrays, done)
