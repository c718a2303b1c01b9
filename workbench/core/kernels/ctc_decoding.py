"""Label sequences from the outputs of networks trained with the CTC loss."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from workbench.core.errors import FailedPreconditionError
from workbench.core.kernels.ctc import log_softmax, logit_sizes
from workbench.core.kernels.support import invalid

Array = np.ndarray
#: Indices, values and shape of a sparse tensor.
Sparse = tuple[Array, Array, Array]


def _check(inputs: Array, lengths: Array) -> None:
    steps, _, _ = logit_sizes(inputs, lengths)
    if steps == 0:
        raise invalid("max_time is 0")
    for row in np.flatnonzero((lengths > steps) | (lengths < 0)):
        problem = f"sequence_length({row}) = {lengths[row]} is not between 0 and {steps}"
        raise FailedPreconditionError(None, None, problem)


def _sparse(labels: Array, kept: Array) -> Sparse:
    """The labels [batch, time] that are kept, moved together."""
    rows, _ = np.nonzero(kept)
    places = (np.cumsum(kept, 1) - 1)[kept]
    counts = kept.sum(1)
    shape = np.array([len(labels), counts.max(initial=0)], np.int64)
    indices = np.stack([rows, places], 1).astype(np.int64)
    return indices, labels[kept].astype(np.int64), shape


def greedy(
    inputs: Array, sequence_length: Array, *, merge_repeated: bool = False
) -> tuple[Array, ...]:
    """The best class of each step without blanks, and minus the sum of their logits.

    ``inputs`` are [time, batch, classes]; the last class is the blank. Labels that follow
    themselves without a blank between are one with ``merge_repeated``.
    """
    _check(inputs, sequence_length)
    steps, _, classes = inputs.shape
    running = np.arange(steps)[:, None] < sequence_length
    best = inputs.argmax(-1)
    logits = np.where(running, np.take_along_axis(inputs, best[..., None], -1)[..., 0], 0)
    kept = running & (best != classes - 1)
    if merge_repeated:
        kept[1:] &= best[1:] != best[:-1]
    scores = -logits.sum(0, dtype=inputs.dtype)
    return *_sparse(best.T, kept.T), scores[:, None]


class Beam(NamedTuple):
    """The best prefixes of each row; every array is [batch, width]."""

    #: Numbers that tell prefixes apart, of the prefix and of the one that it goes on from.
    prefix: Array
    parent: Array
    #: The last label, -1 for the empty prefix.
    label: Array
    #: Where the prefix is written down in the history.
    node: Array
    #: Log probabilities: of paths that end in the last label, and in a blank.
    by_label: Array
    by_blank: Array

    @property
    def total(self) -> Array:
        """The log probability of all paths."""
        result: Array = np.logaddexp(self.by_label, self.by_blank)
        return result


def beam_search(
    inputs: Array,
    sequence_length: Array,
    *,
    beam_width: int,
    top_paths: int,
    merge_repeated: bool = True,
) -> tuple[Array, ...]:
    """The most probable label sequences among the ``beam_width`` kept at each step.

    Returns sparse tensors for the ``top_paths`` best (all indices, all values, all shapes), and at
    last the log probabilities [batch, paths].
    """
    _check(inputs, sequence_length)
    if top_paths > beam_width:
        raise invalid(
            f"requested more paths than the beam width: {top_paths} paths, width {beam_width}"
        )
    logs = log_softmax(inputs)
    steps, batch, classes = inputs.shape
    beam = _first_beam(batch, beam_width)
    # What each node goes on from, and the label that it goes on with.
    origins = np.zeros((batch, 1 + steps * beam_width), np.int64)
    labels = np.full(origins.shape, -1)
    for time in range(steps):
        grown, origin = _grown(beam, logs[time], classes - 1)
        first = 1 + time * beam_width
        fresh = origin >= 0
        span = slice(first, first + beam_width)
        origins[:, span] = origin
        labels[:, span] = grown.label
        nodes = np.where(fresh, np.arange(first, first + beam_width), grown.node)
        running = (time < sequence_length)[:, None]
        beam = Beam(
            *(
                np.where(running, a, b)
                for a, b in zip(grown._replace(node=nodes), beam, strict=True)
            )
        )
    total = beam.total[:, :top_paths]
    if np.any(np.isneginf(total)):
        raise invalid("Less leaves in the beam search than requested.")
    found = [
        _path(beam.node[:, i], origins, labels, steps, merge_repeated) for i in range(top_paths)
    ]
    indices, values, shapes = zip(*found, strict=True)
    return *indices, *values, *shapes, total.astype(inputs.dtype)


def _first_beam(batch: int, width: int) -> Beam:
    """The empty prefix alone."""
    shape = (batch, width)
    by_blank = np.full(shape, -np.inf)
    by_blank[:, 0] = 0.0
    numbers = np.zeros(shape, np.uint64)
    nodes, nothing = np.zeros(shape, np.int64), np.full(shape, -np.inf)
    return _without_dead(Beam(numbers, numbers, np.full(shape, -1), nodes, nothing, by_blank))


def _without_dead(beam: Beam) -> Beam:
    """The beam with numbers that no prefix has in the slots without one, and as the first's parent.

    So they are nobody's parents and nobody's children.
    """
    width = beam.prefix.shape[1]
    slots = np.arange(1, width + 1, dtype=np.uint64)
    dead = np.isneginf(beam.total)
    return beam._replace(
        prefix=np.where(dead, slots, beam.prefix),
        parent=np.where(dead | (beam.label < 0), slots + np.uint64(width), beam.parent),
    )


def _grown(beam: Beam, logs: Array, blank: int) -> tuple[Beam, Array]:
    """The beam after one more step, best first, and for new prefixes the nodes they go on from.

    The second result is -1 for prefixes that were there before.
    """
    batch, width = beam.prefix.shape
    total = beam.total
    # Which slots hold the prefix that a prefix goes on from.
    row, slot, parent = np.nonzero(beam.parent[:, :, None] == beam.prefix[:, None, :])
    from_parent = np.full(total.shape, -np.inf)
    repeats = beam.label[row, slot] == beam.label[row, parent]
    from_parent[row, slot] = np.where(repeats, beam.by_blank[row, parent], total[row, parent])
    kept = _kept(beam, total, from_parent, logs, blank)
    everything = np.empty((batch, width + width * blank))
    everything[:, :width] = kept.total
    # Every prefix goes on with every label.
    score = everything[:, width:].reshape(batch, width, blank)
    np.add(total[:, :, None], logs[:, None, :blank], out=score)
    # A label that repeats needs a blank between.
    at, holder = np.nonzero(beam.label >= 0)
    again = beam.label[at, holder]
    score[at, holder, again] = beam.by_blank[at, holder] + logs[at, again]
    # Those that are in the beam already have got their part.
    score[row, parent, beam.label[row, slot]] = -np.inf
    order = _best(everything, width)
    old = order < width
    slot = np.where(old, order, 0)
    child = np.where(old, 0, order - width)
    # With the blank alone there is no child.
    parent_slot, label = child // max(blank, 1), child % max(blank, 1)

    def pick(values: Array, places: Array) -> Array:
        return np.take_along_axis(values, places, 1)

    grown_from = pick(beam.prefix, parent_slot)
    new = Beam(
        np.where(old, pick(kept.prefix, slot), _number_of_child(grown_from, label)),
        np.where(old, pick(kept.parent, slot), grown_from),
        np.where(old, pick(kept.label, slot), label),
        pick(kept.node, slot),
        np.where(old, pick(kept.by_label, slot), pick(everything, order)),
        np.where(old, pick(kept.by_blank, slot), -np.inf),
    )
    return _without_dead(new), np.where(old, -1, pick(beam.node, parent_slot))


def _kept(beam: Beam, total: Array, from_parent: Array, logs: Array, blank: int) -> Beam:
    """The prefixes of the beam after one more step; `from_parent` is what comes in from others."""
    rows = np.arange(len(total))[:, None]
    step = np.where(beam.label >= 0, logs[rows, np.maximum(beam.label, 0)], -np.inf)
    by_label = np.logaddexp(beam.by_label, from_parent) + step
    return beam._replace(by_label=by_label, by_blank=total + logs[:, blank, None])


def _best(scores: Array, count: int) -> Array:
    """The places of the highest scores of each row, [batch, count], in order."""
    if scores.shape[1] > count:
        # The best in any order first: few are left to sort.
        places = np.argpartition(scores, -count, 1)[:, -count:]
        places.sort(1)
    else:
        places = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    order = np.argsort(-np.take_along_axis(scores, places, 1), 1, kind="stable")
    result: Array = np.take_along_axis(places, order, 1)
    return result


def _number_of_child(prefix: Array, label: Array) -> Array:
    """A number for prefix + label: well mixed, so that two prefixes never share one in practice."""
    with np.errstate(over="ignore"):
        mixed = prefix * np.uint64(0x9E3779B97F4A7C15)
        mixed = mixed + (label.astype(np.uint64) + np.uint64(1)) * np.uint64(0xBF58476D1CE4E5B9)
        mixed ^= mixed >> np.uint64(30)
        mixed *= np.uint64(0x94D049BB133111EB)
        number: Array = mixed ^ (mixed >> np.uint64(31))
        return number


def _path(nodes: Array, origins: Array, labels: Array, steps: int, merge: bool) -> Sparse:
    """The labels that lead to a node of each row."""
    rows = np.arange(len(nodes))
    backwards = np.full((len(nodes), steps), -1)
    for place in range(steps - 1, -1, -1):
        backwards[:, place] = labels[rows, nodes]
        nodes = origins[rows, nodes]
    kept = backwards >= 0
    if merge:
        kept[:, 1:] &= backwards[:, 1:] != backwards[:, :-1]
    return _sparse(backwards, kept)
