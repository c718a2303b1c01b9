"""The symbols of whole beams, from what each step of a search has put out."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.core.graph.shapes import Entries
from workbench.core.graph.tensor import Tensor
from workbench.core.kernels.support import invalid
from workbench.core.ops import shape_rules
from workbench.core.ops.creation import call
from workbench.core.ops.declaration import declare, sample
from workbench.core.ops.static_shapes import equal_shapes


def _gather(step_ids: Any, parent_ids: Any, max_sequence_lengths: Any, end_token: Any) -> Any:
    steps, batch, width = step_ids.shape
    result = np.full(step_ids.shape, end_token, step_ids.dtype)
    rows = np.arange(batch)[:, None]
    beams = np.broadcast_to(np.arange(width), (batch, width))
    lengths = np.minimum(max_sequence_lengths, steps)
    for time in range(steps - 1, -1, -1):
        running = (time < lengths)[:, None]
        result[time] = np.where(running, step_ids[time, rows, beams], end_token)
        parents = parent_ids[time, rows, beams]
        wrong = running & ((parents < 0) | (parents >= width))
        if time and wrong.any():
            row, beam = np.argwhere(wrong)[0]
            raise invalid(
                f"Saw invalid parent id {parents[row, beam]} at (batch, time, beam) == "
                f"({row}, {time - 1}, {beam}): there are {width} beams"
            )
        beams = np.where(running, parents, beams)
    # Behind the first end there is nothing but ends.
    ended = np.cumsum(result == end_token, 0) > 0
    return np.where(ended, end_token, result).astype(step_ids.dtype)


def _shape(op: Any) -> list[Entries]:
    ids, parents, lengths, end = (tensor.entries for tensor in op.inputs)
    for entries, rank, what in (
        (ids, 3, "step_ids"),
        (parents, 3, "parent_ids"),
        (lengths, 1, "max_sequence_lengths"),
        (end, 0, "end_token"),
    ):
        shape_rules.with_rank(entries, rank, what)
    merged = equal_shapes(ids, parents)
    if merged is not None and lengths is not None:
        shape_rules.equal_sizes(merged[1], lengths[0], "rows and max_sequence_lengths")
    return [(None, None, None) if merged is None else merged]


declare(
    "GatherTree",
    inputs="step_ids: T, parent_ids: T, max_sequence_lengths: int32, end_token: T",
    outputs="beams: T",
    attrs="T: {int32}",
    shape=_shape,
    kernel=_gather,
    samples=[
        # Both beams of the second step go on from the second of the first.
        sample([[[1, 2]], [[3, 4]]], [[[0, 0]], [[1, 1]]], [2], 9, want=[[[2, 2]], [[3, 4]]]),
        sample([[[1, 2]], [[3, 4]]], [[[0, 0]], [[1, 0]]], [1], 9, want=[[[1, 2]], [[9, 9]]]),
        sample([[[9, 2]], [[3, 4]]], [[[0, 0]], [[0, 1]]], [2], 9, want=[[[9, 2]], [[9, 4]]]),
    ],
)


def gather_tree(
    step_ids: Any,
    parent_ids: Any,
    max_sequence_lengths: Any,
    end_token: Any,
    name: str | None = None,
) -> Tensor:
    """The symbols of whole beams [time, batch, width].

    `step_ids` are the symbols of each step, `parent_ids` the beams that they go on from. Rows begin
    at `max_sequence_lengths` [batch]; behind that, and behind the first `end_token` of a beam,
    there is the end token. A parent that is no beam is an error of the run.

    >>> import workbench as tf
    >>> tf.contrib.seq2seq.gather_tree(
    ...     [[[1, 2]], [[3, 4]]], [[[0, 0]], [[1, 0]]], [2], 9
    ... ).eval().tolist()
    [[[2, 1]], [[3, 4]]]
    """
    return call(
        "GatherTree",
        name,
        step_ids=step_ids,
        parent_ids=parent_ids,
        max_sequence_lengths=max_sequence_lengths,
        end_token=end_token,
    )
