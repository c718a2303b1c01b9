"""Graph: what a user builds."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from workbench.core.graph import source
from workbench.core.graph.collections import Collections
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.operation import Operation
from workbench.core.graph.right_of_way import RightOfWay
from workbench.core.graph.scopes import Scopes
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.registry import infer_shapes


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


class Graph(Scopes, Collections):
    """A dataflow graph: operations, named and scoped, that only ever grows.

    >>> import workbench as tf
    >>> graph = tf.Graph()
    >>> with graph.as_default():
    ...     total = tf.add(1, 2, name="total")
    >>> graph.get_tensor_by_name("total:0") is total
    True
    """

    #: For the graph of a body: which one that is, in words.
    place = ""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._operations: list[Operation] = []
        self._by_name: dict[str, Operation] = {}
        self._unfeedable: set[Tensor] = set()
        self._unfetchable: set[Operation] = set()
        self._finalized = False
        self._seed: int | None = None
        self._versions: Any = None
        self._changes = 0
        #: Grows with every operation and every change.
        self._news = 0
        self.right_of_way = RightOfWay()
        #: How many operations the bodies of conditionals and loops hold.
        self._inner_operations = 0
        self._functions: dict[str, Any] = {}
        #: The operation that initialises each variable, by the variable's operation.
        self.variable_initializers: dict[Operation, Operation] = {}
        #: See `workbench.core.graph.applied_gradients`.
        self.applied_gradients: list[Any] = []
        #: What its operations have in Python, see `workbench.core.ops.made_here`.
        self.made_in_python: dict[str, Any] = {}
        #: The session that serves `eval()` and `run()` where the user opened none.
        self.implicit_session: Any = None

    # -- what is in it -----------------------------------------------------------------------

    @property
    def version(self) -> int:
        """Grows with every operation."""
        return len(self._operations)

    @property
    def changes(self) -> int:
        """Grows with every change to operations that exist already, such as `set_shape`."""
        return self._changes

    def note_change(self) -> None:
        """Records that an existing part of the graph changed, so plans made of it are stale."""
        self._changes += 1
        self._news += 1

    def note_growth(self) -> None:
        """Has those who run the graph let the thread that builds it go first."""
        self.right_of_way.take()
        self._news += 1

    @property
    def seed(self) -> int | None:
        """The graph-level random seed."""
        return self._seed

    @seed.setter
    def seed(self, seed: int | None) -> None:
        self._seed = seed

    @property
    def _last_id(self) -> int:
        return len(self._operations) + self._inner_operations

    @property
    def finalized(self) -> bool:
        """True once `finalize` was called."""
        return self._finalized

    def finalize(self) -> None:
        """Makes the graph read-only: adding an operation raises RuntimeError from now on."""
        self._finalized = True

    def _unsafe_unfinalize(self) -> None:
        self._finalized = False

    def check_not_finalized(self) -> None:
        """Raises RuntimeError when the graph is read-only."""
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")

    _check_not_finalized = check_not_finalized

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

    def outside(self, tensor: Tensor) -> Tensor | None:
        """For a tensor of a body that stands for one of the graph around it: that one."""
        return None

    # -- growing it --------------------------------------------------------------------------

    def create_op(
        self,
        op_type: str,
        inputs: Sequence[Tensor],
        dtypes: Sequence[Any],
        input_types: Sequence[Any] | None = None,
        name: str | None = None,
        attrs: dict[str, Any] | None = None,
        op_def: Any = None,
        compute_shapes: bool = True,
        compute_device: bool = True,
    ) -> Operation:
        """Adds an operation of any declared type and returns it.

        The typed functions (`tf.matmul`, ...) check and convert their arguments; this one takes
        tensors and attribute values as they are.
        """
        from workbench.core.graph.attributes import from_attr_value

        full = self.full_name(op_type if name is None else name)
        values = {
            k: from_attr_value(v) if hasattr(v, "WhichOneof") else v
            for k, v in (attrs or {}).items()
        }
        return self.add_operation(
            op_type, full, tuple(inputs), tuple(as_dtype(t) for t in dtypes), values, compute_shapes
        )

    def add_operation(
        self,
        type_name: str,
        name: str,
        inputs: tuple[Tensor, ...],
        output_types: tuple[DType, ...],
        attrs: dict[str, Any],
        compute_shapes: bool = True,
    ) -> Operation:
        """Adds an operation under a name that is taken already; the lowest-level way in."""
        self.check_not_finalized()
        scopes = self.scopes
        for tensor in inputs:
            if tensor.op.graph is not self:
                raise ValueError(misplaced(tensor, f"operation {name!r} of type {type_name}"))
        if scopes.attrs:
            for key, value in scopes.attrs.items():
                attrs.setdefault(key, value)
        if scopes.gradient_overrides and type_name in scopes.gradient_overrides:
            attrs["_gradient_op_type"] = scopes.gradient_overrides[type_name]
        control: tuple[Operation, ...] = ()
        if scopes.control:
            waits: list[Operation] = []
            for scope in scopes.control:
                if not scope.covers(inputs):
                    waits.extend(op for op in scope.control_inputs if op not in waits)
            control = tuple(waits)
        op = Operation(
            self, type_name, name, inputs, output_types, attrs, control, source.capture()
        )
        op._original_op = scopes.original_op
        if compute_shapes:
            infer_shapes(op)
        with self._lock:
            op._id = len(self._operations) + 1
            self._operations.append(op)
            self._by_name[name] = op
        self.note_growth()
        for tensor in inputs:
            tensor._consumers.append(op)
        for scope in scopes.control:
            scope.note(op)
        if scopes.devices:
            for function in reversed(scopes.devices):
                op._set_device(function(op))
        if scopes.colocations:
            self._colocate(op, scopes.colocations)
        if scopes.containers and "container" in attrs and not attrs["container"]:
            attrs["container"] = scopes.containers[-1]
        return op

    def remove_after(self, version: int) -> None:
        """Takes back the operations made after `version`: an import that failed leaves nothing."""
        with self._lock:
            for op in self._operations[version:]:
                for tensor in op.inputs:
                    if op in tensor._consumers:
                        tensor._consumers.remove(op)
                del self._by_name[op.name]
            del self._operations[version:]
        self.note_change()

    @staticmethod
    def _colocate(op: Operation, with_ops: list[Operation]) -> None:
        groups: set[str] = set(op.attrs.get("_class", ()))
        for other in with_ops:
            groups.update(group.decode() for group in other.colocation_groups())
            # A device function may have pinned it elsewhere, and then that stands.
            op._device = op._device or other._device
        op.attrs["_class"] = sorted(groups)

    def as_default(self) -> AbstractContextManager[Graph]:
        """A scope in which this graph is the default one."""
        from workbench.core.graph.context import default_graph_scope

        return default_graph_scope(self)

    # -- feeding and fetching ----------------------------------------------------------------

    def is_feedable(self, tensor: Tensor) -> bool:
        """True when `tensor` may be fed."""
        return tensor not in self._unfeedable

    def prevent_feeding(self, tensor: Tensor) -> None:
        """Forbids feeding `tensor`."""
        self._unfeedable.add(tensor)

    def is_fetchable(self, tensor_or_op: Any) -> bool:
        """True when the tensor or operation may be fetched."""
        op = tensor_or_op.op if isinstance(tensor_or_op, Tensor) else tensor_or_op
        return op not in self._unfetchable

    def prevent_fetching(self, op: Operation) -> None:
        """Forbids fetching `op`."""
        self._unfetchable.add(op)

    # -- export ------------------------------------------------------------------------------

    @property
    def graph_def_versions(self) -> Any:
        """The `VersionDef` that exports have: ours, and those of what was imported."""
        if self._versions is None:
            from workbench.core.graph.graph_def import MIN_CONSUMER, PRODUCER
            from workbench.core.protos import VersionDef

            self._versions = VersionDef(producer=PRODUCER, min_consumer=MIN_CONSUMER)
        return self._versions

    def as_graph_def(self, from_version: int | None = None, add_shapes: bool = False) -> Any:
        """The graph as a GraphDef protocol buffer.

        `from_version` leaves out what was there at that version; `add_shapes` adds the static
        shapes as `_output_shapes`.
        """
        from workbench.core.graph.graph_def import graph_def

        return graph_def(self, from_version, add_shapes)

    def placement(
        self,
        devices: Any = None,
        fetches: Any = None,
        feeds: Any = (),
        placer: str = "cost",
        costs: Any = None,
    ) -> Any:
        """Where each operation would run, and why: a `Placement`, which prints as a table.

        Args:
          devices: names such as "/job:worker/task:1", the default one first; None for this
            process's own.
          fetches: what the step is run for; None for everything.
          feeds: tensors that are fed.
          placer: "cost" for the simulated placer, "default" for the rule of sessions.
          costs: a `CostModel`; the default estimates from static shapes.

        >>> import workbench as tf
        >>> graph = tf.Graph()
        >>> with graph.as_default(), tf.device("/job:ps"):
        ...     weights = tf.Variable(tf.zeros([3]), name="weights")
        >>> found = graph.placement(["/job:worker", "/job:ps"], weights)
        >>> found["weights"], found.of("weights").why
        ('/job:ps/replica:0/task:0/device:CPU:0', 'pinned to /job:ps')
        """
        from workbench.core.plan.placement.graph_placer import graph_placement

        return graph_placement(self, devices, fetches, feeds, placer, costs)

    def __repr__(self) -> str:
        return f"<tf.Graph with {len(self._operations)} operations>"
