"""The elements of a graph, and how they are found: by their names, or by what stands for them."""

from __future__ import annotations

from typing import Any

from workbench.core.graph import source
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor


def misplaced(obj: Tensor | Operation, user: str = "") -> str:
    """Says why something of one graph cannot be used in another one; `user` would take it."""
    kind, op = ("Tensor", obj.op) if isinstance(obj, Tensor) else ("Operation", obj)
    made = source.user_line(op.frames)
    text = f"{kind} {obj.name!r}" + (f" (made at {made})" if made else "")
    if op.graph.place:
        return (
            f"{text} is not an element of this graph: it is inside {op.graph.place}. Return it "
            "from there, and use what the call gives."
        )
    if user:
        return f"{text} must be from the same graph as {user}, which would take it as an input."
    return (
        f"{text} is not an element of this graph: it belongs to another one. Build it under "
        "`with graph.as_default():`, or open the session with `tf.Session(graph=...)`."
    )


class Elements:
    """The operations of a graph and their tensors, as graphs have them."""

    def __init__(self) -> None:
        super().__init__()
        self._operations: list[Operation] = []
        self._by_name: dict[str, Operation] = {}

    def get_operations(self) -> list[Operation]:
        """The operations in the order they were made."""
        return list(self._operations)

    def get_operation_by_name(self, name: str) -> Operation:
        """The operation called `name`; KeyError with the nearest names when there is none."""
        if not isinstance(name, str):
            raise TypeError(f"Operation names are strings, not {type(name).__name__}: {name!r}")
        operation: Operation = self.as_graph_element(name, allow_tensor=False)
        return operation

    def get_tensor_by_name(self, name: str) -> Tensor:
        """The tensor called `name` ("op:0"); KeyError with the nearest names when there is none."""
        if not isinstance(name, str):
            raise TypeError(f"Tensor names are strings, not {type(name).__name__}: {name!r}")
        tensor: Tensor = self.as_graph_element(name, allow_operation=False)
        return tensor

    def as_graph_element(
        self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True
    ) -> Any:
        """The tensor or operation of this graph that `obj` is, names or converts to.

        Raises TypeError for other objects, ValueError for elements of another graph, KeyError for
        names that are not in the graph.
        """
        wanted = " or ".join(
            w for w, on in (("Tensor", allow_tensor), ("Operation", allow_operation)) if on
        )
        convert = getattr(obj, "_as_graph_element", None)
        if convert is not None:
            obj = convert()
        if isinstance(obj, (Tensor, Operation)):
            if obj.graph is not self:
                raise ValueError(misplaced(obj))
            if isinstance(obj, Tensor) and allow_tensor:
                return obj
            if isinstance(obj, Operation) and allow_operation:
                return obj
            raise TypeError(f"Can not convert a {type(obj).__name__} into a {wanted}.")
        if isinstance(obj, bytes):
            obj = obj.decode()
        if isinstance(obj, str):
            return self._element_named(obj, allow_tensor, allow_operation)
        raise TypeError(f"Can not convert a {type(obj).__name__} into a {wanted}: {obj!r}")

    def _element_named(self, name: str, allow_tensor: bool, allow_operation: bool) -> Any:
        if ":" in name:
            if not allow_tensor:
                raise ValueError(f"Name {name!r} appears to refer to a Tensor, not an Operation.")
            op_name, _, index = name.rpartition(":")
            if not index.isdigit():
                raise ValueError(f"{name!r} is not a tensor name: it must be 'operation:number'.")
            op = self._by_name.get(op_name)
            if op is None:
                raise KeyError(
                    f"The name {name!r} refers to a Tensor which does not exist: the graph has no "
                    f"operation {op_name!r}{self._nearest(op_name)}"
                )
            if int(index) >= len(op.outputs):
                raise KeyError(
                    f"The name {name!r} refers to a Tensor which does not exist: operation "
                    f"{op_name!r} of type {op.type} has only {len(op.outputs)} outputs."
                )
            return op.outputs[int(index)]
        op = self._by_name.get(name)
        if not allow_operation:
            known = (
                f"operation {name!r} exists" if op else f"no such operation{self._nearest(name)}"
            )
            raise ValueError(
                f"The name {name!r} looks like an operation's, but a tensor is needed ({known}). "
                f"Tensor names have the form 'operation:number', such as '{name}:0'."
            )
        if op is None:
            raise KeyError(
                f"The name {name!r} refers to an Operation not in the graph{self._nearest(name)}"
            )
        return op

    def _nearest(self, name: str) -> str:
        import difflib

        near = difflib.get_close_matches(name, self._by_name, n=3, cutoff=0.5)
        tail = name.rsplit("/", 1)[-1]
        near += [n for n in self._by_name if n.rsplit("/", 1)[-1] == tail and n not in near][:3]
        return f". The nearest names are: {', '.join(near)}." if near else "."
