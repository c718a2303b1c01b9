"""Connectionist temporal classification: the loss of label sequences of unknown alignment.

A row's labels, with blanks between and around them, are the places u = 0 ... 2 L of a path that
goes on by at most two places a step. All rows of a batch go through time together: `ahead` holds
the log probability of all path beginnings that end at a place, `after` that of all their ends.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from workbench.core.kernels.support import invalid

Array = np.ndarray


class Targets(NamedTuple):
    """The labels of a batch, blanks put between."""

    #: The class of each place, [batch, 2 * longest + 1].
    places: Array
    #: How many labels each row has, [batch].
    counts: Array
    #: The rows that take part: with enough steps for their labels.
    taken: Array


def ctc_loss(
    inputs: Array,
    labels_indices: Array,
    labels_values: Array,
    sequence_length: Array,
    *,
    preprocess_collapse_repeated: bool = False,
    ctc_merge_repeated: bool = True,
    ignore_longer_outputs_than_inputs: bool = False,
) -> tuple[Array, Array]:
    """The loss [batch] of logits [time, batch, classes], and its gradient by the logits.

    The last class is the blank. Rows with more labels than steps are errors, or with
    ``ignore_longer_outputs_than_inputs`` have no loss and no gradient.

    >>> loss, _ = ctc_loss(np.zeros((2, 1, 2)), np.array([[0, 0]]), np.array([0]), np.array([2]))
    >>> np.exp(-loss)  # three of the four paths: "a-", "-a" and "aa"
    array([0.75])
    """
    steps, batch, classes = _checked_sizes(inputs, labels_indices, labels_values, sequence_length)
    targets = _targets(
        _labels(labels_indices, labels_values, batch, preprocess_collapse_repeated),
        sequence_length,
        classes,
        ignore_longer_outputs_than_inputs,
    )
    logs = log_softmax(inputs)
    places = targets.places
    emissions = np.take_along_axis(logs, np.broadcast_to(places, (steps, *places.shape)), 2)
    with np.errstate(invalid="ignore"):
        ahead = _ahead(emissions, places, classes - 1, ctc_merge_repeated)
        after = _after(emissions, targets, sequence_length, classes - 1, ctc_merge_repeated)
        total = _total(ahead, targets, sequence_length)
        # The probability that the path is at a place at a time, given the labels.
        shares = np.exp(ahead + after - total[:, None])
    shares[:, ~np.isfinite(total)] = 0.0
    rows = np.arange(steps * batch).reshape(steps, batch, 1) * classes + places
    found = np.bincount(rows.ravel(), shares.ravel(), steps * batch * classes)
    gradient = np.exp(logs) - found.reshape(logs.shape)
    running = np.arange(steps)[:, None] < sequence_length
    gradient[~(running & targets.taken)] = 0.0
    loss = np.where(targets.taken & (sequence_length > 0), -total, 0.0)
    return loss.astype(inputs.dtype), gradient.astype(inputs.dtype)


def log_softmax(inputs: Array) -> Array:
    """The logarithms of the classes' probabilities, in double precision."""
    shifted = inputs.astype(np.float64)
    # Steps past a row's end may hold anything, infinities too.
    with np.errstate(invalid="ignore"):
        shifted -= shifted.max(-1, keepdims=True)
        shifted -= np.log(np.exp(shifted).sum(-1, keepdims=True))
    return shifted


def logit_sizes(inputs: Array, lengths: Array) -> tuple[int, int, int]:
    """How many steps, sequences and classes there are; an error where `lengths` does not fit."""
    if inputs.ndim != 3:
        raise invalid(f"inputs is not a 3-Tensor, its shape is {inputs.shape}")
    steps, batch, classes = inputs.shape
    if lengths.shape != (batch,):
        raise invalid(
            f"len(sequence_length) != batch_size.  sequence_length has the shape {lengths.shape}, "
            f"batch_size: {batch}"
        )
    return steps, batch, classes


# -- the labels ----------------------------------------------------------------------------------


def _checked_sizes(
    inputs: Array, indices: Array, values: Array, lengths: Array
) -> tuple[int, int, int]:
    steps, batch, classes = logit_sizes(inputs, lengths)
    if batch == 0:
        raise invalid("batch_size must not be 0")
    if len(indices) != len(values):
        raise invalid(
            "labels_indices and labels_values must contain the same number of rows, but saw "
            f"shapes: {indices.shape} vs. {values.shape}"
        )
    for row in np.flatnonzero((lengths > steps) | (lengths < 0)):
        raise invalid(f"sequence_length({row}) = {lengths[row]} is not between 0 and {steps}")
    return steps, batch, classes


