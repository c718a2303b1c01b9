"""Conditionals: one of two functions runs, by a value of the graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from workbench.core.graph import dtypes, nest
from workbench.core.graph.body_graph import BodyGraph
from workbench.core.graph.composite import IndexedSlices
from workbench.core.graph.context import graph_of, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.operation import Operation
from workbench.core.graph.source import capture, user_line
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.control_flow.declarations import add_conditional
from workbench.core.ops.control_flow.structures import Rebuild, components, flatten, kind_of, own
from workbench.core.plan.placement.colocation import stays_put


def cond(
    pred: Any,
    true_fn: Callable[[], Any] | None = None,
    false_fn: Callable[[], Any] | None = None,
    strict: bool = False,
    name: str | None = None,
    fn1: Callable[[], Any] | None = None,
    fn2: Callable[[], Any] | None = None,
) -> Any:
    """What `true_fn()` gives where `pred` is true in a run, else what `false_fn()` gives.

    `pred` is a bool scalar. Both functions give structures of tensors of the same form and types;
    an operation among them becomes a bool tensor, for which it has run. Only the branch that is
    taken runs, and of it what is used; what stands outside of both functions runs in any case. A
    list or tuple of one tensor is given as the tensor, unless `strict`. `fn1` and `fn2` are the old
    names of the functions.

    Raises TypeError where a function is none or `pred` is a Python bool, ValueError where the
    branches do not fit each other.

    >>> import workbench as tf
    >>> x = tf.placeholder(tf.float32, [])
    >>> y = tf.cond(x > 0.0, lambda: tf.sqrt(x), lambda: -x)
    >>> y.eval({x: 4.0}), y.eval({x: -3.0})
    (np.float32(2.0), np.float32(3.0))
    """
    true_fn, false_fn = (
        _renamed(true_fn, fn1, "true_fn", "fn1"),
        _renamed(false_fn, fn2, "false_fn", "fn2"),
    )
    if isinstance(pred, (bool, np.bool_)):
        raise TypeError(
            f"pred must not be a Python bool: it is {pred!r} whenever the graph runs. Use Python's "
            "if, or tf.constant."
        )
    outer = graph_of([pred])
    with outer.as_default(), name_scope(name, "cond", [pred]):
        pred = _predicate(pred)
        branches = [
            _Branch(outer, f, which, strict)
            for f, which in zip((true_fn, false_fn), (True, False), strict=True)
        ]
        return _joined(outer, pred, *branches)


def _renamed(function: Any, old: Any, name: str, old_name: str) -> Callable[[], Any]:
    if old is not None:
        if function is not None:
            raise TypeError(f"cond(): {name} and {old_name} may not be set simultaneously.")
        function = old
    if function is None:
        raise TypeError(f"cond(): {name} argument required")
    if not callable(function):
        raise TypeError(f"{name} must be callable, got {function!r}.")
    return function  # type: ignore[no-any-return]


def _predicate(pred: Any) -> Tensor:
    tensor = convert_to_tensor(pred, name="pred")
    if tensor.dtype.base_dtype is not dtypes.bool:
        raise TypeError(f"pred must be a bool, got {tensor.name!r} of {tensor.dtype.name}")
    if tensor.shape.ndims not in (None, 0):
        raise ValueError(
            f"{_line()}Shape must be rank 0 but is rank {tensor.shape.ndims}: pred must be a "
            f"scalar, got {tensor.name!r} of shape {tensor.shape}"
        )
    return api.identity(tensor) if tensor.dtype._is_ref_dtype else tensor


def _line() -> str:
    line = user_line(capture())
    return f"{line}\n  " if line else ""


class _Branch:
    """One traced branch: its graph, what it gave, and that as tensors."""

    def __init__(self, outer: Any, function: Callable[[], Any], which: bool, strict: bool) -> None:
        self.name = "true_fn" if which else "false_fn"
        self.graph = BodyGraph(outer, "cond")
        with self.graph.as_default():
            given = function()
            if given is None:
                raise ValueError(f"{_line()}{self.name} must have a return value.")
            if not strict:
                given = _alone(given)
            self.structure = given
            self.leaves = [_converted(leaf, self.graph, which) for leaf in flatten(given)]
            self.parts: list[list[Tensor]] = []
            self.rebuilds: list[Rebuild] = []
            for leaf in self.leaves:
                tensors, rebuild = ([], _nothing) if leaf is None else components(leaf)
                self.parts.append([own(self.graph, t) for t in tensors])
                self.rebuilds.append(rebuild)


def _nothing(parts: Any) -> None:
    """What becomes of a None in both branches."""


def _alone(given: Any) -> Any:
    if isinstance(given, (list, tuple)) and len(given) == 1:
        return given[0]
    return given


def _converted(leaf: Any, graph: BodyGraph, which: bool) -> Any:
    """An operation becomes a tensor, which is the predicate's value once the operation has run."""
    if not isinstance(leaf, Operation):
        return leaf
    with graph.control_dependencies([leaf]):
        return api.identity(api.constant(which))


def _joined(outer: Any, pred: Tensor, true: _Branch, false: _Branch) -> Any:
    _check_structures(true, false)
    flat_true = [t for parts in true.parts for t in parts]
    flat_false = [t for parts in false.parts for t in parts]
    op = add_conditional(outer, "If", pred, (true.graph, false.graph), (flat_true, flat_false))
    outputs = _apart(op.outputs)
    values: list[Any] = []
    start = 0
    for parts, rebuild in zip(true.parts, true.rebuilds, strict=True):
        values.append(rebuild(outputs[start : start + len(parts)]))
        start += len(parts)
    return nest.pack_sequence_as(true.structure, values)


def _apart(outputs: Sequence[Tensor]) -> Sequence[Tensor]:
    """Each output with an operation of its own: who runs one of them does not mean the others."""
    if len(outputs) == 1:
        return outputs
    return [t if stays_put(t) else api.identity(t, name="Merge") for t in outputs]


def _widen_indices(
    graph: BodyGraph, parts: list[Tensor], other: BodyGraph, others: list[Tensor]
) -> None:
    """Makes the indices of slices of one type, the wider one."""
    if parts[1].dtype is others[1].dtype:
        return
    for where, given in ((graph, parts), (other, others)):
        with where.as_default():
            given[1] = api.cast(given[1], dtypes.int64)


def _check_structures(true: _Branch, false: _Branch) -> None:
    try:
        nest.assert_same_structure(true.structure, false.structure)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"{_line()}Incompatible return values of true_fn and false_fn: {error}"
        ) from None
    for a, b, ours, theirs in zip(true.leaves, false.leaves, true.parts, false.parts, strict=True):
        if isinstance(a, IndexedSlices) and isinstance(b, IndexedSlices):
            _widen_indices(true.graph, ours, false.graph, theirs)
        if kind_of(a) is not kind_of(b) or len(ours) != len(theirs):
            raise ValueError(
                f"{_line()}Outputs of true_fn and false_fn must be of the same kind: {a!r}, {b!r}"
            )
        for x, y in zip(ours, theirs, strict=True):
            if x.dtype.base_dtype is not y.dtype.base_dtype:
                raise ValueError(
                    f"{_line()}Outputs of true_fn and false_fn must have the same type: "
                    f"{x.dtype.base_dtype.name}, {y.dtype.base_dtype.name}"
                )
