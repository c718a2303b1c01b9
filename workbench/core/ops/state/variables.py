"""Variable: a tensor that keeps its value between runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.body_graph import init_scope
from workbench.core.graph.context import (
    get_default_graph,
    name_scope,
)
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor, TensorLike
from workbench.core.ops import identity as identity
from workbench.core.ops.creation import call
from workbench.core.ops.state import assignment, scatter
from workbench.core.ops.state.initial_dependencies import independent_value
from workbench.core.ops.state.save_slice_info import SaveSliceInfo
from workbench.core.ops.state.variable_view import VariableView


def _check_initial_value(value: Any) -> None:
    """Raises ValueError where an initial value is computed inside of a conditional or loop."""
    place = value.graph.place if isinstance(value, TensorLike) else ""  # type: ignore[attr-defined]
    if place:
        raise ValueError(
            f"The initial value {value} is from inside a control-flow construct, {place}: a "
            "variable outlives it. When creating a variable inside a loop or conditional, use a "
            "lambda as the initializer."
        )


class Variable(VariableView):
    """A tensor that keeps its value between runs and can be assigned.

    `initial_value` is a value or a function without arguments that makes it. `trainable` says
    whether optimizers change it by default. `validate_shape=False` allows an initial value of
    unknown shape. A session initialises it by running `initializer`, or all of them with
    `tf.global_variables_initializer()`.

    >>> import workbench as tf
    >>> w = tf.Variable([[1.0, 2.0]], name="w")
    >>> with tf.Session() as session:
    ...     session.run(w.initializer)
    ...     session.run(w.assign_add([[1.0, 1.0]])).tolist()
    [[2.0, 3.0]]
    """

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool = True,
        collections: Any = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        expected_shape: Any = None,
        import_scope: str | None = None,
        constraint: Callable[[Any], Any] | None = None,
    ) -> None:
        self._save_slice_info: Any = None
        self._constraint = constraint
        if variable_def is not None:
            if initial_value is not None:
                raise ValueError("variable_def and initial_value are mutually exclusive.")
            self._restore_from_proto(variable_def, import_scope)
            return
        if initial_value is None:
            raise ValueError("initial_value must be specified.")
        collections = [GraphKeys.GLOBAL_VARIABLES] if collections is None else collections
        if not isinstance(collections, (list, tuple, set)):
            raise ValueError(
                f"collections argument to Variable constructor must be a list, got {collections!r}"
            )
        if constraint is not None and not callable(constraint):
            raise ValueError("The `constraint` argument must be a callable.")
        if trainable and GraphKeys.TRAINABLE_VARIABLES not in collections:
            collections = [*collections, GraphKeys.TRAINABLE_VARIABLES]
        # A variable made inside a control scope must not wait: its value outlives the step.
        with init_scope(get_default_graph()):
            _check_initial_value(initial_value)
            self._build(initial_value, validate_shape, caching_device, name, dtype, expected_shape)
        get_default_graph().add_to_collections(list(collections), self)

    def _build(
        self,
        initial_value: Any,
        validate_shape: bool,
        caching_device: Any,
        name: str | None,
        dtype: Any,
        expected_shape: Any,
    ) -> None:
        makes_value = callable(initial_value)
        with name_scope(name, "Variable", [] if makes_value else [initial_value]) as scope:
            graph = get_default_graph()
            if makes_value:
                beside = {"_class": [f"loc:@{scope[:-1]}"]}
                with (
                    graph.name_scope("Initializer"),
                    graph.device(None),
                    graph._attr_scope(beside),
                ):
                    value = convert_to_tensor(initial_value(), name="initial_value", dtype=dtype)
            else:
                value = convert_to_tensor(initial_value, name="initial_value", dtype=dtype)
            if expected_shape is not None:
                value.shape.assert_is_compatible_with(expected_shape)
            if validate_shape and not value.shape.is_fully_defined():
                raise ValueError(
                    f"initial_value must have a shape specified: {value}. Give the variable's "
                    "initial value a known shape, or pass validate_shape=False."
                )
            self._initial_value: Any = value
            shape = value.shape if validate_shape else TensorShape(None)
            self._variable = call("VariableV2", scope, shape=shape, dtype=value.dtype.base_dtype)
            self._initializer_op = assignment.assign(
                self._variable,
                independent_value(value, self._variable.op.name),
                validate_shape=validate_shape,
                name="Assign",
            ).op
            place = graph.colocate_with(self._variable.op)
            with place if caching_device is None else graph.device(caching_device):
                self._snapshot = call("Identity", "read", input=self._variable)
            if not validate_shape:
                self._snapshot.entries = value.entries if value.shape.is_fully_defined() else None
            graph.variable_initializers[self._variable.op] = self._initializer_op
        self._caching_device = caching_device

    def _restore_from_proto(self, variable_def: Any, import_scope: str | None) -> None:
        graph = get_default_graph()

        def element(name: str) -> Any:
            full = f"{import_scope}/{name}" if import_scope else name
            return graph.as_graph_element(full)

        self._variable = element(variable_def.variable_name)
        self._initializer_op = element(variable_def.initializer_name)
        self._snapshot = element(variable_def.snapshot_name)
        self._initial_value = None
        if variable_def.initial_value_name:
            self._initial_value = element(variable_def.initial_value_name)
        self._caching_device = None
        if variable_def.HasField("save_slice_info_def"):
            self._save_slice_info = SaveSliceInfo(
                save_slice_info_def=variable_def.save_slice_info_def, import_scope=import_scope
            )
        graph.variable_initializers[self._variable.op] = self._initializer_op

    # -- changing it -------------------------------------------------------------------------

    def assign(self, value: Any, use_locking: bool = False) -> Tensor:
        """An operation that gives it `value`."""
        return assignment.assign(self._variable, value, use_locking=use_locking)

    def assign_add(self, delta: Any, use_locking: bool = False) -> Tensor:
        """An operation that adds `delta`."""
        return assignment.assign_add(self._variable, delta, use_locking=use_locking)

    def assign_sub(self, delta: Any, use_locking: bool = False) -> Tensor:
        """An operation that subtracts `delta`."""
        return assignment.assign_sub(self._variable, delta, use_locking=use_locking)

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False) -> Tensor:
        """An operation that subtracts an IndexedSlices."""
        if not hasattr(sparse_delta, "indices"):
            raise ValueError(f"sparse_delta is not IndexedSlices: {sparse_delta}")
        return scatter.scatter_sub(
            self._variable, sparse_delta.indices, sparse_delta.values, use_locking=use_locking
        )

    def count_up_to(self, limit: int) -> Tensor:
        """The value, which then grows by one; OutOfRangeError when it is `limit`."""
        return assignment.count_up_to(self._variable, limit)

    def load(self, value: Any, session: Any = None) -> None:
        """Gives it `value` in a session at once, without adding to the graph."""
        from workbench.core.runtime.implicit import session_for

        chosen = session_for(self.graph, session, f"variable {self.name!r}")
        chosen.run(self._initializer_op, {self._initializer_op.inputs[1]: value})

    def eval(self, session: Any = None, feed_dict: Any = None) -> Any:
        """The value in `session`, the default session, or the graph's own."""
        return self._variable.eval(session=session, feed_dict=feed_dict)

    # -- export ------------------------------------------------------------------------------

    def to_proto(self, export_scope: str | None = None) -> Any:
        """A VariableDef protocol buffer, or None when it is not in `export_scope`."""
        from workbench.core.protos import VariableDef

        prefix = f"{export_scope}/" if export_scope else ""
        if not self._variable.name.startswith(prefix):
            return None
        definition = VariableDef(
            variable_name=self._variable.name.removeprefix(prefix),
            initializer_name=self._initializer_op.name.removeprefix(prefix),
            snapshot_name=self._snapshot.name.removeprefix(prefix),
        )
        if self._initial_value is not None:
            definition.initial_value_name = self._initial_value.name.removeprefix(prefix)
        if self._save_slice_info is not None:
            info = self._save_slice_info.to_proto(export_scope)
            definition.save_slice_info_def.CopyFrom(info)
        return definition

    @staticmethod
    def from_proto(variable_def: Any, import_scope: str | None = None) -> Variable:
        """The variable of a VariableDef; its operations must be in the default graph."""
        return Variable(variable_def=variable_def, import_scope=import_scope)

    SaveSliceInfo = SaveSliceInfo

    def _set_save_slice_info(self, info: Any) -> None:
        self._save_slice_info = info

    def _get_save_slice_info(self) -> Any:
        return self._save_slice_info

    def __repr__(self) -> str:
        return f"<tf.Variable '{self.name}' shape={self.shape} dtype={self.dtype.name}>"
