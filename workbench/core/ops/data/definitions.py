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

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.function_graph import FunctionGraph
from workbench.core.graph.graph import Graph
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.data.dataset import Dataset
from workbench.core.ops.made_here import DEFINITION, MADE

_CLASSES = {"Tensor": Tensor, "SparseTensor": SparseTensor}
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


def dataset_from(parts: Sequence[bytes | str], graph: Graph) -> Dataset:
    """The dataset of a definition, around which is `graph`.

    Raises:
      InvalidArgumentError: it is none.
    """
    try:
        return _Reader(parts, graph).dataset()
    except InvalidArgumentError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise InvalidArgumentError(
            None, None, f"The definition of a dataset is damaged: {error!r:.200}"
        ) from None


def kinds() -> dict[str, type[Dataset]]:
    """The classes of datasets by what definitions call them, which is what TensorFlow does."""
    from workbench.core.ops.data import (
        batches,
        combinations,
        files,
        functions,
        orders,
        parallel,
        rows,
        sources,
        windows,
    )

    return {
        "BatchDataset": batches.Batched,
        "CacheDataset": orders.Cached,
        "ConcatenateDataset": combinations.Concatenated,
        "DenseToSparseBatchDataset": rows.SparseBatched,
        "FilterDataset": functions.Filtered,
        "FixedLengthRecordDataset": files.FixedLengthRecordDataset,
        "GroupByWindowDataset": windows.Grouped,
        "IgnoreErrorsDataset": rows.SoundElements,
        "InterleaveDataset": functions.Interleaved,
        "MapDataset": functions.Mapped,
        "MatchingFilesDataset": sources.Files,
        "PaddedBatchDataset": batches.Padded,
        "ParallelInterleaveDataset": parallel.ParallelInterleaved,
        "PrefetchDataset": orders.Prefetched,
        "RangeDataset": sources.Range,
        "RepeatDataset": orders.Repeated,
        "ScanDataset": windows.Scanned,
        "ShardDataset": orders.Sharded,
        "ShuffleDataset": orders.Shuffled,
        "SkipDataset": orders.Skipped,
        "SparseTensorSliceDataset": sources.SparseTensorSlices,
        "TFRecordDataset": files.TFRecordDataset,
        "TakeDataset": orders.Taken,
        "TensorDataset": sources.Tensors,
        "TensorSliceDataset": sources.TensorSlices,
        "TextLineDataset": files.TextLineDataset,
        "UnbatchDataset": rows.Unbatched,
        "WindowDataset": windows.Window,
        "ZipDataset": combinations.Zipped,
    }


class _Writer:
    """Writes the definition of one dataset."""

    def __init__(self, dataset: Dataset) -> None:
        self._names = {made: name for name, made in kinds().items()}
        self._datasets: dict[Dataset, dict[str, Any]] = {}
        self._functions: dict[FunctionGraph, dict[str, Any]] = {}
        self._graphs: list[bytes] = []
        #: The tensors of the graph around: first those that an iterator is given the values of.
        self._outer: dict[Tensor, int] = {}
        for tensor in dataset.all_inputs():
            self._tensor(tensor)
        self._given = len(self._outer)
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


class _Reader:
    """Makes the dataset of a definition."""

    def __init__(self, parts: Sequence[bytes | str], graph: Graph) -> None:
        blobs = [part.encode() if isinstance(part, str) else part for part in parts]
        self._document = json.loads(blobs[0])
        self._graphs, self._around = blobs, graph
        self._kinds = kinds()
        outside = Graph()
        with outside.as_default():
            #: What stands for the tensors of the graph around: each is one of its own.
            self._outer = [_stand_in(dtype, sizes) for dtype, sizes in self._document["outer"]]
        self._functions: dict[int, FunctionGraph] = {}
        self._datasets: dict[int, Dataset] = {}

    def dataset(self) -> Dataset:
        found = self._dataset(self._document["root"])
        if found.all_inputs() != self._outer[: self._document["given"]]:
            raise ValueError("its inputs are others than it says")
        return found

    def _dataset(self, index: int) -> Dataset:
        found = self._datasets.get(index)
        if found is None:
            entry = self._document["datasets"][index]
            made = self._kinds[entry["kind"]]
            found = self._datasets[index] = made.__new__(made)
            for name, value in entry["holds"].items():
                if not name.startswith(("_", "output_")) or name.startswith("__"):
                    raise ValueError(f"datasets hold no {name!r}")
                setattr(found, name, self._value(value))
        return found

    def _value(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        ((kind, held),) = value.items()
        match kind:
            case "dataset":
                return self._dataset(held)
            case "function":
                return self._function(held)
            case "tensor":
                return self._tensor(*held)
            case "dtype":
                return as_dtype(held)
            case "shape":
                return TensorShape(held)
            case "list":
                return [self._value(each) for each in held]
            case "tuple":
                return tuple(self._value(each) for each in held)
            case "dict":
                return {self._value(key): self._value(each) for key, each in held}
            case "class":
                return _CLASSES[held]
        raise ValueError(f"nothing is {kind!r}")

    def _tensor(self, function: int | None, name: Any) -> Tensor:
        if function is None:
            outside: Tensor = self._outer[name]
            return outside
        found: Tensor = self._function(function).get_tensor_by_name(name)
        return found

    def _function(self, index: int) -> FunctionGraph:
        found = self._functions.get(index)
        if found is None:
            entry = self._document["functions"][index]
            found = self._functions[index] = FunctionGraph(self._around)
            self._fill(found, self._graphs[entry["graph"]])
            found.arguments = [found.get_tensor_by_name(n) for n in entry["arguments"]]
            found.capture_placeholders = [found.get_tensor_by_name(n) for n in entry["inside"]]
            found.captured = [self._tensor(*each) for each in entry["captured"]]
        return found

    @staticmethod
    def _fill(graph: FunctionGraph, content: bytes) -> None:
        from google.protobuf.message import DecodeError

        from workbench.core.graph.importer import import_graph_def
        from workbench.core.protos import GraphDef

        try:
            found = GraphDef.FromString(content)
        except DecodeError as error:
            raise ValueError(error) from None
        with graph.as_default():
            import_graph_def(found, name="")


def _stand_in(dtype: str, sizes: Any) -> Tensor:
    from workbench.core.ops import api

    found: Tensor = api.placeholder(as_dtype(dtype), TensorShape(sizes))
    return found


def _sizes(shape: TensorShape) -> list[int | None] | None:
    return None if shape.ndims is None else shape.as_list()
