"""Batches of examples to arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core.kernels.examples import single, table
from workbench.core.kernels.examples.specs import Column, Wanted, dense_value, sparse_parts
from workbench.core.kernels.examples.varints import UnusualError
from workbench.core.kernels.examples.wire import WireError

#: Fewer examples are read faster one after the other.
_MANY = 8


def parse(
    serialized: Sequence[bytes], names: Sequence[bytes], wanted: Sequence[Wanted]
) -> list[Column]:
    """The wanted features of examples; `names` is empty or has a name for each.

    Raises:
      InvalidArgumentError: something is no example, lacks a feature or has another one than wanted.
    """
    if len(serialized) >= _MANY:
        try:
            return table.read_columns(serialized, wanted)
        except (UnusualError, WireError):
            # What is wrong, if it is, is found by reading them one after the other.
            pass
    return single.read_columns(serialized, names, wanted)


def outputs(wanted: Sequence[Wanted], columns: Sequence[Column]) -> tuple[Any, ...]:
    """Indices, values and shapes of the sparse features, then the dense ones."""
    pairs = list(zip(wanted, columns, strict=True))
    parts = [sparse_parts(column) for each, column in pairs if each.shape is None]
    dense = [dense_value(each, column) for each, column in pairs if each.shape is not None]
    indices, values, shapes = zip(*parts, strict=True) if parts else ((), (), ())
    return (*indices, *values, *shapes, *dense)
