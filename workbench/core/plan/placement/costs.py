"""The cost model: how long operations take, and how many bytes tensors have.

Both are estimated from static shapes, or taken from what was measured in a run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from workbench.core.graph.body import BODY_ATTRIBUTES, LOOPS
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Entries, TensorShape
from workbench.core.graph.tensor import Tensor
from workbench.core.ops import registry
from workbench.core.plan.partition.copied import is_copied
from workbench.core.plan.placement.colocation import stays_put
from workbench.core.plan.placement.machine import Link, Machine, usual_link
from workbench.core.plan.reach import needed_inside

#: What hands a value on without looking at it.
_FREE = frozenset("NoOp ControlTrigger Placeholder PlaceholderV2 Identity Reshape".split())
#: How often a loop is taken to turn.
_TURNS = 10
#: The bytes of a string, which may be any.
_STRING = 32


class CostModel:
    """How long each operation takes on a device, and each transfer between two.

    Args:
      machine: what a device can do; the default is a plain core, `Machine.measured()` this one.
      machines: the same for single devices, by their full names.
      link: a function from the names of two devices to the `Link` between them.
      seconds: measured times of operations by name, in place of estimates.
      sizes: measured bytes of tensors by name.
      unknown_size: what counts for a dimension whose size is not known.

    >>> import workbench as tf, workbench as wb
    >>> product = tf.matmul(tf.ones([100, 1000]), tf.ones([1000, 200]), name="product")
    >>> round(wb.CostModel().operation_seconds(product.op, "") * 1e3, 1)
    2.0
    >>> wb.CostModel(seconds={"product": 0.25}).operation_seconds(product.op, "")
    0.25
    """

    def __init__(
        self,
        machine: Machine | None = None,
        *,
        machines: Mapping[str, Machine] | None = None,
        link: Callable[[str, str], Link] = usual_link,
        seconds: Mapping[str, float] | None = None,
        sizes: Mapping[str, float] | None = None,
        unknown_size: int = 32,
    ) -> None:
        self._machine = machine or Machine()
        self._machines = dict(machines or {})
        self._link = link
        self._seconds = dict(seconds or {})
        self._sizes = dict(sizes or {})
        self._unknown = unknown_size
        self._work: dict[Operation, tuple[float, float]] = {}
        self._links: dict[tuple[str, str], Link] = {}
        #: What simulations ask for again and again.
        self._took: dict[tuple[Operation, str], float] = {}
        self._bytes: dict[Tensor, float] = {}

    @staticmethod
    def measured(*runs: Any, **arguments: Any) -> CostModel:
        """The cost model of traced runs: the means over their `RunMetadata`.

        What they do not tell of is estimated; `arguments` are those of `CostModel`.
        """
        times: dict[str, list[float]] = {}
        sizes: dict[str, float] = {}
        for run in runs:
            for device in run.step_stats.dev_stats:
                for stats in device.node_stats:
                    took = (stats.op_end_rel_micros - stats.op_start_rel_micros) * 1e-6
                    times.setdefault(stats.node_name, []).append(took)
                    for output in stats.output:
                        size = output.tensor_description.allocation_description.requested_bytes
                        sizes[f"{stats.node_name}:{output.slot}"] = float(size)
        seconds = {name: math.fsum(t) / len(t) for name, t in times.items()}
        return CostModel(seconds=seconds, sizes=sizes, **arguments)

    def machine(self, device: str) -> Machine:
        """What a device can do."""
        return self._machines.get(device, self._machine)

    def link(self, source: str, destination: str) -> Link:
        """The link between two devices."""
        key = source, destination
        if key not in self._links:
            self._links[key] = self._link(source, destination)
        return self._links[key]

    def operation_seconds(self, op: Operation, device: str) -> float:
        """How long an operation takes on a device."""
        took = self._took.get((op, device))
        if took is None:
            took = self._took[op, device] = self._operation_seconds(op, device)
        return took

    def _operation_seconds(self, op: Operation, device: str) -> float:
        found = self._seconds.get(op.name)
        if found is not None:
            return found
        if op.type in _FREE or is_copied(op):
            return 0.0
        if op not in self._work:
            self._work[op] = self._estimate(op)
        return self.machine(device).seconds(*self._work[op])

    def state_bytes(self, op: Operation) -> float:
        """What an operation keeps on its device between steps: the bytes of a variable."""
        if op.type in ("VariableV2", "Variable"):
            return self._array_bytes(op.outputs[0])
        if op.type == "VarHandleOp":
            shape, dtype = op.get_attr("shape"), op.get_attr("dtype")
            return self._count(TensorShape(shape).entries) * _item_bytes(dtype)
        return 0.0

    def tensor_bytes(self, tensor: Tensor) -> float:
        """The bytes that a transfer of a tensor moves."""
        size = self._bytes.get(tensor)
        if size is None:
            size = self._bytes[tensor] = self._tensor_bytes(tensor)
        return size

    def _tensor_bytes(self, tensor: Tensor) -> float:
        found = self._sizes.get(tensor.name)
        if found is not None:
            return found
        is_value = tensor.dtype._is_ref_dtype or not stays_put(tensor)
        return self._array_bytes(tensor) if is_value else 0.0

    # -- estimates ---------------------------------------------------------------------------

    def _array_bytes(self, tensor: Tensor) -> float:
        return self._count(tensor.entries) * _item_bytes(tensor.dtype.base_dtype)

    def _count(self, entries: Entries) -> float:
        if entries is None:
            return float(self._unknown)
        return float(math.prod(self._size(size) for size in entries))

    def _size(self, entry: Any) -> int:
        return entry if isinstance(entry, int) else self._unknown

    def _estimate(self, op: Operation) -> tuple[float, float]:
        """Floating point operations and bytes moved."""
        if op.type in BODY_ATTRIBUTES:
            return self._bodies(op)
        results = sum(self._array_bytes(t) for t in op.outputs if not stays_put(t))
        taken = sum(self._array_bytes(t) for t in op.inputs)
        declaration = registry.lookup(op.type)
        if declaration is None or declaration.cost is None:
            return results / 4, results + taken
        sized = self._sized(op)
        return (declaration.cost(sized) if sized else 0.0), results + taken

    def _bodies(self, op: Operation) -> tuple[float, float]:
        """The longer branch of a conditional; of a loop some turns."""
        totals = [self._body(op.attrs[name]) for name in BODY_ATTRIBUTES[op.type]]
        if op.type in LOOPS:
            return (
                _TURNS * sum(flops for flops, _ in totals),
                _TURNS * sum(moved for _, moved in totals),
            )
        return max(flops for flops, _ in totals), max(moved for _, moved in totals)

    def _body(self, body: Any) -> tuple[float, float]:
        return _total(
            self._estimate(inner)
            for inner in needed_inside(body, body.results)
            if inner.type not in _FREE and not is_copied(inner)
        )

    def _sized(self, op: Operation) -> Any:
        """The operation with a size for each dimension; None where a rank is not known."""
        tensors = [*op.inputs, *op.outputs]
        if any(t.entries is None for t in tensors):
            return None
        sized = [self._sized_tensor(t) for t in tensors]
        count = len(op.inputs)
        return _Sized(op.type, op.attrs, sized[:count], sized[count:])

    def _sized_tensor(self, tensor: Tensor) -> _SizedTensor:
        entries = tuple(self._size(size) for size in tensor.entries or ())
        return _SizedTensor(entries, TensorShape(entries))


class _SizedTensor(NamedTuple):
    """A tensor as cost functions see it."""

    entries: tuple[int, ...]
    shape: TensorShape


class _Sized(NamedTuple):
    """An operation as cost functions see it."""

    type: str
    attrs: Mapping[str, Any]
    inputs: list[_SizedTensor]
    outputs: list[_SizedTensor]


def _total(pairs: Iterable[tuple[float, float]]) -> tuple[float, float]:
    flops = moved = 0.0
    for more_flops, more_moved in pairs:
        flops, moved = flops + more_flops, moved + more_moved
    return flops, moved


def _item_bytes(dtype: Any) -> int:
    return _STRING if dtype.name == "string" else dtype.size or 0
