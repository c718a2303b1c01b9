"""`StagingArea`: elements wait in it for a later step."""

from __future__ import annotations

from typing import Any

from workbench.core.graph.context import colocate_with, name_scope
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.creation import call, create
from workbench.core.ops.queues import stage_ops as stage_ops
from workbench.core.ops.queues.staging_base import BaseStagingArea


class StagingArea(BaseStagingArea):
    """A place where elements, tuples of tensors, wait for a later step; first in, first out.

    `put` waits while the area is full, `get` while it is empty.

    Args:
      dtypes: the types of the components of each element.
      shapes: their shapes, or None where they may be any.
      names: names of the components: elements are dictionaries then.
      shared_name: areas of one shared name are one area of a session.
      capacity: the most elements it holds, 0 for any number.
      memory_limit: the most bytes it holds, 0 for any number.

    >>> import workbench as tf
    >>> area = tf.contrib.staging.StagingArea([tf.float32], shapes=[[2]])
    >>> x = tf.placeholder(tf.float32, [2])
    >>> put, (got,) = area.put([x]), area.get()
    >>> with tf.Session() as session:
    ...     session.run(put, {x: [1, 2]})
    ...     session.run(got * 2).tolist()
    [2.0, 4.0]
    """

    def put(self, values: Any, name: str | None = None) -> Operation:
        """An operation that puts an element in, waiting until there is room for it.

        `values` is a tensor, a list of one for each component, or a dictionary where they have
        names. Raises ValueError where they do not fit.
        """
        with self._scope(name, "put"):
            values = values if isinstance(values, (list, tuple, dict)) else [values]
            tensors, indices = self._components(values, range(len(values)))
            if len(indices) != len(self._dtypes):
                raise ValueError(
                    f"Unexpected number of inputs {len(indices)} vs {len(self._dtypes)}"
                )
            with colocate_with(self._place):
                return create("Stage", None, values=tensors, **self._attributes())

    def get(self, name: str | None = None) -> Any:
        """The first element, taken out when it runs, waiting until there is one.

        It is a list of tensors, or a dictionary where the components have names.
        """
        return self._create("Unstage", "get", name)

    def peek(self, index: Any, name: str | None = None) -> Any:
        """The element of a number, counted from the first, which stays; as `get` returns it."""
        return self._create("StagePeek", "peek", name, index=index)

    def size(self, name: str | None = None) -> Tensor:
        """How many elements there are, an int32 scalar."""
        title = f"{self._name}_size" if name is None else name
        return call("StageSize", title, dtypes=self._dtypes, **self._attributes())

    def clear(self, name: str | None = None) -> Operation:
        """An operation that throws all elements away."""
        title = f"{self._name}_clear" if name is None else name
        return create("StageClear", title, dtypes=self._dtypes, **self._attributes())

    def _scope(self, name: str | None, what: str) -> name_scope:
        return name_scope(name, f"{self._name}_{what}", [self._place])

    def _create(self, kind: str, what: str, name: str | None, **inputs: Any) -> Any:
        title = f"{self._name}_{what}" if name is None else name
        with colocate_with(self._place):
            op = create(kind, title, dtypes=self._dtypes, **inputs, **self._attributes())
        return self._element(op.outputs, range(len(self._dtypes)))
