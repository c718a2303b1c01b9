"""The variables that `tf.get_variable` made in a graph, by name."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

from workbench.core.graph.body_graph import init_scope
from workbench.core.graph.context import control_dependencies, get_default_graph
from workbench.core.graph.dtypes import DType, as_dtype, float32
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.shapes import TensorShape, as_shape
from workbench.core.graph.source import capture, user_line
from workbench.core.graph.tensor import TensorLike
from workbench.core.ops import api
from workbench.core.ops.constant import to_array
from workbench.core.ops.state.initial_values import accepts, value_maker
from workbench.core.ops.state.partitioned_variable import PartitionedVariable
from workbench.core.ops.state.partitions import (
    PartitionInfo,
    partition_counts,
    slice_axis_and_shape,
)
from workbench.core.ops.state.variables import Variable


class ReuseMode(enum.Enum):
    """What `reuse` may be besides True, False and None."""

    AUTO_REUSE = 1


#: Get the variable where it exists, make it where it does not.
AUTO_REUSE = ReuseMode.AUTO_REUSE


@dataclass(frozen=True, slots=True)
class VariableRequest:
    """What is asked of the store: the arguments of `tf.get_variable`, names and scopes resolved."""

    name: str
    shape: Any = None
    dtype: Any = float32
    initializer: Any = None
    regularizer: Callable[[Any], Any] | None = None
    reuse: Any = None
    trainable: bool | None = True
    collections: Any = None
    caching_device: Any = None
    partitioner: Callable[..., Any] | None = None
    validate_shape: bool = True
    use_resource: bool | None = None
    constraint: Callable[[Any], Any] | None = None

    @property
    def must_be_new(self) -> bool:
        """True when an existing variable is an error."""
        return self.reuse is not None and not self.reuse

    @property
    def must_exist(self) -> bool:
        """True when a missing variable is an error."""
        return bool(self.reuse) and self.reuse is not AUTO_REUSE

    @property
    def has_initial_value(self) -> bool:
        """True when `initializer` is the value itself rather than a function."""
        return self.initializer is not None and not callable(self.initializer)


class VariableStore:
    """The variables of one graph that `tf.get_variable` made."""

    def __init__(self) -> None:
        self._vars: dict[str, Any] = {}
        self._partitioned_vars: dict[str, PartitionedVariable] = {}

    def get_variable(
        self,
        name: str,
        shape: Any = None,
        dtype: Any = float32,
        initializer: Any = None,
        regularizer: Any = None,
        reuse: Any = None,
        trainable: bool | None = True,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        validate_shape: bool = True,
        use_resource: bool | None = None,
        custom_getter: Any = None,
        constraint: Any = None,
    ) -> Any:
        """The variable called `name`: an existing one or a new one, as `reuse` says.

        With `reuse` None or AUTO_REUSE either is fine. Raises ValueError where the variable must be
        there and is not, must not be there and is, or has another shape or dtype.
        """
        if custom_getter is not None and not callable(custom_getter):
            raise ValueError(f"Passed a custom_getter which is not callable: {custom_getter}")
        request = VariableRequest(
            name,
            shape,
            as_dtype(dtype).base_dtype,
            initializer,
            regularizer,
            reuse,
            trainable,
            collections,
            caching_device,
            partitioner,
            validate_shape,
            use_resource,
            constraint,
        )
        if custom_getter is None:
            return self._get(request)
        arguments = {f.name: getattr(request, f.name) for f in fields(request)}
        if not accepts(custom_getter, "constraint"):
            # Getters written for TensorFlow 1.3 do not know this argument.
            del arguments["constraint"]
        return custom_getter(getter=self._true_getter, **arguments)

    def _true_getter(self, *arguments: Any, **keywords: Any) -> Any:
        """What a custom getter calls to get the variable itself."""
        return self._get(VariableRequest(*arguments, **keywords))

    def _get(self, request: VariableRequest) -> Any:
        is_scalar = request.shape is not None and as_shape(request.shape).ndims == 0
        if request.partitioner is not None and not is_scalar:
            if not callable(request.partitioner):
                raise ValueError(
                    f"Partitioner must be callable, but received: {request.partitioner}"
                )
            return self.get_partitioned(request)
        if request.reuse is True and request.name in self._partitioned_vars:
            return self.get_partitioned(replace(request, partitioner=None))
        if f"{request.name}/part_0" in self._vars:
            raise ValueError(
                "No partitioner was provided, but a partitioned version of the variable was found: "
                f"{request.name}/part_0. Perhaps a variable of the same name was already created "
                "with partitioning?"
            )
        return self._get_single(request)

    # -- one variable ------------------------------------------------------------------------

    def _get_single(
        self, request: VariableRequest, partition_info: PartitionInfo | None = None
    ) -> Any:
        if request.has_initial_value and request.shape is not None:
            raise ValueError(
                f"If initializer is a constant, do not specify shape (variable {request.name})."
            )
        found = self._vars.get(request.name)
        if found is not None:
            if request.must_be_new:
                raise ValueError(
                    f"Variable {request.name} already exists, disallowed. Did you mean to set "
                    "reuse=True or reuse=tf.AUTO_REUSE in VarScope? Originally defined at:\n\n"
                    f"{_line_of(found)}"
                )
            _check_shared(request, found, "share variable")
            return found
        if request.must_exist:
            raise ValueError(
                f"Variable {request.name} does not exist, or was not created with "
                "tf.get_variable(). Did you mean to set reuse=tf.AUTO_REUSE in VarScope?"
            )
        variable = self._make(request, partition_info)
        self._vars[request.name] = variable
        if request.regularizer:
            self._regularize(request, variable)
        return variable

    @staticmethod
    def _make(request: VariableRequest, partition_info: PartitionInfo | None) -> Any:
        dtype: DType | None = as_dtype(request.dtype).base_dtype
        shape = as_shape(request.shape)
        initial = request.initializer
        if request.has_initial_value:
            dtype = None
        else:
            initial = value_maker(request.name, initial, shape, dtype, partition_info)
        with get_default_graph().name_scope(None), control_dependencies(None):
            return Variable(
                initial_value=initial,
                name=request.name,
                trainable=True if request.trainable is None else request.trainable,
                collections=request.collections,
                caching_device=request.caching_device,
                dtype=dtype,
                validate_shape=request.validate_shape,
                constraint=request.constraint,
            )

    @staticmethod
    def _regularize(request: VariableRequest, variable: Any) -> None:
        graph = get_default_graph()
        assert request.regularizer is not None
        with (
            init_scope(graph) as graph,
            graph.colocate_with(variable.op),
            graph.name_scope(request.name + "/Regularizer/"),
        ):
            loss = request.regularizer(variable)
        if loss is not None:
            graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)

    # -- variables in parts ------------------------------------------------------------------

    def get_partitioned(self, request: VariableRequest) -> PartitionedVariable:
        """The variable in parts that is asked for, an existing one or a new one."""
        name = request.name
        if name in self._vars:
            raise ValueError(
                "A partitioner was provided, but an unpartitioned version of the variable was "
                f"found: {name}.  Perhaps a variable of the same name was already created without "
                "partitioning?"
            )
        shape = as_shape(request.shape)
        if request.has_initial_value:
            value = request.initializer
            if not isinstance(value, TensorLike):
                value = to_array(value, as_dtype(request.dtype).base_dtype)
                request = replace(request, initializer=value)
            shape = shape.merge_with(value.shape)
        partitions = None
        if request.partitioner is not None:
            partitions = partition_counts(request.partitioner, name, shape, request.dtype)
        found = self._partitioned_vars.get(name)
        if found is not None:
            if request.must_be_new:
                raise ValueError(
                    f"Partitioned variable with name {name} already exists. Did you mean to set "
                    "reuse=True or reuse=tf.AUTO_REUSE in VarScope? Originally defined at:\n\n"
                    f"{_line_of(found)}"
                )
            _check_shared(replace(request, shape=shape), found, "reuse partitioned variable")
            if partitions is not None and list(found._get_partitions()) != partitions:
                raise ValueError(
                    f"Trying to reuse partitioned variable {name}, but specified partitions "
                    f"{partitions} and found partitions {list(found._get_partitions())}."
                )
            return found
        if request.must_exist or partitions is None:
            raise ValueError(
                f"PartitionedVariable {name} does not exist, or was not created with "
                "tf.get_variable(). Did you mean to set reuse=False or reuse=tf.AUTO_REUSE in "
                "VarScope?"
            )
        made = self._make_partitioned(request, shape, partitions)
        self._partitioned_vars[name] = made
        return made

    def _make_partitioned(
        self, request: VariableRequest, shape: TensorShape, partitions: list[int]
    ) -> PartitionedVariable:
        sizes = [int(size) for size in shape]
        axis, part_shape = slice_axis_and_shape(sizes, partitions)
        excess = sizes[axis] % partitions[axis]
        offset = [0] * len(sizes)
        parts: list[Any] = []
        for index in range(partitions[axis]):
            size = list(part_shape)
            size[axis] += index < excess
            parts.append(self._make_part(request, index, sizes, list(offset), size))
            offset[axis] += size[axis]
        dtype = parts[0].dtype.base_dtype
        return PartitionedVariable(request.name, sizes, dtype, parts, partitions)

    def _make_part(
        self,
        request: VariableRequest,
        index: int,
        full: list[int],
        offset: list[int],
        size: list[int],
    ) -> Any:
        part_name = f"{request.name}/part_{index}"
        part = replace(request, name=part_name, shape=size, partitioner=None)
        if request.has_initial_value:
            value = request.initializer
            if isinstance(value, TensorLike):
                with get_default_graph().name_scope(part_name + "/PartitionedInitializer/"):
                    value = api.slice(value, offset, size)
            else:
                value = value[tuple(slice(o, o + n) for o, n in zip(offset, size, strict=True))]
            part = replace(part, initializer=value, shape=None)
        variable = self._get_single(part, PartitionInfo(full, offset))
        variable._set_save_slice_info(Variable.SaveSliceInfo(request.name, full, offset, size))
        return variable


def _check_shared(request: VariableRequest, found: Any, what: str) -> None:
    """Raises ValueError unless the variable that was found is of the shape and dtype asked for."""
    shape, dtype = as_shape(request.shape), as_dtype(request.dtype).base_dtype
    if not shape.is_compatible_with(found.get_shape()):
        problem = f"shape {shape} and found shape {found.get_shape()}"
    elif found.dtype.base_dtype is not dtype:
        problem = f"dtype {dtype.name} and found dtype {found.dtype.base_dtype.name}"
    else:
        return
    line = user_line(capture())
    specified = "" if line is None else f"\n    specified at {line}"
    raise ValueError(
        f"Trying to {what} {request.name}, but specified {problem}.{specified}"
        f"\n    created at {_line_of(found)}"
    )


def _line_of(variable: Any) -> str:
    """The user's line that made a variable."""
    first = next(iter(variable)) if isinstance(variable, PartitionedVariable) else variable
    return str(user_line(first.op.frames) or first.name)
