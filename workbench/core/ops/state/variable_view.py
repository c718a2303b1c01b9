"""What a variable is as a tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.core.graph.body_graph import waiting_graph
from workbench.core.graph.context import control_dependencies, get_default_graph
from workbench.core.graph.dtypes import DType
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor, TensorLike
from workbench.core.ops.creation import call


class VariableView(TensorLike):
    """The value of a variable, its name, dtype and shape, and how it becomes a tensor."""

    _variable: Tensor
    #: What reads it at the start of the step.
    _snapshot: Tensor
    _initializer_op: Operation
    _initial_value: Any
    _constraint: Callable[[Any], Any] | None

    def _as_graph_element(self) -> Tensor:
        return self._variable

    def _as_tensor(
        self, dtype: DType | None = None, name: str | None = None, as_ref: bool = False
    ) -> Tensor:
        if dtype is not None and dtype.base_dtype is not self.dtype.base_dtype:
            raise ValueError(
                f"Tensor conversion requested dtype {dtype.name} for Variable with dtype "
                f"{self.dtype.base_dtype.name}: {self._variable.name!r}"
            )
        if as_ref:
            return self._variable
        graph = get_default_graph()
        waiting = waiting_graph(graph if graph.place else self.graph)
        if waiting is not None:
            # What waits for an assignment must see what was assigned: it needs a read of its own.
            with waiting.as_default():
                return self.read_value()
        return self._snapshot

    _AsTensor = _as_tensor

    def _ref(self) -> Tensor:
        return self._variable

    def value(self) -> Tensor:
        """The value at the start of the step, as a tensor."""
        return self._snapshot

    def read_value(self) -> Tensor:
        """The value, read where control dependencies say."""
        tensor = call("Identity", "read", input=self._variable)
        if tensor.entries is None:
            tensor.entries = self._snapshot.entries
        return tensor

    def initialized_value(self) -> Tensor:
        """The value, or the initial value where the variable has none yet.

        A variable that starts with the value of another one takes this as its initial value, so
        that the order of the initializers does not matter.
        """
        if self._initial_value is None:
            raise ValueError(
                f"The initial value of {self.name} is not known: it was imported without one"
            )
        with control_dependencies(None), self.graph.colocate_with(self._variable.op):
            return call("InitializedValue", ref=self._variable, initial=self._initial_value)

    @property
    def initial_value(self) -> Any:
        """The tensor of the initial value."""
        return self._initial_value

    @property
    def constraint(self) -> Callable[[Any], Any] | None:
        """The function that optimizers apply to the new value, or None."""
        return self._constraint

    @property
    def initializer(self) -> Operation:
        """The operation that gives it its initial value."""
        return self._initializer_op

    @property
    def name(self) -> str:
        """The name, such as "dense/kernel:0"."""
        return self._variable.name

    @property
    def _shared_name(self) -> str:
        return self._variable.op.name

    @property
    def dtype(self) -> DType:
        """The dtype, with the reference mark."""
        return self._variable.dtype

    @property
    def op(self) -> Operation:
        """The operation that stands for the variable."""
        return self._variable.op

    @property
    def graph(self) -> Any:
        """The graph that holds it."""
        return self._variable.graph

    @property
    def device(self) -> str:
        """The device it is pinned to."""
        return self._variable.device

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return self._variable.shape

    def get_shape(self) -> TensorShape:
        """The static shape."""
        return self._variable.shape

    def set_shape(self, shape: Any) -> None:
        """Adds what `shape` knows to the static shape."""
        self._variable.set_shape(shape)
        self._snapshot.set_shape(shape)

    def __iter__(self) -> Any:
        raise TypeError("'Variable' object is not iterable: use tf.unstack(variable).")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self._snapshot.__array__(dtype)

    def __bool__(self) -> bool:
        # Unlike a tensor: `if bias:` asks whether there is such a variable, in TensorFlow 1, too.
        return True

    __array_priority__ = 100
