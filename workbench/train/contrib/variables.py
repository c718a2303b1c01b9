"""Making variables that belong to a model, and finding variables: `tf.contrib.framework`."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from workbench.core.graph.context import add_to_collection, get_collection
from workbench.core.graph.context import device as on_device
from workbench.core.graph.device import DeviceSpec
from workbench.core.graph.dtypes import float32
from workbench.core.graph.keys import GraphKeys
from workbench.core.ops.state.scopes import VariableScope, get_variable_scope
from workbench.core.ops.state.shared_variables import get_variable
from workbench.core.ops.state.variables import Variable
from workbench.train.contrib.arg_scope import add_arg_scope
from workbench.train.global_steps import assert_global_step, get_global_step


def assert_or_get_global_step(graph: Any = None, global_step_tensor: Any = None) -> Any:
    """A global step that was given, checked, or the graph's."""
    if global_step_tensor is None:
        return get_global_step(graph)
    assert_global_step(global_step_tensor)
    return global_step_tensor


def local_variable(
    initial_value: Any,
    validate_shape: bool = True,
    name: str | None = None,
    use_resource: Any = None,
) -> Any:
    """A variable that belongs to one process and is not saved.

    `use_resource` is accepted for compatibility.
    """
    return _new_variable(initial_value, GraphKeys.LOCAL_VARIABLES, validate_shape, name)


def global_variable(
    initial_value: Any,
    validate_shape: bool = True,
    name: str | None = None,
    use_resource: Any = None,
) -> Any:
    """A variable that is saved and shared, but not trained.

    `use_resource` is accepted for compatibility.
    """
    return _new_variable(initial_value, GraphKeys.GLOBAL_VARIABLES, validate_shape, name)


def _new_variable(initial_value: Any, collection: str, validate_shape: bool, name: Any) -> Any:
    return Variable(
        initial_value,
        trainable=False,
        collections=[collection],
        validate_shape=validate_shape,
        name=name,
    )


@add_arg_scope
def variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Iterable[Any] | None = None,
    caching_device: Any = None,
    device: Any = None,
    partitioner: Any = None,
    custom_getter: Callable[..., Any] | None = None,
    use_resource: bool | None = None,
) -> Any:
    """A variable as `tf.get_variable` gives it, on a device; see there for the arguments."""
    keys = [GraphKeys.GLOBAL_VARIABLES] if collections is None else list(dict.fromkeys(collections))
    getter: Callable[..., Any] = get_variable
    if custom_getter is not None:
        getter = functools.partial(custom_getter, reuse=get_variable_scope().reuse)
    with on_device(device or ""):
        return getter(
            name,
            shape=shape,
            dtype=dtype,
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
            collections=keys,
            caching_device=caching_device,
            partitioner=partitioner,
            use_resource=use_resource,
        )


@add_arg_scope
def model_variable(
    name: str,
    shape: Any = None,
    dtype: Any = float32,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Iterable[Any] | None = None,
    caching_device: Any = None,
    device: Any = None,
    partitioner: Any = None,
    custom_getter: Callable[..., Any] | None = None,
    use_resource: bool | None = None,
) -> Any:
    """A variable that a model needs to predict: it is in the collection MODEL_VARIABLES too.

    >>> import workbench as tf
    >>> w = tf.contrib.framework.model_variable("w", [2])
    >>> tf.contrib.framework.get_model_variables() == [w]
    True
    """
    keys = [*(collections or []), GraphKeys.GLOBAL_VARIABLES, GraphKeys.MODEL_VARIABLES]
    return variable(
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=trainable,
        collections=keys,
        caching_device=caching_device,
        device=device,
        partitioner=partitioner,
        custom_getter=custom_getter,
        use_resource=use_resource,
    )


def add_model_variable(var: Any) -> None:
    """Adds a variable to the collection MODEL_VARIABLES, if it is not there yet."""
    if not any(var is each for each in get_collection(GraphKeys.MODEL_VARIABLES)):
        add_to_collection(GraphKeys.MODEL_VARIABLES, var)


# -- finding variables ---------------------------------------------------------------------------


def get_variables(
    scope: str | VariableScope | None = None,
    suffix: str | None = None,
    collection: str = GraphKeys.GLOBAL_VARIABLES,
) -> list[Any]:
    """The variables whose names begin with `scope` (a pattern) and end with `suffix`."""
    pattern = scope.name if isinstance(scope, VariableScope) else scope
    if suffix is not None:
        ending = suffix if ":" in suffix else f"{suffix}:"
        pattern = f"{pattern or ''}.*{ending}"
    return get_collection(collection, pattern)


