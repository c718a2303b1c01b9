"""Iterators: they give the elements of datasets to a graph."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import dtypes
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.creation import call, create
from workbench.core.ops.data import components, nest
from workbench.core.ops.data import iterator_ops as iterator_ops
from workbench.core.ops.data.dataset import Dataset, structure_of_shapes, structure_of_types
from workbench.core.ops.data.known import new_name
from workbench.core.ops.made_here import keep


class Iterator:
    """Gives the elements of a dataset to a graph, one for each run of `get_next()`."""

    def __init__(
        self,
        iterator_resource: Tensor,
        initializer: Operation | None,
        output_types: Any,
        output_shapes: Any,
        output_classes: Any = None,
    ) -> None:
        self._resource = iterator_resource
        self._initializer = initializer
        #: The dtypes of the components, in the structure of an element.
        self.output_types = output_types
        #: The static shapes of the components, in the structure of an element.
        self.output_shapes = output_shapes
        #: `Tensor` or `SparseTensor` for each component, in the structure of an element.
        self.output_classes = output_classes or components.dense_classes(output_types)
        self._string_handle: Tensor | None = None

    @staticmethod
    def from_structure(
        output_types: Any,
        output_shapes: Any = None,
        shared_name: str | None = None,
        output_classes: Any = None,
    ) -> Iterator:
        """An iterator for any dataset of a structure: `make_initializer` says for which."""
        types = structure_of_types(output_types)
        shapes = structure_of_shapes(types, output_shapes)
        classes = output_classes or components.dense_classes(types)
        handle = call(
            "Iterator",
            None,
            shared_name=shared_name or "",
            output_types=components.flat_types(types, classes),
            output_shapes=components.flat_shapes(shapes, classes),
        )
        return Iterator(handle, None, types, shapes, classes)

    @staticmethod
    def from_string_handle(
        string_handle: Any,
        output_types: Any,
        output_shapes: Any = None,
        output_classes: Any = None,
    ) -> Iterator:
        """An iterator that stands for the one whose handle is fed."""
        types = structure_of_types(output_types)
        shapes = structure_of_shapes(types, output_shapes)
        classes = output_classes or components.dense_classes(types)
        handle = convert_to_tensor(string_handle, dtype=dtypes.string)
        resource = call(
            "IteratorFromStringHandle",
            None,
            string_handle=handle,
            output_types=components.flat_types(types, classes),
            output_shapes=components.flat_shapes(shapes, classes),
        )
        return Iterator(resource, None, types, shapes, classes)

    @property
    def initializer(self) -> Operation:
        """The operation that starts it over; ValueError where it has none of its own."""
        if self._initializer is None:
            raise ValueError("Iterator does not have an initializer.")
        return self._initializer

    def bind_initializer(self, initializer: Operation) -> None:
        """Makes `initializer` its own."""
        self._initializer = initializer

    def make_initializer(self, dataset: Dataset, name: str | None = None) -> Operation:
        """An operation that starts it with `dataset`; TypeError where the structures differ."""
        if not nest.is_same(dataset.output_types, self.output_types):
            raise ValueError(
                f"Expected elements of the structure {self.output_types!r} but got dataset with "
                f"elements of {dataset.output_types!r}."
            )
        if dataset.output_classes != self.output_classes:
            raise TypeError(
                f"Expected output classes {self.output_classes!r} but got dataset with output "
                f"classes {dataset.output_classes!r}."
            )
        if dataset.flat_types() != self._flat_types():
            raise TypeError(
                f"Expected output types {self.output_types!r} but got dataset with output types "
                f"{dataset.output_types!r}."
            )
        for shape, own in zip(dataset.flat_shapes(), self._flat_shapes(), strict=True):
            if not own.is_compatible_with(shape):
                raise TypeError(
                    f"Expected output shapes compatible with {self.output_shapes!r} but got "
                    f"dataset with output shapes {dataset.output_shapes!r}."
                )
        op = create(
            "MakeIterator",
            name,
            inputs=dataset.all_inputs(),
            iterator=self._resource,
            dataset=new_name(),
        )
        keep(op, dataset)
        return op

    def get_next(self, name: str | None = None) -> Any:
        """The components of the next element, as tensors in the dataset's structure.

        Running them raises `tf.errors.OutOfRangeError` at the end.
        """
        op = create(
            "IteratorGetNext",
            name,
            iterator=self._resource,
            output_types=self._flat_types(),
            output_shapes=self._flat_shapes(),
        )
        return components.pack(self.output_types, self.output_classes, op.outputs)

    def _flat_types(self) -> list[DType]:
        return components.flat_types(self.output_types, self.output_classes)

    def _flat_shapes(self) -> list[TensorShape]:
        return components.flat_shapes(self.output_shapes, self.output_classes)

    def string_handle(self, name: str | None = None) -> Tensor:
        """The handle to feed where `from_string_handle` takes one."""
        if name is not None or self._string_handle is None:
            handle = call("IteratorToStringHandle", name, resource_handle=self._resource)
            if name is not None:
                return handle
            self._string_handle = handle
        return self._string_handle


def one_shot_iterator(dataset: Dataset) -> Iterator:
    """An iterator that starts by itself."""
    for tensor in dataset.all_inputs():
        if tensor.op.type in ("Placeholder", "PlaceholderV2"):
            raise ValueError(
                "Failed to create a one-shot iterator for a dataset. Cannot capture a placeholder "
                f"(name:{tensor.op.name}, type:{tensor.op.type}) by value. Use "
                "dataset.make_initializable_iterator() and feed the placeholder to its initializer."
            )
    handle = call(
        "OneShotIterator",
        None,
        inputs=dataset.all_inputs(),
        dataset=new_name(),
        output_types=dataset.flat_types(),
        output_shapes=dataset.flat_shapes(),
    )
    keep(handle.op, dataset)
    return Iterator(
        handle, None, dataset.output_types, dataset.output_shapes, dataset.output_classes
    )
