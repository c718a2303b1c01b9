"""Datasets by the names that the operations of iterators know them by.

A graph has its datasets. A graph made of a part of it, for a task of a cluster, has none, nor has
one that was imported: there they are found in the process that made them.
"""

from __future__ import annotations

import itertools
import os
import weakref
from typing import TYPE_CHECKING, Any

from workbench.core.errors import FailedPreconditionError

if TYPE_CHECKING:
    from workbench.core.graph.operation import Operation
    from workbench.core.ops.data.dataset import Dataset

#: The attribute of operations in parts of graphs that says which process has the dataset.
HOME = "_dataset_home"
#: The attribute of all such operations that says which process made the dataset: those of others
#: may have the same names.
_MAKER = "_dataset_maker"

_numbers = itertools.count()
#: Those of all graphs of this process, by their keys; graphs keep them alive.
_datasets: weakref.WeakValueDictionary[str, Dataset] = weakref.WeakValueDictionary()
#: Tells this process from all others; other ones that were forked from it have other numbers.
_token = os.urandom(8).hex()


def _home() -> str:
    return f"{os.getpid()}-{_token}"


def _key(operation: Operation) -> str:
    return f"{operation.attrs['dataset']} of {operation.attrs.get(_MAKER, '')}"


def note_home(operation: Operation, node: Any) -> None:
    """Says in the node of an operation that this process has its dataset, where it has it."""
    if "dataset" in operation.attrs and _found(operation) is not None:
        node.attr[HOME].s = _home().encode()


def new_name() -> str:
    """A name for a dataset that no other one of this process has."""
    return f"dataset_{next(_numbers)}"


def register(operation: Operation, dataset: Dataset) -> None:
    """Makes a dataset known to the graph of an operation, as that of the operation."""
    operation.attrs[_MAKER] = _home()
    key = _key(operation)
    operation.graph.datasets[key] = dataset
    _datasets[key] = dataset


def dataset_of(operation: Operation) -> Dataset:
    """The dataset that an operation starts an iterator with.

    FailedPreconditionError where another process made it: its functions run there.
    """
    found = _found(operation)
    if found is None:
        raise FailedPreconditionError(None, None, _absence(operation))
    return found


def _found(operation: Operation) -> Dataset | None:
    key = _key(operation)
    found: Dataset | None = operation.graph.datasets.get(key)
    if found is None and operation.attrs.get(HOME, _home()) == _home():
        found = _datasets.get(key)
        if found is not None:
            # The graph it was made in may go.
            operation.graph.datasets[key] = found
    return found


def _absence(operation: Operation) -> str:
    """Why there is no dataset, and what to do about it."""
    if HOME in operation.attrs:
        return (
            f"The dataset of {operation.name!r} is in the process that made it, and cannot be "
            "iterated in another one: pin the iterator to a task of that process (in replicas, "
            "each makes the dataset of its own worker)"
        )
    return (
        f"The dataset of {operation.name!r} did not come with its graph, which was imported: what "
        "datasets do is in Python. Make the dataset anew, and import the graph with what its "
        "iterator gives in the place of what the old one gave, "
        "input_map={'IteratorGetNext:0': iterator.get_next()}"
    )
