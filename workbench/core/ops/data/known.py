"""The datasets that operations start iterators with."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from workbench.core.ops.made_here import Absence, kept

if TYPE_CHECKING:
    from workbench.core.graph.operation import Operation
    from workbench.core.ops.data.dataset import Dataset

_numbers = itertools.count()
_ABSENCE = Absence(
    elsewhere=(
        "The dataset of {name} is in the process that made it, and cannot be iterated in another "
        "one: pin the iterator to a task of that process (in replicas, each makes the dataset of "
        "its own worker)"
    ),
    imported=(
        "The dataset of {name} did not come with its graph, which was imported: what datasets do "
        "is in Python. Make the dataset anew, and import the graph with what its iterator gives "
        "in the place of what the old one gave, "
        "input_map={{'IteratorGetNext:0': iterator.get_next()}}"
    ),
)


def new_name() -> str:
    """A name for a dataset that no other one of this process has."""
    return f"dataset_{next(_numbers)}"


def dataset_of(operation: Operation) -> Dataset:
    """The dataset that an operation starts an iterator with.

    FailedPreconditionError where another process made it: its functions run there.
    """
    found: Dataset = kept(operation, _ABSENCE)
    return found
