"""Datasets that begin a pipeline."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from workbench.core import errors
from workbench.core.graph import dtypes
from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import TensorShape
from workbench.core.ops.data import components, nest
from workbench.core.ops.data.dataset import (
    Dataset,
    int64_input,
    structure_of_shapes,
    structure_of_types,
)
from workbench.core.ops.data.pipeline import Element, Pipeline, Steps


def _components(tensors: Any) -> tuple[Any, list[Any]]:
    """The structure of what an element is made of, and its components."""
    if isinstance(tensors, list):
        made = convert_to_tensor(tensors, name="component")
        return made, [made]
    return tensors, [
        components.as_component(t, name=f"component_{i}")
        for i, t in enumerate(nest.flatten(tensors))
    ]


class Tensors(Dataset):
    """One element."""

    def __init__(self, tensors: Any) -> None:
        structure, found = _components(tensors)
        super().__init__(
            nest.pack(structure, [components.type_of(c) for c in found]),
            nest.pack(structure, [components.shape_of(c) for c in found]),
            inputs=components.tensors_of(found),
            output_classes=nest.pack(structure, [components.class_of(c) for c in found]),
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        yield tuple(pipeline.value(t) for t in self._inputs)


class TensorSlices(Dataset):
    """The slices of tensors along their first axis."""

    def __init__(self, tensors: Any) -> None:
        structure, found = _components(tensors)
        if not found:
            raise ValueError("from_tensor_slices needs at least one tensor")
        length = components.shape_of(found[0]).with_rank_at_least(1)[0]
        for component in found[1:]:
            other = components.shape_of(component).with_rank_at_least(1)[0]
            if not length.is_compatible_with(other):
                raise ValueError(
                    f"Dimensions {length} and {other} are not compatible: all tensors must have "
                    "the same number of slices"
                )
        self._kinds = [components.class_of(c) for c in found]
        super().__init__(
            nest.pack(structure, [components.type_of(c) for c in found]),
            nest.pack(structure, [components.shape_of(c)[1:] for c in found]),
            inputs=components.tensors_of(found),
            output_classes=nest.pack(structure, self._kinds),
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        return components.slices([pipeline.value(t) for t in self._inputs], self._kinds)


class SparseTensorSlices(Dataset):
    """The rows of a sparse tensor as (indices, values, dense shape)."""

    def __init__(self, sparse_tensor: Any) -> None:
        sparse = SparseTensor.from_value(sparse_tensor)
        rank = sparse.dense_shape.shape[0].value
        inner = None if rank is None else rank - 1
        super().__init__(
            (dtypes.int64, sparse.dtype, dtypes.int64),
            (TensorShape([None, inner]), TensorShape([None]), TensorShape([inner])),
            inputs=list(sparse),
        )

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        indices, values, shape = (np.asarray(pipeline.value(t)) for t in self._inputs)
        if (np.diff(indices[:, 0]) < 0).any():
            raise errors.UnimplementedError(
                None, None, "The SparseTensor must be ordered in the batch dimension"
            )
        yield from components.sparse_rows(indices, values, shape)


class Range(Dataset):
    """int64 numbers."""

    def __init__(self, *args: Any) -> None:
        if not 1 <= len(args) <= 3:
            raise ValueError(f"Dataset.range takes 1 to 3 arguments, got {len(args)}")
        start, stop, step = (0, args[0], 1) if len(args) == 1 else (*args, 1)[:3]
        inputs = [
            int64_input(v, name) for v, name in ((start, "start"), (stop, "stop"), (step, "step"))
        ]
        super().__init__(dtypes.int64, TensorShape([]), inputs=inputs)

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        start, stop, step = (int(pipeline.value(t)) for t in self._inputs)
        if not step:
            raise errors.InvalidArgumentError(None, None, "step must be a non-zero integer.")
        return ((np.int64(number),) for number in range(start, stop, step))


class Generated(Dataset):
    """What a Python generator yields."""

    def __init__(
        self, generator: Callable[..., Any], output_types: Any, output_shapes: Any, args: Any
    ) -> None:
        if not callable(generator):
            raise TypeError("`generator` must be callable.")
        types = structure_of_types(output_types)
        inputs = [convert_to_tensor(a, name="args") for a in args or ()]
        super().__init__(types, structure_of_shapes(types, output_shapes), inputs=inputs)
        self._generator = generator

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        arguments = [pipeline.value(t) for t in self._inputs]
        types, shapes = self.flat_types(), self.flat_shapes()
        values: Iterator[Any] | None = None

        def step() -> Element:
            nonlocal values
            try:
                if values is None:
                    values = iter(self._generator(*arguments))
                value = next(values)
            except (StopIteration, errors.OpError):
                raise
            except Exception as error:
                raise _generator_error(error) from error
            try:
                parts = nest.flatten_up_to(self.output_types, value)
            except ValueError:
                raise errors.InvalidArgumentError(
                    None,
                    None,
                    "`generator` yielded an element that did not match the expected structure: "
                    f"expected {self.output_types}, got {value!r}",
                ) from None
            return tuple(
                _component(part, dtype, shape)
                for part, dtype, shape in zip(parts, types, shapes, strict=True)
            )

        return Steps(step)


def _generator_error(error: Exception) -> errors.OpError:
    """What a generator raised, as an error of the run."""
    kind: Callable[[None, None, str], errors.OpError] = errors.UnknownError
    if isinstance(error, (TypeError, ValueError)):
        kind = errors.InvalidArgumentError
    elif isinstance(error, NotImplementedError):
        kind = errors.UnimplementedError
    elif isinstance(error, MemoryError):
        kind = errors.ResourceExhaustedError
    return kind(None, None, f"`generator` failed: {type(error).__name__}: {error}")


def _component(part: Any, dtype: Any, shape: TensorShape) -> Any:
    from workbench.core.ops.constant import to_array

    try:
        array = to_array(part, dtype)
    except (TypeError, ValueError) as error:
        raise errors.InvalidArgumentError(
            None,
            None,
            f"`generator` yielded an element that could not be converted to {dtype.name}: {error}",
        ) from None
    if not shape.is_compatible_with(array.shape):
        raise errors.InvalidArgumentError(
            None,
            None,
            f"`generator` yielded an element of shape {array.shape} where an element of shape "
            f"{shape} was expected.",
        )
    return array[()] if array.ndim == 0 else array


class Files(Dataset):
    """The names of the files that match patterns."""

    def __init__(self, file_pattern: Any) -> None:
        pattern = convert_to_tensor(file_pattern, dtype=dtypes.string, name="file_pattern")
        super().__init__(dtypes.string, TensorShape([]), inputs=[pattern])

    def elements(self, pipeline: Pipeline) -> Iterator[Element]:
        patterns = np.atleast_1d(np.asarray(pipeline.value(self._inputs[0]), dtype=object))
        names = sorted({n for p in patterns for n in glob.glob(p.decode())})
        for name in names:
            yield (name.encode(),)
