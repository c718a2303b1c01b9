"""`MapStagingArea`: elements wait in it under a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.graph import dtypes as types
from workbench.core.graph.context import colocate_with, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.creation import create
from workbench.core.ops.queues import map_stage_ops as map_stage_ops
from workbench.core.ops.queues.staging_base import BaseStagingArea


class MapStagingArea(BaseStagingArea):
    """A place where elements, tuples of tensors, wait for a later step under int64 keys.

    Components of an element may be put in one by one; it counts, and can be taken, when all are
    there. They may be taken one by one, too.

    Args:
      dtypes: the types of the components of each element.
      shapes: their shapes, or None where they may be any.
      names: names of the components: elements are dictionaries then.
      shared_name: areas of one shared name are one area of a session.
      ordered: whether elements that are taken without a key come in the order of their keys.
      capacity: the most complete elements it holds, 0 for any number.
      memory_limit: the most bytes it holds, 0 for any number.

    >>> import workbench as tf
    >>> area = tf.contrib.staging.MapStagingArea([tf.float32], ordered=True)
    >>> key, x = tf.placeholder(tf.int64, []), tf.placeholder(tf.float32)
    >>> put, got = area.put(key, [x], [0]), area.get()
    >>> with tf.Session() as session:
    ...     for k in (3, 1, 2):
    ...         session.run(put, {key: k, x: k / 2})
    ...     found, (value,) = session.run(got)
    >>> int(found), float(value)
    (1, 0.5)
    """

    def __init__(
        self,
        dtypes: Sequence[Any],
        shapes: Any = None,
        names: Sequence[str] | None = None,
        shared_name: str | None = None,
        ordered: bool = False,
        capacity: int = 0,
        memory_limit: int = 0,
    ) -> None:
        super().__init__(dtypes, shapes, names, shared_name, capacity, memory_limit)
        self._prefix = "OrderedMap" if ordered else "Map"

    def put(
        self, key: Any, vals: Any, indices: Sequence[int] | None = None, name: str | None = None
    ) -> Operation:
        """An operation that gives a key components, waiting until there is room for them.

        `vals` is a list of tensors, of the components whose numbers are in `indices`, or a
        dictionary where they have names. Raises ValueError where they do not fit. When it runs,
        InvalidArgumentError says that a component is there already.
        """
        with name_scope(name, f"{self._name}_put", [self._place]):
            tensors, numbers = self._components(vals, indices)
            with colocate_with(self._place):
                return create(
                    f"{self._prefix}Stage",
                    None,
                    key=_int64(key),
                    indices=convert_to_tensor(numbers, dtype=types.int32),
                    values=tensors,
                    dtypes=self._dtypes,
                    **self._attributes(),
                )

    def peek(self, key: Any, indices: Any = None, name: str | None = None) -> Any:
        """The element of a key, or some of its components; it stays. It waits for the key."""
        return self._get("Peek", "pop", name, self._numbers(indices), key=_int64(key))[1]

    def get(self, key: Any = None, indices: Any = None, name: str | None = None) -> Any:
        """A key and its element, or some of its components, taken out, waiting for the key.

        Without a key it is any element, waiting until there is one. An element is a list of
        tensors, or a dictionary where the components have names; `indices` are numbers or names of
        components.
        """
        numbers = self._numbers(indices)
        if key is None:
            return self._get("UnstageNoKey", "get_nokey", name, numbers)
        return key, self._get("Unstage", "get", name, numbers, key=_int64(key))[1]

    def size(self, name: str | None = None) -> Tensor:
        """How many complete elements there are, an int32 scalar."""
        return self._ask("Size", "size", name).outputs[0]

    def incomplete_size(self, name: str | None = None) -> Tensor:
        """How many elements lack a component, an int32 scalar."""
        return self._ask("IncompleteSize", "incomplete_size", name).outputs[0]

    def clear(self, name: str | None = None) -> Operation:
        """An operation that throws all elements away."""
        return self._ask("Clear", "clear", name)

    # -- parts -------------------------------------------------------------------------------

    def _ask(self, kind: str, what: str, name: str | None) -> Operation:
        title = f"{self._name}_{what}" if name is None else name
        return create(f"{self._prefix}{kind}", title, dtypes=self._dtypes, **self._attributes())

    def _get(
        self, kind: str, what: str, name: str | None, numbers: list[int], **key: Any
    ) -> tuple[Tensor | None, Any]:
        title = f"{self._name}_{what}" if name is None else name
        with colocate_with(self._place):
            op = create(
                f"{self._prefix}{kind}",
                title,
                indices=convert_to_tensor(numbers, dtype=types.int32),
                dtypes=[self._dtypes[i] for i in numbers],
                **key,
                **self._attributes(),
            )
        outputs = list(op.outputs)
        found = None if key else self._brought([outputs.pop(0)])[0]
        return found, self._element(outputs, numbers)

    def _numbers(self, indices: Any) -> list[int]:
        """The numbers of components, which may be given by their names; None stands for all."""
        if indices is None:
            return list(range(len(self._dtypes)))
        if not isinstance(indices, (list, tuple)):
            raise TypeError(f"Invalid indices type {type(indices).__name__}")
        if not indices:
            raise ValueError("Empty indices")
        if all(isinstance(index, str) for index in indices):
            if self._names is None:
                raise ValueError(
                    f"String indices provided {indices}, but this Staging Area was not created "
                    "with names."
                )
            unknown = [index for index in indices if index not in self._names]
            if unknown:
                raise ValueError(f"Named index {unknown} not in Staging Area names {self._names}")
            return [self._names.index(index) for index in indices]
        if not all(isinstance(index, int) for index in indices):
            raise TypeError(f"Mixed types in indices {indices}. May only be str or int")
        return list(indices)


def _int64(key: Any) -> Tensor:
    return convert_to_tensor(key, dtype=types.int64)
