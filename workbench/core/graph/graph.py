"""Graph: what a user builds."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from workbench.core.graph import source
from workbench.core.graph.collections import Collections
from workbench.core.graph.dtypes import DType, as_dtype
from workbench.core.graph.elements import Elements, misplaced
from workbench.core.graph.operation import Operation
from workbench.core.graph.right_of_way import RightOfWay
from workbench.core.graph.scopes import Scopes
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.registry import infer_shapes


class Graph(Elements, Scopes, Collections):
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
