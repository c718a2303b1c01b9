"""Datasets by the names that the operations of iterators know them by.

A graph has its datasets. A graph made of a part of it, for a task of a cluster, has none: there
they are found in the process that made them.
"""

from __future__ import annotations

import itertools
import os
import weakref
from typing import TYPE_CHECKING, Any

from workbench.core.errors import FailedPreconditionError
from workbench.core.graph.context import get_default_graph

if TYPE_CHECKING:
    from workbench.core.graph.operation import Operation
    from workbench.core.ops.data.dataset import Dataset

#: The attribute of operations in parts of graphs that says which process has the dataset.
HOME = "_dataset_home"

_numbers = itertools.count()
#: Those of all graphs of this process; graphs keep them alive.
_datasets: weakref.WeakValueDictionary[str, Dataset] = weakref.WeakValueDictionary()
#: Tells this process from all others; other ones that were forked from it have other numbers.
_token = os.urandom(8).hex()


def _home() -> str:
    return f"{os.getpid()}-{_token}"


def note_home(operation: Operation, node: Any) -> None:
    """Says in the node of an operation that this process has its dataset, where it has it."""
    if operation.attrs.get("dataset") in operation.graph.datasets:
        node.attr[HOME].s = _home().encode()


def register(dataset: Dataset) -> str:
    """Makes a dataset known to the default graph; the name under which its operations find it."""
    name = f"dataset_{next(_numbers)}"
    get_default_graph().datasets[name] = dataset
    _datasets[name] = dataset
    return name


def dataset_of(operation: Operation) -> Dataset:
    """The dataset that an operation starts an iterator with.

    FailedPreconditionError where another process made it: its functions run there.
    """
    name = operation.attrs["dataset"]
    found: Dataset | None = operation.graph.datasets.get(name)
    if found is None and operation.attrs.get(HOME) == _home():
        found = _datasets.get(name)
    if found is None:
        raise FailedPreconditionError(
            None,
            None,
            f"The dataset of {operation.name!r} is in the process that made it, and cannot be "
            "iterated in another one: pin the iterator to a task of that process (in replicas, "
            "each makes the dataset of its own worker)",
        )
    return found
