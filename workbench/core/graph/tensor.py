"""Tensor: one output of an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from workbench.core.graph import dtypes
from workbench.core.graph.shapes import Entries, TensorShape, as_shape, merge_shapes

if TYPE_CHECKING:
    from workbench.core.graph.graph import Graph
    from workbench.core.graph.operation import Operation


class TensorLike:
    """What may stand where a tensor is asked for: Tensor, Variable, IndexedSlices, SparseTensor."""

    __slots__ = ()

    if TYPE_CHECKING:
        # `_install_operators` gives these at run time.
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __div__(self, other: Any) -> Tensor: ...
        def __rdiv__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __rfloordiv__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __rmod__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __rand__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __ror__(self, other: Any) -> Tensor: ...
        def __xor__(self, other: Any) -> Tensor: ...
        def __rxor__(self, other: Any) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __getitem__(self, key: Any) -> Tensor: ...


class Tensor(TensorLike):
    """A symbolic value: one output of an operation.

    It holds no numbers. `Session.run(tensor)` or `tensor.eval()` computes them.

    >>> import workbench as tf
    >>> x = tf.constant([1.0, 2.0], name="x")
    >>> x
    <tf.Tensor 'x:0' shape=(2,) dtype=float32>
    """

    __slots__ = ("__weakref__", "_consumers", "aliases", "dtype", "entries", "op", "value_index")

    #: Further names, which layers of `tf.contrib` give; most tensors have no such attribute.
    aliases: list[str]

    #: NumPy defers to our reflected operators instead of building an object array.
    __array_priority__ = 100

    def __init__(self, op: Operation, value_index: int, dtype: dtypes.DType) -> None:
        self.op = op
        self.value_index = value_index
        self.dtype = dtype
        #: The static shape in raw form, see `workbench.core.graph.shapes`.
        self.entries: Entries = None
        self._consumers: list[Operation] = []

    @property
    def graph(self) -> Graph:
        """The graph that holds the tensor."""
        return self.op.graph

    @property
    def name(self) -> str:
        """The name of its operation and the index of the output, such as "dense/MatMul:0"."""
        return f"{self.op.name}:{self.value_index}"

    @property
    def device(self) -> str:
        """The device its operation is pinned to, "" when it is not."""
        return self.op.device

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape before a run."""
        return TensorShape.of(self.entries)

    def get_shape(self) -> TensorShape:
        """The same as `shape`."""
        return TensorShape.of(self.entries)

    def _shape_as_list(self) -> list[int | None] | None:
        return None if self.entries is None else self.shape.as_list()

    def set_shape(self, shape: Any) -> None:
        """Adds what `shape` knows to the static shape; ValueError where the two disagree."""
        self.entries = merge_shapes(self.entries, as_shape(shape).entries)
        self.op.graph.note_change()

    def consumers(self) -> list[Operation]:
        """The operations that take this tensor as an input."""
        return list(self._consumers)

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """The value, computed in `session`, the default session, or the graph's own."""
        from workbench.core.runtime.implicit import session_for

        return session_for(self.graph, session, f"tensor {self.name!r}").run(self, feed_dict)

    def __repr__(self) -> str:
        return f"<tf.Tensor '{self.name}' shape={self.shape} dtype={self.dtype.name}>"

    def __str__(self) -> str:
        return f'Tensor("{self.name}", shape={self.shape}, dtype={self.dtype.name})'

    # A symbolic tensor has no value yet. Python's own protocols that need one say what to use.

    def _refuse(self, what: str, instead: str) -> NoReturn:
        from workbench.core.graph.source import user_line

        line = user_line(self.op.frames)
        made = f" (made at {line})" if line else ""
        raise TypeError(
            f"{what} the symbolic tensor {self.name!r}{made}, which has no value before a run: "
            f"{instead}"
        )

    def __bool__(self) -> bool:
        self._refuse(
            "Cannot use as a Python bool",
            "use `if t is not None:` to ask whether it is set, tf.cond or tf.where to choose by "
            "its value in the graph, or session.run(t) / t.eval() for the value.",
        )

    __nonzero__ = __bool__

    def __iter__(self) -> Any:
        self._refuse(
            "Cannot iterate over",
            "use tf.unstack to split it along an axis, tf.map_fn to apply a function to its rows, "
            "or session.run(t) / t.eval() for the values.",
        )

    def __len__(self) -> int:
        self._refuse(
            "Cannot take len() of", "use t.shape[0].value, or tf.shape(t)[0] in the graph."
        )

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        self._refuse(
            "Cannot make a NumPy array of",
            "use session.run(t) or t.eval() for the value, or a tf function in place of np.",
        )

    def __float__(self) -> float:
        self._refuse("Cannot use as a Python float", "use t.eval(), or tf.cast in the graph.")

    def __int__(self) -> int:
        self._refuse("Cannot use as a Python int", "use t.eval(), or tf.cast in the graph.")

    def __index__(self) -> int:
        self._refuse("Cannot use as a Python index", "use t.eval(), or tf.gather in the graph.")

    # Tensors are compared and hashed as objects: == asks whether two names mean the same tensor.

    # Not a function of ours: tensors are keys of nearly every table that is kept of a graph.
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def _install_operators() -> None:
    """Gives Tensor the arithmetic, comparison and indexing operators.

    The operations live above the graph; they are looked up when an operator is first used.
    """

    def operator(name: str) -> Any:
        found: Any = None

        def call(*arguments: Any) -> Any:
            nonlocal found
            if found is None:
                from workbench.core.ops import operators

                found = getattr(operators, name)
            return found(*arguments)

        call.__name__ = name
        return call

    for symbol in """
    add radd sub rsub mul rmul div rdiv truediv rtruediv floordiv rfloordiv mod
    rmod pow rpow matmul rmatmul and rand or ror xor rxor lt le gt ge neg abs
    invert getitem
    """.split():
        setattr(TensorLike, f"__{symbol}__", operator(symbol))


_install_operators()
