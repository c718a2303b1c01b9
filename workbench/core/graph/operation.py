"""Operation: a node of the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workbench.core.graph import source
from workbench.core.graph.tensor import Tensor

if TYPE_CHECKING:
    from workbench.core.graph.dtypes import DType
    from workbench.core.graph.graph import Graph


class Operation:
    """A node of the graph: it takes tensors and makes tensors.

    >>> import workbench as tf
    >>> op = tf.add(1.0, 2.0, name="sum").op
    >>> op.type, [t.name for t in op.inputs], op.get_attr("T")
    ('Add', ['sum/x:0', 'sum/y:0'], tf.float32)
    """

    __slots__ = (
        "__weakref__",
        "_control_inputs",
        "_device",
        "_id",
        "_original_op",
        "attrs",
        "frames",
        "graph",
        "inputs",
        "name",
        "outputs",
        "type",
    )

    def __init__(
        self,
        graph: Graph,
        type_name: str,
        name: str,
        inputs: tuple[Tensor, ...],
        output_types: tuple[DType, ...],
        attrs: dict[str, Any],
        control_inputs: tuple[Operation, ...],
        frames: source.Frames,
    ) -> None:
        self.graph = graph
        #: The operation's type, such as "MatMul": the key of its declaration.
        self.type = type_name
        self.name = name
        self.inputs = inputs
        #: Attribute values: Python ints, floats, bools, bytes, DTypes, TensorShapes, arrays, lists.
        self.attrs = attrs
        #: The frames of user code that made the operation, innermost first.
        self.frames = frames
        self.outputs = tuple([Tensor(self, i, t) for i, t in enumerate(output_types)])
        self._control_inputs = control_inputs
        self._device = ""
        self._id = 0
        self._original_op: Operation | None = None

    @property
    def device(self) -> str:
        """The device the operation is pinned to, "" when it is not."""
        return self._device

    def _set_device(self, device: Any) -> None:
        from workbench.core.graph.device import canonical_name

        self._device = canonical_name(device)

    @property
    def control_inputs(self) -> list[Operation]:
        """The operations that must have run before this one."""
        return list(self._control_inputs)

    def _add_control_input(self, op: Operation) -> None:
        self._add_control_inputs([op])

    def _add_control_inputs(self, ops: list[Operation]) -> None:
        self.graph.check_not_finalized()
        new = [op for op in ops if op not in self._control_inputs]
        self._control_inputs += tuple(new)
        self.graph.note_change()

    def replace_input(self, index: int, tensor: Tensor) -> None:
        """Takes `tensor` as input `index` from now on (gradient code and importers need it).

        A Merge that is told what comes from the end of its loop's turns has the shape that this and
        its first value have in common.
        """
        old = self.inputs[index]
        self.inputs = (*self.inputs[:index], tensor, *self.inputs[index + 1 :])
        old._consumers.remove(self)
        tensor._consumers.append(self)
        if self.type in ("Merge", "RefMerge"):
            from workbench.core.ops.registry import infer_shapes

            infer_shapes(self)
        self.graph.note_change()

    def _update_input(self, index: int, tensor: Tensor) -> None:
        self.replace_input(index, tensor)

    def values(self) -> tuple[Tensor, ...]:
        """The outputs."""
        return self.outputs

    @property
    def _output_types(self) -> list[Any]:
        return [t.dtype for t in self.outputs]

    @property
    def _input_types(self) -> list[Any]:
        return [t.dtype for t in self.inputs]

    def get_attr(self, name: str) -> Any:
        """The value of attribute `name`; ValueError when there is none.

        Strings come back as bytes, types as DType, shapes and tensors as their protocol buffers.
        """
        if name not in self.attrs:
            raise ValueError(
                f"Operation {self.name!r} of type {self.type} has no attribute {name!r}: "
                f"it has {', '.join(sorted(self.attrs)) or 'none'}"
            )
        from workbench.core.graph.attributes import public_value

        return public_value(self.attrs[name], self.attrs.get("dtype"))

    def _set_attr(self, name: str, value: Any) -> None:
        from workbench.core.graph.attributes import from_attr_value

        self.attrs[name] = from_attr_value(value) if hasattr(value, "WhichOneof") else value
        self.graph.note_change()

    @property
    def node_def(self) -> Any:
        """The operation as a NodeDef protocol buffer."""
        from workbench.core.graph.graph_def import node_def

        return node_def(self)

    @property
    def op_def(self) -> Any:
        """The declaration of the operation's type as an OpDef protocol buffer."""
        from workbench.core.ops.op_def import op_def

        return op_def(self.type)

    @property
    def traceback(self) -> list[tuple[str, int, str, str]]:
        """The user's stack that made it, outermost first: file, line, function, text."""
        found = source.lines(self.frames)
        return [(s.filename, s.lineno, s.function, s.text) for s in reversed(found)]

    def colocation_groups(self) -> list[bytes]:
        """The colocation groups it has joined, or its own when it has joined none."""
        names = [str(group) for group in self.attrs.get("_class", ())]
        joined = [name.encode() for name in names if name.startswith("loc:@")]
        return joined or [b"loc:@" + self.name.encode()]

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Runs the operation in `session`, the default session, or the graph's own."""
        from workbench.core.runtime.implicit import session_for

        session_for(self.graph, session, f"operation {self.name!r}").run(self, feed_dict)

    def __repr__(self) -> str:
        return f"<tf.Operation '{self.name}' type={self.type}>"

    def __str__(self) -> str:
        return str(self.node_def)
