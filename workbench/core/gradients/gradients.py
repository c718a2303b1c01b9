"""Symbolic differentiation: the gradient of a graph is more graph."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from workbench.core.gradients.aggregation import aggregate
from workbench.core.gradients.registry import gradient_function
from workbench.core.graph import dtypes
from workbench.core.graph.body import CONTROL_FLOW
from workbench.core.graph.body_graph import BodyGraph
from workbench.core.graph.composite import IndexedSlices
from workbench.core.graph.context import get_default_graph, name_scope
from workbench.core.graph.convert import (
    convert_to_tensor,
    convert_to_tensor_or_indexed_slices,
)
from workbench.core.graph.operation import Operation
from workbench.core.graph.source import user_line
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.raw_control_flow import SWITCHING
from workbench.core.plan.reach import needed_operations


class UnconnectedGradients:
    """What `tf.gradients` gives for an x that ys do not depend on."""

    NONE = "none"
    ZERO = "zero"


def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: int | None = None,
    stop_gradients: Any = None,
    unconnected_gradients: str = UnconnectedGradients.NONE,
    *,
    _crossing: bool = True,
) -> list[Any]:
    """The derivative of the sum of `ys` with respect to each of `xs`.

    `grad_ys` weighs the elements of `ys` (ones by default); `stop_gradients` are tensors that
    count as constants. Returns one tensor (or IndexedSlices, for looked-up rows) for each x, with
    its shape and dtype; for an x that `ys` do not depend on None, or zeros with
    `unconnected_gradients="zero"`. Raises LookupError for an operation without a gradient.

    >>> import workbench as tf
    >>> x = tf.constant(3.0)
    >>> (dy,) = tf.gradients(x * x, x)
    >>> (d2y,) = tf.gradients(dy, x)
    >>> dy.eval(), d2y.eval()
    (np.float32(6.0), np.float32(2.0))
    """
    ys, xs = _as_list(ys), _as_list(xs)
    weights = [None] * len(ys) if grad_ys is None else _as_list(grad_ys)
    if len(weights) != len(ys):
        raise ValueError(f"ys and grad_ys must have the same length, got {len(ys)}, {len(weights)}")
    with name_scope(name, "gradients", [*ys, *xs, *_as_list(stop_gradients or [])]):
        targets = [_source(y, "y") for y in ys]
        sources = [_source(x, "x") for x in xs]
        stopped = {_source(s, "stop_gradients") for s in _as_list(stop_gradients or [])}
        seeds = [_seed(y, g, i) for i, (y, g) in enumerate(zip(targets, weights, strict=True))]
        walk = _Walk(targets, sources, stopped, bool(colocate_gradients_with_ops), _crossing)
        found = walk.run(seeds)
        walk.check_starts(found)
        if gate_gradients:
            found = _gated(found)
        return [
            _unconnected(x, unconnected_gradients) if g is None else g
            for x, g in zip(sources, found, strict=True)
        ]


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _source(value: Any, what: str) -> Tensor:
    """The tensor whose derivative is meant: for a variable, its value."""
    if hasattr(value, "_variable"):
        tensor: Tensor = value._variable
        return tensor
    if isinstance(value, IndexedSlices):
        return value.values
    return convert_to_tensor(value, name=what)


def _seed(y: Tensor, weight: Any, index: int) -> Any:
    kind = y.dtype.base_dtype
    if kind.name == "variant" and weight is not None:
        return weight
    if not (kind.is_floating or kind.is_complex or kind.is_integer):
        line = user_line(y.op.frames)
        made = f", made at {line}" if line else ""
        raise TypeError(
            f"Only numbers have gradients: {y.name!r} is {kind.name}{made}. Cast it to a float "
            "before it is differentiated."
        )
    if weight is None:
        if y.dtype.base_dtype.is_complex:
            raise TypeError(
                f"Gradients of complex tensors must set grad_ys (y.dtype = {y.dtype!r})"
            )
        ones: Tensor = api.ones_like(y, name=f"grad_ys_{index}")
        return ones
    weight = convert_to_tensor_or_indexed_slices(weight, name=f"grad_ys_{index}")
    if weight.dtype.base_dtype is not y.dtype.base_dtype:
        raise TypeError(
            f"Gradient type {weight.dtype.name} of {y.name!r} does not match its type "
            f"{y.dtype.base_dtype.name}"
        )
    return weight


def _unconnected(x: Tensor, mode: str) -> Any:
    if mode == UnconnectedGradients.NONE:
        return None
    if mode == UnconnectedGradients.ZERO:
        return api.zeros_like(_value(x))
    raise ValueError(f"unconnected_gradients must be 'none' or 'zero', not {mode!r}")


def _value(tensor: Tensor) -> Tensor:
    """The value of a tensor that may stand for a variable."""
    return tensor


def _gated(found: list[Any]) -> list[Any]:
    from workbench.core.ops.control import tuple_ as gate

    return gate(found) if any(g is not None for g in found) else found


class _Walk:
    """One walk back from the targets to the sources."""

    def __init__(
        self,
        targets: Sequence[Tensor],
        sources: Sequence[Tensor],
        stopped: set[Tensor],
        colocate: bool,
        crossing: bool,
    ) -> None:
        self._targets = targets
        self._sources = sources
        self._stopped = stopped
        self._colocate = colocate
        self._crossing = crossing
        self._gradients: dict[Tensor, list[Any]] = defaultdict(list)
        self._between = self._operations_between()

    def _operations_between(self) -> set[Operation]:
        """The operations on a path from a source to a target; integers end a path."""
        reached: set[Operation] = set()
        users: dict[Operation, list[Operation]] = defaultdict(list)
        queue = deque(t.op for t in self._targets)
        while queue:
            op = queue.popleft()
            if op not in reached:
                reached.add(op)
                for tensor in self._inputs(op):
                    if _is_differentiable(tensor) or tensor.dtype.base_dtype in _HANDLES:
                        users[tensor.op].append(op)
                    queue.append(tensor.op)
        from_sources: set[Operation] = set()
        queue = deque(t.op for t in self._sources)
        while queue:
            op = queue.popleft()
            if op not in from_sources:
                from_sources.add(op)
                queue.extend(users[op])
        self._reached = reached
        return reached & from_sources

    def check_starts(self, found: Sequence[Any]) -> None:
        """Raises ValueError where a gradient in a loop would have to go through earlier passes."""
        graph = get_default_graph()
        if not isinstance(graph, BodyGraph) or not self._crossing:
            return
        starts = [t for a, t in graph.starts.items() if a.op in self._reached]
        if not starts:
            return
        before = set(needed_operations(starts, (), ()))
        for source, gradient in zip(self._sources, found, strict=True):
            if gradient is None and source.op in before:
                raise ValueError(
                    f"Cannot compute gradient inside while loop with respect to op "
                    f"{source.op.name!r}. We do not support taking the gradient wrt or through the "
                    "initial value of a loop variable. Gradients can be computed through loop "
                    "invariants or wrt the input parameters to the loop body."
                )

    def _inputs(self, op: Operation) -> tuple[Tensor, ...]:
        """The tensors that an operation takes; in a body also those it has from outside."""
        if not op.inputs and self._crossing and op.graph.place and op.outputs:
            outside = op.graph.outside(op.outputs[0])
            return () if outside is None else (outside,)
        return op.inputs

    def run(self, seeds: Sequence[Any]) -> list[Any]:
        """The gradients of the sources."""
        for target, seed in zip(self._targets, seeds, strict=True):
            self._gradients[target].append(seed)
        waiting = self._pending()
        ready = deque(
            dict.fromkeys(
                t.op for t in self._targets if t.op in self._between and not waiting[t.op]
            )
        )
        source_ops = {x.op for x in self._sources}
        done: set[Operation] = set()
        while ready:
            op = ready.popleft()
            if op in done:
                continue
            done.add(op)
            self._differentiate(op, op in source_ops)
            for tensor in self._inputs(op):
                before = tensor.op
                if before in self._between:
                    waiting[before] -= 1
                    if not waiting[before]:
                        ready.append(before)
        return [self._total(x) for x in self._sources]

    def _pending(self) -> dict[Operation, int]:
        """For each operation how many uses of its outputs lie on the way from the targets."""
        counts: dict[Operation, int] = defaultdict(int)
        reached: set[Operation] = set()
        queue = deque(t.op for t in self._targets if t.op in self._between)
        while queue:
            op = queue.popleft()
            if op in reached:
                continue
            reached.add(op)
            for tensor in self._inputs(op):
                if tensor.op in self._between:
                    counts[tensor.op] += 1
                    queue.append(tensor.op)
        return counts

    def _total(self, tensor: Tensor) -> Any:
        terms = self._gradients.get(tensor)
        if not terms:
            return None
        if len(terms) > 1:
            with self._place(tensor, terms):
                self._gradients[tensor] = [aggregate(terms)]
        return self._gradients[tensor][0]

    def _place(self, tensor: Tensor, terms: list[Any]) -> AbstractContextManager[None]:
        """Where terms are added up: beside them, or beside the tensor where they are apart."""
        if not self._colocate:
            return nullcontext()
        together = len({term.device for term in terms}) == 1
        return get_default_graph().colocate_with(terms[0].op if together else tensor.op, True)

    def _differentiate(self, op: Operation, is_source: bool) -> None:
        """Adds what `op` contributes to the gradients of its inputs."""
        inputs = self._inputs(op)
        if self._between.isdisjoint([t.op for t in inputs]):
            return
        # What is stopped may be a source, but nothing flows back through it.
        outgoing = [None if t in self._stopped else self._total(t) for t in op.outputs]
        if all(g is None for g in outgoing):
            return
        if inputs is not op.inputs:
            # What is captured has the gradient of what stands for it.
            self._gradients[inputs[0]].append(outgoing[0])
            return
        function = gradient_function(op)
        if function is None:
            return
        # In the backward body of a loop the operation is of another graph.
        graph = get_default_graph()
        if op.type not in CONTROL_FLOW | SWITCHING:
            # Conditionals and loops have outputs that only gradients take; of the outputs of a
            # Switch one is dead.
            for i, (gradient, output) in enumerate(zip(outgoing, op.outputs, strict=True)):
                if gradient is None and _is_differentiable(output):
                    outgoing[i] = api.zeros_like(output)
        place = graph.colocate_with(op) if self._colocate else nullcontext()
        with name_scope(op.name + "_grad"), graph._original_op(op), place:
            incoming = function(op, *outgoing)
        self._collect(op, incoming)

    def _collect(self, op: Operation, incoming: Any) -> None:
        values = list(incoming) if isinstance(incoming, (list, tuple)) else [incoming]
        if len(values) != len(op.inputs):
            raise ValueError(
                f"The gradient of {op.name!r} ({op.type}) gave {len(values)} gradients for "
                f"{len(op.inputs)} inputs"
            )
        for tensor, gradient in zip(op.inputs, values, strict=True):
            if gradient is None:
                continue
            if isinstance(gradient, Tensor) and gradient.entries != tensor.entries:
                try:
                    gradient.set_shape(tensor.shape)
                except ValueError:
                    raise ValueError(
                        f"Incompatible shapes between op input and calculated input gradient. "
                        f"Forward operation: {op.name}. Original input shape: {tensor.shape}. "
                        f"Calculated input gradient shape: {gradient.shape}"
                    ) from None
            self._gradients[tensor].append(gradient)


# What stands for numbers that are elsewhere: in a variable, or in a list.
_HANDLES = (dtypes.resource, dtypes.variant)


def _is_differentiable(tensor: Tensor) -> bool:
    dtype = tensor.dtype.base_dtype
    return dtype.is_floating or dtype.is_complex


def hessians(
    ys: Any,
    xs: Any,
    name: str = "hessians",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: int | None = None,
) -> list[Any]:
    """The matrix of second derivatives of the sum of `ys` with respect to each one-dimensional x.

    >>> import workbench as tf
    >>> x = tf.constant([1.0, 2.0])
    >>> tf.hessians(tf.reduce_sum(x * x * x), x)[0].eval().tolist()
    [[6.0, 0.0], [0.0, 12.0]]
    """
    sources = _as_list(xs)
    found = []
    for i, x in enumerate(sources):
        x = convert_to_tensor(x)
        rank = x.shape.ndims
        length = x.shape.num_elements()
        if rank is None or length is None:
            raise ValueError(f"Computing a Hessian needs an x of known shape, got {x.shape}")
        with name_scope(f"{name}_{i}"):
            first = gradients(ys, x, colocate_gradients_with_ops=colocate_gradients_with_ops)[0]
            if first is None:
                raise ValueError("ys do not depend on x")
            flat = api.reshape(first, [-1])
            rows = [gradients(flat[j], x)[0] for j in range(length)]
            rows = [api.zeros_like(x) if r is None else r for r in rows]
            stacked = api.stack(rows)
            sizes = x.shape.as_list()
            found.append(api.reshape(stacked, [*sizes, *sizes]))
    return found
