"""The state of iterators in a session."""

from __future__ import annotations

import os
import threading
from typing import Any, NamedTuple

from workbench.core import errors
from workbench.core.graph.operation import Operation
from workbench.core.ops.data.kept_elements import KeptElements
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

    def __init__(
        self, key: tuple[str, str], operation: Operation, state: Any, types: Any, shapes: Any
    ) -> None:
        #: What the session finds it by.
        self.key = key
        self.handle = f"iterator:{'/'.join(key)}".encode()
        #: The types and static shapes of an element's arrays.
        self.types, self.shapes = types, shapes
        #: The operation that made it, by name.
        self.operation = operation.name
        self._graph = operation.graph
        self._state = state
        self._pipeline: Pipeline | None = None
        self._elements: KeptElements | None = None
        self._lock = threading.RLock()
        self._begun: _Start | None = None
        #: The operation that started it, in the graph that it was run in.
        self._starter: Operation | None = None
        #: The last batch that an element was given for, as it was begun; and its elements.
        self._turn = 0
        self._of_batch = range(0)

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
            self._elements = KeptElements(dataset.elements(pipeline))
            self._elements.keeps = self._state.turns.is_shared
            self._begun, self._starter = begun, operation
        if old is not None:
            old.close()

    @property
    def position(self) -> int:
        """How many elements it gave since it was started; those that failed count too."""
        elements = self._elements
        return 0 if elements is None else elements.position

    def saved(self) -> dict[str, Any]:
        """How it was started, and how many elements it gave since."""
        with self._lock:
            begun, starter, asked = self._begun, self._starter, self.position
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
        if not (is_same and self._go_to(saved["asked"])):
            operation = self._graph.get_operation_by_name(saved["operation"])
            values = zip(saved["values"], _constants(operation), strict=False)
            filled = tuple(constant if v is None else v for v, constant in values)
            begun = _Start(saved["key"], operation.name, filled, int(saved["entropy"]))
            self._begin(begun, operation)
            self._go_to(saved["asked"])

    def _go_to(self, position: int) -> bool:
        with self._lock:
            return self._elements is not None and self._elements.go_to(position)

    @property
    def started(self) -> bool:
        """True once it was given a dataset."""
        return self._elements is not None

    def next(self) -> Element:
        """The next element; OutOfRangeError at the end."""
        turns = self._state.turns
        with self._lock:
            if turns.is_shared and turns.batch is not None:
                self._settle(turns.batch, turns.number)
            if self._elements is None:
                raise errors.FailedPreconditionError(
                    None,
                    None,
                    "GetNext() failed because the iterator has not been initialized. Ensure that "
                    "you have run the initializer operation for this iterator before getting the "
                    "next element.",
                )
            try:
                return self._elements.next()
            except StopIteration:
                raise errors.OutOfRangeError(None, None, "End of sequence") from None

    def _settle(self, batch: int, turn: int) -> None:
        """Has the next element be one of a batch, where others take the batches between.

        The lock is held: a step may take several elements at once.
        """
        elements, begun, starter = self._elements, self._begun, self._starter
        if elements is None or begun is None or starter is None:
            return
        if turn == self._turn:
            if elements.position >= self._of_batch.stop:
                raise errors.InvalidArgumentError(
                    None,
                    None,
                    f"A step took more than {len(self._of_batch)} elements of the iterator "
                    f"{self.operation!r}: where replicas share its elements, each step takes as "
                    "many as there are operations that it runs which get one, outside of loops",
                )
            return
        given, elements.keeps = elements.position, True
        wanted = self._state.turns.elements(self.operation, batch)
        if not self._go_to(wanted.start):
            self._begin(begun, starter)
            self._go_to(wanted.start)
        elif wanted.start >= given:
            # What was left out may be asked for still, should who took it be gone.
            elements.forget(given)
        self._turn, self._of_batch = turn, wanted

    def align(self, batch: int) -> None:
        """Has the next element be the first one of a batch."""
        if self.started:
            self._go_to(self._state.turns.elements(self.operation, batch).start)

    def close(self) -> None:
        """Ends the pipeline."""
        with self._lock:
            pipeline, self._pipeline = self._pipeline, None
            self._elements = self._begun = self._starter = None
        if pipeline is not None:
            pipeline.close()


def iterators(state: Any) -> list[IteratorResource]:
    """The iterators of a session that were made."""
    found = {id(r): r for r in list(state.resources.values()) if isinstance(r, IteratorResource)}
    return list(found.values())


def _constants(operation: Operation) -> list[Any]:
    """The inputs of an operation that are constants, and None for the others."""
    return [t.op.attrs["value"] if t.op.type == "Const" else None for t in operation.inputs]
