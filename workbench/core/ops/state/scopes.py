"""VariableScope, named defaults for `tf.get_variable`, and which one is open in a thread."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from workbench.core.graph.context import get_default_graph
from workbench.core.graph.dtypes import as_dtype, float32
from workbench.core.graph.keys import GraphKeys
from workbench.core.graph.tensor import TensorLike
from workbench.core.ops.constant import to_array
from workbench.core.ops.state.variable_store import VariableStore


class VariableScope:
    """Defaults for `tf.get_variable` under a name. `tf.variable_scope` makes and enters them."""

    def __init__(
        self,
        reuse: Any,
        name: str = "",
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        name_scope: str = "",
        dtype: Any = float32,
        use_resource: bool | None = None,
        constraint: Any = None,
    ) -> None:
        #: The prefix of the variables' names.
        self.name = name
        #: False makes variables, True gets them, `tf.AUTO_REUSE` does what is needed.
        self.reuse = reuse
        #: The default for each argument of `get_variable`.
        self.initializer = initializer
        self.regularizer = regularizer
        self.caching_device = caching_device
        self.partitioner = partitioner
        self.custom_getter = custom_getter
        self.dtype = dtype
        self.use_resource = use_resource
        self.constraint = constraint
        self._name_scope = name_scope

    @property
    def original_name_scope(self) -> str:
        """The name scope that was opened when the scope was made, with a slash."""
        return self._name_scope

    def reuse_variables(self) -> None:
        """From now on variables are got, not made."""
        self.reuse = True

    def set_initializer(self, initializer: Any) -> None:
        """Sets the default initializer."""
        self.initializer = initializer

    def set_regularizer(self, regularizer: Any) -> None:
        """Sets the default regularizer."""
        self.regularizer = regularizer

    def set_caching_device(self, caching_device: Any) -> None:
        """Sets the default caching device."""
        self.caching_device = caching_device

    def set_partitioner(self, partitioner: Any) -> None:
        """Sets the default partitioner."""
        self.partitioner = partitioner

    def set_custom_getter(self, custom_getter: Any) -> None:
        """Sets the default custom getter."""
        self.custom_getter = custom_getter

    def set_dtype(self, dtype: Any) -> None:
        """Sets the default dtype."""
        self.dtype = dtype

    def set_use_resource(self, use_resource: bool) -> None:
        """Sets the default of `use_resource`, which makes no difference here."""
        self.use_resource = use_resource

    def get_collection(self, name: Any) -> list[Any]:
        """The items of a collection whose names are in the scope."""
        scope = re.escape(self.name + "/") if self.name else ""
        return get_default_graph().get_collection(name, scope)

    def trainable_variables(self) -> list[Any]:
        """The trainable variables in the scope."""
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)

    def global_variables(self) -> list[Any]:
        """The global variables in the scope."""
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)

    def local_variables(self) -> list[Any]:
        """The local variables in the scope."""
        return self.get_collection(GraphKeys.LOCAL_VARIABLES)

    def get_variable(
        self,
        var_store: VariableStore,
        name: str,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        reuse: Any = None,
        trainable: bool = True,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        validate_shape: bool = True,
        use_resource: bool | None = None,
        custom_getter: Any = None,
        constraint: Any = None,
    ) -> Any:
        """`tf.get_variable` as if in this scope, with an explicit store and reuse."""

        def default(value: Any, mine: Any) -> Any:
            return mine if value is None else value

        if initializer is not None and not callable(initializer):
            initializer, dtype = _typed_value(initializer, dtype)
        # Names depend on the variable scope alone; what a custom getter makes is at the top too.
        with get_default_graph().name_scope(None):
            return var_store.get_variable(
                self.full_name(name),
                shape=shape,
                dtype=default(dtype, self.dtype),
                initializer=default(initializer, self.initializer),
                regularizer=default(regularizer, self.regularizer),
                reuse=default(reuse, self.reuse),
                trainable=trainable,
                collections=collections,
                caching_device=default(caching_device, self.caching_device),
                partitioner=default(partitioner, self.partitioner),
                validate_shape=validate_shape,
                use_resource=default(use_resource, self.use_resource),
                custom_getter=default(custom_getter, self.custom_getter),
                constraint=default(constraint, self.constraint),
            )

    def full_name(self, name: str) -> str:
        """The name of a variable in the scope."""
        return f"{self.name}/{name}" if self.name else name


def _typed_value(value: Any, dtype: Any) -> tuple[Any, Any]:
    """An initial value and its dtype; ValueError where it is not of the dtype asked for."""
    if not isinstance(value, TensorLike) and not hasattr(value, "_as_tensor"):
        is_array = hasattr(value, "dtype")
        value = to_array(value, None if is_array or dtype is None else as_dtype(dtype).base_dtype)
    found = as_dtype(value.dtype).base_dtype
    if dtype is not None and as_dtype(dtype).base_dtype is not found:
        raise ValueError(
            f"Initializer type '{found}' and explicit dtype '{as_dtype(dtype).base_dtype}' don't "
            "match."
        )
    return value, found


class ScopeState(threading.local):
    """The variable scope that is open in one thread, and how often each scope was opened."""

    def __init__(self) -> None:
        self.current = VariableScope(False)
        self.counts: dict[str, int] = {}

    def unique_name(self, prefix: str) -> str:
        """`prefix`, or `prefix_N` with the first N that names no scope opened before."""
        full = self.current.full_name(prefix)
        if not self.counts.get(full):
            return prefix
        number = 1
        while self.counts.get(f"{full}_{number}"):
            number += 1
        return f"{prefix}_{number}"

    @contextmanager
    def entered(self, scope: VariableScope, again: bool) -> Iterator[VariableScope]:
        """`scope` as the open one; `again` where it is the object of a scope opened before."""
        outer = self.current
        self.counts[scope.name] = self.counts.get(scope.name, 0) + 1
        counts = dict(self.counts)
        self.current = scope
        try:
            yield scope
            if self.current is not scope:
                raise RuntimeError(
                    f"Improper nesting of variable_scope: {scope.name!r} is left while "
                    f"{self.current.name!r}, which was entered later, is still open"
                )
        finally:
            if again:
                # A jump into another scope leaves no trace in the numbering there.
                self.counts = counts
            else:
                for name in self.counts:
                    if name.startswith(scope.name + "/"):
                        self.counts[name] = 0
            self.current = outer


def _only_item(key: Any, make: Callable[[], Any]) -> Any:
    items = get_default_graph().get_collection_ref(key)
    if not items:
        items.append(make())
    return items[0]


def scope_state() -> ScopeState:
    """The variable scopes of the default graph."""
    state: ScopeState = _only_item(GraphKeys._VARSCOPE_KEY, ScopeState)
    return state


def default_store() -> VariableStore:
    """The store of the default graph."""
    store: VariableStore = _only_item(GraphKeys._VARIABLE_STORE_KEY, VariableStore)
    return store


def get_variable_scope() -> VariableScope:
    """The variable scope that is open.

    >>> import workbench as tf
    >>> with tf.variable_scope("layer"):
    ...     print(tf.get_variable_scope().name)
    layer
    """
    return scope_state().current


#: The name under which libraries written for TensorFlow reach for the store.
_get_default_variable_store = default_store
