"""Strategies for `tf.train.replica_device_setter`: which parameter server holds a variable."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import TensorShape


class RandomStrategy:
    """Spreads variables over `num_ps_tasks` servers by their names, the same in each process."""

    def __init__(self, num_ps_tasks: int, seed: int = 0) -> None:
        self._tasks = num_ps_tasks
        self._seed = seed

    def __call__(self, op: Operation) -> int:
        """The number of the server for an operation."""
        key = f"{op.name}_{self._seed}".encode()
        return int(hashlib.md5(key, usedforsecurity=False).hexdigest(), 16) % self._tasks


class GreedyLoadBalancingStrategy:
    """Gives each variable to the server that has the least so far.

    Args:
      num_tasks: how many servers there are.
      load_fn: what an operation weighs, such as `tf.contrib.training.byte_size_load_fn`.

    >>> import workbench as tf
    >>> training = tf.contrib.training
    >>> strategy = training.GreedyLoadBalancingStrategy(2, training.byte_size_load_fn)
    >>> with tf.device(tf.train.replica_device_setter(ps_tasks=2, ps_strategy=strategy)):
    ...     large, small, other = (tf.Variable(tf.zeros([n])) for n in (100, 10, 10))
    >>> large.device, small.device, other.device
    ('/job:ps/task:0', '/job:ps/task:1', '/job:ps/task:1')
    """

    def __init__(self, num_tasks: int, load_fn: Callable[[Operation], float]) -> None:
        self._load = load_fn
        self._loads = [0.0] * num_tasks

    def __call__(self, op: Operation) -> int:
        """The number of the server for an operation, which weighs on it from now on."""
        task = self._loads.index(min(self._loads))
        self._loads[task] += self._load(op)
        return task


def byte_size_load_fn(op: Operation) -> int:
    """How many bytes the one output of an operation has.

    ValueError where it has another number of outputs, or a shape that is not known.
    """
    if len(op.outputs) != 1:
        raise ValueError(f"Op {op.name} must have a single output, and has {len(op.outputs)}")
    shape: Any = op.outputs[0].get_shape()
    if not shape.is_fully_defined():
        # A variable's operation knows its shape before its output does.
        shape = TensorShape(op.get_attr("shape"))
    shape.assert_is_fully_defined()
    return int(shape.num_elements()) * int(op.outputs[0].dtype.size)
