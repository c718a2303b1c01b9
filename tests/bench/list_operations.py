"""What an operation on one element of a list costs, however long the list is.

    python tests/bench/list_operations.py [--rounds 7] [--limit 2]

Writes, reads, adds, pushes and pops of all elements of lists of two lengths, in the processor time
of this thread; the fastest round counts. Ends with status 1 when an operation takes longer than the
limit, in microseconds, or twice as long with the longer list.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import workbench as tf
from workbench.core.kernels.tensor_list import ListKind, TensorList
from workbench.core.ops import registry
from workbench.core.ops.kernel_binding import bind_kernel

LENGTHS = (2_000, 40_000)
ELEMENT = np.ones(4, np.float32)
ANY_SHAPE = np.int32(-1)


def kernel(name: str) -> Callable[..., Any]:
    """The kernel of an operation on float32 elements."""
    schema = registry.get(name).schema
    attrs = {"element_dtype": tf.float32, "resize_if_index_out_of_bounds": False}
    made = bind_kernel(name, attrs, len(schema.inputs))
    assert made is not None, f"{name} has no kernel"
    return made


def write(step: Callable[..., Any], values: Any, indices: Sequence[Any]) -> None:
    """Goes on with the list that each step gives."""
    for index in indices:
        values = step(values, index, ELEMENT)


def read(step: Callable[..., Any], values: Any, indices: Sequence[Any]) -> None:
    """Takes each element of one list."""
    for index in indices:
        step(values, index, ANY_SHAPE)


def push(step: Callable[..., Any], values: Any, indices: Sequence[Any]) -> None:
    """Makes the list longer."""
    for _ in indices:
        values = step(values, ELEMENT)


def pop(step: Callable[..., Any], values: Any, indices: Sequence[Any]) -> None:
    """Makes the list shorter until nothing is left."""
    for _ in indices:
        values, _ = step(values, ANY_SHAPE)


#: The name of each operation, what is done with it, and whether the list begins full.
CASES = (
    ("TensorListSetItem", write, False),
    ("TensorListAddItem", write, False),
    ("TensorListGetItem", read, True),
    ("TensorListPushBack", push, None),
    ("TensorListPopBack", pop, True),
)


def microseconds(name: str, use: Callable[..., None], full: bool | None, length: int) -> float:
    """Microseconds for one operation, of one round."""
    count = 0 if full is None else length
    items = [ELEMENT if full else None] * count
    values = TensorList(ListKind(ELEMENT.dtype, ELEMENT.shape), items)
    indices = [np.int32(i) for i in range(length)]
    step = kernel(name)
    began = time.thread_time()
    use(step, values, indices)
    return (time.thread_time() - began) / length * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--limit", type=float, default=2.0, help="microseconds an operation")
    arguments = parser.parse_args()
    failed = False
    for name, use, full in CASES:
        short, long = (
            min(microseconds(name, use, full, length) for _ in range(arguments.rounds))
            for length in LENGTHS
        )
        failed |= long > arguments.limit or long > 2 * short + 0.2
        print(f"{name:20} {short:6.2f} us of {LENGTHS[0]}, {long:6.2f} us of {LENGTHS[1]}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
