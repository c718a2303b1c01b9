"""The state of iterators in a session."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator as PythonIterator
from typing import Any, NamedTuple

from workbench.core import errors
from workbench.core.graph.operation import Operation
from workbench.core.ops.data.known import dataset_of
from workbench.core.ops.data.pipeline import Element, Pipeline


class _Start(NamedTuple):
    """How an iterator was started."""

    #: Tells this start from all others.
    key: str
    #: The operation that started it.
    operation: str
    #: What its dataset was given, and the session's entropy then.
    values: tuple[Any, ...]
    entropy: int


class IteratorResource:
    """The state of an iterator in a session."""

    def __init__(self, handle: bytes, graph: Any, state: Any, types: Any, shapes: Any) -> None:
        self.handle = handle
        #: The types and static shapes of an element's arrays.
        self.types, self.shapes = types, shapes
        self._graph = graph
        self._state = state
        self._pipeline: Pipeline | None = None
        self._elements: PythonIterator[Element] | None = None
        self._lock = threading.Lock()
        self._begun: _Start | None = None
        #: The operation that started it, in the graph that it was run in.
        self._starter: Operation | None = None
        #: How many elements were asked for since; those that failed count too.
        self._asked = 0

    def start(self, operation: Operation, values: tuple[Any, ...]) -> None:
        """Begins with the first element of the operation's dataset, whose inputs have `values`."""
        begun = _Start(os.urandom(8).hex(), operation.name, values, self._state.entropy)
        self._begin(begun, operation)

    def _begin(self, begun: _Start, operation: Operation) -> None:
        dataset = dataset_of(operation)
        inputs = dict(zip(dataset.all_inputs(), begun.values, strict=True))
        pipeline = Pipeline(inputs, self._state, begun.entropy)
        with self._lock:
            old, self._pipeline = self._pipeline, pipeline
            self._elements = dataset.elements(pipeline)
            self._begun, self._starter = begun, operation
            self._asked = 0
        if old is not None:
            old.close()

    def saved(self) -> dict[str, Any]:
        """How it was started, and how many elements it gave since."""
        with self._lock:
            begun, starter, asked = self._begun, self._starter, self._asked
        if begun is None or starter is None:
            return {}
        # Constants may be large, and are in the graph; what was fed in their place is not.
        values = zip(begun.values, _constants(starter), strict=False)
        kept = [None if value is constant else value for value, constant in values]
        return begun._asdict() | {"values": kept, "asked": asked}

    def restore(self, saved: dict[str, Any]) -> None:
        """Starts as it was started then, and makes the elements that it had given by then again."""
        if not saved:
            self.close()
            return
        is_same = self._begun is not None and self._begun.key == saved["key"]
        if not (is_same and self._asked <= saved["asked"]):
            operation = self._graph.get_operation_by_name(saved["operation"])
            values = zip(saved["values"], _constants(operation), strict=False)
            filled = tuple(constant if v is None else v for v, constant in values)
            begun = _Start(saved["key"], operation.name, filled, int(saved["entropy"]))
            self._begin(begun, operation)
        while self._asked < saved["asked"]:
            try:
                self.next()
            except Exception:  # what was raised then is raised again
                continue

    @property
    def started(self) -> bool:
        """True once it was given a dataset."""
        return self._elements is not None

    def next(self) -> Element:
        """The next element; OutOfRangeError at the end."""
        with self._lock:
            if self._elements is None:
                raise errors.FailedPreconditionError(
                    None,
                    None,
                    "GetNext() failed because the iterator has not been initialized. Ensure that "
                    "you have run the initializer operation for this iterator before getting the "
                    "next element.",
                )
            self._asked += 1
            try:
                return next(self._elements)
            except StopIteration:
                raise errors.OutOfRangeError(None, None, "End of sequence") from None

    def close(self) -> None:
        """Ends the pipeline."""
        with self._lock:
            pipeline, self._pipeline = self._pipeline, None
            self._elements = self._begun = self._starter = None
            self._asked = 0
        if pipeline is not None:
            pipeline.close()


def _constants(operation: Operation) -> list[Any]:
    """The inputs of an operation that are constants, and None for the others."""
    return [t.op.attrs["value"] if t.op.type == "Const" else None for t in operation.inputs]
