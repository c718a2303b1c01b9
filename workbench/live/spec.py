"""What a run is to do, checked before anything begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.core.graph.graph import Graph
from workbench.core.graph.operation import Operation
from workbench.core.graph.tensor import Tensor
from workbench.live.feeds import FeedSource, feed_source
from workbench.live.frames import BUDGET
from workbench.live.hyperparameters import Hyperparameter, hyperparameters_of


@dataclass(frozen=True)
class Options:
    """How a run keeps its past; the defaults suit most."""

    #: Memory for states to go back to.
    snapshot_bytes: int = BUDGET
    #: Seconds from checkpoint to checkpoint, and steps, where they are to come by steps as well.
    checkpoint_seconds: float = 30.0
    checkpoint_steps: int | None = None
    #: How many checkpoints stay, beside that of step 0 and those of `run.snapshot()`.
    keep_checkpoints: int = 3


@dataclass(frozen=True)
class RunSpec:
    """The steps of a run: what they run, what they are fed, what is tracked, how many there are."""

    graph: Graph
    targets: tuple[Operation, ...]
    tracked: Mapping[str, Tensor]
    limit: int | None
    feed: Any
    source: FeedSource
    known: Mapping[str, Hyperparameter]
    options: Options


def make_spec(
    train_op: Any,
    steps: int | None,
    feed: Any,
    track: Mapping[str, Any] | None,
    options: Options,
) -> RunSpec:
    """The checked form of what a user asked for.

    Raises:
      TypeError, ValueError: an argument is not what it should be.
    """
    targets = _operations(train_op)
    graph = targets[0].graph
    for op in targets:
        graph.as_graph_element(op)
    if steps is not None and (
        isinstance(steps, bool) or not hasattr(steps, "__index__") or steps < 1
    ):
        raise ValueError(f"steps must be a positive number or None, but got {steps!r}")
    _check_options(options)
    return RunSpec(
        graph,
        tuple(targets),
        _tracked(graph, track),
        None if steps is None else steps.__index__(),
        feed,
        feed_source(graph, feed),
        _known(graph),
        options,
    )


def _operations(train_op: Any) -> list[Operation]:
    """The operations of a step: tensors stand for those that make them."""
    waiting: list[Any] = [train_op]
    found: list[Operation] = []
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, (list, tuple)):
            waiting[:0] = each
            continue
        convert = getattr(each, "_as_graph_element", None)
        if convert is not None:
            each = convert()
        if isinstance(each, Tensor):
            each = each.op
        if not isinstance(each, Operation):
            raise TypeError(
                "train_op must be an operation or tensor, or a list of them, but got "
                f"{each!r:.80} of type {type(each).__name__}"
            )
        found.append(each)
    if not found:
        raise ValueError("train_op is an empty list: there is nothing to run")
    return found


def _tracked(graph: Graph, track: Mapping[str, Any] | None) -> dict[str, Tensor]:
    if track is None:
        return {}
    if not isinstance(track, Mapping):
        raise TypeError(
            f'track must be a dictionary of scalars by name, such as {{"loss": loss}}, but got '
            f"{track!r:.80}"
        )
    found: dict[str, Tensor] = {}
    for name, value in track.items():
        if not isinstance(name, str) or not name:
            raise TypeError(f"The names of tracked values are strings, but got {name!r}")
        tensor = graph.as_graph_element(value, allow_operation=False)
        dtype = tensor.dtype.base_dtype
        if not (dtype.is_floating or dtype.is_integer or dtype.is_bool):
            raise TypeError(f"{name} cannot be tracked: {tensor.name!r} is {dtype.name}")
        if tensor.entries is not None and tensor.entries != ():
            raise ValueError(
                f"{name} cannot be tracked: {tensor.name!r} has shape {tensor.shape}, but tracked "
                "values are scalars, such as tf.reduce_mean(...) of it"
            )
        found[name] = tensor
    return found


def _known(graph: Graph) -> dict[str, Hyperparameter]:
    found = {}
    for name, each in hyperparameters_of(graph).items():
        try:
            graph.get_tensor_by_name(each.tensor)
        except KeyError:
            # Its text came with a meta graph that was imported under another name scope.
            continue
        found[name] = each
    return found


def _check_options(options: Options) -> None:
    positive: Sequence[tuple[str, Any]] = (
        ("snapshot_bytes", options.snapshot_bytes),
        ("checkpoint_seconds", options.checkpoint_seconds),
        ("checkpoint_steps", options.checkpoint_steps),
        ("keep_checkpoints", options.keep_checkpoints),
    )
    for name, value in positive:
        if value is not None and not value > 0:
            raise ValueError(f"{name} must be positive, but got {value!r}")
