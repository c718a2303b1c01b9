"""Datasets of what functions make of windows of elements, and of running states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from workbench.core import errors
from workbench.core.graph import dtypes
from workbench.core.graph.context import get_default_graph
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.function_graph import FunctionGraph, trace
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.data import components, nest
from workbench.core.ops.data.dataset import Dataset, TracedFunction
from workbench.core.ops.data.pipeline import Element, Pipeline, Steps


class Window(Dataset):
    """The elements of one window; what they are is told when it runs."""

    def __init__(self, parent: Dataset) -> None:
        super().__init__(
            parent.output_types, parent.output_shapes, output_classes=parent.output_classes
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        return iter(pipeline.value(self))


class Grouped(Dataset):
    """The datasets that a function makes of windows of elements with one key."""

    def __init__(
        self,
        parent: Dataset,
        key_function: Callable[..., Any],
        reduce_function: Callable[..., Any],
        window_size_function: Callable[[Any], Any],
    ) -> None:
        traced = TracedFunction(
            lambda *element: convert_to_tensor(
                key_function(*element), preferred_dtype=dtypes.int64
            ),
            parent,
        )
        _, found = traced.components()
        self._key, self._key_results = traced.graph, components.tensors_of(found)
        if [t.dtype for t in self._key_results] != [dtypes.int64]:
            kinds = [t.dtype.name for t in self._key_results]
            raise TypeError(f"`key_func` must return a single tf.int64 tensor, got {kinds}.")
        self._window = Window(parent)
        self._reduce, inner = _traced_with_key(lambda key: reduce_function(key, self._window))
        if not isinstance(inner, Dataset):
            raise TypeError("`reduce_func` must return a `Dataset` object.")
        self._inner = inner
        with self._reduce.as_default():
            self._inner_inputs = [
                t if t.graph is self._reduce else self._reduce.capture(t)
                for t in inner.all_inputs()
            ]
        self._size, size = _traced_with_key(window_size_function)
        with self._size.as_default():
            self._size_results = components.tensors_of([components.as_component(size)])
        captured = [
            *self._key.captured,
            *self._reduce.captured,
            *self._size.captured,
        ]
        super().__init__(
            inner.output_types, inner.output_shapes, [parent], captured, inner.output_classes
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        key_of = pipeline.function(self._key, self._key_results)
        size_of = pipeline.function(self._size, self._size_results)
        windows: dict[int, list[Element]] = {}
        sizes: dict[int, int] = {}
        for element in self._parents[0].elements(pipeline):
            key = int(key_of(*element)[0])
            if key not in windows:
                windows[key] = []
                sizes[key] = _window_size(size_of(np.int64(key))[0])
            windows[key].append(element)
            if len(windows[key]) == sizes[key]:
                yield from self._reduced(pipeline, key, windows.pop(key))
        for key in sorted(windows):
            yield from self._reduced(pipeline, key, windows[key])

    def _reduced(self, pipeline: Pipeline, key: int, window: list[Element]) -> Iterator[Element]:
        compute = pipeline.function(self._reduce, self._inner_inputs)
        values = compute(np.int64(key)) if self._inner_inputs else ()
        inputs = dict(zip(self._inner.all_inputs(), values, strict=True))
        return self._inner.elements(pipeline.with_inputs({**inputs, self._window: window}))


def _traced_with_key(function: Callable[[Any], Any]) -> tuple[FunctionGraph, Any]:
    return trace(get_default_graph(), function, [dtypes.int64], [()], tuple)


def _window_size(value: Any) -> int:
    if value < 1:
        raise errors.InvalidArgumentError(
            None, None, f"Window size must be greater than zero, but got {value}."
        )
    return int(value)


class Scanned(Dataset):
    """What a function makes of a state and each element; it gives the next state as well."""

    def __init__(self, parent: Dataset, initial_state: Any, function: Callable[..., Any]) -> None:
        states = [components.as_component(part) for part in nest.flatten(initial_state)]
        kinds = [components.class_of(part) for part in states]
        tensors = components.tensors_of(states)
        shapes = [tensor.shape for tensor in tensors]
        while True:
            graph, result = self._traced(parent, initial_state, kinds, tensors, shapes, function)
            new_state, output = _pair(result)
            with graph.as_default():
                new = [components.as_component(part) for part in nest.flatten(new_state)]
                outputs = [components.as_component(part) for part in nest.flatten(output)]
            new_tensors = components.tensors_of(new)
            _check_types(tensors, new_tensors)
            # What turns out to change its size in a step is of any size in all.
            relaxed = [_either(s, t.shape) for s, t in zip(shapes, new_tensors, strict=True)]
            if relaxed == shapes:
                break
            shapes = relaxed
        self._graph = graph
        self._states = len(tensors)
        self._results = [
            t if t.graph is graph else graph.capture(t)
            for t in (*new_tensors, *components.tensors_of(outputs))
        ]
        super().__init__(
            nest.pack(output, [components.type_of(c) for c in outputs]),
            nest.pack(output, [components.shape_of(c) for c in outputs]),
            [parent],
            [*tensors, *graph.captured],
            nest.pack(output, [components.class_of(c) for c in outputs]),
        )

    def _traced(
        self,
        parent: Dataset,
        initial_state: Any,
        kinds: list[type],
        tensors: list[Tensor],
        shapes: list[TensorShape],
        function: Callable[..., Any],
    ) -> tuple[FunctionGraph, Any]:
        classes = nest.pack(initial_state, kinds)

        def packed(flat: list[Tensor]) -> tuple[Any, ...]:
            state = components.pack(initial_state, classes, flat[: len(tensors)])
            element = components.pack(
                parent.output_types, parent.output_classes, flat[len(tensors) :]
            )
            return state, element

        types = [*(t.dtype for t in tensors), *parent.flat_types()]
        entries = [s.entries for s in (*shapes, *parent.flat_shapes())]
        return trace(get_default_graph(), function, types, entries, packed)

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        function = pipeline.function(self._graph, self._results)
        source = self._parents[0].elements(pipeline)
        state = tuple(pipeline.value(t) for t in self._inputs[: self._states])

        def step() -> Element:
            nonlocal state
            results = function(*state, *next(source))
            state = results[: self._states]
            return results[self._states :]

        return Steps(step)


def _pair(result: Any) -> tuple[Any, Any]:
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError(
            "The scan function must return a pair comprising the new state and the output value."
        )
    new_state, output = result
    return new_state, output


def _check_types(old: list[Tensor], new: list[Tensor]) -> None:
    types = [[t.dtype.base_dtype.name for t in each] for each in (old, new)]
    if types[0] != types[1]:
        raise TypeError(
            "The element types for the new state must match the initial state. Expected "
            f"{types[0]}; got {types[1]}."
        )


def _either(first: TensorShape, second: TensorShape) -> TensorShape:
    if first.ndims is None or first.ndims != second.ndims:
        return TensorShape(None)
    pairs = zip(first.as_list(), second.as_list(), strict=True)
    return TensorShape([a if a == b else None for a, b in pairs])
