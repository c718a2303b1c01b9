"""Loops: a body runs on loop variables as long as a condition on them is true."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.core.graph import dtypes, nest
from workbench.core.graph.body_graph import BodyGraph
from workbench.core.graph.composite import IndexedSlices, SparseTensor
from workbench.core.graph.context import graph_of, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.shapes import Entries, TensorShape, as_shape
from workbench.core.graph.source import capture, user_line
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.control_flow.declarations import add_loop
from workbench.core.ops.control_flow.structures import Rebuild, components, flatten, kind_of, own


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
    maximum_iterations: Any = None,
    return_same_structure: bool = False,
) -> Any:
    """Runs `loop_vars = body(*loop_vars)` while `cond(*loop_vars)`, and gives the last ones.

    `loop_vars` is a list or tuple, possibly nested, of tensors and of what becomes a tensor;
    `cond` gives a bool scalar, `body` the next values in the same structure, with the same types
    and shapes. `shape_invariants` has the structure of `loop_vars` and says what stays the same of
    a shape that changes: `TensorShape([None, 3])`. With `back_prop=False` no gradient goes through
    the loop. It ends after `maximum_iterations` in any case. A single loop variable is given alone
    unless `return_same_structure`. `parallel_iterations` and `swap_memory` change nothing here.

    Raises TypeError and ValueError where the functions or what they give do not fit.

    >>> import workbench as tf
    >>> count = tf.placeholder(tf.int32, [])
    >>> _, power = tf.while_loop(lambda i, p: i < count, lambda i, p: (i + 1, p * 2.0), [0, 1.0])
    >>> power.eval({count: 10})
    np.float32(1024.0)
    """
    if not callable(cond):
        raise TypeError(f"cond must be callable, got {cond!r}.")
    if not callable(body):
        raise TypeError(f"body must be callable, got {body!r}.")
    if not isinstance(parallel_iterations, int) or parallel_iterations < 1:
        raise TypeError("parallel_iterations must be a positive integer.")
    if not nest.is_sequence(loop_vars):
        loop_vars = [loop_vars]
    if not nest.flatten(loop_vars):
        raise ValueError("No loop variables provided")
    outer = graph_of([v for v in flatten(loop_vars) if isinstance(v, Tensor)])
    with outer.as_default(), name_scope(name, "while", flatten(loop_vars)):
        loop = _Loop(outer, loop_vars, shape_invariants)
        limit = _limit(maximum_iterations)
        op = loop.add(cond, body, limit, parallel_iterations, back_prop)
        values = loop.packed(op.outputs[1:])
    if return_same_structure or len(flatten(values)) != 1:
        return values
    return flatten(values)[0]


def _limit(maximum_iterations: Any) -> Tensor | None:
    if maximum_iterations is None:
        return None
    limit = convert_to_tensor(maximum_iterations, name="maximum_iterations")
    if limit.shape.ndims not in (None, 0):
        raise ValueError(f"maximum_iterations must be a scalar, saw shape: {limit.shape}")
    count: Tensor = api.cast(limit, dtypes.int32)
    return count


class _Loop:
    """The loop variables of one loop: their structure, tensors, and what is known of shapes."""

    def __init__(self, outer: Any, loop_vars: Any, shape_invariants: Any) -> None:
        self._outer = outer
        self._structure = loop_vars
        self._leaves = flatten(loop_vars)
        self._parts: list[list[Tensor]] = []
        self._rebuilds: list[Rebuild] = []
        for leaf in self._leaves:
            tensors, rebuild = ([], _nothing) if leaf is None else components(leaf)
            values = [api.identity(t) if t.dtype._is_ref_dtype else t for t in tensors]
            self._parts.append(values)
            self._rebuilds.append(rebuild)
        self.initial = [t for parts in self._parts for t in parts]
        self._entries = [t.entries for t in self.initial]
        if shape_invariants is not None:
            nest.assert_same_structure(loop_vars, shape_invariants, check_types=False)
            self._entries = self._invariants(flatten(shape_invariants))

    def _invariants(self, given: Sequence[Any]) -> list[Entries]:
        found: list[Entries] = []
        for leaf, parts, invariant in zip(self._leaves, self._parts, given, strict=True):
            shapes = [as_shape(invariant).entries]
            if len(parts) > 1 or hasattr(leaf, "_to_components"):
                shapes = _shapes_of_parts(leaf, parts, as_shape(invariant))
            for tensor, entries in zip(parts, shapes, strict=True):
                if not _is_less_specific(entries, tensor.entries):
                    raise ValueError(
                        f"{_line()}The shape invariant specified for {tensor.name} is not "
                        "compatible with the initial shape of the loop variable. It enters the "
                        f"loop with shape {tensor.shape}, but the specified shape invariant is "
                        f"{TensorShape.of(entries)}."
                    )
            found.extend(shapes)
        return found

    def packed(self, tensors: Sequence[Tensor]) -> Any:
        """The tensors in the structure of the loop variables."""
        values: list[Any] = []
        start = 0
        for parts, rebuild in zip(self._parts, self._rebuilds, strict=True):
            values.append(rebuild(tensors[start : start + len(parts)]))
            start += len(parts)
        return nest.pack_sequence_as(self._structure, values)

    def add(
        self,
        cond: Callable[..., Any],
        body: Callable[..., Any],
        limit: Tensor | None,
        parallel_iterations: int,
        back_prop: bool,
    ) -> Any:
        """Traces the functions and adds the operation; its first output counts the iterations."""
        graphs = BodyGraph(self._outer, "while_loop"), BodyGraph(self._outer, "while_loop")
        counter = api.constant(0, name="iteration")
        condition = self._trace_condition(graphs[0], cond, limit)
        results = self._trace_body(graphs[1], body)
        return add_loop(
            self._outer,
            "While",
            [counter, *self.initial],
            graphs,
            condition,
            results,
            parallel_iterations,
            back_prop,
        )

    def _arguments(self, graph: BodyGraph) -> tuple[Tensor, Any]:
        counter = graph.argument(dtypes.int32, (), "iteration")
        tensors = [
            graph.argument(t.dtype.base_dtype, entries, t.op.name.rsplit("/", 1)[-1])
            for t, entries in zip(self.initial, self._entries, strict=True)
        ]
        graph.starts.update(zip(tensors, self.initial, strict=True))
        return counter, self.packed(tensors)

    def _trace_condition(
        self, graph: BodyGraph, cond: Callable[..., Any], limit: Tensor | None
    ) -> Tensor:
        with graph.as_default():
            counter, arguments = self._arguments(graph)
            given = _called(cond, arguments)
            if isinstance(given, (list, tuple)) and len(given) == 1:
                given = given[0]
            result = own(graph, convert_to_tensor(given, name="condition"))
            if result.dtype.base_dtype is not dtypes.bool:
                raise TypeError(
                    f"{_line()}cond must return a boolean scalar, got {result.dtype.name}"
                )
            if result.shape.ndims not in (None, 0):
                raise ValueError(
                    f"{_line()}cond must return a boolean scalar, got shape {result.shape}"
                )
            if limit is not None:
                result = api.logical_and(api.less(counter, limit), result)
        return result

    def _trace_body(self, graph: BodyGraph, body: Callable[..., Any]) -> list[Tensor]:
        with graph.as_default():
            counter, arguments = self._arguments(graph)
            given = _called(body, arguments)
            results = [api.add(counter, 1), *self._checked(graph, given)]
        return results

    def _checked(self, graph: BodyGraph, given: Any) -> list[Tensor]:
        """What a body gave as tensors, if it has the structure, types and shapes to go on with."""
        if not nest.is_sequence(given) or (
            len(nest.children(self._structure)) == 1
            and nest.is_sequence(nest.children(self._structure)[0])
            and not _same(self._structure, given)
        ):
            given = [given]
        expected = self._structure
        if isinstance(expected, (list, tuple)) and isinstance(given, (list, tuple)):
            expected, given = list(expected), list(given)
        try:
            nest.assert_same_structure(expected, given)
        except (TypeError, ValueError) as error:
            raise type(error)(
                f"{_line()}body must return the structure of loop_vars: {error}"
            ) from None
        results: list[Tensor] = []
        entries = iter(self._entries)
        for leaf, parts, value in zip(self._leaves, self._parts, flatten(given), strict=True):
            if kind_of(leaf) is not kind_of(value):
                raise TypeError(
                    f"{_line()}Loop variable {leaf!r} is {value!r} after one iteration: body must "
                    "return values of the same kind."
                )
            if leaf is None:
                continue
            made = components_like(value, parts)
            for before, after in zip(parts, made, strict=True):
                results.append(self._fitting(graph, before, after, next(entries)))
        return results

    @staticmethod
    def _fitting(graph: BodyGraph, before: Tensor, after: Tensor, entries: Entries) -> Tensor:
        if after.dtype.base_dtype is not before.dtype.base_dtype:
            raise TypeError(
                f"{_line()}Loop var {before.name} enters the loop with type "
                f"{before.dtype.base_dtype!r} but has type {after.dtype.base_dtype!r} after 1 "
                "iteration."
            )
        if not _is_less_specific(entries, after.entries):
            raise ValueError(
                f"{_line()}The shape for {before.name} is not an invariant for the loop. It enters "
                f"the loop with shape {TensorShape.of(entries)}, but has shape {after.shape} after "
                "one iteration. Provide shape invariants using either the `shape_invariants` "
                "argument of tf.while_loop or set_shape() on the loop variables."
            )
        return own(graph, after)


def components_like(value: Any, parts: Sequence[Tensor]) -> list[Tensor]:
    """The tensors of a value; a number takes the type of the tensor it follows."""
    if len(parts) == 1 and kind_of(value) is Tensor and not hasattr(value, "dtype"):
        try:
            return [convert_to_tensor(value, dtype=parts[0].dtype.base_dtype)]
        except (TypeError, ValueError):
            return [convert_to_tensor(value)]
    return components(value)[0]


def _nothing(parts: Any) -> None:
    """What becomes of a None among the loop variables."""


def _called(function: Callable[..., Any], arguments: Any) -> Any:
    if isinstance(arguments, dict):
        return function(arguments)
    return function(*arguments)


def _same(expected: Any, given: Any) -> bool:
    try:
        nest.assert_same_structure(list(expected), list(given))
    except (TypeError, ValueError):
        return False
    return True


def _is_less_specific(general: Entries, special: Entries) -> bool:
    """True where every shape that `special` allows is one that `general` allows."""
    if general is None:
        return True
    if special is None or len(general) != len(special):
        return False
    return all(
        not isinstance(g, int) or (isinstance(s, int) and g == s)
        for g, s in zip(general, special, strict=True)
    )


def _shapes_of_parts(leaf: Any, parts: Sequence[Tensor], shape: TensorShape) -> list[Entries]:
    """What stays the same of the tensors of a value, as TensorFlow writes it for sparse ones.

    For a SparseTensor `shape` is [rank of the dense tensor], for IndexedSlices that of the values.
    """
    entries = shape.entries
    if isinstance(leaf, SparseTensor):
        rank = entries[0] if entries else None
        return [(None, rank), (None,), (rank,)]
    if isinstance(leaf, IndexedSlices):
        rows = entries[0] if entries else None
        rank = None if entries is None else len(entries)
        return [entries, (rows,), (rank,)][: len(parts)]
    return [t.entries for t in parts]


def _line() -> str:
    line = user_line(capture())
    return f"{line}\n  " if line else ""
