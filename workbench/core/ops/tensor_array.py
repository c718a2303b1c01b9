"""TensorArray: an array of tensors that loops read and write, one element at a time."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from workbench.core.graph.constants import constant_value
from workbench.core.graph.context import get_default_graph, name_scope
from workbench.core.graph.convert import convert_to_tensor
from workbench.core.graph.dtypes import DType, as_dtype, int32
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import TensorShape, as_shape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import api
from workbench.core.ops.lists import creation, items, joining, scattering, sizes, stacking


class TensorArray:
    """An array of tensors of one dtype, each of which is written once.

    Writing gives a new object, which stands for the array with the element: go on with that one.
    An element may be read once, unless `clear_after_read=False`; what was never written reads as
    zeros where the shape of the elements is known. With `dynamic_size=True` writing behind the end
    makes the array longer. `infer_shape=True` asks that all elements have one shape; they agree
    with `element_shape` in any case.

    Its value is a list that its operations hand on: `flow` is the tensor that holds it, so that a
    loop or a conditional may give a TensorArray out. `handle` is the same tensor.
    `colocate_with_first_write_call` is accepted and has no effect: a list lives where its
    operations run.

    Raises ValueError when the graph is built where shapes differ, InvalidArgumentError in the run
    for an index out of range, an element that is written or read twice, and the like.

    >>> import workbench as tf
    >>> array = tf.TensorArray(tf.float32, size=2, clear_after_read=False)
    >>> array = array.write(0, [1.0, 2.0]).write(1, [3.0, 4.0])
    >>> array.read(1).eval().tolist(), array.stack().eval().tolist()
    ([3.0, 4.0], [[1.0, 2.0], [3.0, 4.0]])
    """

    def __init__(
        self,
        dtype: Any,
        size: Any = None,
        dynamic_size: bool | None = None,
        clear_after_read: bool | None = None,
        tensor_array_name: str | None = None,
        handle: Tensor | None = None,
        flow: Tensor | None = None,
        infer_shape: bool = True,
        element_shape: Any = None,
        colocate_with_first_write_call: bool = True,
        name: str | None = None,
    ) -> None:
        _check_arguments(
            handle, tensor_array_name, size, element_shape, dynamic_size, clear_after_read
        )
        self._dtype: DType = as_dtype(dtype).base_dtype
        self._infer_shape = infer_shape
        # The arrays of gradients by their sources, shared by all that stand for the array.
        self._gradients: dict[str, TensorArray] = {}
        # The number of elements where it is known before a run and does not change.
        self._static_size = -1
        # What is known of the elements' shape, shared by all that stand for the array: a write in
        # the body of a loop tells it to the array that comes out of the loop.
        self._element_shape = [as_shape(element_shape)]
        with name_scope(name, "TensorArray", [handle, size, flow]) as scope:
            if handle is not None:
                self._flow = _given_flow(handle, flow)
                return
            size = convert_to_tensor(size, dtype=int32, name="size")
            known = None if dynamic_size else constant_value(size)
            if known is not None and known.ndim == 0:
                self._static_size = max(int(known), -1)
            self._flow = creation.reserve(
                element_shape,
                size,
                self._dtype,
                scope,
                # A name of its own keeps it from being merged with an equal one.
                array_name=f"{tensor_array_name or 'TensorArray'}_{get_default_graph().version}",
                array_rules=_rules(
                    grows=dynamic_size,
                    reads_once=clear_after_read is not False,
                    keeps_shape=infer_shape,
                ),
            )

    # -- properties ------------------------------------------------------------------------------

    @property
    def flow(self) -> Tensor:
        """The tensor that holds the list of the elements written so far."""
        return self._flow

    @property
    def handle(self) -> Tensor:
        """The same as `flow`: an array has no state beside its value."""
        return self._flow

    @property
    def dtype(self) -> DType:
        """The dtype of the elements."""
        return self._dtype

    @property
    def element_shape(self) -> TensorShape:
        """What is known of the elements' shape before a run."""
        return self._element_shape[0]

    def _to_components(self) -> list[Tensor]:
        """The tensors it is made of: loops and conditionals hand them on."""
        return [self._flow]

    def _from_components(self, tensors: Sequence[Tensor]) -> TensorArray:
        """Such an array with the elements that another tensor holds."""
        (flow,) = tensors
        made = self._with_flow(flow)
        # What comes out of a conditional may be another array, of another size.
        made._static_size = -1
        return made

    def _with_flow(self, flow: Tensor) -> TensorArray:
        """The same array after an operation."""
        made = copy.copy(self)
        made._flow = flow
        return made

    def __repr__(self) -> str:
        return f"<tf.TensorArray {self._flow.name!r} of {self._dtype.name} {self.element_shape}>"

    def _learn(self, shape: TensorShape) -> None:
        """Adds what is known of an element's shape; ValueError where elements differ."""
        known = self.element_shape
        if not shape.is_compatible_with(known):
            reason = " (and infer_shape=True)" if self._infer_shape else ""
            raise ValueError(f"Inconsistent shapes: saw {shape} but expected {known}{reason}")
        if self._infer_shape:
            self._element_shape[0] = known.merge_with(shape)

    def _value(self, value: Any) -> Tensor:
        return convert_to_tensor(value, name="value", preferred_dtype=self._dtype)

    # -- elements --------------------------------------------------------------------------------

    def identity(self) -> TensorArray:
        """The same array, behind the control dependencies of the place."""
        return self._with_flow(api.identity(self._flow))

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """Element `index`, an int32 scalar."""
        name = name or "TensorArrayRead"
        return items.get_item(self._flow, index, self._dtype, self.element_shape, name)

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with `value` as element `index`."""
        with name_scope(name, "TensorArrayWrite", [self._flow, index, value]) as scope:
            value = self._value(value)
            self._learn(value.shape)
            return self._with_flow(items.set_item(self._flow, index, value, name=scope))

    # -- all elements ----------------------------------------------------------------------------

    def stack(self, name: str | None = None) -> Tensor:
        """All elements along a new first axis."""
        name = name or "TensorArrayStack"
        return stacking.stack(self._flow, self._dtype, self.element_shape, self._static_size, name)

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """The elements at `indices`, an int32 vector, along a new first axis."""
        name = name or "TensorArrayGather"
        return stacking.gather(self._flow, indices, self._dtype, self.element_shape, name)

    def concat(self, name: str | None = None) -> Tensor:
        """The elements along their first axis, in which they may differ."""
        name = name or "TensorArrayConcat"
        return joining.concat(self._flow, self._dtype, self.element_shape, name=name)[0]

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """The array with the rows of `value` as its elements."""
        with name_scope(name, "TensorArrayUnstack", [self._flow, value]) as scope:
            value = self._value(value)
            return self.scatter(api.range(0, api.shape(value)[0]), value, scope)

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """The array with the rows of `value` as its elements at `indices`, an int32 vector."""
        with name_scope(name, "TensorArrayScatter", [self._flow, value, indices]) as scope:
            value = self._value(value)
            self._learn(value.shape[1:])
            return self._with_flow(scattering.scatter_into(self._flow, value, indices, scope))

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """The array with parts of `value` along its first axis as its elements.

        `lengths` has the length of each, for as many as the array has elements.
        """
        with name_scope(name, "TensorArraySplit", [self._flow, value, lengths]) as scope:
            value = self._value(value)
            lengths = convert_to_tensor(lengths, name="lengths")
            known = constant_value(lengths)
            if known is not None and value.shape.ndims and len(set(known.ravel().tolist())) == 1:
                self._learn(TensorShape(known.ravel()[:1]).concatenate(value.shape[1:]))
            return self._with_flow(joining.split_into(self._flow, value, lengths, scope))

    pack = stack
    unpack = unstack

    # -- the array as a whole --------------------------------------------------------------------

    def size(self, name: str | None = None) -> Tensor:
        """The number of elements, an int32 scalar."""
        return sizes.length(self._flow, name or "TensorArraySize")

    def close(self, name: str | None = None) -> Operation:
        """An operation that does nothing: what an array holds goes when it is used no more."""
        return api.no_op(name or "TensorArrayClose")  # type: ignore[no-any-return]

    def mark_used(self) -> None:
        """Says that the array may be dropped, as code for TensorFlow does: nothing warns here."""

    def grad(self, source: str, flow: Tensor | None = None, name: str | None = None) -> TensorArray:
        """An array of the same size for gradients: what is written to an element adds up.

        It is an array of its own, which `tf.gradients` does not write to; it is the same one for
        every `source` of the same name.
        """
        from workbench.core.ops.gradient_array import GradientArray

        if source in self._gradients:
            return self._gradients[source]
        with name_scope(name, "TensorArrayGrad", [self._flow]) as scope:
            sums = creation.reserve(
                self.element_shape,
                sizes.length(self._flow if flow is None else flow),
                self._dtype,
                scope,
                array_name=f"{source}_{get_default_graph().version}",
                array_rules=_rules(adds=True),
            )
        made = self._gradients[source] = GradientArray(self._from_components([sums]), sums)
        return made


def _rules(**rules: bool | None) -> list[str]:
    return [name for name, holds in rules.items() if holds]


def _check_arguments(
    handle: Any, array_name: Any, size: Any, element_shape: Any, dynamic_size: Any, clear: Any
) -> None:
    """Raises ValueError or TypeError where arguments say the same thing twice, or nothing."""
    if handle is None:
        if size is None:
            raise ValueError("Size must be provided if handle is not provided")
        return
    if array_name:
        raise ValueError("Cannot construct with both handle and tensor_array_name")
    if not isinstance(handle, Tensor):
        raise TypeError("Handle must be a Tensor")
    for name, value in (
        ("size", size),
        ("element_shape", element_shape),
        ("dynamic_size", dynamic_size),
        ("clear_after_read", clear),
    ):
        if value is not None:
            raise ValueError(f"Cannot provide both a handle and {name} at the same time")


def _given_flow(handle: Tensor, flow: Tensor | None) -> Tensor:
    if flow is None:
        raise ValueError("flow must not be None if handle is not None.")
    if flow.dtype.name != "variant":
        raise TypeError(
            f"flow must be the flow of a TensorArray, a variant tensor, got {flow!r}. The "
            "operations with a resource for a handle are those of imported graphs."
        )
    return flow
