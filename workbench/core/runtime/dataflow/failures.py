"""Errors of dataflow programs: the operation, its inputs and the turn it was in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.core import errors
from workbench.core.graph.operation import Operation
from workbench.core.graph.source import user_line
from workbench.core.graph.tensor import Tensor
from workbench.core.plan.node import FEED, Node, NodeTable
from workbench.core.runtime import failures
from workbench.core.runtime.dataflow.machine import Machine
from workbench.core.runtime.dataflow.structure import Structure

Path = Sequence[tuple[int, int]]


def feed_node(tensor: Tensor, index: int) -> Node:
    """A tensor with a given value as a node of a plan."""
    return NodeTable().make(
        FEED, (), {"index": index}, (tensor.dtype.base_dtype,), (tensor.entries,), tensor.op
    )


def plan_node(op: Operation) -> Node:
    """An operation as a node of a plan, for those who look on and for errors."""
    table = NodeTable()
    inputs = [feed_node(t, i).output() for i, t in enumerate(op.inputs)]
    return table.make(
        op.type,
        tuple(inputs),
        op.attrs,
        tuple(t.dtype.base_dtype for t in op.outputs),
        tuple(t.entries for t in op.outputs),
        op,
        unique=op.name,
    )


def describe_path(structure: Structure, path: Path) -> str:
    """Where in which loops: " in turn 3 of 'loop'"; "" outside of all loops."""
    parts = [f"turn {turn} of {structure.frames[frame].name!r}" for frame, turn in path]
    return f" in {', '.join(reversed(parts))}" if parts else ""


def step_error(
    op: Operation, inputs: Sequence[Any], error: Exception, structure: Structure, path: Path
) -> errors.OpError:
    """The error to raise for one that a kernel raised."""
    if isinstance(error, errors.OpError) and error.op is not None:
        return error
    values = {f"f{i}": value for i, value in enumerate(inputs)}
    made = failures.run_error(plan_node(op), values, error)
    if not path:
        return made
    where = describe_path(structure, path)
    kind: Any = type(made)
    told: errors.OpError = kind(None, op, f"{made.message}\n   {where}")
    told.inputs = made.inputs
    return told


def dead_fetch_error(tensor: Tensor, place: int) -> errors.InvalidArgumentError:
    """The error of fetching what no branch computed."""
    line = user_line(tensor.op.frames)
    start = f"{line}\n  " if line else ""
    return errors.InvalidArgumentError(
        None,
        tensor.op,
        f"{start}Retval[{place}] does not have value: {tensor.name!r} is on a branch that was not "
        "taken. Fetch the Merge that joins the branches.",
    )


def stalled_error(
    structure: Structure, machine: Machine, operations: Sequence[Operation]
) -> errors.InternalError:
    """The error of a run in which some nodes wait for what never comes."""
    missing = machine.missing
    op = operations[missing[0]]
    names = ", ".join(repr(structure.nodes[n].name) for n in missing[:5])
    line = user_line(op.frames)
    text = f"{line}\n  " if line else ""
    text += f"Nothing is left to run, but {names} never got all of its inputs"
    for node, path, lacking in machine.stalled[:5]:
        wants = ", ".join(repr(structure.nodes[n].name) for n in lacking) or "a control input"
        text += (
            f"\n    {structure.nodes[node].name!r}{describe_path(structure, path)} waits for "
            f"{wants}"
        )
    return errors.InternalError(None, op, text)
