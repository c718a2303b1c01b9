"""Parts: what each task does of a step, in terms that can be sent to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from workbench.core.graph.tensor import Tensor
from workbench.core.plan.partition.stages import Stage
from workbench.core.plan.placement.devices import task_of


@dataclass(frozen=True)
class StagePart:
    """A stage as its task knows it. Tensors go by their names in the user's graph."""

    number: int
    device: str
    #: What it takes: the tensor, and the placeholder for it in the part's graph.
    takes: tuple[tuple[str, str], ...]
    #: What it gives: the tensor, and the tensor of the part's graph that has it.
    gives: tuple[tuple[str, str], ...]
    #: Operations of the part's graph that must run.
    targets: tuple[str, ...]
    #: Stages, of this task or of others, that must have ended.
    after: tuple[int, ...]
    #: Where its results go: the task, what it gets, and whether it waits for the stage's end.
    sends: tuple[tuple[str, tuple[str, ...], bool], ...]
    #: What the user gets.
    returns: tuple[str, ...]
    #: Whether it may wait for what others do, in this step or another one.
    may_wait: bool


@dataclass(frozen=True)
class Part:
    """What a task does of a step."""

    task: str
    #: The part's graph, a serialised GraphDef.
    graph: bytes
    stages: tuple[StagePart, ...]
    #: The tensors that the user feeds to it.
    feeds: tuple[str, ...]

    def description(self) -> dict[str, Any]:
        """All but the graph, in lists and dictionaries."""
        return asdict(replace(self, graph=b"")) | {"graph": ""}

    @staticmethod
    def of(description: Mapping[str, Any], graph: bytes) -> Part:
        """The part of a description. ValueError where it is none."""
        try:
            stages = tuple(_stage(each) for each in description["stages"])
            return Part(str(description["task"]), graph, stages, _names(description["feeds"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"This does not describe a part of a step: {error!r}") from None


def _names(values: Any) -> tuple[str, ...]:
    if not isinstance(values, (list, tuple)) or not all(isinstance(v, str) for v in values):
        raise ValueError(f"expected names, got {values!r}")
    return tuple(values)


def _pairs(values: Any) -> tuple[tuple[str, str], ...]:
    pairs = [_names(v) for v in values]
    if any(len(p) != 2 for p in pairs):
        raise ValueError("expected pairs of names")
    return tuple((p[0], p[1]) for p in pairs)


def _stage(values: Mapping[str, Any]) -> StagePart:
    return StagePart(
        number=int(values["number"]),
        device=str(values["device"]),
        takes=_pairs(values["takes"]),
        gives=_pairs(values["gives"]),
        targets=_names(values["targets"]),
        after=tuple(int(n) for n in values["after"]),
        sends=tuple((str(task), _names(keys), bool(end)) for task, keys, end in values["sends"]),
        returns=_names(values["returns"]),
        may_wait=bool(values["may_wait"]),
    )


def sends_of(
    stage: Stage, stages: Sequence[Stage]
) -> tuple[tuple[str, tuple[str, ...], bool], ...]:
    """Where a stage's results go: one transfer for each value and task, however many use it."""
    own = task_of(stage.device)
    values: dict[str, dict[str, None]] = {}
    ends: dict[str, bool] = {}
    for other in stages:
        task = task_of(other.device)
        if task == own:
            continue
        for tensor in other.takes:
            if tensor in stage.gives:
                values.setdefault(task, {})[tensor.name] = None
        if stage.number in other.after:
            values.setdefault(task, {})
            ends[task] = True
    return tuple((task, tuple(keys), ends.get(task, False)) for task, keys in values.items())


def returned(stage: Stage, fetches: Sequence[Tensor]) -> tuple[str, ...]:
    """What the user gets from a stage."""
    return tuple(dict.fromkeys(t.name for t in fetches if t in stage.gives))
