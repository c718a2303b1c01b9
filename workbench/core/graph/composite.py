"""Values made of several tensors: slices of a tensor, and sparse tensors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from workbench.core.graph.dtypes import DType
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import TensorShape
from workbench.core.graph.tensor import Tensor, TensorLike


class IndexedSlicesValue(NamedTuple):
    """The values of an `IndexedSlices`, as a run returns them."""

    values: Any
    indices: Any
    dense_shape: Any


class IndexedSlices(TensorLike):
    """Rows of a larger tensor: `values[i]` belongs at row `indices[i]`; rows of one index add up.

    Gradients of `tf.gather` come in this form, so that an embedding's step touches only the rows
    that were looked up.
    """

    def __init__(self, values: Tensor, indices: Tensor, dense_shape: Tensor | None = None) -> None:
        self._values = values
        self._indices = indices
        self._dense_shape = dense_shape

    @property
    def values(self) -> Tensor:
        """The rows, shape [n, ...]."""
        return self._values

    @property
    def indices(self) -> Tensor:
        """The row numbers, shape [n]."""
        return self._indices

    @property
    def dense_shape(self) -> Tensor | None:
        """The shape of the whole tensor, or None."""
        return self._dense_shape

    @property
    def name(self) -> str:
        """The name of the values."""
        return self.values.name

    @property
    def device(self) -> str:
        """The device of the values."""
        return self.values.device

    @property
    def op(self) -> Operation:
        """The operation that makes the values."""
        return self.values.op

    @property
    def dtype(self) -> DType:
        """The type of the values."""
        return self.values.dtype

    @property
    def graph(self) -> Any:
        """The graph that holds the tensors."""
        return self.values.graph

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape of the whole tensor."""
        from workbench.core.graph.constants import constant_entries

        if self._dense_shape is None:
            return TensorShape(None)
        return TensorShape.of(constant_entries(self._dense_shape))

    def get_shape(self) -> TensorShape:
        """The same as `shape`."""
        return self.shape

    def __neg__(self) -> IndexedSlices:  # type: ignore[override]
        return IndexedSlices(-self.values, self.indices, self.dense_shape)

    def __repr__(self) -> str:
        return f"IndexedSlices(indices={self.indices!r}, values={self.values!r})"


class ListSlices(TensorLike):
    """What is to be added to elements of a list: the gradient of reading them.

    `items` are pairs of an index and a value, or of a vector of indices and one row for each;
    `source` is the list that was read. Where it meets the rest of the list's gradient, each pair is
    added to it by one operation, so that reading an element of a long list costs nothing more.
    """

    def __init__(self, source: Tensor, items: tuple[tuple[Tensor, Tensor], ...]) -> None:
        self._source = source
        self._items = items

    @property
    def source(self) -> Tensor:
        """The list that was read."""
        return self._source

    @property
    def items(self) -> tuple[tuple[Tensor, Tensor], ...]:
        """The pairs of indices and what is to be added there."""
        return self._items

    @property
    def dtype(self) -> DType:
        """The type of the list: variant."""
        return self._source.dtype

    @property
    def name(self) -> str:
        """The name of the first value."""
        return self._items[0][1].name

    @property
    def op(self) -> Operation:
        """The operation that makes the first value."""
        return self._items[0][1].op

    @property
    def device(self) -> str:
        """The device of the first value."""
        return self.op.device

    @property
    def graph(self) -> Any:
        """The graph that holds the tensors."""
        return self.op.graph

    @property
    def shape(self) -> TensorShape:
        """That of a list, which has no axes."""
        return TensorShape(())

    def get_shape(self) -> TensorShape:
        """The same as `shape`."""
        return self.shape

    def _as_tensor(
        self, dtype: Any = None, name: str | None = None, as_ref: bool = False
    ) -> Tensor:
        """The whole list: zeros, but for the items."""
        from workbench.core.ops.lists.slices import add_slices, zeros_like

        return add_slices(zeros_like(self._source, name), [self])

    def __repr__(self) -> str:
        return f"ListSlices(source={self._source!r}, items={self._items!r})"


class SparseTensorValue(NamedTuple):
    """The parts of a sparse tensor as arrays: what is fed, and what a run returns.

    >>> import workbench as tf
    >>> tf.SparseTensorValue([[0, 1]], [5.0], [2, 2]).values
    [5.0]
    """

    indices: Any
    values: Any
    dense_shape: Any


