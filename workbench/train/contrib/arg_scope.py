"""Scopes of arguments: what functions are called with where the caller says nothing."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

#: The arguments of functions, by their keys.
Scope = dict[Any, dict[str, Any]]


class _Scopes(threading.local):
    """The scopes that are open in a thread, the innermost last."""

    def __init__(self) -> None:
        self.stack: list[Scope] = [{}]


_scopes = _Scopes()
#: The names of the optional arguments of each decorated function.
_decorated: dict[Any, tuple[str, ...]] = {}


def _key(function: Any) -> Any:
    return getattr(function, "_key_op", function)


def add_arg_scope(func: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a function take arguments from `arg_scope`; a decorator.

    >>> @add_arg_scope
    ... def greet(name, greeting="Hello"):
    ...     return f"{greeting} {name}"
    >>> with arg_scope([greet], greeting="Hi"):
    ...     greet("Ann"), greet("Bob", greeting="Hey")
    ('Hi Ann', 'Hey Bob')
    """

    @functools.wraps(func)
    def with_arguments(*args: Any, **kwargs: Any) -> Any:
        scoped = _scopes.stack[-1].get(func)
        return func(*args, **({**scoped, **kwargs} if scoped else kwargs))

    code, defaults = func.__code__, func.__defaults__ or ()
    _decorated[func] = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
    vars(with_arguments)["_key_op"] = func
    return with_arguments


@contextmanager
def arg_scope(
    list_ops_or_scope: Sequence[Callable[..., Any]] | Mapping[Any, Any], **kwargs: Any
) -> Iterator[Scope]:
    """A scope in which functions get further arguments, where their callers do not give them.

    Args:
      list_ops_or_scope: functions that are decorated with `add_arg_scope`; or what an earlier
        scope has yielded, which stands for all of it.
      **kwargs: the arguments, for each of the functions.

    Raises:
      TypeError: it is neither a list, nor a tuple, nor a scope.
      ValueError: a function is not decorated, or an earlier scope is given with arguments.
    """
    if isinstance(list_ops_or_scope, Mapping):
        if kwargs:
            raise ValueError(
                "When attempting to re-use a scope by supplying a dictionary, kwargs must be empty."
            )
        scope = dict(list_ops_or_scope)
    else:
        if not isinstance(list_ops_or_scope, (list, tuple)):
            raise TypeError(
                "list_ops_or_scope must either be a list/tuple or reused scope (i.e. dict), but "
                f"got {list_ops_or_scope!r}"
            )
        scope = dict(_scopes.stack[-1])
        for function in list_ops_or_scope:
            if not has_arg_scope(function):
                raise ValueError(f"{function} is not decorated with @add_arg_scope")
            key = _key(function)
            scope[key] = {**scope.get(key, {}), **kwargs}
    _scopes.stack.append(scope)
    try:
        yield scope
    finally:
        _scopes.stack.pop()


def current_arg_scope() -> Scope:
    """The innermost scope."""
    return _scopes.stack[-1]


def has_arg_scope(func: Any) -> bool:
    """Whether a function takes arguments from `arg_scope`."""
    return _key(func) in _decorated


def arg_scoped_arguments(func: Any) -> tuple[str, ...]:
    """The names of the arguments that a function can take from `arg_scope`."""
    assert has_arg_scope(func), f"{func} is not decorated with @add_arg_scope"
    return _decorated[_key(func)]
