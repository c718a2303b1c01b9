"""Variable scopes and the functions that get variables in them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Any

from workbench.core.graph.context import get_default_graph, graph_of, name_scope
from workbench.core.graph.dtypes import as_dtype, float32
from workbench.core.graph.keys import GraphKeys
from workbench.core.ops.state.initial_values import accepts
from workbench.core.ops.state.scopes import (
    VariableScope,
    default_store,
    get_variable_scope,
    scope_state,
)
from workbench.core.ops.state.variable_store import AUTO_REUSE, VariableRequest

#: What a scope inside takes over from the one around it.
_INHERITED = (
    "initializer",
    "regularizer",
    "caching_device",
    "partitioner",
    "custom_getter",
    "dtype",
    "use_resource",
    "constraint",
)


@contextmanager
def pure_variable_scope(
    name_or_scope: str | VariableScope,
    reuse: Any = None,
    old_name_scope: str | None = None,
    **settings: Any,
) -> Iterator[VariableScope]:
    """A variable scope without a name scope."""
    state = scope_state()
    again = isinstance(name_or_scope, VariableScope)
    base = name_or_scope if isinstance(name_or_scope, VariableScope) else state.current
    inherited = {key: getattr(base, key) for key in _INHERITED}
    given = {key: value for key, value in settings.items() if value is not None}
    if "custom_getter" in given:
        given["custom_getter"] = _nested(given["custom_getter"], base.custom_getter)
    if isinstance(name_or_scope, VariableScope):
        name, own_name_scope = name_or_scope.name, name_or_scope.original_name_scope
    else:
        name = base.full_name(name_or_scope)
        own_name_scope = old_name_scope if old_name_scope is not None else name_or_scope
    scope = VariableScope(
        # Reuse is inherited and cannot be undone inside.
        reuse or base.reuse,
        name=name,
        name_scope=own_name_scope,
        **{**inherited, **given},
    )
    with state.entered(scope, again):
        yield scope


def _nested(inner: Any, outer: Any) -> Any:
    """`inner` as a custom getter that gets variables through the one of the scope around it."""
    if outer is None or not callable(inner):
        return inner

    def nested(getter: Any, *arguments: Any, **keywords: Any) -> Any:
        if not accepts(inner, "constraint"):
            keywords.pop("constraint", None)
        return inner(partial(outer, getter), *arguments, **keywords)

    return nested


class variable_scope(AbstractContextManager[VariableScope]):
    """A scope for `tf.get_variable`: it prefixes names, sets defaults and says what is reused.

    `name_or_scope` is a name or a VariableScope to enter again. Where it is None, `default_name` is
    used, made unique; `values` are tensors whose graph is to be used. `reuse` is True (get existing
    variables), False or None (as the scope around it), or `tf.AUTO_REUSE` (get or make).
    `auxiliary_name_scope=False` leaves the name scope as it is. The other arguments are defaults
    for the ones of `tf.get_variable`.

    >>> import workbench as tf
    >>> with tf.variable_scope("layer"):
    ...     w = tf.get_variable("w", [2])
    >>> with tf.variable_scope("layer", reuse=True):
    ...     tf.get_variable("w", [2]) is w
    True
    """

    def __init__(
        self,
        name_or_scope: Any,
        default_name: str | None = None,
        values: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        reuse: Any = None,
        dtype: Any = None,
        use_resource: bool | None = None,
        constraint: Any = None,
        auxiliary_name_scope: bool = True,
    ) -> None:
        if name_or_scope is None and default_name is None:
            raise TypeError("If default_name is None then name_or_scope is required")
        if not (reuse is None or reuse is AUTO_REUSE or isinstance(reuse, bool)):
            raise ValueError(
                f"The reuse parameter must be True, False, None or tf.AUTO_REUSE, not {reuse!r}"
            )
        if name_or_scope is not None and not isinstance(name_or_scope, (str, VariableScope)):
            raise TypeError("VariableScope: name_or_scope must be a string or VariableScope.")
        if name_or_scope is None and reuse:
            raise ValueError("reuse=True cannot be used without a name_or_scope")
        self._name_or_scope = name_or_scope
        self._default_name = default_name
        self._values = values
        self._reuse = reuse
        self._auxiliary_name_scope = auxiliary_name_scope
        self._settings = {
            "initializer": initializer,
            "regularizer": regularizer,
            "caching_device": caching_device,
            "partitioner": partitioner,
            "custom_getter": custom_getter,
            "dtype": dtype,
            "use_resource": use_resource,
            "constraint": constraint,
        }
        self._open: list[ExitStack] = []

    def __enter__(self) -> VariableScope:
        with ExitStack() as stack:
            graph = graph_of(self._values)
            if graph is not get_default_graph():
                stack.enter_context(graph.as_default())
            name: Any = self._name_or_scope
            last = (
                self._default_name if name is None else getattr(name, "name", name).split("/")[-1]
            )
            if isinstance(name, str):
                last = name
            if self._auxiliary_name_scope and last:
                opened = stack.enter_context(name_scope(last))
            else:
                opened = graph.get_name_scope() + "/" if graph.get_name_scope() else ""
            if name is None:
                name = scope_state().unique_name(str(self._default_name))
            scope = stack.enter_context(
                pure_variable_scope(name, self._reuse, opened, **self._settings)
            )
            self._open.append(stack.pop_all())
            return scope

    def __exit__(self, *error: Any) -> None:
        self._open.pop().__exit__(*error)


def variable_op_scope(
    values: Any,
    name_or_scope: Any,
    default_name: str | None = None,
    initializer: Any = None,
    regularizer: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    custom_getter: Any = None,
    reuse: Any = None,
    dtype: Any = None,
    use_resource: bool | None = None,
    constraint: Any = None,
) -> variable_scope:
    """The old spelling of `variable_scope(name_or_scope, default_name, values, ...)`."""
    return variable_scope(
        name_or_scope,
        default_name,
        values,
        initializer,
        regularizer,
        caching_device,
        partitioner,
        custom_getter,
        reuse,
        dtype,
        use_resource,
        constraint,
    )


def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
) -> Any:
    """The variable called `name` in the open variable scope: a new one, or a shared one on reuse.

    `initializer` is a value, or a function of `shape`, `dtype` and `partition_info`; without one it
    is Glorot's uniform one for floating dtypes and zeros for the others. `regularizer` gives a loss
    that is added to the collection REGULARIZATION_LOSSES; `partitioner` divides the variable into
    parts; `custom_getter(getter, name, ...)` may do something else altogether. What is left out is
    taken from the scope.

    Raises ValueError where the variable exists already and may not be reused, does not exist and
    must be, or has another shape or dtype.

    >>> import workbench as tf
    >>> tf.get_variable("matrix", [2, 3])
    <tf.Variable 'matrix:0' shape=(2, 3) dtype=float32_ref>
    """
    return get_variable_scope().get_variable(
        default_store(),
        name,
        shape=shape,
        dtype=dtype,
        initializer=initializer,
        regularizer=regularizer,
        trainable=trainable,
        collections=collections,
        caching_device=caching_device,
        partitioner=partitioner,
        validate_shape=validate_shape,
        use_resource=use_resource,
        custom_getter=custom_getter,
        constraint=constraint,
    )


def get_local_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = False,
    collections: Any = None,
    *arguments: Any,
    **keywords: Any,
) -> Any:
    """As `get_variable`, for a variable that is not trained, saved or shared among tasks.

    It is in the collection LOCAL_VARIABLES and not in GLOBAL_VARIABLES.
    """
    local = [*(collections or ()), GraphKeys.LOCAL_VARIABLES]
    return get_variable(
        name, shape, dtype, initializer, regularizer, False, local, *arguments, **keywords
    )


def create_partitioned_variables(
    shape: Any,
    slicing: list[int],
    initializer: Any,
    dtype: Any = float32,
    trainable: bool = True,
    collections: Any = None,
    name: str | None = None,
    reuse: Any = None,
) -> list[Any]:
    """The parts of a variable that is divided into `slicing[i]` parts along axis i.

    >>> import workbench as tf
    >>> parts = tf.create_partitioned_variables([4, 2], [2, 1], tf.zeros_initializer())
    >>> [part.shape.as_list() for part in parts]
    [[2, 2], [2, 2]]
    """
    if len(shape) != len(slicing):
        raise ValueError(
            "The 'shape' and 'slicing' of a partitioned Variable must have the same length: "
            f"shape: {shape}, slicing: {slicing}"
        )
    if len(shape) < 1:
        raise ValueError(f"A partitioned Variable must have rank at least 1: shape: {shape}")
    with variable_scope(name, "PartitionedVariable", reuse=reuse) as scope:
        request = VariableRequest(
            scope.name,
            shape,
            as_dtype(dtype).base_dtype,
            initializer,
            scope.regularizer,
            scope.reuse,
            trainable,
            collections,
            scope.caching_device,
            lambda **unused: slicing,
            constraint=scope.constraint,
        )
        return default_store().get_partitioned(request)._get_variable_list()


def no_regularizer(_: Any) -> None:
    """A regularizer that adds nothing: it turns the one of the scope around off."""