class SparseTensor(TensorLike):
    """A sparse tensor: positions, the values there, and the dense shape.

    `indices` is int64 [n, rank], `values` [n], `dense_shape` int64 [rank].

    >>> import workbench as tf
    >>> s = tf.SparseTensor(indices=[[0, 1], [2, 0]], values=[1.0, 2.0], dense_shape=[3, 4])
    >>> s.get_shape().as_list()
    [3, 4]
    """

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> SparseTensor:
        """The SparseTensor of a SparseTensorValue, or of a SparseTensor itself."""
        if not isinstance(sparse_tensor_value, (SparseTensor, SparseTensorValue, tuple)):
            raise TypeError(
                "Neither a SparseTensor nor a SparseTensorValue: "
                f"{type(sparse_tensor_value).__name__}"
            )
        if isinstance(sparse_tensor_value, tuple):
            return cls(*sparse_tensor_value)
        return sparse_tensor_value

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        from workbench.core.graph import dtypes
        from workbench.core.graph.context import name_scope
        from workbench.core.graph.convert import convert_to_tensor

        with name_scope(None, "SparseTensor", [indices, values, dense_shape]):
            self._indices = convert_to_tensor(indices, name="indices", dtype=dtypes.int64)
            self._values = convert_to_tensor(values, name="values")
            self._dense_shape = convert_to_tensor(dense_shape, name="shape", dtype=dtypes.int64)
        rows = self._indices.shape.with_rank(2)
        self._values.shape.with_rank(1)
        rank = self._dense_shape.shape.with_rank(1)
        rows[1].merge_with(rank[0])

    @property
    def indices(self) -> Tensor:
        """The positions, int64 [n, rank]."""
        return self._indices

    @property
    def values(self) -> Tensor:
        """The values at the positions, [n]."""
        return self._values

    @property
    def dense_shape(self) -> Tensor:
        """The dense shape, int64 [rank]."""
        return self._dense_shape

    @property
    def dtype(self) -> DType:
        """The type of the values."""
        return self._values.dtype

    @property
    def op(self) -> Operation:
        """The operation that makes the values."""
        return self._values.op

    @property
    def graph(self) -> Any:
        """The graph that holds the tensors."""
        return self._values.graph

    @property
    def name(self) -> str:
        """The name of the values."""
        return self._values.name

    @property
    def shape(self) -> TensorShape:
        """What is known of the dense shape before a run."""
        return self.get_shape()

    def get_shape(self) -> TensorShape:
        """What is known of the dense shape before a run."""
        from workbench.core.graph.constants import constant_entries

        return TensorShape.of(constant_entries(self._dense_shape))

    def eval(self, feed_dict: Any = None, session: Any = None) -> SparseTensorValue:
        """The value, computed in `session`, the default session, or the graph's own."""
        from workbench.core.runtime.implicit import session_for

        found = session_for(self.graph, session, "a sparse tensor").run(
            [self.indices, self.values, self.dense_shape], feed_dict
        )
        return SparseTensorValue(*found)

    def __iter__(self) -> Iterator[Tensor]:
        return iter((self._indices, self._values, self._dense_shape))

    def __mul__(self, dense: Any) -> Any:
        """The product with a dense tensor that is broadcast to this one."""
        from workbench.core.ops.sparse.arithmetic import sparse_dense_cwise_mul

        return sparse_dense_cwise_mul(self, dense)

    __rmul__ = __mul__

    def __truediv__(self, dense: Any) -> Any:
        """The quotient by a dense tensor that is broadcast to this one, as Python 3 divides."""
        from workbench.core.ops.sparse.arithmetic import sparse_dense_truediv

        return sparse_dense_truediv(self, dense)

    def __div__(self, dense: Any) -> Any:
        """The quotient by a dense tensor that is broadcast to this one; integers stay integers."""
        from workbench.core.ops.sparse.arithmetic import sparse_dense_cwise_div

        return sparse_dense_cwise_div(self, dense)

    def __repr__(self) -> str:
        return (
            f"SparseTensor(indices={self._indices}, values={self._values}, "
            f"dense_shape={self._dense_shape})"
        )
