"""Shapes that are the same in each pass of a loop, though they are not known before the run.

Each size that is not known gets a name; sizes that come from the same place get the same one. The
shape rules of the body's operations then tell which sizes are always what the loop was given.
"""

from __future__ import annotations

from typing import Any

from workbench.core.errors import InvalidArgumentError
from workbench.core.graph.body import Body
from workbench.core.graph.constants import constant_value
from workbench.core.graph.operation import Operation
from workbench.core.graph.shapes import Entries, Entry, merge_shapes
from workbench.core.graph.tensor import Tensor
from workbench.core.ops.lists.element_types import ElementType, element_type
from workbench.core.plan.bodies import fed_arguments
from workbench.core.plan.specialise import specialised_shapes

#: Operations whose output has the shape of their first input.
_SAME_SHAPE = frozenset("Identity ZerosLike OnesLike Cast StopGradient Tanh Sigmoid Relu".split())
_MOST_PASSES = 8
_MOST_STEPS = 32


class SteadyShapes:
    """The shapes of a loop's body as far as they are the same in each pass."""

    def __init__(self, op: Operation) -> None:
        self._op = op
        self._body: Body = op.attrs["body"]
        #: For the name of a size an input of the loop and the axis that has it.
        self.places: dict[str, tuple[int, int]] = {}
        self._names: dict[Any, str] = {}
        self._shapes: dict[Tensor, Entries] = {}
        self._looked_at = -1

    def of(self, tensor: Tensor) -> tuple[int | str, ...] | None:
        """The shape of a tensor of the body, with names for unknown sizes; None where it varies."""
        count = self._body.graph.version
        if count != self._looked_at:
            self._looked_at = count
            self._shapes = self._find()
        entries = self._shapes.get(tensor, tensor.entries)
        if entries is None or any(e is None for e in entries):
            return None
        if any(isinstance(e, str) and e not in self.places for e in entries):
            return None
        return entries  # type: ignore[return-value]

    def _find(self) -> dict[Tensor, Entries]:
        body = self._body
        fed = set(fed_arguments(body))
        given = [self._named(i, t) if t in fed else t.entries for i, t in enumerate(body.arguments)]
        order = [o for o in body.graph.get_operations() if o.inputs]
        lists = self._lists()
        for _ in range(_MOST_PASSES):
            known = {
                t: entries
                for t, entries in zip(body.arguments, given, strict=True)
                if t in fed and entries is not None
            }
            try:
                shapes = specialised_shapes(order, known, lists)
            except InvalidArgumentError:
                return {}
            after = [
                _common(a, shapes.get(t, t.entries))
                for a, t in zip(given, body.results, strict=True)
            ]
            if after == given:
                return shapes
            given = after
        return {}

    def _lists(self) -> dict[Tensor, ElementType]:
        """What the elements are of the lists that never change, with names for unknown sizes."""
        body = self._body
        found: dict[Tensor, ElementType] = {}
        for number, argument in enumerate(body.arguments):
            known = element_type(argument)
            if known is None or known.entries is None or body.results[number] is not argument:
                continue
            source = _rows_of(self._op.inputs[number])
            if source is None or source.entries is None:
                continue
            sizes = tuple(
                e if isinstance(e, int) else self._name_of(_origin(source, axis + 1))
                for axis, e in enumerate(known.entries)
            )
            found[argument] = known._replace(entries=sizes)
        return found

    def _named(self, number: int, argument: Tensor) -> Entries:
        """The shape of an argument with the names of its unknown sizes."""
        start = self._op.inputs[number]
        entries = argument.entries
        if start.entries is not None and entries is not None:
            entries = merge_shapes(entries, start.entries)
        if entries is None:
            return None
        return tuple(
            e if isinstance(e, int) else self._name(number, start, axis)
            for axis, e in enumerate(entries)
        )

    def _name(self, number: int, start: Tensor, axis: int) -> str:
        name = self._name_of(_origin(start, axis))
        self.places.setdefault(name, (number, axis))
        return name

    def _name_of(self, origin: Any) -> str:
        return self._names.setdefault(origin, f"size {len(self._names)} of {self._op.name}")


def _common(a: Entries, b: Entries) -> Entries:
    if a is None or b is None or len(a) != len(b):
        return None
    return tuple(x if x == y else None for x, y in zip(a, b, strict=True))


# -- where a size comes from ---------------------------------------------------------------------


def _rows_of(handle: Tensor) -> Tensor | None:
    """The tensor of whose rows a list was made."""
    for _ in range(_MOST_STEPS):
        outside = handle.graph.outside(handle)
        if outside is not None:
            handle = outside
        elif handle.op.type == "Identity":
            handle = handle.op.inputs[0]
        else:
            break
    return handle.op.inputs[0] if handle.op.type == "TensorListFromTensor" else None


def _origin(tensor: Tensor, axis: int) -> Any:
    """What decides a size: a tensor and its axis, a scalar, or a number."""
    for _ in range(_MOST_STEPS):
        outside = tensor.graph.outside(tensor)
        if outside is not None:
            tensor = outside
        elif tensor.op.type == "Fill":
            return _element(tensor.op.inputs[0], axis, _MOST_STEPS)
        elif tensor.op.type == "Reshape":
            found = _element(tensor.op.inputs[1], axis, _MOST_STEPS)
            # -1 stands for what is left.
            return (tensor, axis) if found == -1 else found
        elif tensor.op.type in _SAME_SHAPE:
            tensor = tensor.op.inputs[0]
        else:
            break
    return tensor, axis


def _element(vector: Tensor, index: int, steps: int) -> Any:
    """What decides one number of a vector of sizes."""
    op = vector.op
    if not steps:
        return vector, index, "element"
    if op.type in ("Identity", "Cast"):
        return _element(op.inputs[0], index, steps - 1)
    if op.type == "Shape":
        return _origin(op.inputs[0], index)
    if op.type == "Pack":
        return _scalar(op.inputs[index], steps - 1)
    if op.type == "ExpandDims" and op.inputs[0].entries == ():
        return _scalar(op.inputs[0], steps - 1)
    if op.type == "ConcatV2":
        for part in op.inputs[:-1]:
            length: Entry = None if part.entries is None else part.entries[0]
            if not isinstance(length, int):
                break
            if index < length:
                return _element(part, index, steps - 1)
            index -= length
    return vector, index, "element"


def _scalar(tensor: Tensor, steps: int) -> Any:
    """What decides a scalar."""
    op = tensor.op
    known = constant_value(tensor)
    if known is not None and known.size == 1:
        return int(known.reshape(-1)[0])
    if not steps:
        return tensor
    if op.type in ("Identity", "Cast"):
        return _scalar(op.inputs[0], steps - 1)
    if op.type == "Reshape" and op.inputs[0].entries == ():
        return _scalar(op.inputs[0], steps - 1)
    if op.type == "Reshape" and op.inputs[0].entries == (1,):
        return _element(op.inputs[0], 0, steps - 1)
    if op.type == "StridedSlice" and op.attrs.get("shrink_axis_mask") == 1:
        start = constant_value(op.inputs[1])
        if start is not None and start.size == 1 and int(start.reshape(-1)[0]) >= 0:
            return _element(op.inputs[0], int(start.reshape(-1)[0]), steps - 1)
    return tensor