def _labels(indices: Array, values: Array, batch: int, collapse: bool) -> list[Array]:
    """The labels of each row, in the order of their places."""
    rows = indices[:, 0]
    for row in rows[(rows < 0) | (rows >= batch)]:
        raise invalid(f"labels batch index must be between 0 and {batch} but saw: {row}")
    if np.any(np.diff(rows) < 0):
        raise invalid("label SparseTensor is not valid: its indices are out of order")
    labels = np.split(values, np.searchsorted(rows, np.arange(1, batch)))
    for row, own in enumerate(labels):
        if not len(own):
            raise invalid(f"Labels length is zero in batch {row}")
    if collapse:
        return [own[np.concatenate([[True], own[1:] != own[:-1]])] for own in labels]
    return labels


def _targets(labels: list[Array], lengths: Array, classes: int, ignore_longer: bool) -> Targets:
    kept = []
    for row, own in enumerate(labels):
        null = own >= classes - 1
        if np.any(own < 0):
            raise invalid(
                f"All labels must be nonnegative integers, batch: {row} labels: {own.tolist()}"
            )
        if np.any(null[:-1] & ~null[1:]):
            raise invalid(
                "Saw a non-null label (index >= num_classes - 1) following a null label, batch: "
                f"{row} num_classes: {classes} labels: {own.tolist()}"
            )
        kept.append(own[~null])
        if len(kept[-1]) > lengths[row] and not ignore_longer:
            raise invalid(
                f"Not enough time for target transition sequence (required: {len(kept[-1])}, "
                f"available: {lengths[row]}) in batch {row}. You can turn this error into a "
                "warning by using the flag ignore_longer_outputs_than_inputs"
            )
    counts = np.array([len(own) for own in kept])
    places = np.full((len(kept), 2 * counts.max() + 1), classes - 1)
    for row, own in enumerate(kept):
        places[row, 1 : 2 * len(own) : 2] = own
    return Targets(places, counts, counts <= lengths)


# -- paths ---------------------------------------------------------------------------------------


def _may_skip(places: Array, blank: int, merge: bool) -> Array:
    """Where a path may come from two places before: over a blank, to another label."""
    allowed: Array = places != blank
    allowed[:, :2] = False
    if merge:
        allowed[:, 2:] &= places[:, 2:] != places[:, :-2]
    return allowed


def _may_stay(places: Array, blank: int, merge: bool) -> Array:
    """Where a path may stay: everywhere, or without merging at blanks only."""
    everywhere: Array = np.full(places.shape, True)
    return everywhere if merge else np.equal(places, blank)


def _ahead(emissions: Array, places: Array, blank: int, merge: bool) -> Array:
    """The log probabilities of path beginnings, their last step included, [time, batch, place]."""
    skip = np.where(_may_skip(places, blank, merge), 0.0, -np.inf)
    stay = np.where(_may_stay(places, blank, merge), 0.0, -np.inf)
    result = np.full(emissions.shape, -np.inf)
    if len(emissions):
        result[0, :, :2] = emissions[0, :, :2]
    for time in range(1, len(emissions)):
        before, now = result[time - 1], result[time]
        now[:] = before + stay
        np.logaddexp(now[:, 1:], before[:, :-1], out=now[:, 1:])
        np.logaddexp(now[:, 2:], before[:, :-2] + skip[:, 2:], out=now[:, 2:])
        now += emissions[time]
    return result


def _after(emissions: Array, targets: Targets, lengths: Array, blank: int, merge: bool) -> Array:
    """The log probabilities of path ends, their first step left out, [time, batch, place]."""
    places = targets.places
    skip = np.where(_may_skip(places, blank, merge), 0.0, -np.inf)
    stay = np.where(_may_stay(places, blank, merge), 0.0, -np.inf)
    result = np.full(emissions.shape, -np.inf)
    last = 2 * targets.counts[:, None]
    place = np.arange(places.shape[1])
    end = np.where((place == last) | (place == last - 1), 0.0, -np.inf)
    for time in range(len(emissions) - 1, -1, -1):
        now = result[time]
        if time + 1 < len(emissions):
            later = result[time + 1] + emissions[time + 1]
            now[:] = later + stay
            np.logaddexp(now[:, :-1], later[:, 1:], out=now[:, :-1])
            np.logaddexp(now[:, :-2], later[:, 2:] + skip[:, 2:], out=now[:, :-2])
        ending = lengths == time + 1
        now[ending] = end[ending]
        now[lengths <= time] = -np.inf
    return result


def _total(ahead: Array, targets: Targets, lengths: Array) -> Array:
    """The log probability of each row's labels."""
    if not len(ahead):
        return np.zeros(len(lengths))
    row = np.arange(len(lengths))
    final = ahead[np.maximum(lengths - 1, 0), row]
    last = 2 * targets.counts
    at_label = np.where(last > 0, final[row, np.maximum(last - 1, 0)], -np.inf)
    total: Array = np.logaddexp(final[row, last], at_label)
    return total
