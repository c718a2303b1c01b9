"""The variables of a graph by collection, and the operations that initialise them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from workbench.core.graph.context import control_dependencies, device, get_collection, name_scope
from workbench.core.graph.dtypes import string
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.constant import constant
from workbench.core.ops.control import group
from workbench.core.ops.state.assignment import is_variable_initialized


def global_variables(scope: str | None = None) -> list[Any]:
    """The variables that are saved and shared; with `scope`, those whose names match it.

    >>> import workbench as tf
    >>> w = tf.get_variable("encoder/w", [2])
    >>> [v.name for v in tf.global_variables("encoder/")]
    ['encoder/w:0']
    """
    return get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


def all_variables() -> list[Any]:
    """The old name of `global_variables`."""
    return global_variables()


def local_variables(scope: str | None = None) -> list[Any]:
    """The variables that belong to one process and are not saved."""
    return get_collection(GraphKeys.LOCAL_VARIABLES, scope)


def model_variables(scope: str | None = None) -> list[Any]:
    """The variables that a model needs to predict, where its layers have registered them."""
    return get_collection(GraphKeys.MODEL_VARIABLES, scope)


def trainable_variables(scope: str | None = None) -> list[Any]:
    """The variables that optimizers change by default."""
    return get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


def moving_average_variables(scope: str | None = None) -> list[Any]:
    """The variables of which moving averages are kept."""
    return get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


def variables_initializer(var_list: Iterable[Any], name: str = "init") -> Operation:
    """An operation that initialises the variables, in whatever order they need.

    >>> import workbench as tf
    >>> a = tf.Variable(2.0)
    >>> b = tf.Variable(a * 3.0)
    >>> tf.variables_initializer([b, a]).run()
    >>> b.eval()
    np.float32(6.0)
    """
    return group(*[variable.initializer for variable in var_list or ()], name=name)


def global_variables_initializer() -> Operation:
    """An operation that initialises all global variables."""
    return variables_initializer(global_variables())


def local_variables_initializer() -> Operation:
    """An operation that initialises all local variables."""
    return variables_initializer(local_variables())


def initialize_variables(var_list: Iterable[Any], name: str = "init") -> Operation:
    """The old name of `variables_initializer`."""
    return variables_initializer(var_list, name)


def initialize_all_variables() -> Operation:
    """The old name of `global_variables_initializer`."""
    return global_variables_initializer()


def initialize_local_variables() -> Operation:
    """The old name of `local_variables_initializer`."""
    return local_variables_initializer()


def report_uninitialized_variables(
    var_list: Iterable[Any] | None = None, name: str = "report_uninitialized_variables"
) -> Tensor:
    """The names of the variables that have no value yet, strings of shape [n].

    `var_list` is all global and local variables by default.

    >>> import workbench as tf
    >>> v = tf.Variable(1.0, name="counter")
    >>> with tf.Session() as session:
    ...     session.run(tf.report_uninitialized_variables([v])).tolist()
    [b'counter']
    """
    variables = _global_and_local() if var_list is None else list(var_list)
    with name_scope(name), device("/cpu:0"):
        if not variables:
            return constant([], dtype=string)
        has_value = api.stack([is_variable_initialized(v) for v in variables])
        names = constant([v.op.name for v in variables])
        missing: Tensor = api.boolean_mask(names, api.logical_not(has_value))
        return missing


def assert_variables_initialized(var_list: Iterable[Any] | None = None) -> Tensor | None:
    """A tensor that cannot be computed before all the variables have values; None of no variable.

    Running it raises FailedPreconditionError for a variable without a value.
    """
    variables = _global_and_local() if var_list is None else list(var_list)
    if not variables:
        return None
    with name_scope("assert_variables_initialized"):
        ranks = constant([v.shape.ndims or 0 for v in variables], name="ranks")
        # Reading waits for nothing, but what waits for the reading cannot go on without a value.
        with control_dependencies([v.read_value() for v in variables]):
            checked: Tensor = api.identity(ranks)
        return checked


def _global_and_local() -> list[Any]:
    return global_variables() + local_variables()
