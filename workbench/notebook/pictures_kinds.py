"""Which picture fits a tensor, and what it has to be evaluated with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.notebook.pictures_colors import Pixels
from workbench.notebook.pictures_surface import SurfaceDrawing
from workbench.notebook.pictures_tiles import TileDrawing

#: The kinds of pictures, with the ranks of the tensors that they can show.
KINDS: dict[str, tuple[int, ...]] = {
    "filters": (4,),
    "images": (3, 4),
    "heat map": (1, 2),
    "surface": (1, 2),
}
_VARIABLES = frozenset({"Variable", "VariableV2", "VarHandleOp", "ReadVariableOp"})


class Drawing(Protocol):
    """Turns values into pixels and into words."""

    def draw(self, values: NDArray[Any]) -> Pixels:
        """The picture, [height, width, 3]."""

    def describe(self, values: NDArray[Any]) -> str:
        """What the picture shows."""


class Subject(NamedTuple):
    """What is shown, how, and with which feed; None is the last batch of the run."""

    tensor: Tensor
    kind: str | None
    name: str
    feed: Mapping[Any, Any] | None


def subjects(graph: Graph, tensors: Any, feed: Any, kind: str | None) -> list[Subject]:
    """One subject for each tensor, variable, operation or name.

    Raises:
      TypeError, ValueError: an argument is not what it should be.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind must be {', '.join(map(repr, KINDS))} or None, but got {kind!r}")
    if feed is not None and not isinstance(feed, Mapping):
        raise TypeError(
            f"feed must be a dictionary of values by tensor, but got {type(feed).__name__}"
        )
    given = list(tensors) if isinstance(tensors, (list, tuple)) else [tensors]
    if not given:
        raise ValueError("There is nothing to show: the list of tensors is empty")
    found = []
    for each in given:
        tensor = _tensor(graph, each)
        name = tensor.op.name if tensor.value_index == 0 else tensor.name
        own = kind
        if own is None and tensor.entries is not None:
            own = _natural_kind(tensor, len(tensor.entries))
        if not (tensor.dtype.base_dtype.is_floating or tensor.dtype.base_dtype.is_integer
                or tensor.dtype.base_dtype.is_bool):  # fmt: skip
            raise TypeError(f"{name} is {tensor.dtype.name}, which has no picture")
        found.append(Subject(tensor, own, name, feed))
    return found


def drawing(subject: Subject, values: NDArray[Any]) -> Drawing:
    """What draws a subject, of which `values` are the first.

    Raises:
      ValueError: the kind of picture cannot show values of this shape.
    """
    kind = subject.kind or _natural_kind(subject.tensor, values.ndim)
    if values.ndim not in KINDS[kind] or not values.size:
        ranks = " or ".join(map(str, KINDS[kind]))
        raise ValueError(
            f"{subject.name} has shape {list(values.shape)}, but a picture of kind {kind!r} shows "
            f"values with {ranks} axes"
        )
    return TileDrawing(kind, subject.name)


def surface(subject: Subject, labels: Any) -> tuple[SurfaceDrawing, Subject]:
    """A decision surface over the points that the feed holds, and its subject with the grid fed.

    Raises:
      ValueError: the feed does not hold points of the plane, or the labels do not fit them.
    """
    feed = dict(subject.feed or {})
    planes = {t: np.asarray(v, np.float32) for t, v in feed.items() if np.ndim(v) == 2}
    planes = {t: v for t, v in planes.items() if v.shape[1] == 2 and len(v)}
    if len(planes) != 1:
        raise ValueError(
            "A decision surface needs the points of the plane in its feed, one array of shape "
            f"[count, 2], such as feed={{x: points}}; it has {len(planes)}"
        )
    ((tensor, points),) = planes.items()
    if labels is not None:
        labels = np.asarray(labels)
        if labels.size != len(points) or not np.array_equal(labels, labels.astype(np.int64)):
            raise ValueError(
                f"labels must be {len(points)} whole numbers, one for each point, but got "
                f"{labels.dtype} of shape {list(labels.shape)}"
            )
        labels = labels.reshape(-1).astype(np.int64)
        if labels.min() < 0:
            raise ValueError("labels must count the classes from 0 on, but some are negative")
    drawn = SurfaceDrawing(points, labels, subject.name)
    return drawn, subject._replace(feed={**feed, tensor: drawn.grid})


def _tensor(graph: Graph, given: Any) -> Tensor:
    convert = getattr(given, "_as_graph_element", None)
    element = graph.as_graph_element(convert() if convert is not None else given)
    if isinstance(element, Operation):
        if len(element.outputs) != 1:
            raise ValueError(
                f"{element.name!r} is an operation with {len(element.outputs)} results: name the "
                f"one to show, such as {element.name + ':0'!r}"
            )
        return element.outputs[0]
    assert isinstance(element, Tensor)
    return element


def _natural_kind(tensor: Tensor, rank: int) -> str:
    source = tensor.op
    while source.type == "Identity":
        source = source.inputs[0].op
    if rank == 4:
        return "filters" if source.type in _VARIABLES else "images"
    if rank == 3:
        return "images"
    if rank in (1, 2):
        return "heat map"
    raise ValueError(
        f"{tensor.op.name} has {rank} axes, and a picture shows 1 to 4: track a number, or show "
        "a part of it"
    )
