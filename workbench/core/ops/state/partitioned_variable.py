"""PartitionedVariable: a variable that is kept in parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from workbench.core.graph.context import control_dependencies, name_scope
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.shapes import TensorShape, as_shape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api


class PartitionedVariable:
    """A variable that is kept in parts along one axis.

    It converts to the tensor of the whole; to assign or save it, go through its parts. It is made
    by `tf.get_variable` with a `partitioner`.

    >>> import workbench as tf
    >>> halves = tf.fixed_size_partitioner(2)
    >>> w = tf.get_variable("table", [4, 3], initializer=tf.ones_initializer(), partitioner=halves)
    >>> [part.name for part in w], w.as_tensor().shape.as_list()
    (['table/part_0:0', 'table/part_1:0'], [4, 3])
    """

    class PartitionedVariableIterator:
        """An iterator over the parts."""

        def __init__(self, partitioned_variable: PartitionedVariable) -> None:
            self._parts = iter(partitioned_variable._variables)

        def __iter__(self) -> Iterator[Any]:
            return self

        def __next__(self) -> Any:
            return next(self._parts)

        next = __next__

    def __init__(
        self,
        name: str,
        shape: Any,
        dtype: Any,
        variable_list: Sequence[Any],
        partitions: Sequence[int],
    ) -> None:
        if not isinstance(variable_list, (list, tuple)):
            raise TypeError(f"variable_list is not a list or tuple: {variable_list}")
        if not isinstance(partitions, (list, tuple)):
            raise TypeError(f"partitions is not a list or tuple: {partitions}")
        if not all(p >= 1 for p in partitions):
            raise ValueError(f"partition values must be positive: {partitions}")
        if not variable_list:
            raise ValueError("variable_list may not be empty")
        self._name = name
        self._shape = as_shape(shape)
        self._dtype = as_dtype(dtype)
        for variable in variable_list:
            info = variable._get_save_slice_info()
            if info is None:
                raise ValueError(f"All variables must have a save_slice_info available: {variable}")
            if list(info.full_shape) != self._shape.as_list():
                raise ValueError(
                    f"All variables' full shapes must match shape: {self._shape}, but the one of "
                    f"{variable.name} is {info.full_shape}"
                )
        self._variables = sorted(variable_list, key=lambda v: v._get_save_slice_info().var_offset)
        self._partitions = partitions
        self._whole: Tensor | None = None

    def __iter__(self) -> Iterator[Any]:
        return PartitionedVariable.PartitionedVariableIterator(self)

    def __len__(self) -> int:
        if len(self._partition_axes()) > 1:
            raise ValueError(
                f"Cannot get a length for {len(self._partition_axes())} > 1 partition axes"
            )
        return len(self._variables)

    def _partition_axes(self) -> list[int]:
        if all(p == 1 for p in self._partitions):
            return [0]
        return [i for i, p in enumerate(self._partitions) if p > 1]

    def _concat(self) -> Tensor:
        """A new tensor of the parts put together, read where control dependencies say."""
        if len(self._variables) == 1:
            with name_scope(None):
                single: Tensor = api.identity(self._variables[0], name=self._name)
            return single
        axes = self._partition_axes()
        if len(axes) > 1:
            raise NotImplementedError(
                f"Cannot concatenate along more than one dimension: {axes}. Multi-axis partition "
                "concat is not supported"
            )
        with name_scope(self._name + "/ConcatPartitions/"):
            joined = api.concat([v.value() for v in self._variables], axes[0])
        with name_scope(None):
            whole: Tensor = api.identity(joined, name=self._name)
        return whole

    def as_tensor(self) -> Tensor:
        """The parts put together: the same tensor every time."""
        if self._whole is None:
            # As a plain variable's value, it waits for nothing but the parts.
            with self.graph.as_default(), control_dependencies(None):
                self._whole = self._concat()
        return self._whole

    def _as_tensor(
        self, dtype: DType | None = None, name: str | None = None, as_ref: bool = False
    ) -> Tensor:
        if as_ref:
            raise NotImplementedError(
                f"The partitioned variable {self._name!r} cannot be assigned as a whole: assign to "
                "its parts."
            )
        if dtype is not None and not dtype.is_compatible_with(self._dtype):
            raise ValueError(
                f"Incompatible type conversion requested to type {dtype.name!r} for variable of "
                f"type {self._dtype.name!r}"
            )
        return self.as_tensor()

    @property
    def graph(self) -> Any:
        """The graph that holds the parts."""
        return self._variables[0].graph

    @property
    def name(self) -> str:
        """The name of the whole."""
        return self._name

    @property
    def dtype(self) -> DType:
        """The dtype."""
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        """The shape of the whole."""
        return self._shape

    def get_shape(self) -> TensorShape:
        """The shape of the whole."""
        return self._shape

    def _get_variable_list(self) -> list[Any]:
        return self._variables

    def _get_partitions(self) -> Sequence[int]:
        return self._partitions

    def assign(self, value: Any, use_locking: bool = False) -> NoReturn:
        """Assigning to the whole is not possible; assign to the parts."""
        raise NotImplementedError("assign() has not been implemented for PartitionedVariable.")

    def __repr__(self) -> str:
        return (
            f"<tf.PartitionedVariable '{self._name}' shape={self._shape} "
            f"dtype={self._dtype.name} parts={list(self._partitions)}>"
        )
