"""Variables for the tests of their scopes."""

from __future__ import annotations

from typing import Any

import workbench as tf


def names() -> list[str]:
    """The operations of the graph, without what belongs to variables."""
    tails = ("/Assign", "/read")
    return [
        op.name
        for op in tf.get_default_graph().get_operations()
        if "Initializer" not in op.name and not op.name.endswith(tails)
    ]


def variable(name: str = "v", **arguments: Any) -> Any:
    return tf.get_variable(name, [], **arguments)


def evaluated(value: Any) -> Any:
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(value)
