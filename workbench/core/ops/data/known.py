"""The datasets that operations start iterators with."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from workbench.core.errors import FailedPreconditionError
from workbench.core.ops.data.dataset import Dataset
from workbench.core.ops.data.definition_reading import dataset_from
from workbench.core.ops.data.definitions import StaysHereError, definition
from workbench.core.ops.made_here import DEFINITION, Absence, kept

if TYPE_CHECKING:
    from workbench.core.graph.operation import Operation

_numbers = itertools.count()
_ABSENCE = Absence(
    elsewhere=(
        "The dataset of {name} calls Python functions, and cannot be iterated in another process "
        "than that which made it: pin the iterator to a task of that process (in replicas, each "
        "makes the dataset of its own worker)"
    ),
    imported=(
        "The dataset of {name} did not come with its graph, which was imported: it calls Python "
        "functions. Make the dataset anew, and import the graph with what its iterator gives "
        "in the place of what the old one gave, "
        "input_map={{'IteratorGetNext:0': iterator.get_next()}}"
    ),
)


def new_name() -> str:
    """A name for a dataset that no other one of this process has."""
    return f"dataset_{next(_numbers)}"


def dataset_of(operation: Operation) -> Dataset:
    """The dataset that an operation starts an iterator with.

    FailedPreconditionError where another process made it and it calls Python functions: they run
    there.
    """
    found: Dataset = kept(operation, _ABSENCE, dataset_from)
    return found


def why_it_stays(operation: Operation) -> str | None:
    """Why what an operation starts an iterator with cannot travel with its graph; None where it
    can."""
    if operation.attrs.get(DEFINITION):
        return None
    try:
        definition(dataset_of(operation))
    except StaysHereError as error:
        return str(error)
    except FailedPreconditionError:
        return "a dataset that another process made"
    return None
