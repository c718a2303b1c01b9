"""Templates: functions that make their variables at the first call and share them afterwards."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from workbench.core.graph.context import get_default_graph
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.source import capture, user_line
from workbench.core.ops.state.scopes import VariableScope, scope_state
from workbench.core.ops.state.variable_scope import pure_variable_scope, variable_scope


class Template:
    """A function whose variables are made at the first call and shared by all later ones."""

    def __init__(
        self,
        name: str,
        func: Callable[..., Any],
        create_scope_now: bool = False,
        unique_name: str | None = None,
        custom_getter: Any = None,
    ) -> None:
        if name is None:
            raise ValueError("name cannot be None.")
        self._func = func
        self._name = name
        self._unique_name = unique_name
        self._custom_getter = custom_getter
        self._made_at = user_line(capture())
        self._variables_created = False
        self._variable_scope: VariableScope | None = None
        if create_scope_now:
            chosen = unique_name or scope_state().unique_name(name)
            with pure_variable_scope(chosen, custom_getter=custom_getter) as scope:
                self._variable_scope = scope

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        if self._variable_scope is not None:
            reuse = True if self._variables_created else None
            with variable_scope(self._variable_scope, reuse=reuse):
                return self._call(arguments, keywords)
        with variable_scope(
            self._unique_name, self._name, custom_getter=self._custom_getter
        ) as scope:
            self._variable_scope = scope
            return self._call(arguments, keywords)

    def _call(self, arguments: Any, keywords: Any) -> Any:
        trainable = get_default_graph().get_collection_ref(GraphKeys.TRAINABLE_VARIABLES)
        before = len(trainable)
        try:
            result = self._func(*arguments, **keywords)
        except Exception as error:
            if self._made_at:
                error.add_note(f"in the template {self._name!r} made at {self._made_at}")
            raise
        if self._variables_created and len(trainable) > before:
            names = [v.name for v in trainable[before:]]
            raise ValueError(
                "Trainable variable created when calling a template after the first time, perhaps "
                f"you used tf.Variable when you meant tf.get_variable: {names}"
            )
        self._variables_created = True
        return result

    @property
    def name(self) -> str:
        """The name given to `make_template`."""
        return self._name

    @property
    def func(self) -> Callable[..., Any]:
        """The function."""
        return self._func

    @property
    def variable_scope(self) -> VariableScope | None:
        """The scope of its variables; None before the first call that makes it."""
        return self._variable_scope

    @property
    def variable_scope_name(self) -> str | None:
        """The name of the scope, without a slash at the end."""
        scope = self._variable_scope
        return None if scope is None else scope.name.rstrip("/")

    var_scope = variable_scope

    def _collection(self, key: str) -> list[Any]:
        scope = self._variable_scope
        return scope.get_collection(key) if scope is not None and self._variables_created else []

    @property
    def trainable_variables(self) -> list[Any]:
        """The trainable variables it has made."""
        return self._collection(GraphKeys.TRAINABLE_VARIABLES)

    @property
    def global_variables(self) -> list[Any]:
        """The global variables it has made."""
        return self._collection(GraphKeys.GLOBAL_VARIABLES)

    @property
    def local_variables(self) -> list[Any]:
        """The local variables it has made."""
        return self._collection(GraphKeys.LOCAL_VARIABLES)

    @property
    def variables(self) -> list[Any]:
        """The global and local variables it has made."""
        return self.global_variables + self.local_variables

    @property
    def non_trainable_variables(self) -> list[Any]:
        """The variables it has made that are not trained."""
        trainable = self.trainable_variables
        return [v for v in self.variables if not any(v is t for t in trainable)]


def make_template(
    name_: str,
    func_: Callable[..., Any],
    create_scope_now_: bool = False,
    unique_name_: str | None = None,
    custom_getter_: Any = None,
    **kwargs: Any,
) -> Template:
    """Wraps a function so that all its calls share the variables it gets with `tf.get_variable`.

    The variables are in a scope called `name_`, made unique at the first call (or at once with
    `create_scope_now_`), or exactly `unique_name_`. Further keywords are passed on to `func_`.

    >>> import workbench as tf
    >>> def line(x):
    ...     return x * tf.get_variable("slope", [], initializer=tf.ones_initializer())
    >>> shared = tf.make_template("line", line)
    >>> one, two = shared(1.0), shared(2.0)
    >>> [v.name for v in shared.trainable_variables]
    ['line/slope:0']
    """
    if kwargs:
        func_ = partial(func_, **kwargs)
    return Template(name_, func_, create_scope_now_, unique_name_, custom_getter_)
