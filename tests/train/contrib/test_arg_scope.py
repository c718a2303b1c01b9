"""Scopes of arguments."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from workbench.train.contrib.arg_scope import (
    add_arg_scope,
    arg_scope,
    arg_scoped_arguments,
    current_arg_scope,
    has_arg_scope,
)


@add_arg_scope
def one(*args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """Gives what it is called with."""
    return args, kwargs


@add_arg_scope
def two(a: int, b: int = 2, c: Any = None, **kwargs: Any) -> tuple[Any, ...]:
    """Has arguments of its own."""
    return a, b, c, kwargs


def plain() -> None:
    """Takes nothing from scopes."""


def test_arguments_reach_the_functions_that_are_named() -> None:
    with arg_scope([one, two], c=5):
        assert one(1) == ((1,), {"c": 5})
        assert two(1) == (1, 2, 5, {})
    assert one(1) == ((1,), {})
    assert two(1) == (1, 2, None, {})


def test_the_nearest_wins() -> None:
    with arg_scope([two], b=3, c=4):
        with arg_scope([two], c=5):
            assert two(1) == (1, 3, 5, {})
            assert two(1, c=6, d=7) == (1, 3, 6, {"d": 7})
        assert two(1) == (1, 3, 4, {})


def test_scopes_can_be_kept() -> None:
    with arg_scope([one], a=1) as inner, arg_scope([two], b=9) as outer:
        pass
    with arg_scope(inner):
        assert one() == ((), {"a": 1}) and two(1)[1] == 2
    with arg_scope(outer):
        assert one() == ((), {"a": 1}) and two(1)[1] == 9
    with arg_scope([two], b=4), arg_scope(inner):
        # It stands for all of what was open then.
        assert two(1)[1] == 2
    with pytest.raises(ValueError, match="kwargs must be empty"), arg_scope(inner, b=1):
        pass


def test_what_is_no_list_of_decorated_functions() -> None:
    with pytest.raises(TypeError, match="list/tuple"), arg_scope(one):  # type: ignore[arg-type]
        pass
    with pytest.raises(ValueError, match="not decorated with @add_arg_scope"), arg_scope([plain]):
        pass
    assert current_arg_scope() == {}


def test_an_error_closes_the_scope() -> None:
    with pytest.raises(ZeroDivisionError), arg_scope([one], a=1):
        raise ZeroDivisionError
    assert one() == ((), {})


def test_what_a_function_says_of_itself() -> None:
    assert has_arg_scope(one) and not has_arg_scope(plain)
    assert arg_scoped_arguments(two) == ("b", "c")
    assert two.__doc__ == "Has arguments of its own." and two.__name__ == "two"


def test_threads_have_scopes_of_their_own() -> None:
    found: list[Any] = []
    with arg_scope([one], a=1):
        thread = threading.Thread(target=lambda: found.append(one()))
        thread.start()
        thread.join(10)
    assert found == [((), {})]
