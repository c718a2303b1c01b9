"""Stacks of one run."""

from __future__ import annotations

from typing import Any

import pytest

import workbench as tf
from workbench.core import errors
from workbench.core.ops.creation import create


def stack(version: str, limit: int = -1) -> Any:
    sizes = {"max_size": limit} if version else {}
    return create(f"Stack{version}", None, elem_type=tf.float32, **sizes).outputs[0]


def push(version: str, handle: Any, *values: Any) -> Any:
    done: list[Any] = []
    for value in values:
        with tf.control_dependencies(done):
            done = [create(f"StackPush{version}", None, handle=handle, elem=value).outputs[0]]
    return done[0]


def pop(version: str, handle: Any, count: int, after: Any) -> list[Any]:
    popped: list[Any] = []
    for _ in range(count):
        with tf.control_dependencies([after, *popped]):
            popped.append(
                create(f"StackPop{version}", None, handle=handle, elem_type=tf.float32).outputs[0]
            )
    return popped


@pytest.mark.parametrize("version", ["V2", ""])
def test_the_last_in_is_the_first_out_in_every_run(version: str) -> None:
    handle = stack(version)
    values = pop(version, handle, 2, push(version, handle, 1.0, [2.0, 3.0]))
    with tf.Session() as session:
        for _ in range(2):
            last, first = session.run(values)
            assert (last.tolist(), first) == ([2.0, 3.0], 1.0)


def test_a_push_gives_its_value_on() -> None:
    handle = stack("V2")
    with tf.Session() as session:
        assert session.run(push("V2", handle, 4.0)) == 4.0


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: pop("V2", stack("V2"), 1, tf.no_op())[0], "Stack is empty"),
        (lambda: push("V2", stack("V2", 1), 1.0, 2.0), "overflowed its max_size"),
        (lambda: push("V2", stack("V2"), 1), "Must have type float32 but got int32"),
    ],
)
def test_what_cannot_be_is_refused(build: Any, message: str) -> None:
    fetch = build()
    with (
        tf.Session() as session,
        pytest.raises(errors.InvalidArgumentError, match=message),
    ):
        session.run(fetch)


def test_a_closed_stack_is_refused() -> None:
    handle = stack("V2")
    close = create("StackCloseV2", None, handle=handle)
    with tf.control_dependencies([close]):
        pushed = push("V2", handle, 1.0)
    with (
        tf.Session() as session,
        pytest.raises(errors.InvalidArgumentError, match="already been closed"),
    ):
        session.run(pushed)
