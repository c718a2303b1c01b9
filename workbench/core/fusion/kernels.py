"""Groups as descriptions of kernels: expressions with operands, for the generators of code."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from workbench.core.codegen.array_layout import contiguous
from workbench.core.codegen.specs import LoopSpec, Operand, Partial, ProductSpec, Spec, Store
from workbench.core.codegen.translation.builder import Builder, Flag, Parameter, live_steps
from workbench.core.codegen.translation.description import Expression, Reduction
from workbench.core.codegen.unsupported import Unsupported
from workbench.core.fusion.collapsing import collapse
from workbench.core.fusion.groups import Group, Shape
from workbench.core.fusion.places import Place, Use
from workbench.core.plan.memory import static_shape
from workbench.core.plan.node import CONSTANT, Node, Value

#: Numbers that stand in the code: what never follows from a size.
_LITERALS = frozenset({-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0})

#: Where an operand comes from.
Source = Use | Parameter | Flag


class Kernel(NamedTuple):
    """A description for a generator, and what its operands stand for."""

    spec: Spec
    operands: tuple[Source, ...]
    #: Which of them the kernel writes.
    written: frozenset[int]
    group: Group


class GroupWriter:
    """Writes the expression of a group.

    Args:
      descriptions: what the translation says of the nodes.
      place_of: where a node finds a value that is not of this group.
      splat_of: the number, or the place of the number, that a value is everywhere; else None.
      stored: for values of the group that are wanted outside, where they go.
      updates: which new value of which node goes where.
    """

    def __init__(
        self,
        group: Group,
        descriptions: Mapping[Node, Any],
        place_of: Callable[[Node, Value], Place],
        splat_of: Callable[[Value], Any],
        stored: Mapping[Value, Place],
        updates: Sequence[tuple[Node, int, Node, Place]],
    ) -> None:
        self._group = group
        self._descriptions = descriptions
        self._place_of = place_of
        self._splat_of = splat_of
        self._stored = stored
        self._updates = updates
        self._steps: dict[Value, int] = {}
        self._results: dict[Node, list[int]] = {}
        #: The space that strides are given in.
        self._space = group.space

    # -- the kinds of groups -----------------------------------------------------------------

    def loop(self, parts: Mapping[Node, Place]) -> Kernel:
        """A loop over a space; `parts` says where parts of large reductions go."""
        builder = Builder()
        self._write_nodes(builder, self._group.nodes)
        partials = []
        border = None
        for node in self._group.partials:
            description = self._descriptions[node]
            value = node.inputs[description.input]
            element = self._argument(builder, node, value, description.shape, self._space)
            step = before(description, builder, element)
            over = "all" if len(description.axes) == len(description.shape) else "rows"
            place = parts[node]
            inner = (1,) if over == "all" else (math.prod(place.shape[1:]), 1)
            operand = builder.operand(Use(place.storage, 0, inner, place.dtype))
            partials.append((description.function, over, step, operand))
            if over == "rows":
                border = description.axes[-1] + 1
        borders = [] if border is None else [border]
        if any(s.function.startswith("row_") or s.function == "column" for s in builder.steps):
            last = max(len(self._space) - 1, 0)
            borders = sorted({*borders, last} - {0})
        stores = self._stores(builder)
        written = frozenset(o for _, o in stores) | {p[3] for p in partials}
        finished = _Finished(builder, stores, partials)
        free = {p[3] for p in partials}
        uses = [u for i, u in enumerate(builder.operands) if isinstance(u, Use) and i not in free]
        shape, strides = collapse(self._space, [u.strides for u in uses], borders)
        if border is not None and len(shape) != 2:
            raise Unsupported(f"a reduction over rows of a space {shape} that is no matrix")
        operands = _operands(builder, strides, len(shape), free)
        spec = LoopSpec(shape, operands, finished.steps, finished.stores, finished.partials, "rows")
        return Kernel(spec, tuple(builder.operands), written, self._group)  # type: ignore[arg-type]

    def columns(self, parts: Place | None) -> Kernel:
        """A reduction over rows, of the input or of parts of it, and what goes on with it."""
        node = self._group.anchor
        assert node is not None
        description = self._descriptions[node]
        builder = Builder()
        count = math.prod(self._group.space)
        if parts is None:
            box = description.consecutive
            if box is None or box[0] != 1:
                raise Unsupported(f"a reduction over the axes {list(description.axes)}")
            value = node.inputs[description.input]
            place = self._place_of(node, value)
            border = description.axes[-1] + 1
            shape, strides = collapse(place.shape, [place.strides], [border])
            if len(shape) != 2:
                raise Unsupported("a reduction of an array that lies in pieces")
            rows = shape[0]
            use = Use(place.storage, place.offset, strides[0], place.dtype)
            element = builder.load(use, place.dtype)
            total = description.translate(builder, element, "column")
        else:
            rows = parts.shape[0]
            strides_ = (count, 1) if count > 1 else (1, 0)
            element = builder.load(Use(parts.storage, 0, strides_, parts.dtype), parts.dtype)
            combined = builder.apply(f"column_{description.function}", element)
            total = description.finish(builder, combined)
        self._steps[node.output()] = total
        self._write_nodes(builder, self._group.nodes[1:], self._column_strides)
        stores = self._stores(builder, self._column_strides)
        finished = _Finished(builder, stores, [])
        strides_list = [u.strides for u in builder.operands if isinstance(u, Use)]
        operands = _operands(builder, strides_list, 2, set())
        spec = LoopSpec((rows, count), operands, finished.steps, finished.stores, (), "columns")
        written = frozenset(o for _, o in stores)
        return Kernel(spec, tuple(builder.operands), written, self._group)  # type: ignore[arg-type]

    def product(self, turned: Place | None = None) -> Kernel:
        """A product and what goes on with it; `turned` is its right operand, if that lies elsewhere
        as it is multiplied."""
        node = self._group.anchor
        assert node is not None
        left = self._matrix(node, 0)
        right = turned if turned is not None and node.attrs.get("transpose_b") else None
        right = right or self._matrix(node, 1)
        space = self._group.space
        batch, m, n = space[:-2], space[-2], space[-1]
        k = left.shape[-1]
        uses = []
        for place in (left, right):
            strides = _broadcast(place, (*batch, *place.shape[-2:])).strides
            uses.append(Use(place.storage, place.offset, strides, place.dtype))
        builder = Builder(uses)
        self._steps[node.output()] = builder.accumulator(node.dtypes[0].name)
        self._write_nodes(builder, self._group.nodes[1:])
        stores = self._stores(builder)
        finished = _Finished(builder, stores, [])
        strides_list = [u.strides for u in builder.operands if isinstance(u, Use)]
        # Only the batch is collapsed: rows and columns of the three matrices are their own.
        shape, batches = collapse(batch, [s[:-2] for s in strides_list])
        joined = [(*b, *s[-2:]) for b, s in zip(batches, strides_list, strict=True)]
        operands = _operands(builder, joined, len(shape) + 2, set())
        spec = ProductSpec(shape, m, n, k, left.dtype, operands, finished.steps, finished.stores)
        written = frozenset(o for _, o in stores)
        return Kernel(spec, tuple(builder.operands), written, self._group)  # type: ignore[arg-type]

    def ending(
        self,
        uses: Sequence[Use],
        make: Callable[[tuple[Operand, ...], Any, Any], Spec],
        order: Sequence[int],
    ) -> Kernel:
        """A convolution or pooling and what goes on with it.

        `uses` are its own operands, and `order` the dimensions of the result in the order in which
        strides are given.
        """
        node = self._group.anchor
        assert node is not None
        builder = Builder(uses)

        def ordered(strides: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(strides[d] for d in order)

        self._steps[node.output()] = builder.accumulator(node.dtypes[0].name)
        self._write_nodes(builder, self._group.nodes[1:], lambda p, s: ordered(self._strides(p, s)))
        stores = self._stores(builder, lambda p, s: ordered(self._strides(p, s)))
        finished = _Finished(builder, stores, [])
        strides_list = [u.strides for u in builder.operands if isinstance(u, Use)]
        operands = _operands(builder, strides_list, len(order), set())
        spec = make(operands, finished.steps, finished.stores)
        written = frozenset(o for _, o in stores)
        return Kernel(spec, tuple(builder.operands), written, self._group)  # type: ignore[arg-type]

    # -- parts -------------------------------------------------------------------------------

    def _matrix(self, node: Node, index: int) -> Place:
        """An input of a product as it is multiplied, transposed or not."""
        place = self._place_of(node, node.inputs[index])
        name = ("transpose_a", "transpose_b")[index]
        if node.type != "MatMul":
            name = ("adj_x", "adj_y")[index]
        if not node.attrs.get(name):
            return place
        shape, strides = place.shape, place.strides
        return place._replace(
            shape=(*shape[:-2], shape[-1], shape[-2]),
            strides=(*strides[:-2], strides[-1], strides[-2]),
        )

    def _write_nodes(
        self,
        builder: Builder,
        nodes: Sequence[Node],
        strides_of: Callable[[Place, Shape], tuple[int, ...]] | None = None,
    ) -> None:
        for node in nodes:
            description = self._descriptions[node]
            if isinstance(description, Reduction):
                description = description.rows()
            assert isinstance(description, Expression)
            arguments = [
                self._argument(
                    builder, node, node.inputs[a.input], a.shape, description.space, strides_of
                )
                for a in description.inputs
            ]
            results = self._results[node] = description.translate(builder, arguments)
            for index in range(len(node.dtypes)):
                self._steps[node.output(index)] = results[index]

    def _argument(
        self,
        builder: Builder,
        node: Node,
        value: Value,
        shape: Shape,
        space: Shape,
        strides_of: Callable[[Place, Shape], tuple[int, ...]] | None = None,
    ) -> int:
        """The step of an input that broadcasts from `shape` to the space of its node."""
        found = self._steps.get(value)
        if found is not None:
            return found
        splat = self._splat_of(value)
        dtype = value.dtype.base_dtype.name
        if splat is not None:
            if isinstance(splat, (int, float, bool)) and splat in _LITERALS:
                return builder.constant(splat, dtype)
            if not isinstance(splat, Place):
                return builder.parameter(splat, dtype)
            place = splat
        else:
            place = self._place_of(node, value)
        if place.shape != shape:
            place = _reshaped(place, shape)
        strides = (strides_of or self._strides)(_broadcast(place, space), space)
        return builder.load(Use(place.storage, place.offset, strides, place.dtype), dtype)

    def _strides(self, place: Place, space: Shape) -> tuple[int, ...]:
        """The strides in the group's space of an array with the shape of a node's space."""
        if space == self._space:
            return place.strides
        if space == self._space[:-1]:
            return (*place.strides, 0)
        if space == (*self._space[:-1], 1):
            return (*place.strides[:-1], 0)
        rows = self._space[:-1]
        if math.prod(space) == math.prod(rows) and place.is_contiguous:
            # Another shape of what there is once for each row, such as with dimensions kept.
            return (*contiguous(rows).strides, 0)
        raise Unsupported(f"a loop over {space} in one over {self._space}")

    def _column_strides(self, place: Place, space: Shape) -> tuple[int, ...]:
        """The strides of an array of the result's shape where dimensions are rows and columns."""
        shape, (strides,) = collapse(space, [place.strides])
        if len(shape) > 1:
            raise Unsupported("what goes on with a reduction lies in pieces")
        return (0, strides[0] if strides else 0)

    def _stores(
        self,
        builder: Builder,
        strides_of: Callable[[Place, Shape], tuple[int, ...]] | None = None,
    ) -> list[tuple[int, int]]:
        stores = []
        wanted = [(self._steps[value], place) for value, place in self._stored.items()]
        wanted += [(self._results[n][i], place) for n, i, _, place in self._updates]
        for step, place in wanted:
            if builder.steps[step].dtype != place.dtype:
                raise Unsupported(f"{builder.steps[step].dtype} would be stored as {place.dtype}")
            strides = (strides_of or self._strides)(place, place.shape)
            use = Use(place.storage, place.offset, strides, place.dtype)
            stores.append((step, builder.operand(use)))
        return stores