def get_model_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """`get_variables` of the collection MODEL_VARIABLES."""
    return get_variables(scope, suffix, GraphKeys.MODEL_VARIABLES)


def get_local_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """`get_variables` of the collection LOCAL_VARIABLES."""
    return get_variables(scope, suffix, GraphKeys.LOCAL_VARIABLES)


def get_trainable_variables(scope: Any = None, suffix: str | None = None) -> list[Any]:
    """`get_variables` of the collection TRAINABLE_VARIABLES."""
    return get_variables(scope, suffix, GraphKeys.TRAINABLE_VARIABLES)


def get_variables_to_restore(
    include: Sequence[str] | None = None, exclude: Sequence[str] | None = None
) -> list[Any]:
    """The global variables of the scopes `include`, all by default, without those of `exclude`.

    Raises:
      TypeError: one of the two is neither a list nor a tuple.

    >>> import workbench as tf
    >>> v, w = tf.get_variable("body/v", [1]), tf.get_variable("logits/w", [1])
    >>> [each.name for each in get_variables_to_restore(exclude=["logits"])]
    ['body/v:0']
    """
    for name, scopes in (("include", include), ("exclude", exclude)):
        if scopes is not None and not isinstance(scopes, (list, tuple)):
            raise TypeError(f"{name} is provided but is not a list or a tuple.")
    chosen = get_variables() if include is None else _of_scopes(include)
    left_out = {id(each) for each in _of_scopes(exclude or ())}
    return [each for each in chosen if id(each) not in left_out]


def _of_scopes(scopes: Sequence[str]) -> list[Any]:
    return [each for scope in scopes for each in get_variables(scope)]


def get_variables_by_suffix(suffix: str, scope: Any = None) -> list[Any]:
    """The variables whose names end with `suffix`."""
    return get_variables(scope=scope, suffix=suffix)


def get_variables_by_name(given_name: str, scope: Any = None) -> list[Any]:
    """The variables that are called so in whatever scope."""
    return get_variables(scope=scope, suffix=f"/{given_name}:|^{given_name}:")


def get_unique_variable(var_op_name: str) -> Any:
    """The variable of exactly this name.

    Raises:
      ValueError: there is none.
    """
    candidates = get_variables(scope=var_op_name)
    if not candidates:
        raise ValueError(f"Couldn't find variable {var_op_name}")
    for candidate in candidates:
        if candidate.op.name == var_op_name:
            return candidate
    raise ValueError(f"Variable {var_op_name} does not uniquely identify a variable")


def get_variable_full_name(var: Any) -> str:
    """The name of a variable; of a part of one, the name of the whole."""
    info = getattr(var, "_save_slice_info", None)
    return str(info.full_name if info else var.op.name)


def filter_variables(
    var_list: Iterable[Any],
    include_patterns: Iterable[str] | None = None,
    exclude_patterns: Iterable[str] | None = None,
    reg_search: bool = True,
) -> list[Any]:
    """The variables whose names match one of the patterns to include, and none to exclude.

    `reg_search` is False where patterns must match from the beginning of the name.
    """
    matches = re.search if reg_search else re.match
    included, excluded = include_patterns, list(exclude_patterns or ())
    return [
        each
        for each in var_list
        if (included is None or any(matches(pattern, each.name) for pattern in included))
        and not any(matches(pattern, each.name) for pattern in excluded)
    ]


class VariableDeviceChooser:
    """Says on which of the parameter servers the next variable is to be; a device function.

    >>> choose = VariableDeviceChooser(num_tasks=2)
    >>> choose(None), choose(None)
    ('/job:ps/task:0/device:CPU:0', '/job:ps/task:1/device:CPU:0')
    """

    def __init__(
        self,
        num_tasks: int = 0,
        job_name: str = "ps",
        device_type: str = "CPU",
        device_index: int = 0,
    ) -> None:
        self._num_tasks = num_tasks
        self._job_name = job_name
        self._device_type = device_type
        self._device_index = device_index
        self._next_task_id = 0

    def __call__(self, op: Any) -> str:
        spec = DeviceSpec(device_type=self._device_type, device_index=self._device_index)
        if self._num_tasks > 0:
            spec.job, spec.task = self._job_name, self._next_task_id
            self._next_task_id = (self._next_task_id + 1) % self._num_tasks
        return str(spec.to_string())
