"""The base of all optimizers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence, ValuesView
from typing import Any

from workbench.core.gradients.gradients import gradients
from workbench.core.graph import applied_gradients
from workbench.core.graph.body_graph import init_scope
from workbench.core.graph.composite import IndexedSlices
from workbench.core.graph.context import (
    control_dependencies,
    get_default_graph,
    name_scope,
)
from workbench.core.graph.convert import (
    convert_to_tensor,
    convert_to_tensor_or_indexed_slices,
)
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.control import group
from workbench.core.ops.state import assignment, scatter
from workbench.core.ops.state.variables import Variable


class Optimizer:
    """Computes the gradients of a loss and applies them to variables.

    Subclasses say how: `_apply_dense` and `_apply_sparse_duplicate_indices` make the operation
    that updates one variable, `_create_slots` the variables an optimizer keeps for each variable,
    `_prepare` the tensors of its hyperparameters, which may be numbers, tensors or functions.

    >>> import workbench as tf
    >>> w = tf.Variable(4.0)
    >>> train = tf.train.GradientDescentOptimizer(0.25).minimize(tf.square(w))
    >>> with tf.Session() as session:
    ...     session.run(tf.global_variables_initializer())
    ...     session.run(train)
    ...     session.run(w)
    np.float32(2.0)
    """

    GATE_NONE = 0
    GATE_OP = 1
    GATE_GRAPH = 2

    def __init__(self, use_locking: bool, name: str) -> None:
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._use_locking = use_locking
        self._name = name
        self._slots: dict[str, dict[Any, Any]] = defaultdict(dict)
        self._non_slots: dict[Any, Any] = {}

    def get_name(self) -> str:
        """The optimizer's name."""
        return self._name

    # -- the three calls of users ------------------------------------------------------------

    def minimize(
        self,
        loss: Any,
        global_step: Any = None,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
    ) -> Operation:
        """An operation that takes one step down the gradient of `loss`.

        `var_list` are the variables to change, by default all trainable ones. `global_step` is a
        variable that grows by one with each step. Raises ValueError when `loss` depends on none
        of the variables.
        """
        pairs = self.compute_gradients(
            loss,
            var_list=var_list,
            gate_gradients=gate_gradients,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
            grad_loss=grad_loss,
        )
        if all(g is None for g, _ in pairs):
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not "
                "support gradients, between variables "
                f"{[v.name for _, v in pairs]} and loss {loss}."
            )
        return self.apply_gradients(pairs, global_step=global_step, name=name)

    def compute_gradients(
        self,
        loss: Any,
        var_list: Any = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Any = None,
    ) -> list[tuple[Any, Any]]:
        """The gradient of `loss` with respect to each variable, as (gradient, variable) pairs."""
        if gate_gradients not in (self.GATE_NONE, self.GATE_OP, self.GATE_GRAPH):
            raise ValueError(
                "gate_gradients must be one of: Optimizer.GATE_NONE, Optimizer.GATE_OP, "
                f"Optimizer.GATE_GRAPH. Not {gate_gradients}"
            )
        self._check_dtypes([loss] if grad_loss is None else [loss, grad_loss])
        graph = loss.graph if hasattr(loss, "graph") else get_default_graph()
        if var_list is None:
            variables = [
                *graph.get_collection(GraphKeys.TRAINABLE_VARIABLES),
                *graph.get_collection("trainable_resource_variables"),
            ]
        else:
            variables = _flatten(var_list)
        if not variables:
            raise ValueError("No variables to optimize.")
        for variable in variables:
            if not isinstance(variable, Variable):
                raise TypeError(f"Argument is not a tf.Variable: {variable}")
        found = gradients(
            loss,
            variables,
            grad_ys=grad_loss,
            gate_gradients=gate_gradients == self.GATE_GRAPH,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
        )
        pairs = list(zip(found, variables, strict=True))
        self._check_dtypes([v for g, v in pairs if g is not None])
        return pairs

    def apply_gradients(
        self, grads_and_vars: Any, global_step: Any = None, name: str | None = None
    ) -> Operation:
        """An operation that applies (gradient, variable) pairs; None gradients are passed over."""
        pairs = [(g, v) for g, v in grads_and_vars]
        if not pairs:
            raise ValueError("No variables provided.")
        usable: list[tuple[Any, Any]] = []
        for gradient, variable in pairs:
            if gradient is None:
                continue
            try:
                tensor = convert_to_tensor_or_indexed_slices(gradient)
            except TypeError:
                raise TypeError(
                    "Gradient must be convertible to a Tensor or IndexedSlices, or None: "
                    f"{gradient}"
                ) from None
            if not isinstance(variable, Variable):
                raise TypeError(f"Variable must be a tf.Variable: {variable}")
            usable.append((tensor, variable))
        if not usable:
            names = [v.name for _, v in pairs]
            raise ValueError(f"No gradients provided for any variable: {names}.")
        graph = get_default_graph()
        with init_scope(graph), control_dependencies(None):
            self._create_slots([v for _, v in usable])
        if not graph.place:
            # Only bodies of conditionals and loops take variables of another graph.
            graph = usable[0][1].graph
        with graph.as_default(), name_scope(name, self._name) as scope:
            self._prepare()
            updates = [self._update(graph, g, v) for g, v in usable]
            for (gradient, _), update in zip(usable, updates, strict=True):
                applied_gradients.record(graph, gradient, update)
            if global_step is None:
                train_op = self._finish(updates, scope)
            else:
                with (
                    control_dependencies([self._finish(updates, "update")]),
                    graph.colocate_with(global_step),
                ):
                    train_op = assignment.assign_add(global_step, 1, name=scope).op
            collection = graph.get_collection_ref(GraphKeys.TRAIN_OP)
            if train_op not in collection and not graph.place:
                collection.append(train_op)
            return train_op

    def _update(self, graph: Any, gradient: Any, variable: Any) -> Operation:
        with name_scope(f"update_{variable.op.name}"), graph.colocate_with(variable):
            if isinstance(gradient, IndexedSlices):
                update = self._apply_sparse_duplicate_indices(gradient, variable)
            else:
                update = self._apply_dense(gradient, variable)
            if variable.constraint is None:
                return _as_operation(update)
            if isinstance(gradient, IndexedSlices):
                raise RuntimeError("Cannot use a constraint function on a sparse variable.")
            with control_dependencies([update]):
                return variable.assign(variable.constraint(variable)).op  # type: ignore[no-any-return]

    # -- slots -------------------------------------------------------------------------------

    def get_slot(self, var: Any, name: str) -> Any:
        """The slot `name` of a variable, or None."""
        named = self._slots.get(name)
        return None if named is None else named.get(_slot_key(var))

    def get_slot_names(self) -> list[str]:
        """The names of the slots."""
        return sorted(self._slots)

    def variables(self) -> list[Any]:
        """The variables the optimizer keeps in the current graph, slots and others."""
        own = list(self._non_slots.values())
        own += [v for named in self._slots.values() for v in named.values()]
        graph = get_default_graph()
        graph = getattr(graph, "outermost", graph)
        return sorted((v for v in own if v.graph is graph), key=lambda v: v.name)

    def _slot_dict(self, slot_name: str) -> dict[Any, Any]:
        return self._slots[slot_name]

    def _get_or_make_slot(self, var: Any, value: Any, slot_name: str, op_name: str) -> Any:
        named = self._slots[slot_name]
        key = _slot_key(var)
        if key not in named:
            from workbench.train.optimizers import slots as slot_creation

            named[key] = slot_creation.create_slot(var, value, op_name)
        return named[key]

    def _zeros_slot(self, var: Any, slot_name: str, op_name: str) -> Any:
        named = self._slots[slot_name]
        key = _slot_key(var)
        if key not in named:
            from workbench.train.optimizers import slots as slot_creation

            named[key] = slot_creation.create_zeros_slot(var, op_name)
        return named[key]

    def _get_or_make_slot_with_initializer(
        self, var: Any, initializer: Any, shape: Any, dtype: Any, slot_name: str, op_name: str
    ) -> Any:
        named = self._slots[slot_name]
        key = _slot_key(var)
        if key not in named:
            from workbench.train.optimizers import slots as slot_creation

            named[key] = slot_creation.create_slot_with_initializer(
                var, initializer, shape, dtype, op_name
            )
        return named[key]

    def _create_non_slot_variable(self, initial_value: Any, name: str, colocate_with: Any) -> Any:
        """A variable of the optimizer that belongs to no variable, one for each graph."""
        key = (name, colocate_with.graph)
        if key not in self._non_slots:
            with colocate_with.graph.colocate_with(colocate_with):
                self._non_slots[key] = Variable(initial_value, name=name, trainable=False)
        return self._non_slots[key]

    def _get_non_slot_variable(self, name: str, graph: Any = None) -> Any:
        # Variables are never in the body of a conditional or loop.
        return self._non_slots.get((name, getattr(graph, "outermost", graph)))

    # -- for subclasses ----------------------------------------------------------------------

    def _valid_dtypes(self) -> set[str]:
        return {"float16", "bfloat16", "float32", "float64"}

    def _check_dtypes(self, tensors: Sequence[Any]) -> None:
        valid = self._valid_dtypes()
        for tensor in tensors:
            dtype = convert_to_tensor(tensor).dtype.base_dtype
            if dtype.name not in valid:
                raise ValueError(
                    f"Invalid type {dtype.name!r} for {tensor.name}, expected: {sorted(valid)}."
                )

    def _create_slots(self, var_list: Sequence[Any]) -> None:
        """Makes the slots of the variables; there are none by default."""

    def _prepare(self) -> None:
        """Makes the tensors of the hyperparameters; there are none by default."""

    def _apply_dense(self, grad: Tensor, var: Any) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not say how to apply a gradient")

    def _apply_sparse(self, grad: IndexedSlices, var: Any) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} does not say how to apply a sparse gradient"
        )

    def _apply_sparse_duplicate_indices(self, grad: IndexedSlices, var: Any) -> Any:
        """Applies a sparse gradient whose rows may repeat: they are added up first."""
        values, rows = _deduplicated(grad.values, grad.indices)
        return self._apply_sparse(IndexedSlices(values, rows, grad.dense_shape), var)

    def _finish(self, update_ops: Sequence[Any], name_scope: str) -> Operation:
        return group(*update_ops, name=name_scope)

    def _call_if_callable(self, param: Any) -> Any:
        return param() if callable(param) else param

    def _hyper(self, value: Any, name: str) -> Tensor:
        """The tensor of a hyperparameter."""
        return convert_to_tensor(self._call_if_callable(value), name=name)


def _slot_key(var: Any) -> tuple[Any, str]:
    return (var.op.graph, var.op.name)


def _flatten(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple, set, ValuesView)) or hasattr(value, "_get_variable_list"):
        return [item for part in value for item in _flatten(part)]
    return [value]


def _as_operation(value: Any) -> Operation:
    return value if isinstance(value, Operation) else value.op


def _deduplicated(values: Any, indices: Any) -> tuple[Any, Any]:
    """The rows of repeated indices added up."""
    rows, positions = api.unique(indices)
    return api.unsorted_segment_sum(values, positions, api.shape(rows)[0]), rows


def cast_to(tensor: Tensor, var: Any) -> Tensor:
    """A hyperparameter in the type of a variable."""
    dtype = var.dtype.base_dtype
    if tensor.dtype.base_dtype is dtype:
        return tensor
    cast: Tensor = api.cast(tensor, dtype)
    return cast


def add_to_rows(variable: Any, rows: Any, values: Any, use_locking: bool) -> Tensor:
    """Adds `values` to the rows of a variable."""
    return scatter.scatter_add(variable, rows, values, use_locking=use_locking)


Hyperparameter = float | Tensor | Variable | Callable[[], Any]
