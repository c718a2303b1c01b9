"""Variable scopes: they prefix names, set defaults and say what is shared."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Any

from workbench.core.graph.context import get_default_graph, graph_of, name_scope
from workbench.core.ops.state.initial_values import accepts
from workbench.core.ops.state.scopes import (
    VariableScope,
    scope_state,
)
from workbench.core.ops.state.variable_store import AUTO_REUSE

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
        if not isinstance(auxiliary_name_scope, bool):
            raise TypeError(
                "The auxiliary_name_scope must be `True` or `False`, while get "
                f"{auxiliary_name_scope!r}"
            )
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