class _Finished:
    """The steps that are needed, renumbered, and what is done with them."""

    def __init__(
        self,
        builder: Builder,
        stores: Sequence[tuple[int, int]],
        partials: Sequence[tuple[Any, ...]],
    ) -> None:
        wanted = [s for s, _ in stores] + [p[2] for p in partials]
        kept, numbers = live_steps(builder.steps, wanted)
        self.steps = tuple(kept)
        self.stores = tuple(Store(numbers[s], o) for s, o in stores)
        self.partials = tuple(Partial(f, over, numbers[s], o) for f, over, s, o in partials)


def before(description: Reduction, builder: Builder, element: int) -> int:
    """What an element of a reduction goes through first."""
    from workbench.core.codegen.translation.term import Term

    return description.before(Term(builder, element)).step


def _operands(
    builder: Builder, strides: Sequence[tuple[int, ...]], rank: int, free: set[int]
) -> tuple[Operand, ...]:
    """The operands, those with places with the given strides in turn."""
    remaining = iter(strides)
    found = []
    for i, source in enumerate(builder.operands):
        if isinstance(source, Use):
            mine = source.strides if i in free else next(remaining)
            # A part of everything has one place a block, whatever the dimensions of the loop.
            found.append(Operand(source.dtype, mine if len(mine) == rank else (0,) * rank))
        elif isinstance(source, Parameter):
            found.append(Operand(source.dtype, (0,) * rank))
        else:
            found.append(Operand("int32", (0,) * rank))
    return tuple(found)


def _reshaped(place: Place, shape: Shape) -> Place:
    """The same elements in another shape, for one that a description wants it in."""
    seen = place.layout.reshaped(shape)
    if seen is None:
        raise Unsupported(f"an array of shape {place.shape} is needed as {shape}")
    return place.seen(seen)


def _broadcast(place: Place, space: Shape) -> Place:
    """The same elements, repeated all over a space."""
    seen = place.layout.broadcast(space)
    if seen is None:
        raise Unsupported(f"an array of shape {place.shape} does not broadcast to {space}")
    return place.seen(seen)


def scalar_constant(value: Value) -> Any:
    """The number of a constant without dimensions, or None."""
    node = value.node
    if node.type != CONSTANT or static_shape(value) != () or node.constant.dtype == object:
        return None
    return node.constant[()]
