"""Datasets as plain data, with which they travel: in graphs, and so in files and to workers.

A definition is a document and the graphs of the functions that the datasets apply. The document
has each dataset's kind and what it holds; tensors are named by the function whose graph they are
in, or by their place among those of the graph around. Nothing in it is code: whoever reads it makes
datasets of the kinds that are known here.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Sequence
from typing import Any

from workbench.core.graph.dtypes import DType
from workbench.core.graph.function_graph import FunctionGraph
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.data.dataset import Dataset
from workbench.core.ops.made_here import DEFINITION, MADE

_PLAIN = (bool, int, float, str, type(None))
#: Definitions of this process's datasets, or why they have none.
_written_before: weakref.WeakKeyDictionary[Dataset, list[bytes] | str]
_written_before = weakref.WeakKeyDictionary()


class StaysHereError(Exception):
    """A dataset needs what only this process has; the text says what."""


def definition(dataset: Dataset) -> list[bytes]:
    """The document of a dataset, and the graphs of its functions.

    Raises:
      StaysHereError: it calls what is in Python.
    """
    found = _written_before.get(dataset)
    if found is None:
        try:
            found = _Writer(dataset).parts()
        except StaysHereError as error:
            found = str(error)
        _written_before[dataset] = found
    if isinstance(found, str):
        raise StaysHereError(found)
    return found


class _Writer:
    """Writes the definition of one dataset."""

    def __init__(self, dataset: Dataset) -> None:
        from workbench.core.ops.data.kinds import KINDS

        self._names = {made: name for name, made in KINDS.items()}
        self._datasets: dict[Dataset, dict[str, Any]] = {}
        self._functions: dict[FunctionGraph, dict[str, Any]] = {}
        self._graphs: list[bytes] = []
        #: The tensors of the graph around: first those that an iterator is given the values of.
        self._outer: dict[Tensor, int] = {}
        for tensor in dataset.all_inputs():
            self._tensor(tensor)
        self._given = len(self._outer)
        # Parents first: a chain of them may be longer than Python's calls may be deep.
        for each in _ancestors(dataset):
            self._dataset(each)
        self._root = self._dataset(dataset)

    def parts(self) -> list[bytes]:
        document = {
            "datasets": list(self._datasets.values()),
            "root": self._root,
            "functions": list(self._functions.values()),
            "outer": [[t.dtype.base_dtype.name, _sizes(t.shape)] for t in self._outer],
            "given": self._given,
        }
        return [json.dumps(document).encode(), *self._graphs]

    def _dataset(self, dataset: Dataset) -> int:
        if dataset not in self._datasets:
            name = self._names.get(type(dataset))
            if name is None:
                raise StaysHereError("a dataset of what a Python generator yields")
            entry = self._datasets[dataset] = {"kind": name}
            # What it holds may hold itself: a window is in the datasets that are made of it.
            entry["holds"] = {key: self._plain(value) for key, value in vars(dataset).items()}
        return list(self._datasets).index(dataset)

    def _plain(self, value: Any) -> Any:
        """What a dataset holds, as JSON has it."""
        match value:
            case Dataset():
                return {"dataset": self._dataset(value)}
            case FunctionGraph():
                return {"function": self._function(value)}
            case Tensor():
                return {"tensor": self._tensor(value)}
            case DType():
                return {"dtype": value.name}
            case TensorShape():
                return {"shape": _sizes(value)}
            case list():
                return {"list": self._all(value)}
            case tuple():
                # A namedtuple is a tuple elsewhere, where its class is not known.
                return {"tuple": self._all(value)}
            case dict():
                return {"dict": [self._all(pair) for pair in value.items()]}
            case type():
                return {"class": value.__name__}
        if not isinstance(value, _PLAIN):
            raise StaysHereError(f"a {type(value).__name__}")
        return value

    def _all(self, values: Sequence[Any]) -> list[Any]:
        return [self._plain(each) for each in values]

    def _tensor(self, tensor: Tensor) -> list[Any]:
        owner = tensor.graph
        if type(owner) is FunctionGraph:
            return [self._function(owner), tensor.name]
        return [None, self._outer.setdefault(tensor, len(self._outer))]

    def _function(self, graph: FunctionGraph) -> int:
        if graph not in self._functions:
            entry: dict[str, Any] = {}
            self._functions[graph] = entry
            entry["graph"] = len(self._graphs) + 1
            self._graphs.append(_written(graph))
            entry["arguments"] = [t.name for t in graph.arguments]
            entry["inside"] = [t.name for t in graph.capture_placeholders]
            entry["captured"] = [self._tensor(t) for t in graph.captured]
        return list(self._functions).index(graph)


def _ancestors(dataset: Dataset) -> list[Dataset]:
    """What a dataset is made of, each after its own parents."""
    found: dict[Dataset, None] = {}
    waiting = [dataset]
    while waiting:
        last = waiting[-1]
        missing = [parent for parent in last._parents if parent not in found]
        if not missing:
            found[waiting.pop()] = None
        waiting += missing
    return list(found)


def _written(graph: FunctionGraph) -> bytes:
    """The graph of a function. StaysHereError where it calls functions that are in Python."""
    found = graph.as_graph_def()
    bodies = (function.node_def for function in found.library.function)
    for nodes in (found.node, *bodies):
        for node in nodes:
            if MADE in node.attr and DEFINITION not in node.attr:
                raise StaysHereError(f"a dataset that calls a Python function ({node.name!r})")
    written: bytes = found.SerializeToString()
    return written


def _sizes(shape: TensorShape) -> list[int | None] | None:
    return None if shape.ndims is None else shape.as_list()
