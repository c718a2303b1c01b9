"""Reads the definitions of datasets, wherever they come from: see `definitions`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.composite import SparseTensor
from workbench.core.graph.dtypes import as_dtype
from workbench.core.graph.function_graph import FunctionGraph
from workbench.core.graph.graph import Graph
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.data.dataset import Dataset

_CLASSES = {"Tensor": Tensor, "SparseTensor": SparseTensor}


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


class _Reader:
    """Makes the dataset of a definition."""

    def __init__(self, parts: Sequence[bytes | str], graph: Graph) -> None:
        from workbench.core.ops.data.kinds import KINDS

        self._kinds = KINDS
        blobs = [part.encode() if isinstance(part, str) else part for part in parts]
        self._document = json.loads(blobs[0])
        self._graphs, self._around = blobs, graph
        outside = Graph()
        with outside.as_default():
            #: What stands for the tensors of the graph around: each is one of its own.
            self._outer = [_stand_in(dtype, sizes) for dtype, sizes in self._document["outer"]]
        self._functions: dict[int, FunctionGraph] = {}
        self._datasets: dict[int, Dataset] = {}

    def dataset(self) -> Dataset:
        # In their order parents come first.
        for index in range(len(self._document["datasets"])):
            self._dataset(index)
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
