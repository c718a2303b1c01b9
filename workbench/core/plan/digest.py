"""What a plan is, in one number: equal for plans that are compiled alike, in any process."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from workbench.core.graph.dtypes import DType
from workbench.core.graph.shapes import TensorShape
from workbench.core.plan.node import Node, Value
from workbench.core.plan.plan import Plan


def plan_digest(plan: Plan) -> str | None:
    """A digest of all that a plan computes with, constants included, and of the names in it.

    None for a plan with something of which only this process knows what it is.

    >>> import workbench as tf
    >>> from workbench.core.plan.plan import make_plan
    >>> x = tf.placeholder(tf.float32, [None])
    >>> y = tf.square(x)
    >>> two, three = (make_plan([y], [], [x], [(n,)]) for n in (2, 3))
    >>> plan_digest(two) == plan_digest(make_plan([y], [], [x], [(2,)]))
    True
    >>> plan_digest(two) == plan_digest(three)
    False
    """
    if plan.misfit is not None:
        return None
    position = {step.node: i for i, step in enumerate(plan.memory.steps)}
    content = hashlib.sha256()
    words: list[str] = []

    def values(found: tuple[Value, ...]) -> str:
        return " ".join([f"{position[v.node]}.{v.index}" for v in found])

    try:
        for step in plan.memory.steps:
            node = step.node
            words.append(
                f"{node.type} {node.name!r} ({values(node.inputs)}) "
                f"{[position[n] for n in node.after]} {_types(node)} {node.shapes!r}"
            )
            for name, value in sorted(node.attrs.items()):
                if name[0] != "_":
                    words.append(f"{name} {_word(value, content)}")
        words.append(values(plan.fetches))
        words.append(str([position.get(n) for n in plan.feeds]))
    except (_Unknown, KeyError):
        return None
    content.update("\n".join(words).encode())
    return content.hexdigest()


class _Unknown(Exception):
    """An attribute is of a kind that has no digest."""


def _types(node: Node) -> list[str]:
    return [dtype.name for dtype in node.dtypes]


def _word(value: Any, content: Any) -> str:
    """An attribute in words; the elements of arrays go into the digest at once."""
    if isinstance(value, np.ndarray | np.generic):
        return _array(np.asarray(value), content)
    if isinstance(value, DType):
        return value.name
    if isinstance(value, list | tuple):
        return f"[{', '.join([_word(v, content) for v in value])}]"
    if isinstance(value, TensorShape):
        return repr(value.entries)
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return f"{type(value).__name__} {value!r}"
    raise _Unknown


def _array(array: np.ndarray[Any, Any], content: Any) -> str:
    if array.dtype == object:
        return f"{array.shape} {_word(array.ravel().tolist(), content)}"
    # A large one is read without holding up Python's other threads.
    content.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    return f"{array.dtype.str} {array.shape}"
