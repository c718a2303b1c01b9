"""Functions applied to the rows of tensors: map_fn, foldl, foldr, scan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.graph import nest
from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.context import name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.shapes import Dimension, TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.control_flow.while_loop import while_loop
from workbench.core.ops.lists.creation import from_tensor
from workbench.core.ops.lists.items import get_item
from workbench.core.ops.tensor_array import TensorArray


class _Rows:
    """The rows of the tensors of a structure, which have a common number of rows."""

    def __init__(self, structure: Any) -> None:
        structure = self._structure = _with_tensors(structure)
        self._tensors = [convert_to_tensor(e, name="elem") for e in nest.flatten(structure)]
        if not self._tensors:
            raise ValueError("elems must hold at least one tensor")
        #: The number of rows, as far as it is known before a run.
        self.static_count = Dimension(None)
        for tensor in self._tensors:
            rows = tensor.shape.with_rank_at_least(1)[0]
            self.static_count = self.static_count.merge_with(rows)
        known = self.static_count.value
        #: The number of rows, an int or an int32 scalar.
        self.count = api.shape(self._tensors[0])[0] if known is None else known
        self._lists = [from_tensor(tensor) for tensor in self._tensors]

    @property
    def dtypes(self) -> Any:
        """The dtypes of the tensors, in their structure."""
        return nest.pack_sequence_as(self._structure, [t.dtype for t in self._tensors])

    def read(self, index: Any) -> Any:
        """The rows at `index`, in the structure of the tensors."""
        rows = [
            get_item(values, index, tensor.dtype.base_dtype, tensor.shape[1:])
            for values, tensor in zip(self._lists, self._tensors, strict=True)
        ]
        return nest.pack_sequence_as(self._structure, rows)

    def stacked(self, arrays: Sequence[TensorArray]) -> list[Tensor]:
        """What was written for each row, along a new first axis."""
        results = [array.stack() for array in arrays]
        for result in results:
            if result.shape.ndims is not None:
                result.set_shape(TensorShape([self.static_count]).concatenate(result.shape[1:]))
        return results


def _with_tensors(structure: Any) -> Any:
    """The structure with tensors for lists of numbers: no rows of tensors are meant by them."""
    if not nest.is_sequence(structure):
        return structure
    if _is_of_numbers(structure):
        return convert_to_tensor(structure, name="elem")
    return nest.like(structure, [_with_tensors(child) for child in nest.children(structure)])


def _is_of_numbers(value: Any) -> bool:
    """True for a list, possibly of lists, of nothing but numbers and strings."""
    if not isinstance(value, (list, tuple)) or not value:
        return isinstance(value, (bool, int, float, complex, str, bytes, np.generic))
    return all(map(_is_of_numbers, value))


def _check_function(function: Any) -> None:
    if not callable(function):
        raise TypeError(f"fn must be callable, got {function!r}.")


def map_fn(
    fn: Callable[[Any], Any],
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
) -> Any:
    """`fn` of each row of `elems`, the results along a new first axis.

    `elems` is a tensor or a structure of tensors with as many rows, `fn` takes a row in that
    structure. `dtype` is the dtype of what it gives, or a structure of dtypes; it may be left out
    where `fn` gives what it takes. `infer_shape=False` lets the shapes that the graph knows of
    differ between iterations.

    Raises TypeError for a SparseTensor, and where `fn` gives another structure or other dtypes.

    >>> import workbench as tf
    >>> tf.map_fn(lambda row: tf.reduce_max(row), [[1, 5], [7, 2]]).eval().tolist()
    [5, 7]
    >>> pair = tf.map_fn(lambda x: (x, -x), [1, 2], dtype=(tf.int32, tf.int32))
    >>> [t.eval().tolist() for t in pair]
    [[1, 2], [-1, -2]]
    """
    _check_function(fn)
    if isinstance(elems, SparseTensor):
        raise TypeError(
            "To perform a map on the values of a sparse tensor use either SparseTensor("
            "input.indices, fn(input.values), input.dense_shape) or SparseTensor(input.indices, "
            "map_fn(fn, input.values), input.dense_shape)"
        )
    with name_scope(name, "map", nest.flatten(elems)):
        rows = _Rows(elems)
        dtypes = rows.dtypes if dtype is None else dtype
        arrays = [
            TensorArray(as_dtype(d), size=rows.count, infer_shape=infer_shape)
            for d in nest.flatten(dtypes)
        ]

        def compute(i: Tensor, arrays: Sequence[TensorArray]) -> Any:
            values = fn(rows.read(i))
            nest.assert_same_structure(dtypes, values)
            return i + 1, _written(arrays, i, values)

        _, arrays = while_loop(
            lambda i, _: i < rows.count,
            compute,
            (api.constant(0), arrays),
            parallel_iterations=parallel_iterations,
            back_prop=back_prop,
            swap_memory=swap_memory,
        )
        return nest.pack_sequence_as(dtypes, rows.stacked(arrays))


def _written(arrays: Sequence[TensorArray], index: Any, values: Any) -> list[TensorArray]:
    """The arrays with what a structure holds, one value each."""
    written = []
    for array, value in zip(arrays, nest.flatten(values), strict=True):
        tensor = convert_to_tensor(value, name="value", preferred_dtype=array.dtype)
        if tensor.dtype.base_dtype is not array.dtype:
            raise TypeError(
                f"fn gave a tensor of {tensor.dtype.base_dtype.name}, {tensor.name!r}, where the "
                f"results are to be {array.dtype.name}: say with `dtype` what fn gives, or cast it"
            )
        written.append(array.write(index, tensor))
    return written


def foldl(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """`fn(... fn(fn(initializer, row 0), row 1) ..., last row)`.

    Without an initializer the first row takes its place. `elems` and the initializer may be
    structures of tensors; a list of numbers is a tensor.

    >>> import workbench as tf
    >>> tf.foldl(lambda a, x: 10 * a + x, [1, 2, 3]).eval()
    np.int32(123)
    """
    options = {
        "parallel_iterations": parallel_iterations,
        "back_prop": back_prop,
        "swap_memory": swap_memory,
    }
    return _fold(fn, elems, initializer, name, "foldl", False, options)


def foldr(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """`fn(... fn(fn(initializer, last row), last but one) ..., row 0)`.

    Without an initializer the last row takes its place. `elems` and the initializer may be
    structures of tensors; a list of numbers is a tensor.

    >>> import workbench as tf
    >>> tf.foldr(lambda a, x: 10 * a + x, [1, 2, 3]).eval()
    np.int32(321)
    """
    options = {
        "parallel_iterations": parallel_iterations,
        "back_prop": back_prop,
        "swap_memory": swap_memory,
    }
    return _fold(fn, elems, initializer, name, "foldr", True, options)


def _fold(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any,
    name: str | None,
    default_name: str,
    backwards: bool,
    options: dict[str, Any],
) -> Any:
    _check_function(fn)
    with name_scope(name, default_name, nest.flatten(elems)):
        rows = _Rows(elems)
        if isinstance(initializer, list) and _is_of_numbers(initializer):
            initializer = convert_to_tensor(initializer, name="initializer")
        start, value = _start(rows, initializer, backwards)

        def compute(i: Tensor, value: Any) -> Any:
            return i + 1, fn(value, rows.read(rows.count - 1 - i if backwards else i))

        _, value = while_loop(
            lambda i, _: i < rows.count, compute, (api.constant(start), value), **options
        )
        return value


def _start(rows: _Rows, initializer: Any, backwards: bool) -> tuple[int, Any]:
    """How many rows are used up at the start, and the first value."""
    if initializer is None:
        return 1, rows.read(rows.count - 1 if backwards else 0)
    first = [convert_to_tensor(v, name="initializer") for v in nest.flatten(initializer)]
    return 0, nest.pack_sequence_as(initializer, first)


def scan(
    fn: Callable[[Any, Any], Any],
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """All the values that `foldl` goes through, along a new first axis: one for each row.

    Without an initializer the first row is the first value. `elems` and the initializer may be
    structures of tensors. With `reverse` the last row comes first, and the results stand in the
    order of the rows.

    >>> import workbench as tf
    >>> tf.scan(lambda a, x: a + x, [1, 2, 3, 4]).eval().tolist()
    [1, 3, 6, 10]
    >>> tf.scan(lambda a, x: a + x, [1, 2, 3, 4], initializer=0, reverse=True).eval().tolist()
    [10, 9, 7, 4]
    """
    _check_function(fn)
    with name_scope(name, "scan", nest.flatten(elems)):
        rows = _Rows(elems)
        start, first = _start(rows, initializer, reverse)
        arrays = [
            TensorArray(
                value.dtype.base_dtype,
                size=rows.count,
                element_shape=value.shape if infer_shape else None,
                infer_shape=infer_shape,
            )
            for value in nest.flatten(first)
        ]

        def place(i: Any) -> Any:
            return rows.count - 1 - i if reverse else i

        if start:
            arrays = _written(arrays, place(0), first)

        def compute(i: Tensor, before: Any, arrays: Sequence[TensorArray]) -> Any:
            after = fn(before, rows.read(place(i)))
            nest.assert_same_structure(first, after)
            return i + 1, after, _written(arrays, place(i), after)

        _, _, arrays = while_loop(
            lambda i, _before, _arrays: i < rows.count,
            compute,
            (api.constant(start), first, arrays),
            parallel_iterations=parallel_iterations,
            back_prop=back_prop,
            swap_memory=swap_memory,
        )
        return nest.pack_sequence_as(first, rows.stacked(arrays))
